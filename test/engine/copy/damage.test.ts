/** A source that is damaged, unplugged or hostile; a target that has lost something. */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/repository/ids.ts';
import { disconnectFrom, FaultyStorage } from '../../../src/storage/faulty.ts';
import { LocalStorage } from '../../../src/storage/local.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import type { StoredFile } from '../../../src/storage/storage.ts';
import { writeToDisk } from '../check-fixture.ts';
import { backup, makeRepository, resticOn } from '../../support/engine.ts';
import { fileNode, folderNode, Forge } from '../../support/forge.ts';
import { expectCleanCheck } from '../../support/judge.ts';
import { scratch, sharedScratch, tree } from '../../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { expectWhole } from '../../support/whole-repository.ts';
import { copy, expectCopies, otherTarget, plannedCopy, quick, sourceWith, targetFor } from './copying.ts';

refuseUnhandledRejections();

const folder = join(sharedScratch('copy-damage'), 'files');
let source: MemoryStorage;
let ids: string[];

beforeAll(async () => {
  ({ storage: source, snapshots: ids } = await sourceWith(3, folder));
});

const packs = (storage: MemoryStorage): StoredFile[] => storage.files().filter(({ kind }) => kind === 'pack');
const flip = (bytes: Uint8Array): Uint8Array => bytes.map((byte, at) => (at % 1000 === 40 ? byte ^ 1 : byte));

/** What is copied of this source is right, and what is not copied is told. Returns the IDs of the snapshots that are damaged. */
async function copyDamaged(from: MemoryStorage): Promise<{ copied: string[]; damaged: string[]; target: MemoryStorage; told: string[] }> {
  const target = await targetFor(source);
  const { copied, damaged, damage, plan } = await copy(from, target);
  expect(await expectCopies(source, target)).toEqual(copied.map(({ snapshot }) => snapshot.id));
  const gone = [...damaged.map(({ id }) => id), ...plan.unreadable.map(({ id }) => id)];
  expect([...copied.map(({ snapshot }) => snapshot.id), ...gone].sort()).toEqual([...ids].sort());
  if (damaged.length > 0) expect(damage.filter(({ severity }) => severity === 'error')).not.toEqual([]);
  return { copied: copied.map(({ snapshot }) => snapshot.id), damaged: gone, target, told: damage.flatMap(({ paths }) => [...paths]) };
}

describe('a pack of the source', () => {
  const ways: [string, (bytes: Uint8Array) => Uint8Array | undefined][] = [
    ['with flipped bits', flip],
    ['that is missing', () => undefined],
    ['that is cut off', (bytes) => bytes.slice(0, bytes.length / 5)],
    ['that is empty', () => new Uint8Array(0)],
  ];
  test.each(ways)('%s is never copied silently: the snapshots that need it are named, the others are copied', async (_, change) => {
    let [some, none] = [0, 0];
    for (const file of packs(source)) {
      const from = source.clone();
      from.tamper(file, change);
      const { damaged, copied, told } = await copyDamaged(from);
      expect(damaged.length).toBeGreaterThan(0);
      expect(told.length).toBeGreaterThan(0);
      if (copied.length > 0) some += 1;
      else none += 1;
    }
    // One that only one generation needs leaves the others alone.
    expect([some, none].every((count) => count > 0)).toBe(true);
  });

  test('that others hold all blobs of takes nothing away', async () => {
    // With the same keys, so that the packs of a copy become further copies of all blobs.
    const twin = new MemoryStorage('twin');
    for (const file of source.files()) if (file.kind === 'config' || file.kind === 'key') await twin.save(file, [await source.load(file)]);
    await copy(source, twin, { packSize: 32 << 10 });
    const from = source.clone();
    for (const file of twin.files()) if (file.kind === 'pack' || file.kind === 'index') await from.save(file, [await twin.load(file)]);
    expect((await expectWhole(from)).stored.copies).toBeGreaterThan(20);
    const changes = [flip, () => undefined, (bytes: Uint8Array) => bytes.slice(0, 100)];
    // Of both, since lookups may give either.
    for (const [i, file] of packs(from).entries()) {
      const half = from.clone();
      half.tamper(file, changes[i % changes.length]!);
      expect((await copyDamaged(half)).copied).toEqual(ids);
      const flipped = from.clone();
      flipped.tamper(file, flip);
      expect((await copyDamaged(flipped)).copied).toEqual(ids);
    }
  });
});

describe('damage that several snapshots share', () => {
  const times = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z'];

  /** Two snapshots that share a folder, and one that does not. `lose` is given the packs of the folder's data and of its tree, and the index file of the first. */
  async function shared(lose: (from: MemoryStorage, data: string, tree: string, index: string) => void): Promise<void> {
    const from = new MemoryStorage('shared');
    const forge = new Forge(await makeRepository(from));
    const piece = forge.data('shared');
    // An index file of its own.
    const listed = await forge.index();
    const folderTree = forge.tree([fileNode('file', [piece], { size: 6 })]);
    await forge.store();
    const data = from.files().find(({ kind }) => kind === 'pack')!.name;
    const trees = forge.packs[0]!.id;
    const own = (name: string): object => fileNode(name, [forge.data(name)], { size: name.length });
    await forge.snapshot(forge.tree([own('a'), folderNode('folder', folderTree)]), { time: times[0] });
    await forge.snapshot(forge.tree([own('b'), folderNode('folder', folderTree)]), { time: times[1] });
    await forge.snapshot(forge.tree([own('c')]), { time: times[2] });
    lose(from, data, trees, listed);
    for (const target of [await targetFor(from), await otherTarget()]) {
      const { copied, damaged, damage } = await copy(from, target);
      expect(damaged.map(({ time }) => time)).toEqual(times.slice(0, 2));
      expect(copied.map(({ snapshot }) => snapshot.time)).toEqual(times.slice(2));
      expect(damage.length).toBeGreaterThan(0);
      expect((await expectWhole(target)).snapshots.size).toBe(1);
    }
  }

  test('is in the way of each of them: data that is damaged', () =>
    shared((from, name) => from.tamper({ kind: 'pack', name }, (bytes) => bytes.map((byte, at) => (at === 20 ? byte ^ 1 : byte)))));
  test('is in the way of each of them: data that is missing', () =>
    shared((from, name) => from.tamper({ kind: 'pack', name }, () => undefined)));
  test('is in the way of each of them: data that no index names any more', () =>
    shared((from, _, __, name) => from.tamper({ kind: 'index', name }, () => undefined)));
  test('is in the way of each of them: a folder that is damaged', () =>
    shared((from, _, name) => from.tamper({ kind: 'pack', name }, (bytes) => bytes.map((byte, at) => (at === 20 ? byte ^ 1 : byte)))));
  test('is in the way of each of them: a folder that is missing', () =>
    shared((from, _, name) => from.tamper({ kind: 'pack', name }, () => undefined)));
});

describe('a damaged small file of the source', () => {
  test('a snapshot is named and left out', async () => {
    for (const change of [flip, () => new Uint8Array(0)]) {
      const from = source.clone();
      from.tamper({ kind: 'snapshot', name: ids[1] }, change);
      const { damaged, copied } = await copyDamaged(from);
      expect([damaged, copied]).toEqual([[ids[1]], [ids[0], ids[2]]]);
      // Named alone it cannot be copied, and another one does not mind.
      const target = await targetFor(source);
      expect((await copy(from, target, { snapshots: [ids[1]] })).plan.unreadable).toHaveLength(1);
      expect((await copy(from, target, { snapshots: [ids[0]] })).plan.unreadable).toEqual([]);
    }
  });

  test('an index file takes with it the snapshots that need what it lists', async () => {
    for (const file of source.files().filter(({ kind }) => kind === 'index')) {
      const from = source.clone();
      from.tamper(file, flip);
      const { damaged } = await copyDamaged(from);
      expect(damaged.length).toBeGreaterThan(0);
    }
  });
});

test('what is damaged is told by the plan, as far as walking through the folders shows it', async () => {
  const from = source.clone();
  for (const file of packs(source)) from.tamper(file, () => undefined);
  const plan = await plannedCopy(from, await targetFor(source));
  expect(plan.snapshots.map(({ action }) => action)).toEqual(['damaged', 'damaged', 'damaged']);
  expect(plan.damage.length).toBeGreaterThan(0);
  expect(plan.bytes).toBe(0);
});

describe('a source that is unplugged', () => {
  test('at any operation ends the copy, and is not taken for damage; the next one goes on', async () => {
    const probe = new FaultyStorage(source.clone());
    await copy(probe, await targetFor(source));
    const operations = probe.calls.length;
    expect(operations).toBeGreaterThan(20);
    let ended = 0;
    for (let nth = 1; nth <= operations; nth += 2) {
      const target = await targetFor(source);
      const faulty = new FaultyStorage(source.clone(), { faults: [disconnectFrom(nth)] });
      const outcome = await copy(faulty, target).then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
      if (outcome === 'done') {
        // Only the lock was still to be removed.
        expect(await expectCopies(source, target)).toEqual(ids);
        continue;
      }
      expect(['storage-gone', 'repository-not-found'], `at operation ${nth}`).toContain(outcome);
      ended += 1;
      await expectWhole(target);
      expect((await copy(source.clone(), target)).damaged).toEqual([]);
      expect(await expectCopies(source, target)).toEqual(ids);
    }
    expect(ended).toBeGreaterThan(operations / 3);
  });

  test('of a real folder that vanishes is not taken for damage', async () => {
    const place = scratch('copy-unplugged');
    const disk = await writeToDisk(source, join(place, 'source'));
    const target = await targetFor(source);
    const copying = copy(new LocalStorage(disk), target, { onPlan: () => rename(disk, join(place, 'gone')) });
    await expect(copying).rejects.toMatchObject({ code: 'storage-gone' });
    expect((await expectWhole(target)).snapshots.size).toBe(0);
  });
});

describe('a hostile source', () => {
  test('that says a blob is what it is not gives nothing wrong to the target', async () => {
    const from = new MemoryStorage('hostile');
    const forge = new Forge(await makeRepository(from));
    const lie = sha256(Buffer.from('what the file should be')).toString('hex');
    const id = await forge.snapshot(forge.tree([fileNode('a', [forge.data('something else', { id: lie })])]));
    const honest = await forge.snapshot(forge.tree([fileNode('b', [forge.data('honest')], { size: 6 })]), { time: '2026-01-03T03:04:05Z' });
    const target = await targetFor(from);
    const { copied, damaged, damage } = await copy(from, target);
    expect([copied.map(({ snapshot }) => snapshot.id), damaged.map((one) => one.id)]).toEqual([[honest], [id]]);
    expect(damage.map(({ code }) => code)).toEqual(['blob-damaged']);
    expect((await expectWhole(target)).snapshots.size).toBe(1);
  });

  test('that compresses a blob to another length than it says is found out', async () => {
    const from = new MemoryStorage('hostile');
    const forge = new Forge(await makeRepository(from));
    const content = Buffer.alloc(100_000, 'a');
    await forge.snapshot(forge.tree([fileNode('a', [forge.data(content, { compressed: 99_999 })], { size: 99_999 })]));
    await forge.snapshot(forge.tree([fileNode('b', [forge.data(Buffer.alloc(100_000, 'b'), { compressed: true })], { size: 100_000 })]));
    const target = await targetFor(from);
    const { copied, damaged } = await copy(from, target);
    expect([copied.length, damaged.length]).toEqual([1, 1]);
    await expectWhole(target);
  });

  test('whose folders repeat each other again and again is copied as it is, each folder once', async () => {
    const from = new MemoryStorage('hostile');
    const forge = new Forge(await makeRepository(from));
    let last = forge.tree([fileNode('leaf', [forge.data('leaf')])]);
    for (let level = 0; level < 60; level++) last = forge.tree([folderNode('a', last), folderNode('b', last)]);
    await forge.snapshot(last);
    const target = await targetFor(from);
    const { copied, plan } = await copy(from, target);
    expect([copied.length, plan.blobs]).toEqual([1, 62]);
  });

  test('with a tree that is no tree is told, and nothing of it copied', async () => {
    const from = new MemoryStorage('hostile');
    const forge = new Forge(await makeRepository(from));
    for (const text of ['{"nodes":[{"name":"../x","type":"file","content":[]}]}', 'nonsense', '{"nodes":null'])
      await forge.snapshot(forge.tree(text));
    const target = await targetFor(from);
    const { copied, damaged, damage } = await copy(from, target);
    expect([copied.length, damaged.length]).toEqual([0, 3]);
    expect(damage.map(({ code }) => code)).toEqual(['tree-damaged', 'tree-damaged', 'tree-damaged']);
  });
});

describe('a target that has lost something', () => {
  test('gets it back when a snapshot that is copied needs it', async () => {
    const whole = await targetFor(source);
    await copy(source, whole, { snapshots: ids.slice(0, 2) });
    for (const file of packs(whole).slice(0, 4)) {
      const target = whole.clone();
      target.tamper(file, () => undefined);
      const { plan, copied } = await copy(source, target);
      expect(plan.targetDamage.map(({ code }) => code)).toEqual(['pack-lost']);
      expect(copied).toHaveLength(1);
      // The newest snapshot restores, whatever the older ones have lost.
      const disk = await writeToDisk(target, scratch('copy-lost'));
      await resticOn(disk).must(['restore', copied[0].copy, '--target', scratch('copy-lost-restored')]);
    }
  });

  test('its damaged index and snapshots are told, and do no harm', async () => {
    const target = await targetFor(source);
    await copy(source, target, { snapshots: [ids[0]] });
    for (const kind of ['index', 'snapshot'] as const) {
      const damaged = target.clone();
      for (const file of target.files()) if (file.kind === kind) damaged.tamper(file, flip);
      const { plan, copied } = await copy(source, damaged);
      expect(plan.targetDamage.map(({ code }) => code)).toEqual(['item-tampered']);
      expect(copied.length).toBe(kind === 'snapshot' ? 3 : 2);
    }
  });
});

test('the bits that an encoder flips reach no target', async () => {
  for (const corruptBlob of [1, 2, 5]) {
    const target = await targetFor(source);
    await expect(copy(source, target, { corruptBlob })).rejects.toMatchObject({ code: 'encoding-failed' });
    expect((await expectWhole(target)).snapshots.size).toBe(0);
    expect((await copy(source, target)).copied).toHaveLength(3);
  }
});

test('a copy of what restic finds clean is clean, with names of any bytes', async () => {
  const from = new MemoryStorage('names');
  const place = scratch('copy-names');
  tree(place, { ['x'.repeat(255)]: 'long', 'new\nline': 'line', '\x1b[31m': 'red', ' ': 'blank' });
  await backup(await makeRepository(from), place, quick);
  const target = await targetFor(from);
  await copy(from, target);
  await expectCopies(from, target);
  await expectCleanCheck(resticOn(await writeToDisk(target, scratch('copy-names-judged'))));
});
