import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openZstdContexts } from '../../src/platform/zstd-library.ts';
import { compress, compressNext, decompress, decompressNext } from '../../src/repository/zstd.ts';

const contexts = openZstdContexts(3)!;

test('this runtime exports its zstd, so that kept contexts are tested here', () => {
  expect(contexts).toBeDefined();
});

test('kept contexts and one-shot functions read each other, thousands of times in a row', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(40), (piece, times) => {
      const plain = Buffer.concat(Array.from({ length: times }, () => piece));
      const kept = compressNext(plain);
      if (kept) {
        expect(kept.length).toBeLessThan(plain.length);
        expect(decompress(Buffer.from(kept), plain.length).equals(plain)).toBe(true);
      }
      expect(Buffer.compare(decompressNext(compress(plain), plain.length), plain)).toBe(0);
    }),
    { numRuns: 2000 },
  );
});

test('what would not become shorter is not compressed', () => {
  for (const length of [0, 1, 9, 100, 128 << 10, 1 << 20]) expect(compressNext(randomBytes(length))).toBeUndefined();
});

test('a long text that is dense at its beginning only is compressed all the same', () => {
  const plain = Buffer.concat([randomBytes(600 << 10), Buffer.alloc(424 << 10, 'a text ')]);
  expect(compressNext(plain)!.length).toBeLessThan(700 << 10);
});

test('what is longer than any chunk comes back whole', () => {
  const plain = Buffer.alloc(30 << 20, 'longer than what is kept ');
  const frame = Buffer.from(compressNext(plain)!);
  expect(Buffer.compare(decompressNext(frame, plain.length), plain)).toBe(0);
});

test('a frame of more than the limit, a damaged one and none at all are refused', () => {
  const refused = expect.objectContaining({ code: 'item-tampered' }) as Error;
  const frame = compress(Buffer.alloc(1000, 'abc'));
  expect(() => decompressNext(frame, 999)).toThrowError(refused);
  expect(() => decompressNext(frame.subarray(0, -1), 1000)).toThrowError(refused);
  expect(() => decompressNext(randomBytes(50), 1000)).toThrowError(refused);
  // A bomb that says so, beyond what is kept.
  expect(() => decompressNext(compress(Buffer.alloc(64 << 20)), 32 << 20)).toThrowError(refused);
});

test('a context tells of what does not fit, and works on afterwards', () => {
  const plain = Buffer.alloc(1000, 'abc');
  expect(contexts.compress(plain, new Uint8Array(4))).toBeUndefined();
  const out = new Uint8Array(100);
  const frame = out.subarray(0, contexts.compress(plain, out));
  expect(contexts.contentSize(frame)).toBe(1000);
  expect(contexts.decompress(frame, new Uint8Array(10))).toBeUndefined();
  const back = new Uint8Array(1000);
  expect(contexts.decompress(frame, back)).toBe(1000);
  expect(Buffer.compare(back, plain)).toBe(0);
  expect(contexts.contentSize(Buffer.from('no frame'))).toBeUndefined();
});
