/**
 * Polynomials over GF(2), as the chunker needs them: bit i of a BigInt is the coefficient of x^i. Addition is XOR.
 *
 * A repository's chunker polynomial is irreducible and of degree 53 (repository-format.md, "Chunker"). It decides where
 * files are cut, so it is chosen once for a repository, at random, and then kept.
 */
import { randomBytes } from 'node:crypto';
import { fail } from '../contract/errors.ts';

export const polynomialDegree = 53;

/** The highest power of x in `p`; -1 for 0. */
export function degree(p: bigint): number {
  return p === 0n ? -1 : p.toString(2).length - 1;
}

/** `a` modulo `p`. Throws RangeError when `p` is 0. */
export function mod(a: bigint, p: bigint): bigint {
  if (p === 0n) throw new RangeError('Division by the zero polynomial');
  const target = degree(p);
  let rest = a;
  for (let d = degree(rest); d >= target; d = degree(rest)) rest ^= p << BigInt(d - target);
  return rest;
}

/** a·b modulo `p`. */
export function mulmod(a: bigint, b: bigint, p: bigint): bigint {
  let product = 0n;
  let shifted = mod(a, p);
  for (let left = b; left !== 0n; left >>= 1n) {
    if (left & 1n) product ^= shifted;
    shifted = mod(shifted << 1n, p);
  }
  return mod(product, p);
}

export function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, mod(x, y)];
  return x;
}

/**
 * Ben-Or's test: x^(2^i) - x is the product of all irreducible polynomials whose degree divides i, so `p` of degree n is
 * irreducible when it shares no factor with any of them for i = 1 … n/2.
 */
export function isIrreducible(p: bigint): boolean {
  const n = degree(p);
  if (n < 1) return false;
  const x = mod(2n, p);
  let power = x;
  for (let i = 1; i <= n / 2; i++) {
    power = mulmod(power, power, p);
    if (degree(gcd(p, power ^ x)) > 0) return false;
  }
  return true;
}

/** A new chunker polynomial. Of the polynomials tried about one in 27 is irreducible. */
export function randomPolynomial(): bigint {
  for (;;) {
    const random = BigInt(`0x${randomBytes(7).toString('hex')}`);
    const candidate = BigInt.asUintN(polynomialDegree, random) | (1n << BigInt(polynomialDegree)) | 1n;
    if (isIrreducible(candidate)) return candidate;
  }
}

/** As restic's config holds it: hexadecimal digits without 0x and without leading zeros. */
export function formatPolynomial(p: bigint): string {
  return p.toString(16);
}

/** The chunker polynomial written as `text`. Throws 'bad-polynomial' when it is none that restic would have chosen. */
export function parsePolynomial(text: string): bigint {
  if (!/^[0-9a-f]{1,16}$/i.test(text)) return fail('bad-polynomial', { problem: 'it is not a hexadecimal number of at most 64 bits' });
  const p = BigInt(`0x${text}`);
  if (degree(p) !== polynomialDegree) return fail('bad-polynomial', { problem: `its degree is ${degree(p)}, not ${polynomialDegree}` });
  if (!isIrreducible(p)) return fail('bad-polynomial', { problem: 'it is not irreducible' });
  return p;
}
