import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HoldfastError } from '../../src/contract/errors.ts';
import { BlobIndex, type BlobType, emptyLocation } from '../../src/repository/blob-index.ts';
import { addIndexFile, IndexFileBuilder, maxBlobsPerIndexFile } from '../../src/repository/index-file.ts';
import { maxEntryBytes, writeEntry } from '../../src/repository/pack.ts';

const idOf = (name: string): Buffer => createHash('sha256').update(name).digest();
const hexOf = (name: string): string => idOf(name).toString('hex');

interface Entry {
  type: BlobType;
  id: Buffer;
  length: number;
  plain: number;
}

function header(entries: readonly Entry[]): Buffer {
  const out = Buffer.alloc(entries.length * maxEntryBytes);
  let at = 0;
  for (const { type, id, length, plain } of entries) at = writeEntry(out, at, type, length, plain, id);
  return out.subarray(0, at);
}

function load(text: string | Buffer): BlobIndex {
  const index = BlobIndex.create();
  addIndexFile(Buffer.from(text), index);
  return index;
}

const codeOf = (text: string | Buffer): string => {
  try {
    load(text);
    return 'accepted';
  } catch (error) {
    return (error as HoldfastError).code;
  }
};

const pack = { id: hexOf('pack'), blobs: [{ id: hexOf('blob'), type: 'data', offset: 0, length: 100 }] };

test('an index file is loaded as it was built', () => {
  const entry = fc.record({
    type: fc.constantFrom<BlobType>('data', 'tree'),
    length: fc.integer({ min: 32, max: 1 << 24 }),
    plain: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1 << 25 })),
  });
  fc.assert(
    fc.property(fc.array(fc.array(entry, { minLength: 1, maxLength: 5 }), { maxLength: 6 }), (packs) => {
      const builder = new IndexFileBuilder();
      packs.forEach((entries, p) => builder.add(hexOf(`pack ${p}`), header(entries.map((e, i) => ({ ...e, id: idOf(`${p}/${i}`) })))));
      const index = load(builder.text());
      expect(index.packCount).toBe(packs.length);
      const location = emptyLocation();
      packs.forEach((entries, p) => {
        let offset = 0;
        entries.forEach(({ type, length, plain }, i) => {
          expect(index.locate(idOf(`${p}/${i}`), 0, type, location)).toBe(true);
          expect(location).toMatchObject({ pack: index.packNumber(idOf(`pack ${p}`)), offset, length, uncompressedLength: plain });
          offset += length;
        });
      });
    }),
  );
});

test('the text is what restic writes: fields in its order, no length where nothing is compressed', () => {
  const builder = new IndexFileBuilder();
  builder.add(
    hexOf('p'),
    header([
      { type: 'data', id: idOf('a'), length: 40, plain: 0 },
      { type: 'tree', id: idOf('b'), length: 50, plain: 99 },
    ]),
  );
  expect(builder.text().toString()).toBe(
    `{"packs":[{"id":"${hexOf('p')}","blobs":[{"id":"${hexOf('a')}","type":"data","offset":0,"length":40},` +
      `{"id":"${hexOf('b')}","type":"tree","offset":40,"length":50,"uncompressed_length":99}]}]}`,
  );
});

test('taking the text empties the builder; joining keeps what both hold', () => {
  const [one, two] = [new IndexFileBuilder(), new IndexFileBuilder()];
  one.add(hexOf('p'), header([{ type: 'data', id: idOf('a'), length: 40, plain: 0 }]));
  two.add(hexOf('q'), header([{ type: 'data', id: idOf('b'), length: 40, plain: 0 }]));
  one.join(two);
  expect(one.isEmpty).toBe(false);
  expect(load(one.take()).blobCount).toBe(2);
  expect(one.isEmpty).toBe(true);
  expect(load(one.take()).packCount).toBe(0);
});

test('a builder is full at the number of blobs at which restic rotates', () => {
  const builder = new IndexFileBuilder();
  const entries = Array.from({ length: maxBlobsPerIndexFile / 2 }, () => ({ type: 'data' as const, id: idOf('x'), length: 40, plain: 0 }));
  builder.add(hexOf('p'), header(entries));
  expect(builder.isFull).toBe(false);
  builder.add(hexOf('q'), header(entries));
  expect(builder.isFull).toBe(true);
  builder.take();
  expect(builder.isFull).toBe(false);
});

test.each([
  ['longer than our own', 60_000],
  ['longer than any that is noted before it is used', 250_000],
])('an index file %s is loaded as others are, and refused whole when its end is missing', (_, count) => {
  const builder = new IndexFileBuilder();
  const id = Buffer.alloc(32);
  const entries = Array.from({ length: count }, (__, i) => {
    id.writeUInt32LE(i);
    return { type: i % 3 === 0 ? 'tree' : 'data', id: Buffer.from(id), length: 100 + (i % 1000), plain: i } as const;
  });
  builder.add(hexOf('small'), header([{ type: 'data', id: idOf('alone'), length: 50, plain: 0 }]));
  builder.add(hexOf('large'), header(entries));
  const text = Buffer.from(builder.text());
  const index = load(text);
  expect(index.blobCount).toBe(count + 1);
  const location = emptyLocation();
  let offset = 0;
  for (const { type, id: wanted, length, plain } of entries) {
    if (!index.locate(wanted, 0, type, location)) throw new Error('a blob is missing');
    if (location.offset !== offset || location.length !== length || location.uncompressedLength !== plain || location.pack !== 1)
      throw new Error(`a blob is in another place: ${JSON.stringify(location)}`);
    offset += length;
  }
  expect(index.packBlobs(1)).toBe(count);
  const empty = BlobIndex.create();
  expect(() => addIndexFile(text.subarray(0, -1), empty)).toThrow('is damaged');
  expect([empty.blobCount, empty.packCount]).toEqual([0, 0]);
});

test('foreign fields, other orders, the bare list and superseded files are read', () => {
  const { id, blobs } = pack;
  const accepted = [
    { packs: [pack], supersedes: [hexOf('old')], packs_to_delete: [pack], time: 'x', foreign: { packs: [1] } },
    { supersedes: null, packs: [{ size: 5, blobs, time: null, id }] },
    { packs: [{ ...pack, blobs: [{ length: 100, foreign: [{ id: 'x' }], offset: 0, type: 'data', id: hexOf('blob') }] }] },
    [pack],
  ];
  for (const value of accepted) {
    for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
      const index = load(text);
      expect(index.packSize(index.packNumber(idOf('pack')))).toBe(100 + 37 + 36);
      expect(index.has(idOf('blob'), 0, 'data')).toBe(true);
    }
  }
  expect(load('{"packs":[]}').packCount).toBe(0);
});

test('what is not an index is refused, and nothing of it is used', () => {
  const withBlob = (change: object): unknown => ({ packs: [pack, { id: hexOf('q'), blobs: [{ ...pack.blobs[0], ...change }] }] });
  const wrong: unknown[] = [
    null,
    1,
    'text',
    true,
    {},
    { packs: 1 },
    { packs: [null] },
    { packs: [{}] },
    { packs: [{ id: hexOf('p') }] },
    { packs: [{ id: 'p', blobs: [] }] },
    withBlob({ id: 'short' }),
    withBlob({ id: 7 }),
    withBlob({ type: 'Data' }),
    withBlob({ type: undefined }),
    withBlob({ offset: -1 }),
    withBlob({ offset: 0.5 }),
    withBlob({ offset: 2 ** 32 }),
    withBlob({ length: 31 }),
    withBlob({ length: '100' }),
    withBlob({ length: undefined }),
    withBlob({ length: 1e300 }),
    withBlob({ uncompressed_length: -1 }),
    withBlob({ uncompressed_length: 2 ** 32 }),
    withBlob({ uncompressed_length: 'x' }),
  ];
  for (const value of wrong) expect(codeOf(JSON.stringify(value)), JSON.stringify(value)).toBe('index-invalid');
  for (const text of ['', '{', '[', '{"packs":[}', `${JSON.stringify({ packs: [pack] })}x`, '\0'])
    expect(codeOf(text), text).toBe('index-invalid');
  const index = BlobIndex.create();
  expect(() => addIndexFile(Buffer.from(JSON.stringify(withBlob({ length: 3 }))), index)).toThrow('without a place');
  expect(index.blobCount).toBe(0);
});

test('any mutation of an index is read or refused, never a crash', () => {
  const text = Buffer.from(JSON.stringify({ packs: [pack, { ...pack, id: hexOf('q') }] }));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(text.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), (changes) => {
      const mutated = Buffer.from(text);
      for (const [at, byte] of changes) mutated[at] = byte;
      expect(['accepted', 'index-invalid']).toContain(codeOf(mutated));
    }),
  );
});

test('the same pack in several index files counts once', () => {
  const index = BlobIndex.create();
  const text = Buffer.from(JSON.stringify({ packs: [pack] }));
  for (let i = 0; i < 3; i++) addIndexFile(text, index);
  expect([index.blobCount, index.packCount, index.packSize(0), index.packBlobs(0)]).toEqual([1, 1, 173, 1]);
});
