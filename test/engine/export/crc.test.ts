import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { combineCrc } from '../../../src/engine/export/crc.ts';

test('the CRC of two parts is that of the whole', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.uint8Array({ maxLength: 3000 }), (first, second) => {
      expect(combineCrc(crc32(first), crc32(second), second.length)).toBe(crc32(Buffer.concat([first, second])));
    }),
  );
});

test('many parts, one after the other, give the CRC of all', () => {
  const pieces = Array.from({ length: 50 }, (_, i) => Buffer.alloc(i * 997, i));
  let crc = 0;
  for (const piece of pieces) crc = combineCrc(crc, crc32(piece), piece.length);
  expect(crc).toBe(crc32(Buffer.concat(pieces)));
});

test('a part of more than 4 GiB counts with its whole length', () => {
  // Zeros of 2^32 + 5 bytes, in pieces that are combined in another order.
  const half = Buffer.alloc(1 << 20);
  let zeros = crc32(half);
  let length = half.length;
  while (length < 2 ** 32) {
    zeros = combineCrc(zeros, zeros, length);
    length *= 2;
  }
  const rest = Buffer.alloc(5);
  const long = combineCrc(zeros, crc32(rest), 5);
  const first = crc32('first');
  expect(combineCrc(first, long, length + 5)).toBe(combineCrc(combineCrc(first, zeros, length), crc32(rest), 5));
});
