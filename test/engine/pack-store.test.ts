import { randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HoldfastError } from '../../src/contract/errors.ts';
import { PackStore } from '../../src/engine/pack-store.ts';
import { BlobEncoder, decodeBlob } from '../../src/repository/blob-codec.ts';
import { BlobIndex, type BlobType, emptyLocation } from '../../src/repository/blob-index.ts';
import { sha256 } from '../../src/repository/ids.ts';
import { addIndexFile, maxBlobsPerIndexFile } from '../../src/repository/index-file.ts';
import { leastCost } from '../../src/repository/keys.ts';
import { maxHeaderBytes, writeEntry } from '../../src/repository/pack.ts';
import { readPackHeader } from '../../src/repository/pack-header.ts';
import { type FinishedPack, Packer, type UnfinishedPack } from '../../src/repository/packer.ts';
import { Repository } from '../../src/repository/repository.ts';
import { FaultyStorage } from '../../src/storage/faulty.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { FakeClock } from '../support/fake-clock.ts';

const minute = 60_000;
const made = new MemoryStorage();
let opened: Repository;
beforeAll(async () => {
  opened = await Repository.init(made, 'pw', { username: 'u', hostname: 'h' }, new FakeClock(), { cost: leastCost });
});

let memory: MemoryStorage;
let storage: FaultyStorage;
let repository: Repository;
let clock: FakeClock;
let index: BlobIndex;
let lock: { ensure: () => Promise<void> };
let store: PackStore;
beforeEach(() => {
  memory = made.clone();
  storage = new FaultyStorage(memory);
  // The same repository in a storage of its own: opening it again would only cost time.
  repository = Object.assign(Object.create(opened) as Repository, { storage, packSize: 100_000 });
  clock = new FakeClock();
  index = BlobIndex.create();
  lock = { ensure: () => Promise.resolve() };
  store = new PackStore(repository, index, { ensure: () => lock.ensure() }, clock);
});

function packer(type: BlobType = 'data', packs: FinishedPack[] = []): Packer {
  return new Packer(
    type,
    1 << 20,
    new BlobEncoder(repository.sealer),
    repository.sealer,
    (bytes) => new ArrayBuffer(bytes),
    (pack) => packs.push(pack),
  );
}

function pack(...blobs: Uint8Array[]): FinishedPack {
  const packs: FinishedPack[] = [];
  const filling = packer('data', packs);
  for (const plain of blobs) filling.add(sha256(plain), plain);
  filling.finish();
  return packs[0]!;
}

function unfinished(type: BlobType, ...blobs: Uint8Array[]): UnfinishedPack {
  const filling = packer(type);
  for (const plain of blobs) filling.add(sha256(plain), plain);
  return filling.takeUnfinished()!;
}

const savesOf = (kind: string): number =>
  memory.operations.filter((operation) => operation.kind === 'save' && operation.file.kind === kind).length;
const savedKinds = (): string[] => memory.operations.flatMap((operation) => (operation.kind === 'save' ? [operation.file.kind] : []));

/** The index as the next run will load it. */
async function storedIndex(): Promise<BlobIndex> {
  const loaded = BlobIndex.create();
  for (const name of await repository.names('index')) addIndexFile(await repository.loadItem('index', name), loaded);
  return loaded;
}

async function load(id: Buffer, type: BlobType, from: BlobIndex): Promise<string> {
  const at = emptyLocation();
  if (!from.locate(id, 0, type, at)) return 'missing';
  const sealed = await memory.load({ kind: 'pack', name: from.packId(at.pack).toString('hex') }, { offset: at.offset, length: at.length });
  return Buffer.from(decodeBlob(repository.sealer, sealed, id, at.uncompressedLength, type)).toString();
}

describe('storing a pack', () => {
  test('makes it durable, and only then are its blobs known', async () => {
    const plain = Buffer.from('hello');
    index.claim(sha256(plain), 0, 'data');
    const locatable = (): boolean => index.locate(sha256(plain), 0, 'data', emptyLocation());
    storage.script([{ at: { call: 'save', kind: 'pack' }, effect: { do: 'fail', code: 'storage-full' } }]);
    await expect(store.store(pack(plain))).rejects.toMatchObject({ code: 'storage-full' });
    expect(locatable()).toBe(false);
    expect([store.storedPacks, store.storedBytes]).toEqual([0, 0]);
    const again = pack(plain);
    await store.store(again);
    expect(locatable()).toBe(true);
    expect([store.storedPacks, store.storedBytes]).toEqual([1, again.bytes.length]);
    expect(await load(sha256(plain), 'data', index)).toBe('hello');
    expect(index.packSize(0)).toBe(again.bytes.length);
  });

  test('asks the lock before each write, and writes nothing without it', async () => {
    lock.ensure = () => Promise.reject(new HoldfastError('lock-lost'));
    await expect(store.store(pack(Buffer.from('a')))).rejects.toMatchObject({ code: 'lock-lost' });
    expect(memory.mutations).toBe(0);
    lock.ensure = () => Promise.resolve();
    await store.store(pack(Buffer.from('a')));
    lock.ensure = () => Promise.reject(new HoldfastError('lock-lost'));
    await expect(store.flushIndex()).rejects.toMatchObject({ code: 'lock-lost' });
    expect(savedKinds()).toEqual(['pack']);
  });
});

describe('index files', () => {
  test('name every pack exactly once, after it', async () => {
    for (let i = 0; i < 5; i++) await store.store(pack(Buffer.from(`blob ${i}`)));
    expect(savedKinds()).toEqual(Array(5).fill('pack'));
    await store.flushIndex();
    await store.flushIndex();
    await store.store(pack(Buffer.from('later')));
    await store.flushIndex();
    expect(savedKinds().slice(5)).toEqual(['index', 'pack', 'index']);
    const loaded = await storedIndex();
    expect([loaded.packCount, loaded.blobCount]).toEqual([6, 6]);
    for (const text of ['blob 0', 'blob 4', 'later']) expect(await load(sha256(Buffer.from(text)), 'data', loaded)).toBe(text);
  });

  test('are written as checkpoints: the first after 20 seconds, then less and less often, at last every 10 minutes', async () => {
    const times: number[] = [];
    const began = clock.monotonic();
    let before = 0;
    for (let i = 0; i < 700; i++) {
      await clock.advance(5000);
      await store.store(pack(randomBytes(4)));
      if (savesOf('index') > before) times.push((clock.monotonic() - began) / 1000);
      before = savesOf('index');
    }
    const gaps = times.map((time, i) => time - (times[i - 1] ?? 0));
    expect(gaps).toEqual([20, 40, 80, 160, 320, ...Array(gaps.length - 5).fill(600)]);
    expect(gaps.length).toBeGreaterThan(7);
  });

  test('are rotated at the number of blobs at which restic rotates', async () => {
    const entries = maxBlobsPerIndexFile / 2;
    for (let i = 0; i < 3; i++) {
      const header = Buffer.alloc(37 * entries);
      let at = 0;
      for (let k = 0; k < entries; k++) at = writeEntry(header, at, 'data', 40, 0, randomBytes(32));
      await store.store({ id: randomBytes(32), bytes: new Uint8Array(10), header });
    }
    expect(savedKinds()).toEqual(['pack', 'pack', 'index', 'pack']);
    expect((await storedIndex()).blobCount).toBe(maxBlobsPerIndexFile);
  });

  test('that could not be written are written at the next call: no pack is forgotten', async () => {
    await store.store(pack(Buffer.from('one')));
    storage.script([{ at: { call: 'save', kind: 'index' }, effect: { do: 'fail' } }]);
    await expect(store.flushIndex()).rejects.toMatchObject({ code: 'storage-failed' });
    await store.store(pack(Buffer.from('two')));
    await store.flushIndex();
    const loaded = await storedIndex();
    for (const text of ['one', 'two']) expect(await load(sha256(Buffer.from(text)), 'data', loaded)).toBe(text);
    expect([loaded.packCount, savesOf('index')]).toEqual([2, 1]);
  });

  test('are written one after the other, and each caller learns of its own failure', async () => {
    storage.script([{ at: { call: 'save', kind: 'index' }, effect: { do: 'fail' } }]);
    await store.store(pack(Buffer.from('one')));
    const calls = [store.flushIndex(), store.flushIndex(), store.flushIndex()];
    expect((await Promise.allSettled(calls)).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    const loaded = await storedIndex();
    expect([loaded.packCount, savesOf('index')]).toEqual([1, 1]);
  });

  test('of many packs at once hold all of them', async () => {
    await clock.advance(minute);
    await Promise.all(Array.from({ length: 50 }, (_, i) => store.store(pack(Buffer.from(`${i}`)))));
    await store.flushIndex();
    expect((await storedIndex()).packCount).toBe(50);
  });
});

describe('what the workers did not fill', () => {
  test('is joined to as few packs as the pack size allows, trees and data apart', async () => {
    const blobs = Array.from({ length: 6 }, () => randomBytes(40_000));
    const trees = ['t1', 't2', 't3'].map((text) => Buffer.from(text));
    await store.storeUnfinished([...blobs.map((plain) => unfinished('data', plain)), ...trees.map((plain) => unfinished('tree', plain))]);
    await store.flushIndex();
    expect(store.storedPacks).toBe(4);
    const loaded = await storedIndex();
    for (const plain of blobs) expect(await load(sha256(plain), 'data', loaded)).toBe(plain.toString());
    for (const plain of trees) expect(await load(sha256(plain), 'tree', loaded)).toBe(plain.toString());
    for (const name of await repository.names('pack')) {
      const header = await readPackHeader(repository, name);
      expect(header.length % 37 && header.length % 41).toBe(0);
      expect(new Set(Array.from({ length: header.length / 37 }, (_, i) => header[i * 37]! & 1)).size).toBe(1);
      expect(await memory.size({ kind: 'pack', name })).toBe(loaded.packSize(loaded.packNumber(Buffer.from(name, 'hex'))));
    }
  });

  test('follows the pack size of the run', async () => {
    const large = new PackStore(repository, index, lock, clock, 1_000_000);
    await large.storeUnfinished(Array.from({ length: 6 }, () => unfinished('data', randomBytes(40_000))));
    expect(large.storedPacks).toBe(1);
  });

  test('that is larger than a pack alone is stored alone, and nothing stores nothing', async () => {
    await store.storeUnfinished([]);
    expect(memory.mutations).toBe(0);
    await store.storeUnfinished([
      unfinished('data', randomBytes(150_000)),
      unfinished('data', randomBytes(10)),
      unfinished('data', randomBytes(150_000)),
    ]);
    expect(store.storedPacks).toBe(3);
  });

  test('never gets a header that restic would refuse to read', async () => {
    const large = new PackStore(repository, index, lock, clock, 1 << 30);
    const entry = Buffer.alloc(37);
    writeEntry(entry, 0, 'data', 40, 0, randomBytes(32));
    // Most of it is nonsense that nobody looks at, since the storage is full.
    const header = Buffer.concat([entry, Buffer.alloc(Math.floor(maxHeaderBytes * 0.6))]);
    const body = new Uint8Array(40);
    const sizes: number[] = [];
    storage.save = async (_, parts) => {
      sizes.push(parts.reduce((sum, part) => sum + part.length, 0));
      throw new HoldfastError('storage-full', { location: 'here' });
    };
    await expect(large.storeUnfinished([1, 2].map(() => ({ type: 'data' as const, body, header })))).rejects.toMatchObject({
      code: 'storage-full',
    });
    expect(sizes).toEqual([40 + header.length + 36]);
  });
});

test('a pack that was found in the storage is named by the next index file', async () => {
  const found = pack(Buffer.from('of a run that was cut off'));
  const name = found.id.toString('hex');
  await memory.save({ kind: 'pack', name }, [found.bytes]);
  store.note(found.id, await readPackHeader(repository, name));
  await store.flushIndex();
  expect(await load(sha256(Buffer.from('of a run that was cut off')), 'data', await storedIndex())).toBe('of a run that was cut off');
});
