import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openSystemCiphers } from '../../src/platform/openssl-library.ts';
import { randomMasterKey, Sealer, sealOverhead } from '../../src/repository/crypto.ts';
import { Kernel } from '../../src/repository/kernel/kernel.ts';

const key = randomMasterKey();
const ciphers = openSystemCiphers();
const system = new Sealer(key, Kernel.create(), 1 << 16, ciphers ?? null);
const portable = new Sealer(key, Kernel.create(), 1 << 16, null);

function sealed(by: Sealer, plain: Uint8Array): Buffer {
  const out = Buffer.alloc(plain.length + sealOverhead);
  by.seal(plain, out, 0);
  return out;
}

test('this runtime exports its ciphers, so that both ways are tested here', () => {
  expect(ciphers).toBeDefined();
});

describe.each([
  ['the runtime’s ciphers', system, portable],
  ['the portable ones', portable, system],
])('what %s have sealed', (_, one, other) => {
  test.each([0, 1, 15, 16, 17, 4096, 65_535, 65_537, 262_145, 1_500_007])('the other way opens (%i bytes)', (length) => {
    const plain = randomBytes(length);
    expect(Buffer.from(other.open(sealed(one, plain))).equals(plain)).toBe(true);
  });

  test('the other way refuses after any change', () => {
    const item = sealed(one, randomBytes(100));
    for (let at = 0; at < item.length; at++) {
      const changed = Buffer.from(item);
      changed[at] ^= 1 << (at % 8);
      expect(() => other.open(changed)).toThrowError(expect.objectContaining({ code: 'item-tampered' }));
    }
  });

  test('is right also when the plaintext lies where the item goes', () => {
    for (const shift of [0, 1, 16, 40]) {
      const memory = Buffer.alloc(5000 + sealOverhead + shift);
      const plain = randomBytes(5000);
      memory.set(plain, shift);
      one.seal(memory.subarray(shift, shift + 5000), memory, 0);
      expect(Buffer.from(other.open(memory.subarray(0, 5000 + sealOverhead))).equals(plain)).toBe(true);
    }
  });
});

test('two items never have the same IV, whichever way sealed them', () => {
  const ivs = new Set<string>();
  for (let i = 0; i < 2000; i++) ivs.add(sealed(i % 2 === 0 ? system : portable, Buffer.from('x')).toString('hex', 0, 16));
  expect(ivs.size).toBe(2000);
});
