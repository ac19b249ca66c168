import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HoldfastError, hasCode } from '../../src/contract/errors.ts';
import { compress, decompress } from '../../src/repository/zstd.ts';

test('decompressing gives back what was compressed, the empty text too', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
      expect(Buffer.compare(decompress(compress(bytes), bytes.length), bytes)).toBe(0);
    }),
  );
});

test('compressible text becomes smaller', () => {
  expect(compress(Buffer.alloc(1 << 20, 'abc')).length).toBeLessThan(1000);
});

test('a frame that would give more than the limit is refused before the memory is filled', () => {
  const bomb = compress(Buffer.alloc(64 << 20));
  expect(bomb.length).toBeLessThan(10_000);
  const before = process.memoryUsage().arrayBuffers;
  expect(() => decompress(bomb, 1000)).toThrowError(expect.objectContaining({ code: 'item-tampered' }));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 << 20);
  expect(() => decompress(compress(Buffer.alloc(101)), 100)).toThrowError(expect.objectContaining({ code: 'item-tampered' }));
});

test('a frame without a content size is accepted', () => {
  // Magic number; descriptor 0 (no single segment, no checksum, no content size); window 1 KiB; one last raw block of 2 bytes.
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x00, 0x11, 0x00, 0x00, 0x68, 0x69]);
  expect(decompress(frame, 10).toString()).toBe('hi');
});

test('anything that is not a frame, and any damaged one, is refused with a clear error or stays what it was', () => {
  const text = Buffer.from('a text that compresses, a text that compresses, a text that compresses'.repeat(5));
  const frame = compress(text);
  fc.assert(
    fc.property(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const damaged = Buffer.from(frame);
      damaged[at] ^= flip;
      try {
        expect(decompress(damaged, text.length).length).toBeLessThanOrEqual(text.length);
      } catch (error) {
        if (!(error instanceof HoldfastError)) throw error;
        expect(error.code).toBe('item-tampered');
      }
    }),
  );
  for (const wrong of [Buffer.from('no frame'), frame.subarray(0, frame.length - 1), randomBytes(200)]) {
    try {
      decompress(wrong, 1000);
      expect.unreachable();
    } catch (error) {
      expect(hasCode(error, 'item-tampered')).toBe(true);
    }
  }
});
