import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { executeMove, type MoveOptions, type MoveResult, planMove } from '../../../src/engine/move/move.ts';
import type { MovePlan } from '../../../src/engine/move/plan.ts';
import { RunControl } from '../../../src/platform/cancellation.ts';
import { nextTurn } from '../../../src/platform/clock.ts';
import { Lock } from '../../../src/repository/locks.ts';
import { type Effect, disconnectFrom, FaultyStorage } from '../../../src/storage/faulty.ts';
import { LocalStorage } from '../../../src/storage/local.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { ReadOnlyStorage } from '../../../src/storage/read-only.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { writeToDisk } from '../check-fixture.ts';
import { sourceWith } from '../copy/copying.ts';
import { CancellingStorage } from '../../support/cancelling-storage.ts';
import { canMountDisks, mountDisk } from '../../support/disk.ts';
import { backup, makeRepository, openRepository, resticOn, runOptions } from '../../support/engine.ts';
import { expectClearError } from '../../support/faulty-runs.ts';
import { hasty } from '../../support/hostile.ts';
import { expectCleanCheck } from '../../support/judge.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { scratch, sharedScratch, tree } from '../../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { expectWhole } from '../../support/whole-repository.ts';

refuseUnhandledRejections();

const folder = join(sharedScratch('move'), 'files');
let old: MemoryStorage;

beforeAll(async () => {
  old = (await sourceWith(2, folder)).storage;
});

const move = async (from: Storage, to: Storage, options: Partial<MoveOptions> = {}): Promise<MoveResult> =>
  executeMove(await openRepository(from), to, { ...runOptions(hasty), ...options });

const plannedMove = async (from: Storage, to: Storage): Promise<MovePlan> => planMove(await openRepository(from), to);

const withoutLocks = (storage: MemoryStorage): MemoryStorage => {
  for (const file of storage.files()) if (file.kind === 'lock') storage.tamper(file, () => undefined);
  return storage;
};

/** Every file of a storage but its locks. */
const filesOf = (storage: MemoryStorage): Map<string, Uint8Array> => new Map([...withoutLocks(storage.clone()).dump()].sort());

const isComplete = async (storage: MemoryStorage): Promise<boolean> => {
  try {
    return (await expectWhole(withoutLocks(storage.clone()))).snapshots.size === 2;
  } catch {
    return false;
  }
};

/** The old or the new place has everything. */
async function expectNothingLost(from: MemoryStorage, to: MemoryStorage, context: string): Promise<void> {
  const complete = [await isComplete(from), await isComplete(to)];
  expect(complete.includes(true), context).toBe(true);
}

describe('move', () => {
  test('makes the new place the same, file by file, and keeps the old one', async () => {
    const [from, to] = [old.clone(), new MemoryStorage('the new place')];
    const { plan, check, copiedFiles, copiedBytes, isOldRemoved } = await move(from, to);
    expect(filesOf(to)).toEqual(filesOf(old));
    expect(filesOf(from)).toEqual(filesOf(old));
    expect([check.errors, check.snapshots, isOldRemoved, plan.state]).toEqual([0, 2, false, 'empty']);
    expect([copiedFiles, copiedBytes]).toEqual([plan.files, plan.bytes]);
    expect(to.files().filter(({ kind }) => kind === 'lock')).toEqual([]);
  });

  test('writes config last, and what refers to other files after them', async () => {
    const to = new MemoryStorage('the new place');
    await move(old.clone(), to);
    const kinds = to.operations.flatMap((one) => (one.kind === 'save' ? [one.file.kind] : []));
    const steps = kinds.filter((kind, i) => kind !== kinds[i - 1]);
    expect(steps).toEqual(['key', 'pack', 'index', 'snapshot', 'config', 'lock']);
  });

  test('removes the old place when that is wanted, and its folders', async () => {
    const place = scratch('move-removed');
    const [from, to] = [join(place, 'from'), join(place, 'to')];
    await writeToDisk(old, from);
    const { isOldRemoved } = await move(new LocalStorage(from), new LocalStorage(to), { removeOld: true });
    expect(isOldRemoved).toBe(true);
    expect(readdirSync(from)).toEqual([]);
    await expectCleanCheck(resticOn(to));
    expect((await expectWhole(new LocalStorage(to))).snapshots.size).toBe(2);
    // It is used as if nothing had happened.
    await backup(await openRepository(to), folder);
    await expectCleanCheck(resticOn(to));
  });

  test('removes nothing that is not its own', async () => {
    const place = scratch('move-others');
    const [from, to] = [join(place, 'from'), join(place, 'to')];
    await writeToDisk(old, from);
    tree(from, { 'notes.txt': 'mine', data: { 'mine.txt': 'mine too' } });
    await move(new LocalStorage(from), new LocalStorage(to), { removeOld: true });
    expect(readdirSync(from, { recursive: true }).sort()).toEqual(['data', 'data/mine.txt', 'notes.txt']);
  });

  test('tells the plan, and changes nothing while it only plans', async () => {
    const place = scratch('move-plan');
    const to = join(place, 'not', 'there', 'yet');
    const from = old.clone();
    const plan = await plannedMove(from, new LocalStorage(to));
    expect(existsSync(join(place, 'not'))).toBe(false);
    expect(filesOf(from)).toEqual(filesOf(old));
    const files = old.files().filter(({ kind }) => kind !== 'config');
    expect([plan.files, plan.presentFiles, plan.state]).toEqual([files.length, 0, 'empty']);
    expect(plan.free).toBeGreaterThan(0);
    expect(plan.needed).toBeGreaterThan(plan.bytes);
    expect(await move(from, new LocalStorage(to))).toMatchObject({ plan: { files: plan.files, bytes: plan.bytes } });
  });

  test('tells the progress in bytes up to the end, then that of the check', async () => {
    const seen = new Map<string, [number, number | undefined]>();
    const { plan } = await move(old.clone(), new MemoryStorage('new'), {
      onProgress: ({ phase, bytes, totalBytes }) => seen.set(phase, [bytes, totalBytes]),
    });
    expect(seen.get('moving')).toEqual([plan.bytes, plan.bytes]);
    expect([...seen.keys()]).toEqual(['moving', 'checking', 'verifying']);
  });

  test('locks the old place for itself while it runs, and others see it', async () => {
    const from = old.clone();
    const { holder, clock } = runOptions(hasty);
    await expect(
      move(from, new MemoryStorage('new'), {
        onPlan: () => {
          expect(from.files().filter(({ kind }) => kind === 'lock')).toHaveLength(1);
          throw new Error('far enough');
        },
      }),
    ).rejects.toThrow('far enough');
    const lock = await Lock.acquire(await openRepository(from), holder, false, clock);
    await expect(move(from, new MemoryStorage('new'))).rejects.toMatchObject({ code: 'locked' });
    await lock.release();
  });

  test('moves from where nothing can be written, without a lock; but removes nothing there', async () => {
    const to = new MemoryStorage('new');
    await move(new ReadOnlyStorage(old.clone()), to);
    expect(filesOf(to)).toEqual(filesOf(old));
    const another = new MemoryStorage('another');
    await expect(move(new ReadOnlyStorage(old.clone()), another, { removeOld: true })).rejects.toMatchObject({ code: 'storage-read-only' });
    expect(another.files()).toEqual([]);
  });
});

describe('a place that holds something', () => {
  const refused = { code: 'place-occupied' };

  test('is refused when that is another repository', async () => {
    const to = new MemoryStorage('new');
    await makeRepository(to);
    const before = to.dump();
    await expect(move(old.clone(), to)).rejects.toMatchObject(refused);
    await expect(plannedMove(old.clone(), to)).rejects.toMatchObject(refused);
    // Also when it has lost its config.
    to.tamper({ kind: 'config', name: '' }, () => undefined);
    await expect(move(old.clone(), to)).rejects.toMatchObject(refused);
    before.delete('config');
    expect(to.dump()).toEqual(before);
  });

  test('is refused when those are other things, or it is no folder', async () => {
    const place = scratch('move-occupied');
    const from = old.clone();
    tree(place, { documents: { 'letter.txt': 'Dear' }, file: 'a file', inside: {} });
    await expect(move(from, new LocalStorage(join(place, 'documents')))).rejects.toMatchObject(refused);
    await expect(move(from, new LocalStorage(join(place, 'file')))).rejects.toMatchObject(refused);
    expect(readdirSync(place, { recursive: true }).sort()).toEqual(['documents', 'documents/letter.txt', 'file', 'inside']);
    mkdirSync(join(place, 'lost+found'));
    tree(join(place, 'inside'), { 'lost+found': {} });
    expect((await move(from, new LocalStorage(join(place, 'inside')))).check.errors).toBe(0);
  });

  test('is refused when it is the old place, by whatever path, or lies inside it', async () => {
    const place = scratch('move-same');
    const at = await writeToDisk(old, join(place, 'repository'));
    symlinkSync(at, join(place, 'link'));
    const before = readdirSync(at, { recursive: true }).sort();
    for (const to of [at, join(place, 'link')])
      await expect(move(new LocalStorage(at), new LocalStorage(to), { removeOld: true })).rejects.toMatchObject({ code: 'same-place' });
    await expect(move(new LocalStorage(at), new LocalStorage(join(at, 'data', '00')))).rejects.toMatchObject(refused);
    expect(readdirSync(at, { recursive: true }).sort()).toEqual(before);
  });

  test('is refused when it is the old place under a name that nothing tells', async () => {
    // Two storages with nothing in common but their files, as one bucket behind two addresses.
    const from = old.clone();
    class Alias extends FaultyStorage {
      override readonly location = 'another address';
    }
    await expect(move(from, new Alias(from), { removeOld: true })).rejects.toMatchObject({ code: 'same-place' });
    expect(filesOf(from)).toEqual(filesOf(old));
  });

  test('is taken when it holds all of the repository and more: it was used since, and the old one may go', async () => {
    const [from, to] = [old.clone(), new MemoryStorage('new')];
    await move(from, to);
    await backup(await openRepository(to), tree(scratch('move-more'), { more: 'more' }), hasty);
    const { copiedFiles, isOldRemoved, plan } = await move(from, to, { removeOld: true });
    expect([copiedFiles, isOldRemoved, plan.state]).toEqual([0, true, 'there']);
    expect((await expectWhole(to)).snapshots.size).toBe(3);
    expect(from.files()).toEqual([]);
  });

  test('is brought up to date when only the old one was used since, and refused when both were', async () => {
    const [from, to] = [old.clone(), new MemoryStorage('new')];
    await move(from, to);
    const files = tree(scratch('move-both'), { more: 'more' });
    await backup(await openRepository(from), files, hasty);
    await move(from, to);
    expect(filesOf(to)).toEqual(filesOf(from));
    await backup(await openRepository(from), files, hasty);
    await backup(await openRepository(to), files, hasty);
    await expect(move(from, to, { removeOld: true })).rejects.toMatchObject(refused);
    for (const each of [from, to]) expect((await expectWhole(each)).snapshots.size).toBe(4);
  });
});

describe('a file', () => {
  test('of the old place that is damaged is named, and the new place does not become a repository', async () => {
    for (const kind of ['pack', 'index', 'snapshot', 'key'] as const) {
      const from = old.clone();
      const files = from.files().filter((file) => file.kind === kind);
      // Opened before, else a damaged key would keep it shut.
      const repository = await openRepository(from);
      for (const file of files) from.tamper(file, (bytes) => bytes.map((byte, at) => (at === 30 ? byte ^ 1 : byte)));
      const to = new MemoryStorage('new');
      const named: string[] = [];
      const moving = executeMove(repository, to, { ...runOptions(hasty), removeOld: true, onDamaged: (file) => named.push(file) });
      await expect(moving).rejects.toMatchObject({ code: 'move-stopped' });
      expect(named).toHaveLength(files.length);
      expect(named[0]).toMatch(new RegExp(`^${kind} [0-9a-f]{12}$`));
      expect(to.files().some((file) => file.kind === 'config')).toBe(false);
      expect(from.files()).toHaveLength(old.files().length);
    }
  });

  test('of the new place that is not what its name says is written anew', async () => {
    const whole = new MemoryStorage('new');
    await move(old.clone(), whole);
    for (const state of ['there', 'begun'] as const) {
      for (const change of [
        (bytes: Uint8Array) => bytes.map((byte, at) => (at === 9 ? byte ^ 1 : byte)),
        (bytes: Uint8Array) => bytes.slice(5),
      ]) {
        const to = whole.clone();
        if (state === 'begun') to.tamper({ kind: 'config', name: '' }, () => undefined);
        const damaged = to
          .files()
          .filter(({ kind }) => kind === 'pack' || kind === 'snapshot')
          .slice(0, 3);
        for (const file of damaged) to.tamper(file, change);
        const { copiedFiles, plan } = await move(old.clone(), to);
        expect([copiedFiles, plan.state]).toEqual([3, state]);
        expect(filesOf(to)).toEqual(filesOf(old));
      }
    }
  });

  test('that the new place damages after it took it keeps the old place from being removed', async () => {
    const from = old.clone();
    const to = new MemoryStorage('new');
    const lying = new FaultyStorage(to, { faults: [{ at: { call: 'save', kind: 'pack' }, effect: { do: 'tear', length: 100 } }] });
    const { check, isOldRemoved } = await move(from, lying, { removeOld: true });
    expect(check.errors).toBeGreaterThan(0);
    expect(isOldRemoved).toBe(false);
    expect(filesOf(from)).toEqual(filesOf(old));
    // The same again repairs it.
    expect((await move(from, to, { removeOld: true })).isOldRemoved).toBe(true);
    expect(filesOf(to)).toEqual(filesOf(old));
  });
});

describe('a move that does not end', () => {
  test('leaves the old or the new place complete after every write and every removal, and can be run again', async () => {
    const [from, to] = [old.clone(), new MemoryStorage('the new place')];
    await move(from, to, { removeOld: true });
    let begun = 0;
    for (let mutations = 0; mutations <= to.mutations; mutations++) {
      const [source, cut] = [old.clone(), withoutLocks(to.replay(mutations))];
      const isRepository = cut.files().some(({ kind }) => kind === 'config');
      if (isRepository) expect(await isComplete(cut)).toBe(true);
      const { copiedFiles, plan } = await move(source, cut, { removeOld: true });
      expect(copiedFiles).toBe(plan.files - plan.presentFiles);
      if (plan.state === 'begun') begun += 1;
      expect(filesOf(cut)).toEqual(filesOf(old));
      expect(source.files()).toEqual([]);
    }
    expect(begun).toBeGreaterThan(5);
    let [opened, gone] = [0, 0];
    for (let mutations = 0; mutations <= from.mutations; mutations++) {
      const cut = withoutLocks(from.replay(mutations));
      expect(filesOf(to)).toEqual(filesOf(old));
      if (!cut.files().some(({ kind }) => kind === 'config')) {
        // It is gone for whoever looks; what is left is no repository.
        gone += 1;
        await expect(openRepository(cut)).rejects.toMatchObject({ code: 'repository-not-found' });
        continue;
      }
      opened += 1;
      await expectWhole(cut);
      expect((await move(cut, to.clone(), { removeOld: true })).isOldRemoved).toBe(true);
      expect(cut.files()).toEqual([]);
    }
    expect(Math.min(opened, gone)).toBeGreaterThan(1);
  });

  const effects: Effect[] = [{ do: 'fail' }, { do: 'fail', when: 'after', code: 'storage-gone' }];

  test.each(effects)('because an operation failed (%o) says so or does without, and can be run again', async (effect) => {
    for (const end of ['old', 'new'] as const) {
      const make = (): [MemoryStorage, MemoryStorage] => [old.clone(), new MemoryStorage('the new place')];
      const faulty = (inner: MemoryStorage, faults: ConstructorParameters<typeof FaultyStorage>[1] = {}): FaultyStorage =>
        new FaultyStorage(inner, faults);
      const [a, b] = make();
      const probes = { old: faulty(a), new: faulty(b) };
      await move(probes.old, probes.new, { removeOld: true });
      const operations = probes[end].calls.length;
      expect(operations).toBeGreaterThan(20);
      let failed = 0;
      // Every second one, and the others with the other effect.
      for (let nth = effect === effects[0] ? 1 : 2; nth <= operations; nth += 2) {
        const [from, to] = make();
        const faults = { faults: [{ at: { nth }, effect }] };
        const outcome: unknown = await move(end === 'old' ? faulty(from, faults) : from, end === 'new' ? faulty(to, faults) : to, {
          removeOld: true,
        }).then(
          ({ isOldRemoved, check }) => (isOldRemoved ? undefined : check),
          (error: unknown) => {
            expectClearError(error);
            return error;
          },
        );
        await expectNothingLost(from, to, `${end}, operation ${nth}`);
        if (outcome === undefined) continue;
        failed += 1;
        if (!from.files().some(({ kind }) => kind === 'config')) continue;
        expect((await move(withoutLocks(from), withoutLocks(to), { removeOld: true })).isOldRemoved).toBe(true);
        expect(await isComplete(to)).toBe(true);
      }
      expect(failed).toBeGreaterThan(operations / 6);
    }
  });

  test('because a place was unplugged is not taken for damage', async () => {
    for (let nth = 3; nth < 40; nth += 4) {
      const [from, to] = [old.clone(), new MemoryStorage('new')];
      const named: string[] = [];
      const options = { removeOld: true, onDamaged: (file: string) => named.push(file) };
      const faults = { faults: [disconnectFrom(nth)] };
      const outcome = await move(new FaultyStorage(from, faults), to, options).catch((error: { code: string }) => error.code);
      expect(['storage-gone', 'repository-not-found']).toContain(outcome);
      const other = await move(old.clone(), new FaultyStorage(new MemoryStorage('another'), faults), options).catch(
        (error: { code: string }) => error.code,
      );
      expect(other).toBe('storage-gone');
      expect(named).toEqual([]);
      await expectWhole(from);
    }
  });

  test('because it was cancelled can be run again', async () => {
    const probe = old.clone();
    await move(probe, new MemoryStorage('probe'), { removeOld: true });
    let cancelled = 0;
    for (let at = 1; at <= 12; at += 1) {
      const control = new RunControl();
      const [from, to] = [old.clone(), new CancellingStorage(new MemoryStorage('new'), control, at)];
      const outcome = await move(from, to, { control, removeOld: true }).catch((error: { code: string }) => error.code);
      if (outcome === 'cancelled') cancelled += 1;
      expect(filesOf(from)).toEqual(filesOf(old));
      await move(from, withoutLocks(to), { removeOld: true });
      expect(filesOf(to)).toEqual(filesOf(old));
    }
    expect(cancelled).toBe(12);
  });

  test('because it is paused goes on when it may', async () => {
    const to = new MemoryStorage('new');
    const control = new RunControl();
    let isPlanned = false;
    const moving = move(old.clone(), to, {
      control,
      onPlan: () => {
        control.pause();
        isPlanned = true;
      },
    });
    while (!isPlanned) await nextTurn();
    for (let turn = 0; turn < 2000; turn++) await nextTurn();
    expect(to.files()).toEqual([]);
    control.resume();
    expect((await moving).check.errors).toBe(0);
  });
});

describe.skipIf(!canMountDisks)('on a disk', () => {
  const mebi = 1 << 20;

  test('that is too small it is refused before anything is written, and one that fills up in the middle ends with clear words', async () => {
    const place = scratch('move-full');
    const files = tree(join(place, 'files'), { 'a.bin': seededBytes(seededRandom(5), 20 * mebi) });
    const from = join(place, 'from');
    await backup(await makeRepository(from), files, { packSize: 4 * mebi });
    const disk = mountDisk(16 * mebi);
    const to = join(disk.folder, 'to');
    await expect(move(new LocalStorage(from), new LocalStorage(to))).rejects.toMatchObject({ code: 'place-too-small' });
    expect(existsSync(to)).toBe(false);
    const plan = await plannedMove(new LocalStorage(from), new LocalStorage(to));
    expect(plan.needed).toBeGreaterThan(plan.free!);
    disk.grow(48 * mebi);
    // Somebody else takes the space meanwhile.
    const filler = join(disk.folder, 'filler');
    const { free } = await plannedMove(new LocalStorage(from), new LocalStorage(to));
    await expect(
      move(new LocalStorage(from), new LocalStorage(to), { onPlan: () => writeFileSync(filler, Buffer.alloc(free! - 8 * mebi)) }),
    ).rejects.toMatchObject({ code: 'storage-full' });
    expect(existsSync(join(to, 'config'))).toBe(false);
    writeFileSync(filler, '');
    const { copiedFiles, plan: next } = await move(new LocalStorage(from), new LocalStorage(to), { removeOld: true });
    expect(copiedFiles).toBeLessThan(next.files);
    await expectCleanCheck(resticOn(to));
    expect(readdirSync(from)).toEqual([]);
  });

  test('that is read-only nothing is moved to', async () => {
    const disk = mountDisk(16 * mebi);
    disk.remount('ro');
    await expect(move(old.clone(), new LocalStorage(join(disk.folder, 'to')))).rejects.toMatchObject({ code: 'storage-read-only' });
  });
});

test('what is moved is as private as what a backup writes', async () => {
  const to = join(scratch('move-modes'), 'to');
  await move(old.clone(), new LocalStorage(to));
  for (const name of readdirSync(to, { recursive: true, encoding: 'utf8' })) {
    const facts = statSync(join(to, name));
    expect(facts.mode & 0o777, name).toBe(facts.isDirectory() ? 0o700 : 0o400);
  }
  chmodSync(join(to, 'config'), 0o600);
  expect(readFileSync(join(to, 'config'))).toEqual(Buffer.from(old.dump().get('config')!));
});
