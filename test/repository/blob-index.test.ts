import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { BlobIndex, type BlobType, emptyLocation } from '../../src/repository/blob-index.ts';
import { BlobEncoder } from '../../src/repository/blob-codec.ts';
import { randomMasterKey, Sealer } from '../../src/repository/crypto.ts';
import { sha256 } from '../../src/repository/ids.ts';
import { Kernel } from '../../src/repository/kernel/kernel.ts';
import { readEntries } from '../../src/repository/pack.ts';
import { type FinishedPack, Packer } from '../../src/repository/packer.ts';

const idOf = (name: string): Buffer => createHash('sha256').update(name).digest();
const blob = idOf('blob');

function place(index: BlobIndex, id: Buffer, type: BlobType = 'data'): { pack: string; offset: number } | undefined {
  const location = emptyLocation();
  if (!index.locate(id, 0, type, location)) return undefined;
  return { pack: index.packId(location.pack).toString('hex'), offset: location.offset };
}

/** An index with one blob in several packs, each at offset 7 and 100 bytes long. */
function withCopies(...packs: string[]): { index: BlobIndex; numbers: number[] } {
  const index = BlobIndex.create();
  const numbers = packs.map((name) => index.pack(idOf(name)));
  for (const number of numbers) index.add(number, blob, 0, 'data', 7, 100, 0);
  return { index, numbers };
}

/** Every place that a walk over all records sees. */
function places(index: BlobIndex): string[] {
  const location = emptyLocation();
  const seen: string[] = [];
  for (let entry = 0; entry < index.blobCount; entry++) if (index.at(entry, location)) seen.push(`${location.pack}@${location.offset}`);
  return seen.sort();
}

test('only the first who wants a blob stored has to store it', () => {
  const index = BlobIndex.create();
  expect(index.has(blob, 0, 'data')).toBe(false);
  expect(index.claim(blob, 0, 'data')).toBe(true);
  expect(index.claim(blob, 0, 'data')).toBe(false);
  expect(index.has(blob, 0, 'data')).toBe(true);
});

test('a claimed blob can be read only after it was stored, and then counts once', () => {
  const index = BlobIndex.create();
  index.claim(blob, 0, 'data');
  expect(place(index, blob)).toBeUndefined();
  expect(places(index)).toEqual([]);
  index.add(index.pack(idOf('p')), blob, 0, 'data', 5, 90, 200);
  expect(place(index, blob)).toEqual({ pack: idOf('p').toString('hex'), offset: 5 });
  expect(index.claim(blob, 0, 'data')).toBe(false);
  expect(index.blobCount).toBe(1);
});

test('data and tree blobs of the same ID are two blobs', () => {
  const index = BlobIndex.create();
  expect(index.claim(blob, 0, 'data')).toBe(true);
  expect(index.has(blob, 0, 'tree')).toBe(false);
  expect(index.claim(blob, 0, 'tree')).toBe(true);
  index.add(index.pack(idOf('p')), blob, 0, 'tree', 1, 50, 0);
  expect(place(index, blob, 'tree')).toBeDefined();
  expect(place(index, blob, 'data')).toBeUndefined();
  expect([0, 1].map((entry) => index.typeAt(entry))).toEqual(['data', 'tree']);
  expect([0, 1].map((entry) => index.idAt(entry).equals(blob))).toEqual([true, true]);
});

test('IDs are read at their place in a longer list', () => {
  const index = BlobIndex.create();
  const list = Buffer.concat([idOf('a'), idOf('b'), idOf('c')]);
  index.claim(list, 32, 'data');
  expect([0, 32, 64].map((at) => index.has(list, at, 'data'))).toEqual([false, true, false]);
  expect(index.has(idOf('b'), 0, 'data')).toBe(true);
});

test('a pack keeps its number, and its size is that of the file that the packer makes', () => {
  const sealer = new Sealer(randomMasterKey(), Kernel.create(), 1 << 20);
  const packs: FinishedPack[] = [];
  const packer = new Packer(
    'data',
    300_000,
    new BlobEncoder(sealer),
    sealer,
    (bytes) => new ArrayBuffer(bytes),
    (pack) => packs.push(pack),
  );
  for (let i = 0; i < 300; i++) {
    // Every second one compresses, so that both kinds of entries are there.
    const plain = i % 2 ? Buffer.alloc(5000, `${i}`) : Buffer.concat(Array.from({ length: 300 }, (_, k) => idOf(`${i} ${k}`)));
    packer.add(sha256(plain), plain);
  }
  packer.finish();
  const index = BlobIndex.create();
  for (const { id, header } of packs)
    readEntries(header, (type, offset, length, plain, bytes, at) => index.add(index.pack(id), bytes, at, type, offset, length, plain));
  expect(packs.length).toBeGreaterThan(3);
  packs.forEach(({ id, bytes }, number) => {
    expect(index.pack(id)).toBe(number);
    expect(index.packNumber(id)).toBe(number);
    expect(index.packId(number).equals(id)).toBe(true);
    expect(index.packSize(number)).toBe(bytes.length);
  });
  expect(index.packNumber(idOf('none'))).toBe(-1);
  expect(packs.map((_, number) => index.packBlobs(number)).reduce((a, b) => a + b)).toBe(300);
});

test('a further copy is seen by walks over all records, and the first one is found', () => {
  const { index } = withCopies('p', 'q');
  expect(place(index, blob)).toEqual({ pack: idOf('p').toString('hex'), offset: 7 });
  expect(index.blobCount).toBe(2);
  expect(places(index)).toEqual(['0@7', '1@7']);
  expect(index.idAt(1).equals(blob)).toBe(true);
});

test('every place is noted once, however often index files repeat it: the pack sizes stay right', () => {
  const { index, numbers } = withCopies('p', 'q', 'p', 'q', 'q', 'r', 'p', 'r');
  expect(places(index)).toEqual(['0@7', '1@7', '2@7']);
  for (const number of new Set(numbers)) expect([index.packSize(number), index.packBlobs(number)]).toEqual([100 + 37 + 36, 1]);
  index.add(0, blob, 0, 'data', 107, 100, 0);
  index.add(0, blob, 0, 'data', 107, 100, 0);
  expect([index.packSize(0), index.packBlobs(0)]).toEqual([2 * 137 + 36, 2]);
});

test('the blobs of a lost pack are unknown and are stored anew', () => {
  const { index } = withCopies('p');
  index.markLost(0);
  expect(index.isLost(0)).toBe(true);
  expect(index.has(blob, 0, 'data')).toBe(false);
  expect(place(index, blob)).toBeUndefined();
  expect(places(index)).toEqual([]);
  expect(index.claim(blob, 0, 'data')).toBe(true);
  expect(index.claim(blob, 0, 'data')).toBe(false);
  index.add(index.pack(idOf('new')), blob, 0, 'data', 0, 100, 0);
  expect(place(index, blob)).toEqual({ pack: idOf('new').toString('hex'), offset: 0 });
  expect(index.blobCount).toBe(1);
});

test('a blob of a lost pack is found in another pack that holds it too', () => {
  const { index } = withCopies('p', 'q', 'r');
  index.markLost(0);
  index.markLost(1);
  index.preferWhole();
  expect(place(index, blob)).toEqual({ pack: idOf('r').toString('hex'), offset: 7 });
  expect(index.claim(blob, 0, 'data')).toBe(false);
  expect(places(index)).toEqual(['2@7']);
});

test('nothing is found when every pack that held a blob is lost, and claims stay as they are', () => {
  const { index } = withCopies('p', 'q');
  index.claim(idOf('claimed'), 0, 'data');
  index.markLost(0);
  index.markLost(1);
  index.preferWhole();
  expect(place(index, blob)).toBeUndefined();
  expect(index.has(idOf('claimed'), 0, 'data')).toBe(true);
});

test('another thread sees the same index', () => {
  const { index } = withCopies('p', 'q');
  const other = BlobIndex.attach(index.memory);
  expect(place(other, blob)).toEqual(place(index, blob));
  expect(other.claim(idOf('new'), 0, 'tree')).toBe(true);
  expect(index.claim(idOf('new'), 0, 'tree')).toBe(false);
  for (let i = 0; i < 5000; i++) other.add(other.pack(idOf(`pack ${i % 50}`)), idOf(`blob ${i}`), 0, 'data', i, 100, 0);
  expect(index.blobCount).toBe(5003);
  expect(place(index, idOf('blob 4999'))).toEqual({ pack: idOf('pack 49').toString('hex'), offset: 4999 });
  index.add(1, blob, 0, 'data', 7, 100, 0);
  expect(index.blobCount).toBe(5003);
});
