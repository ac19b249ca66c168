import { randomBytes } from 'node:crypto';
import { poly1305 } from '@noble/ciphers/_poly1305.js';
import { describe, expect, test } from 'vitest';
import { Kernel } from '../../src/repository/kernel/kernel.ts';

const kernel = Kernel.create();
const [region, key] = [kernel.alloc(1 << 20), kernel.alloc(32)];

/** What the kernel finds in these bytes. */
function found(bytes: Uint8Array, secret: Uint8Array): number {
  kernel.view().set(bytes, region);
  kernel.view().set(secret, key);
  return kernel.findTag(region, bytes.length, key);
}

/** As the format has it: r may be stored unclamped. */
function clamped(secret: Uint8Array): Uint8Array {
  const out = new Uint8Array(secret);
  for (const at of [3, 7, 11, 15]) out[at]! &= 15;
  for (const at of [4, 8, 12]) out[at]! &= 252;
  return out;
}

describe('findTag', () => {
  test('finds the length of a message by the tag behind it, whatever the length, and whatever follows', () => {
    for (const length of [...Array.from({ length: 70 }, (_, i) => i + 1), 255, 256, 257, 1000, 4095, 4096, 70_001]) {
      const [secret, message] = [randomBytes(32), randomBytes(length)];
      const tag = poly1305(message, clamped(secret));
      expect(found(Buffer.concat([message, tag]), secret), `${length} alone`).toBe(length);
      expect(found(Buffer.concat([message, tag, randomBytes(500)]), secret), `${length} with more`).toBe(length);
    }
  });

  test('finds nothing when a bit of the message or of the tag is another, or the end is cut off', () => {
    for (const length of [1, 15, 16, 17, 33, 300]) {
      const [secret, message] = [randomBytes(32), randomBytes(length)];
      const whole = Buffer.concat([message, poly1305(message, clamped(secret))]);
      expect(found(whole.subarray(0, -1), secret)).toBe(0);
      for (let at = 0; at < whole.length; at += 7) {
        const damaged = Buffer.from(whole);
        damaged[at]! ^= 0x20;
        expect(found(damaged, secret)).toBe(0);
      }
    }
    for (const length of [0, 1, 15, 16, 17]) expect(found(new Uint8Array(length), randomBytes(32)) > 1).toBe(false);
  });

  test('works with a key of nothing but ones and messages of nothing but ones', () => {
    const secret = new Uint8Array(32).fill(0xff);
    for (const length of [1, 16, 31, 32, 1024]) {
      const message = new Uint8Array(length).fill(0xff);
      const bytes = Buffer.concat([message, poly1305(message, clamped(secret))]);
      const shorter = found(bytes, secret);
      expect(shorter).toBeGreaterThan(0);
      expect(shorter).toBeLessThanOrEqual(length);
    }
  });
});
