import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CachedStorage, type CacheOptions } from '../../../src/storage/cache/cached.ts';
import { FaultyStorage } from '../../../src/storage/faulty.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage, StoredFile } from '../../../src/storage/storage.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { mountDisk } from '../../support/disk.ts';
import { backup, makeRepository, openRepository, restore } from '../../support/engine.ts';
import { expectSameTree } from '../../support/judge.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { codeOf, describeStorage, fileFor, listAll } from '../../support/storage-suite.ts';
import { scratch, sharedScratch, tree } from '../../support/tree-literal.ts';

const shared = sharedScratch('cache');
let made = 0;

describeStorage('memory storage behind a cache', async () => ({
  storage: new CachedStorage(new MemoryStorage(), { folder: join(shared, String(made++)), clock: systemClock }),
}));

const cached = (inner: Storage, folder: string, options: Partial<CacheOptions> = {}): CachedStorage =>
  new CachedStorage(inner, { folder, clock: systemClock, ...options });

const text = Buffer.from('the content of an index file');
const index = fileFor(text, 'index');
const trees = seededBytes(seededRandom(5), 100_000);
const pack: StoredFile = { ...fileFor(trees), holds: 'trees' };

/** All files below, by their path. */
const kept = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile() && each.name !== 'CACHEDIR.TAG')
    .map((each) => join(each.parentPath, each.name));

/** A storage that holds both files, what was asked of it, and a cache in front that has kept them. */
async function warm(): Promise<{ inner: FaultyStorage; folder: string; asked: () => string[] }> {
  const memory = new MemoryStorage();
  const folder = scratch('cache');
  const first = cached(memory, folder);
  await first.save(index, [text]);
  await first.save(pack, [trees]);
  await first.close();
  const inner = new FaultyStorage(memory.clone());
  return { inner, folder, asked: () => inner.calls.map(({ call, kind }) => `${call} ${kind}`) };
}

test('what was saved, or read before, is not asked for again', async () => {
  const { inner, folder, asked } = await warm();
  const storage = cached(inner, folder);
  expect((await listAll(storage, 'index')).map(({ name }) => name)).toEqual([index.name]);
  expect(Buffer.from(await storage.load(index))).toEqual(text);
  expect(Buffer.from(await storage.load(pack, { offset: 50, length: 7 }))).toEqual(trees.subarray(50, 57));
  expect(Buffer.from(await storage.load(pack, { offset: 99_990, length: 10 }))).toEqual(trees.subarray(99_990));
  expect(asked()).toEqual(['list index']);
});

test('a pack of listings comes whole at the first wish, once for all who wish at that moment', async () => {
  const { inner, asked } = await warm();
  const storage = cached(inner, scratch('cold'));
  const parts = await Promise.all(Array.from({ length: 20 }, (_, i) => storage.load(pack, { offset: i * 100, length: 100 })));
  expect(Buffer.concat(parts)).toEqual(trees.subarray(0, 2000));
  await storage.load(pack, { offset: 5000, length: 100 });
  expect(asked()).toEqual(['load pack']);
});

test('other packs, keys, locks and config are neither kept nor taken from here', async () => {
  const folder = scratch('cache');
  const storage = cached(new MemoryStorage(), folder);
  await storage.save(fileFor(trees), [trees]);
  for (const kind of ['key', 'lock', 'config'] as const) await storage.save(fileFor(text, kind), [text]);
  await storage.load(fileFor(trees), { offset: 0, length: 10 });
  expect(kept(folder)).toEqual([]);
});

describe('what is in the folder is not believed', () => {
  test.each<[string, (path: string) => void]>([
    ['damaged', (path) => writeFileSync(path, Buffer.from(readFileSync(path)).fill(1, 3, 4))],
    ['cut off', (path) => writeFileSync(path, readFileSync(path).subarray(0, 9))],
    ['longer', (path) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.of(0)]))],
    ['empty', (path) => writeFileSync(path, '')],
    ['gone', (path) => rmSync(path)],
    ['gone with its folder', (path) => rmSync(join(path, '..'), { recursive: true })],
  ])('a file that is %s is fetched anew, and mended', async (_, harm) => {
    const { inner, folder, asked } = await warm();
    for (const path of kept(folder)) harm(path);
    for (const loads of [['load index', 'load pack'], []]) {
      const before = asked().length;
      const storage = cached(inner, folder);
      await listAll(storage, 'index');
      expect(Buffer.from(await storage.load(index))).toEqual(text);
      expect(Buffer.from(await storage.load(pack, { offset: 2, length: 5 }))).toEqual(trees.subarray(2, 7));
      expect(asked().slice(before)).toEqual(['list index', ...loads]);
    }
  });

  test('what disappears or is damaged while it is in use is fetched anew, or told by its reader', async () => {
    const { inner, folder } = await warm();
    const storage = cached(inner, folder);
    await storage.load(pack, { offset: 0, length: 5 });
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    expect(Buffer.from(await storage.load(pack, { offset: 10, length: 5 }))).toEqual(trees.subarray(10, 15));
  });
});

describe('which files there are is the storage’s to say', () => {
  test('one that is not listed is not given from here, and one that was removed is forgotten', async () => {
    const { inner, folder } = await warm();
    const storage = cached(inner, folder);
    await inner.remove(index);
    expect(await codeOf(storage.load(index))).toBe('file-not-found');
    expect(await listAll(storage, 'index')).toEqual([]);
    await inner.remove(pack);
    await listAll(storage, 'pack');
    expect(kept(folder)).toEqual([]);
  });

  test('a listing that breaks off forgets nothing', async () => {
    const { inner, folder } = await warm();
    inner.script([{ at: { call: 'list', kind: 'index' }, effect: { do: 'fail', code: 'storage-gone' } }]);
    expect(await codeOf(listAll(cached(inner, folder), 'index'))).toBe('storage-gone');
    expect(kept(folder)).toHaveLength(2);
  });

  test('a file that is not what its name says is given to its reader, and not kept', async () => {
    const memory = new MemoryStorage();
    await memory.save(index, [text]);
    memory.tamper(index, (bytes) => Buffer.from(bytes).fill(7, 0, 1));
    const folder = scratch('cache');
    const storage = cached(memory, folder);
    await listAll(storage, 'index');
    expect((await storage.load(index))[0]).toBe(7);
    expect(kept(folder)).toEqual([]);
  });

  test('a pack that ends early fails as the storage says', async () => {
    const memory = new MemoryStorage();
    await memory.save(pack, [trees]);
    memory.tamper(pack, (bytes) => bytes.subarray(0, 50));
    expect(await codeOf(cached(memory, scratch('cache')).load(pack, { offset: 40, length: 20 }))).toBe('file-short');
  });
});

describe('a folder that cannot be used', () => {
  const told: string[] = [];
  const onProblem = (folder: string, cause: string): void => void told.push(`${folder}: ${cause}`);

  async function expectWorks(folder: string, cause: RegExp): Promise<void> {
    told.length = 0;
    const storage = cached(new MemoryStorage(), folder, { onProblem });
    await storage.save(index, [text]);
    await storage.save(pack, [trees]);
    await listAll(storage, 'index');
    expect(Buffer.from(await storage.load(index))).toEqual(text);
    expect(Buffer.from(await storage.load(pack, { offset: 3, length: 3 }))).toEqual(trees.subarray(3, 6));
    await storage.close();
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(cause);
  }

  test('because a file stands in its place is told once, and all goes on without', async () => {
    const place = join(tree(scratch('cache'), { file: 'mine' }), 'file');
    await expectWorks(place, /ENOTDIR|EEXIST/);
    expect(readFileSync(place, 'utf8')).toBe('mine');
  });

  test('because it is on a read-only disk is told once, and all goes on without', async () => {
    const disk = mountDisk(4 << 20);
    mkdirSync(join(disk.folder, 'cache'));
    disk.remount('ro');
    await expectWorks(
      join(disk.folder, 'cache'), // Node says ENOENT when it cannot make a folder there.
      /EROFS|ENOENT/,
    );
  });

  test('because its disk is full is told once, and nothing half is left', async () => {
    const disk = mountDisk(4 << 20);
    let filling = 3 << 20;
    for (; filling > 4096; filling >>= 1)
      try {
        writeFileSync(join(disk.folder, `filling ${filling}`), Buffer.alloc(filling));
      } catch {
        // As much as fits.
      }
    await expectWorks(join(disk.folder, 'cache'), /ENOSPC/);
    for (const path of kept(join(disk.folder, 'cache'))) expect(path).not.toContain('.part');
  });
});

test('of key files the last one that was kept is recalled, if it is what its name says', async () => {
  const folder = scratch('cache');
  const [first, second] = ['first', 'second'].map((each) => Buffer.from(each)).map((bytes) => ({ name: fileFor(bytes).name, bytes }));
  const storage = cached(new MemoryStorage(), folder);
  expect(await storage.recallKey()).toBeUndefined();
  for (const key of [first, second]) await storage.keepKey(key);
  await storage.keepKey({ name: first.name, bytes: Buffer.from('not its bytes') });
  expect(await storage.recallKey()).toEqual(second);
  const [path] = kept(folder);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  writeFileSync(path, 'damaged');
  expect(await cached(new MemoryStorage(), folder).recallKey()).toBeUndefined();
  expect(kept(folder)).toEqual([]);
});

test('all caches together stay below their limit: what was not used for the longest time goes first', async () => {
  const folder = scratch('cache');
  const contents = Array.from({ length: 10 }, (_, i) => seededBytes(seededRandom(i), 1000));
  let now = 1_700_000_000_000;
  const clock = { now: () => (now += 60_000) };
  for (const [i, content] of contents.entries()) {
    const storage = cached(new MemoryStorage(`place ${i % 2}`), folder, { clock });
    await storage.save(fileFor(content, 'index'), [content]);
    // Files are as old as their last use.
    await storage.close();
  }
  expect(kept(folder)).toHaveLength(10);
  const last = cached(new MemoryStorage('place 3'), folder, { limitBytes: 4500 });
  await last.save(index, [text]);
  await last.close();
  expect(kept(folder).reduce((bytes, path) => bytes + statSync(path).size, 0)).toBeLessThanOrEqual(4500);
  expect(kept(folder).some((path) => path.endsWith(index.name))).toBe(true);
});

test('a repository behind a cache is backed up and restored, the second time with few requests', async () => {
  const source = tree(scratch('source'), { a: { b: 'one', c: { d: 'two' } }, e: 'three' });
  const memory = new MemoryStorage();
  await makeRepository(memory);
  const folder = scratch('cache');
  await backup(await openRepository(cached(memory, folder)), source);
  const counted = new FaultyStorage(memory);
  const { summary } = await backup(await openRepository(cached(counted, folder)), source);
  expect(summary.files_unmodified).toBe(3);
  expect(counted.calls.filter(({ call, kind }) => call === 'load' && /^(index|snapshot|pack)$/.test(kind ?? ''))).toEqual([]);
  // Others work in the folder for temporary files, which is a parent of the source: its time may have changed.
  const calls = counted.calls.map(({ call, kind }) => `${call} ${kind}`).filter((each) => each !== 'save pack' && each !== 'save index');
  expect(calls.length, calls.join(', ')).toBeLessThanOrEqual(11);
  const target = scratch('target');
  await restore(await openRepository(cached(memory, folder)), target, { path: Buffer.from(source) });
  await expectSameTree(source, target);
  expect(existsSync(join(folder, 'CACHEDIR.TAG'))).toBe(true);
});
