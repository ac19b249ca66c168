/** Copies that do not end: cut off after any write, failing at any operation, cancelled, on a full disk. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { RunControl } from '../../../src/platform/cancellation.ts';
import { type Effect, FaultyStorage } from '../../../src/storage/faulty.ts';
import { LocalStorage } from '../../../src/storage/local.ts';
import type { MemoryStorage } from '../../../src/storage/memory.ts';
import { writeToDisk } from '../check-fixture.ts';
import { canMountDisks, mountDisk } from '../../support/disk.ts';
import { CancellingStorage } from '../../support/cancelling-storage.ts';
import { backup, makeRepository, openRepository, resticOn } from '../../support/engine.ts';
import { expectClearError } from '../../support/faulty-runs.ts';
import { expectCleanCheck, expectSnapshotRestores } from '../../support/judge.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { scratch, sharedScratch, tree } from '../../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { expectWhole } from '../../support/whole-repository.ts';
import { copy, expectCopies, sourceWith, targetFor } from './copying.ts';

refuseUnhandledRejections();

const folder = join(sharedScratch('copy-unfinished'), 'files');
let source: MemoryStorage;
let ids: string[];

beforeAll(async () => {
  ({ storage: source, snapshots: ids } = await sourceWith(2, folder));
});

/** The next copy takes over what is stored and leaves nothing behind. */
async function expectNextCopy(target: MemoryStorage): Promise<number> {
  const before = await expectWhole(target);
  const { adoptedPacks } = await copy(source, target);
  expect(await expectCopies(source, target)).toEqual(ids);
  const after = await expectWhole(target);
  // An index file that a failed save has stored all the same is stored once more.
  expect([after.unindexed, after.namedAgain, after.locks, after.stored.copies]).toEqual([[], before.namedAgain, 0, before.stored.copies]);
  expect(adoptedPacks).toBe(before.unindexed.length);
  return adoptedPacks;
}

const withoutLocks = (storage: MemoryStorage): MemoryStorage => {
  for (const file of storage.files()) if (file.kind === 'lock') storage.tamper(file, () => undefined);
  return storage;
};

describe('a copy that is cut off', () => {
  test('after any write leaves a sound target, to which the next one carries on', async () => {
    const target = await targetFor(source);
    const start = target.mutations;
    await copy(source, target);
    expect(target.mutations - start).toBeGreaterThan(8);
    let adopted = 0;
    for (let mutations = start; mutations <= target.mutations; mutations++) {
      const cut = withoutLocks(target.replay(mutations));
      await expectCopies(source, cut);
      if ((mutations - start) % 3 === 1)
        await expectCleanCheck(resticOn(await writeToDisk(cut, scratch('copy-cut-off'))), { unindexedPacks: true });
      adopted += await expectNextCopy(cut);
    }
    expect(adopted).toBeGreaterThan(3);
  });

  test('between snapshots has copied those before, and copies only the others next', async () => {
    const target = await targetFor(source);
    const control = new RunControl();
    await expect(copy(source, target, { control, onCopied: () => control.cancel() })).rejects.toMatchObject({ code: 'cancelled' });
    expect(await expectCopies(source, target)).toEqual([ids[0]]);
    expect((await copy(source, target)).copied.map(({ snapshot }) => snapshot.id)).toEqual([ids[1]]);
  });

  test('by the person who started it has indexed all that it stored', async () => {
    const whole = await targetFor(source);
    const start = whole.mutations;
    await copy(source, whole);
    for (let at = 2; at < whole.mutations - start; at += 2) {
      const control = new RunControl();
      const target = new CancellingStorage(await targetFor(source), control, at);
      const outcome = await copy(source, target, { control }).catch((error: { code: string }) => error.code);
      if (typeof outcome === 'string') expect(outcome).toBe('cancelled');
      const left = await expectWhole(target);
      expect([left.unindexed, left.locks]).toEqual([[], 0]);
      await expectNextCopy(target);
    }
  });
});

const effects: [string, Effect][] = [
  ['an error before it has any effect', { do: 'fail' }],
  ['an error after it took effect', { do: 'fail', when: 'after', code: 'storage-gone' }],
];

describe.each(effects)('%s, at every operation in turn', (_, effect) => {
  test('of the target ends the copy with clear words, or it does without that; the next one carries on', async () => {
    const probe = new FaultyStorage(await targetFor(source));
    await copy(source, probe);
    const operations = probe.calls.length;
    expect(operations).toBeGreaterThan(15);
    let failed = 0;
    for (let nth = 1; nth <= operations; nth++) {
      const target = await targetFor(source);
      const error: unknown = await copy(source, new FaultyStorage(target, { faults: [{ at: { nth }, effect }] })).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (error !== undefined) {
        failed += 1;
        expectClearError(error);
      }
      await expectCopies(source, target);
      await expectNextCopy(withoutLocks(target));
    }
    expect(failed).toBeGreaterThan(operations / 3);
  });

  test('of the source ends the copy, or only what could not be read is not copied and named; the next one copies it', async () => {
    const probe = new FaultyStorage(source.clone());
    await copy(probe, await targetFor(source));
    const operations = probe.calls.length;
    let [failed, incomplete] = [0, 0];
    for (let nth = 1; nth <= operations; nth++) {
      const target = await targetFor(source);
      try {
        const { copied, damaged, plan } = await copy(new FaultyStorage(source.clone(), { faults: [{ at: { nth }, effect }] }), target);
        expect(copied.length + damaged.length + plan.unreadable.length, `operation ${nth}`).toBe(2);
        if (copied.length < 2) incomplete += 1;
      } catch (error) {
        failed += 1;
        expectClearError(error);
      }
      await expectCopies(source, target);
      await expectNextCopy(target);
    }
    expect(failed).toBeGreaterThan(2);
    expect(failed + incomplete).toBeGreaterThan(operations / 4);
  });
});

describe.skipIf(!canMountDisks)('on a disk', () => {
  const mebi = 1 << 20;

  test('that becomes full, it ends with clear words; with more space the next one carries on', async () => {
    const place = scratch('copy-full');
    const files = tree(join(place, 'files'), { 'a.bin': seededBytes(seededRandom(5), 20 * mebi) });
    const from = await makeRepository(join(place, 'from'));
    await backup(from, files, { packSize: 4 * mebi });
    const disk = mountDisk(16 * mebi);
    const at = join(disk.folder, 'repository');
    await makeRepository(at, { polynomial: from.config.chunker_polynomial });
    await expect(copy(from, new LocalStorage(at), { packSize: 4 * mebi })).rejects.toMatchObject({ code: 'storage-full' });
    await expectCleanCheck(resticOn(at), { noLock: true, unindexedPacks: true });
    disk.grow(48 * mebi);
    const { copied, storedBytes } = await copy(from, new LocalStorage(at), { packSize: 4 * mebi });
    expect(copied).toHaveLength(1);
    expect(storedBytes).toBeLessThan(18 * mebi);
    await expectCleanCheck(resticOn(at));
    await expectSnapshotRestores(resticOn(at), 'latest', files);
    expect(readdirSync(join(at, 'locks'))).toEqual([]);
  });

  test('that is read-only, a source is copied, and a target refused', async () => {
    const place = scratch('copy-read-only');
    const disk = mountDisk(16 * mebi);
    const at = join(disk.folder, 'repository');
    const from = await makeRepository(at);
    await backup(from, tree(join(place, 'files'), { a: 'a' }));
    disk.remount('ro');
    const target = await makeRepository(join(place, 'to'), { polynomial: from.config.chunker_polynomial });
    expect((await copy(new LocalStorage(at), target)).copied).toHaveLength(1);
    await expectCleanCheck(resticOn(join(place, 'to')));
    await expect(copy(await openRepository(join(place, 'to')), new LocalStorage(at))).rejects.toMatchObject({ code: 'storage-read-only' });
  });
});
