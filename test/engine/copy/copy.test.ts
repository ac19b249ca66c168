import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { originalOf } from '../../../src/engine/copy/copies.ts';
import { RunControl } from '../../../src/platform/cancellation.ts';
import { nextTurn } from '../../../src/platform/clock.ts';
import { Lock } from '../../../src/repository/locks.ts';
import { LocalStorage } from '../../../src/storage/local.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { ReadOnlyStorage } from '../../../src/storage/read-only.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { writeToDisk } from '../check-fixture.ts';
import { backup, makeRepository, openRepository, resticOn, runOptions } from '../../support/engine.ts';
import { hasty } from '../../support/hostile.ts';
import { expectCleanCheck, expectSnapshotRestores } from '../../support/judge.ts';
import { buildNastyTree } from '../../support/nasty-tree.ts';
import { scratch, sharedScratch, symlink, tree } from '../../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { expectWhole } from '../../support/whole-repository.ts';
import { copy, expectCopies, otherTarget, plannedCopy, quick, sourceWith, targetFor } from './copying.ts';

refuseUnhandledRejections();

const folder = join(sharedScratch('copy'), 'files');
let source: MemoryStorage;
let ids: string[];

beforeAll(async () => {
  ({ storage: source, snapshots: ids } = await sourceWith(3, folder));
});

const savedKinds = ({ operations }: MemoryStorage): string[] =>
  operations.flatMap((operation) => (operation.kind === 'save' && operation.file.kind !== 'lock' ? [operation.file.kind] : []));

const bytesLoaded = ({ operations }: MemoryStorage): number =>
  operations.reduce(
    (sum, operation) => sum + (operation.kind === 'load' && operation.file.kind === 'pack' ? (operation.range?.length ?? 0) : 0),
    0,
  );

describe('copy', () => {
  test('brings every snapshot over, the oldest first, with all that it says of itself', async () => {
    const target = await targetFor(source);
    const told: string[] = [];
    const result = await copy(source, target, { onCopied: ({ snapshot }) => told.push(snapshot.id) });
    expect(result.copied.map(({ snapshot }) => snapshot.id)).toEqual(ids);
    expect(told).toEqual(ids);
    expect(await expectCopies(source, target)).toEqual(ids);
    const [originals, copies] = [await (await openRepository(source)).snapshots(), await (await openRepository(target)).snapshots()];
    for (const [i, { id, parent, ...fields }] of copies.entries()) {
      const { id: original, parent: _, ...expected } = originals[i];
      expect(fields).toEqual({ ...expected, original });
      // The parent is the copy of the parent.
      expect(parent).toBe(i === 0 ? undefined : copies[i - 1].id);
      expect(id).not.toBe(original);
    }
    const whole = await expectWhole(target);
    expect([whole.unindexed, whole.namedAgain, whole.locks, whole.stored.copies]).toEqual([[], [], 0, 0]);
  });

  test('stores each snapshot after all that it needs, and no file twice', async () => {
    const target = await targetFor(source);
    await copy(source, target);
    const kinds = savedKinds(target).slice(2);
    expect(kinds.slice(-3)).toEqual(['snapshot', 'snapshot', 'snapshot']);
    expect(kinds.slice(0, -3)).not.toContain('snapshot');
    expect(kinds.lastIndexOf('pack')).toBeLessThan(kinds.indexOf('snapshot'));
    expect(kinds.indexOf('index')).toBeGreaterThan(kinds.indexOf('pack'));
  });

  test('does nothing the second time', async () => {
    const target = await targetFor(source);
    const first = await copy(source, target);
    const again = target.clone();
    const { plan, copied, storedBytes } = await copy(source, again);
    expect(plan.snapshots.map(({ action, copy: there }) => [action, there])).toEqual(first.copied.map((one) => ['present', one.copy]));
    expect([copied, storedBytes, savedKinds(again)]).toEqual([[], 0, []]);
  });

  test('reads and stores only what the target lacks', async () => {
    const target = await targetFor(source);
    await copy(source, target, { snapshots: ids.slice(0, 2) });
    const [from, to] = [source.clone(), target.clone()];
    const { plan, copied, storedBytes } = await copy(from, to);
    expect(copied.map(({ snapshot }) => snapshot.id)).toEqual([ids[2]]);
    expect(await expectCopies(source, to)).toEqual(ids);
    // What one generation adds is about 70 KB, and the walk reads trees.
    expect(storedBytes).toBeGreaterThan(70_000);
    expect(storedBytes).toBeLessThan(100_000);
    expect(bytesLoaded(from)).toBeLessThan(storedBytes * 1.5);
    expect(plan.bytes).toBeLessThan(storedBytes);
    expect((await expectWhole(to)).stored.copies).toBe(0);
  });

  test('takes what a backup into the target has stored before', async () => {
    const target = await targetFor(source);
    await backup(await openRepository(target), folder, quick);
    const { storedBytes } = await copy(source, target, { snapshots: [ids[2]] });
    // Some trees above the files may differ in their times.
    expect(storedBytes).toBeLessThan(10_000);
  });

  test('copies what is named, or what a filter lets through', async () => {
    const [one, two, three] = [await targetFor(source), await targetFor(source), await targetFor(source)];
    await copy(source, one, { snapshots: [ids[1].slice(0, 12), 'latest', 'latest'] });
    expect(await expectCopies(source, one)).toEqual([ids[1], ids[2]]);
    await copy(source, two, { filter: ({ id }) => id === ids[0] });
    expect(await expectCopies(source, two)).toEqual([ids[0]]);
    await expect(copy(source, three, { snapshots: ['ffffffff'] })).rejects.toMatchObject({ code: 'snapshot-not-found' });
    await expect(copy(source, three, { snapshots: [''] })).rejects.toMatchObject({ code: 'snapshot-not-found' });
    expect((await expectWhole(three)).snapshots.size).toBe(0);
    const empty = await targetFor(source, 'empty');
    await expect(copy(empty, three, { snapshots: ['latest'] })).rejects.toMatchObject({ code: 'snapshot-not-found' });
    expect((await copy(empty, three)).copied).toEqual([]);
  });

  test('leaves out the parent of a snapshot that was not copied', async () => {
    const target = await targetFor(source);
    await copy(source, target, { snapshots: [ids[2]] });
    expect((await (await openRepository(target)).snapshots())[0].parent).toBeUndefined();
  });

  test('plans without changing anything', async () => {
    const target = await targetFor(source);
    const [from, to] = [source.dump(), target.dump()];
    const planned = await plannedCopy(source, target);
    expect(source.dump()).toEqual(from);
    expect(target.dump()).toEqual(to);
    const { plan } = await copy(source, target);
    expect(planned).toEqual(plan);
    expect(planned.snapshots.map(({ action }) => action)).toEqual(['copy', 'copy', 'copy']);
    expect(planned.snapshots[0].bytes).toBeGreaterThan(planned.snapshots[1].bytes);
    expect((await plannedCopy(new ReadOnlyStorage(source), new ReadOnlyStorage(target))).snapshots.map(({ action }) => action)).toEqual([
      'present',
      'present',
      'present',
    ]);
  });

  test('copies a copy, and knows the original when it comes back', async () => {
    const [second, third] = [await targetFor(source, 'second'), await targetFor(source, 'third')];
    await copy(source, second);
    await copy(second, third);
    expect(await expectCopies(source, third)).toEqual(ids);
    for (const back of [second, third]) expect((await copy(back, source.clone())).copied).toEqual([]);
    expect((await copy(source, third)).copied).toEqual([]);
  });

  test('does not compress anew what is compressed: frames stay as they are, also those of other makers', async () => {
    const target = await targetFor(source);
    const { plan, storedBytes } = await copy(source, target);
    // Headers and frames of packs come on top.
    expect(storedBytes).toBeGreaterThan(plan.bytes);
    expect(storedBytes).toBeLessThan(plan.bytes * 1.1);
  });

  test('copies the files of a real folder between repositories in folders', async () => {
    const place = scratch('copy-nasty');
    const files = join(place, 'files');
    await buildNastyTree(files, { small: true });
    const [from, to] = [join(place, 'from'), join(place, 'to')];
    const repository = await makeRepository(from);
    await backup(repository, files, { packSize: 4 << 20 });
    const target = await makeRepository(to, { polynomial: repository.config.chunker_polynomial });
    await copy(repository, target, { packSize: 4 << 20, threads: 2 });
    await expectCleanCheck(resticOn(to));
    await expectSnapshotRestores(resticOn(to), 'latest', files);
  });

  test('tells the progress in bytes up to the end', async () => {
    const target = await targetFor(source);
    const last: { phase: string; bytes: number; totalBytes: number | undefined }[] = [];
    const { plan } = await copy(source, target, { onProgress: ({ phase, bytes, totalBytes }) => (last[0] = { phase, bytes, totalBytes }) });
    expect(last[0]).toEqual({ phase: 'copying', bytes: plan.bytes, totalBytes: plan.bytes });
  });

  test('restic finds the target clean', async () => {
    const target = await targetFor(source);
    await copy(source, target);
    await expectCleanCheck(resticOn(await writeToDisk(target, scratch('copy-judged'))));
  });
});

describe('both ends being one repository', () => {
  test('is refused, by whatever path they were reached', async () => {
    const place = scratch('copy-same');
    const at = join(place, 'repository');
    await backup(await makeRepository(at), tree(join(place, 'files'), { a: 'a' }), hasty);
    tree(place, { link: symlink(at) });
    const refused = { code: 'same-place' };
    await expect(copy(new LocalStorage(at), new LocalStorage(at))).rejects.toMatchObject(refused);
    await expect(copy(new LocalStorage(at), new LocalStorage(join(place, 'link')))).rejects.toMatchObject(refused);
    await expect(plannedCopy(new LocalStorage(join(place, 'link')), new LocalStorage(at))).rejects.toMatchObject(refused);
  });

  test('is something else than one being a byte-for-byte copy of the other, to which only what is new is copied', async () => {
    const twin = new MemoryStorage('a copy of all files');
    for (const file of source.files()) await twin.save(file, [await source.load(file)]);
    expect((await copy(source, twin)).plan.snapshots.map(({ action, copy: there }) => [action, there])).toEqual(
      ids.map((id) => ['present', id]),
    );
    const used = source.clone();
    const { snapshot } = await backup(await openRepository(used), tree(scratch('copy-twin'), { 'added later': 'later' }), quick);
    const { copied } = await copy(used, twin);
    expect(copied.map((one) => one.snapshot.id)).toEqual([snapshot]);
    const whole = await expectWhole(twin);
    expect(whole.snapshots.get(copied[0].copy)).toEqual((await expectWhole(used)).snapshots.get(snapshot));
    const originals = (await (await openRepository(twin)).snapshots()).map(originalOf);
    expect(originals).toEqual([...ids, snapshot]);
  });
});

describe('locks', () => {
  test('a copy waits for nobody: an exclusive lock at either end ends it, and nothing is changed', async () => {
    const { holder, clock } = runOptions(hasty);
    for (const end of ['source', 'target'] as const) {
      const [from, to] = [source.clone(), await targetFor(source)];
      const lock = await Lock.acquire(await openRepository(end === 'source' ? from : to), holder, true, clock);
      const before = to.dump();
      await expect(copy(from, to)).rejects.toMatchObject({ code: 'locked' });
      expect(to.dump()).toEqual(before);
      await lock.release();
      expect((await copy(from, to)).copied).toHaveLength(3);
    }
  });

  test('a source where nothing can be written is copied without one', async () => {
    const target = await targetFor(source);
    const readOnly: Storage = new ReadOnlyStorage(source.clone());
    expect((await copy(readOnly, target)).copied).toHaveLength(3);
    expect(await expectCopies(source, target)).toEqual(ids);
    await expect(copy(source, new ReadOnlyStorage(await targetFor(source)))).rejects.toMatchObject({ code: 'storage-read-only' });
  });

  test('both ends are locked while a copy runs, and free afterwards', async () => {
    const [from, to] = [source.clone(), await targetFor(source)];
    const locks = async (storage: Storage): Promise<number> => {
      let count = 0;
      for await (const _ of storage.list('lock')) count += 1;
      return count;
    };
    const seen: number[][] = [];
    await copy(from, to, { onPlan: async () => void seen.push([await locks(from), await locks(to)]) });
    expect(seen).toEqual([[1, 1]]);
    expect([await locks(from), await locks(to)]).toEqual([0, 0]);
  });
});

describe('two copies at once into one target', () => {
  test('leave it whole, with every snapshot once', async () => {
    const target = await targetFor(source);
    const [a, b] = await Promise.all([copy(source.clone(), target), copy(source.clone(), target)]);
    expect(a.copied.length + b.copied.length).toBeGreaterThanOrEqual(3);
    const originals = await expectCopies(source, target);
    expect(new Set(originals)).toEqual(new Set(ids));
    expect((await copy(source, target)).copied).toEqual([]);
  });

  test('that start one after the other: the second finds what the first has copied when its turn comes', async () => {
    const target = await targetFor(source);
    // The second plans before the first has copied anything, and goes on when it has copied all.
    const second = await copy(source.clone(), target, { onPlan: async () => void (await copy(source.clone(), target)) });
    expect(second.plan.snapshots.map(({ action }) => action)).toEqual(['copy', 'copy', 'copy']);
    expect(await expectCopies(source, target)).toEqual(ids);
    expect(second.copied).toHaveLength(3);
  });
});

describe('a copy that is held up', () => {
  test('pauses and goes on', async () => {
    const target = await targetFor(source);
    const control = new RunControl();
    let paused = 0;
    const running = copy(source, target, {
      control,
      onPlan: () => {
        control.pause();
        paused = target.mutations;
      },
    });
    while (paused === 0) await nextTurn();
    for (let turn = 0; turn < 2000; turn++) await nextTurn();
    expect(target.mutations).toBe(paused);
    control.resume();
    expect((await running).copied).toHaveLength(3);
    expect(await expectCopies(source, target)).toEqual(ids);
  });

  test('refuses nothing that an empty repository or a snapshot without files asks of it', async () => {
    const from = new MemoryStorage('from');
    const place = scratch('copy-empty');
    await backup(await makeRepository(from), tree(join(place, 'nothing'), {}), quick);
    for (const target of [await targetFor(from), await otherTarget()]) {
      expect((await copy(from, target)).copied).toHaveLength(1);
      expect(await expectCopies(from, target)).toHaveLength(1);
    }
  });
});
