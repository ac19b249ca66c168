import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hasCode } from '../../src/contract/errors.ts';
import {
  degree,
  formatPolynomial,
  gcd,
  isIrreducible,
  mod,
  mulmod,
  parsePolynomial,
  randomPolynomial,
} from '../../src/repository/polynomial.ts';

/** The polynomial of the tests of restic's own chunker. */
const ofRestic = 0x3da3358b4dc173n;

const polynomial = fc.bigInt({ min: 0n, max: (1n << 70n) - 1n });
const modulus = fc.bigInt({ min: 2n, max: (1n << 60n) - 1n });

/** Schoolbook multiplication without any reduction. */
function product(a: bigint, b: bigint): bigint {
  let sum = 0n;
  for (let i = 0n; a >> i !== 0n; i++) if ((a >> i) & 1n) sum ^= b << i;
  return sum;
}

test('the degree is that of the highest power, and -1 for zero', () => {
  expect([0n, 1n, 2n, 3n, 0x11bn, ofRestic].map(degree)).toEqual([-1, 0, 1, 1, 8, 53]);
});

test('a remainder is of lower degree and differs by a multiple', () => {
  fc.assert(
    fc.property(polynomial, modulus, (q, p) => {
      const rest = mod(q, p);
      expect(degree(rest)).toBeLessThan(degree(p));
      expect(mod(product(q, p) ^ rest, p)).toBe(rest);
    }),
  );
});

test('the product of bytes is that of AES (FIPS 197, section 4.2)', () => {
  expect(mulmod(0x57n, 0x83n, 0x11bn)).toBe(0xc1n);
  expect(mulmod(0x57n, 0x13n, 0x11bn)).toBe(0xfen);
});

test('a modular product is the remainder of the full product', () => {
  fc.assert(
    fc.property(polynomial, polynomial, modulus, (a, b, p) => {
      expect(mulmod(a, b, p)).toBe(mod(product(a, b), p));
    }),
  );
});

test('the greatest common divisor divides both and holds every common factor', () => {
  fc.assert(
    fc.property(modulus, modulus, modulus, (a, b, common) => {
      const divisor = gcd(product(a, common), product(b, common));
      expect(mod(product(a, common), divisor)).toBe(0n);
      expect(mod(product(b, common), divisor)).toBe(0n);
      expect(mod(divisor, common)).toBe(0n);
    }),
  );
  expect(gcd(0n, 7n)).toBe(7n);
  expect(gcd(7n, 0n)).toBe(7n);
});

test('division by zero is refused', () => {
  expect(() => mod(5n, 0n)).toThrow(RangeError);
});

test('as many polynomials of each degree are irreducible as Gauss counted', () => {
  const counts = Array.from({ length: 10 }, (_, i) => {
    const first = 1 << (i + 1);
    return Array.from({ length: first }, (_, j) => BigInt(first + j)).filter(isIrreducible).length;
  });
  expect(counts).toEqual([2, 1, 2, 3, 6, 9, 18, 30, 56, 99]);
  expect([0n, 1n].map(isIrreducible)).toEqual([false, false]);
});

test("restic's own polynomial is irreducible and no product is", () => {
  expect(isIrreducible(ofRestic)).toBe(true);
  fc.assert(fc.property(modulus, modulus, (a, b) => !isIrreducible(product(a, b))));
  // The hardest case for Ben-Or: two factors of nearly half the degree.
  const factor26 = 0x4000047n;
  const factor27 = 0x8000027n;
  expect([factor26, factor27].map(isIrreducible)).toEqual([true, true]);
  expect(isIrreducible(product(factor26, factor27))).toBe(false);
});

test('a new polynomial is irreducible, of degree 53, another each time, and survives writing and reading', () => {
  const made = Array.from({ length: 20 }, randomPolynomial);
  expect(new Set(made).size).toBe(20);
  for (const p of made) {
    expect(degree(p)).toBe(53);
    expect(p & 1n).toBe(1n);
    expect(isIrreducible(p)).toBe(true);
    expect(parsePolynomial(formatPolynomial(p))).toBe(p);
  }
});

test('a polynomial is written as restic writes it', () => {
  expect(formatPolynomial(ofRestic)).toBe('3da3358b4dc173');
  expect(parsePolynomial('3da3358b4dc173')).toBe(ofRestic);
  expect(parsePolynomial('3DA3358B4DC173')).toBe(ofRestic);
});

const refused: [string, string][] = [
  ['an empty text', ''],
  ['a prefix', '0x3da3358b4dc173'],
  ['a sign', '-3da3358b4dc173'],
  ['a space', ' 3da3358b4dc173'],
  ['a line end', '3da3358b4dc173\n'],
  ['other letters', '3da3358b4dc17g'],
  ['more than 64 bits', '13da3358b4dc1733da3358b4dc173'],
  ['zero', '0'],
  ['degree 52', '1da3358b4dc173'],
  ['degree 54', '7da3358b4dc173'],
  ['a reducible one', '3da3358b4dc171'],
  ['one divisible by x', '3da3358b4dc172'],
];
test.each(refused)('%s is refused as a chunker polynomial', (_, text) => {
  let thrown: unknown;
  try {
    parsePolynomial(text);
  } catch (error) {
    thrown = error;
  }
  expect(hasCode(thrown, 'bad-polynomial')).toBe(true);
});
