import fc from 'fast-check';
import { expect, test } from 'vitest';
import { headerRange, maxEntryBytes, maxHeaderBytes, readEntries, writeEntry } from '../../src/repository/pack.ts';

const entry = fc.record({
  type: fc.constantFrom('data' as const, 'tree' as const),
  length: fc.integer({ min: 32, max: 2 ** 31 }),
  uncompressed: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2 ** 32 - 1 })),
  id: fc.uint8Array({ minLength: 32, maxLength: 32 }),
});

interface Entry {
  type: 'data' | 'tree';
  length: number;
  uncompressed: number;
  id: Uint8Array;
}

function write(entries: readonly Entry[]): Buffer {
  const out = Buffer.alloc(entries.length * maxEntryBytes);
  let at = 0;
  for (const { type, length, uncompressed, id } of entries) at = writeEntry(out, at, type, length, uncompressed, id);
  return out.subarray(0, at);
}

const invalid = expect.objectContaining({ code: 'pack-invalid' }) as unknown;

test('entries are read as they were written, each at the sum of the lengths before it', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
      const read: (Entry & { offset: number })[] = [];
      const sum = readEntries(write(entries), (type, offset, length, uncompressed, header, idAt) => {
        read.push({ type, offset, length, uncompressed, id: new Uint8Array(header.subarray(idAt, idAt + 32)) });
      });
      let offset = 0;
      const expected = entries.map((e) => ({ ...e, offset: (offset += e.length) - e.length }));
      expect(read).toEqual(expected);
      expect(sum).toBe(offset);
    }),
  );
});

test('an entry takes 37 bytes, or 41 when the blob is compressed; types are 0 to 3', () => {
  const id = new Uint8Array(32).fill(0xee);
  const bytes = (type: 'data' | 'tree', uncompressed: number): string =>
    write([{ type, length: 0x01020304, uncompressed, id }]).toString('hex');
  const ee = 'ee'.repeat(32);
  expect(bytes('data', 0)).toBe(`0004030201${ee}`);
  expect(bytes('tree', 0)).toBe(`0104030201${ee}`);
  expect(bytes('data', 0xa1b2c3d4)).toBe(`0204030201d4c3b2a1${ee}`);
  expect(bytes('tree', 5)).toBe(`030403020105000000${ee}`);
});

test('a header that is not a whole number of well-formed entries is refused', () => {
  const good = write([{ type: 'data', length: 100, uncompressed: 7, id: new Uint8Array(32) }]);
  const visit = (): void => {};
  for (let cut = 1; cut < good.length; cut++) expect(() => readEntries(good.subarray(0, cut), visit)).toThrowError(invalid);
  const change = (at: number, value: number): Buffer => {
    const changed = Buffer.from(good);
    changed[at] = value;
    return changed;
  };
  for (const kind of [4, 5, 0x80, 0xff]) expect(() => readEntries(change(0, kind), visit)).toThrowError(invalid);
  expect(() => readEntries(change(1, 31), visit)).toThrowError(invalid);
  expect(() => readEntries(change(5, 0), visit)).toThrowError(invalid);
});

test('the header lies before its length, and a length that cannot be is refused', () => {
  const tail = (length: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(length);
    return bytes;
  };
  expect(headerRange(tail(69), 1000)).toEqual({ offset: 927, length: 69 });
  expect(headerRange(tail(69), 73)).toEqual({ offset: 0, length: 69 });
  expect(headerRange(tail(maxHeaderBytes), 2 ** 30).length).toBe(maxHeaderBytes);
  for (const [length, size] of [
    [68, 1000],
    [0, 1000],
    [69, 72],
    [997, 1000],
    [maxHeaderBytes + 1, 2 ** 30],
    [2 ** 32 - 1, 2 ** 33],
  ] as const)
    expect(() => headerRange(tail(length), size)).toThrowError(invalid);
});
