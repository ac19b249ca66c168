/** Real disks that are full, read-only or taken away, below the destination and below the place that is restored to. */
import { mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { Repository } from '../../src/repository/repository.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { StoredFile } from '../../src/storage/storage.ts';
import { contentOf, within } from '../support/content-of.ts';
import { canMountDisks, mountDisk } from '../support/disk.ts';
import { backup, identity, openRepository, password, resticOn, restore } from '../support/engine.ts';
import { expectClearError, quick } from '../support/faulty-runs.ts';
import { expectCleanCheck } from '../support/judge.ts';
import { seededBytes, seededRandom } from '../support/seeded.ts';
import { scratch, tree } from '../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../support/unhandled.ts';
import { expectWhole } from '../support/whole-repository.ts';
import { noCost } from '../support/no-cost-key.ts';

refuseUnhandledRejections();

const random = seededRandom(3);
const noise = (length: number): Buffer => seededBytes(random, length);
const settings = { ...quick, packSize: 512 << 10 };
const make = (storage: LocalStorage | MemoryStorage | string): Promise<Repository> =>
  Repository.init(typeof storage === 'string' ? new LocalStorage(storage) : storage, password, identity, systemClock, {
    cost: noCost,
  });

const failureOf = async (run: Promise<unknown>): Promise<string> => {
  const thrown: unknown = await run.then(
    () => undefined,
    (error: unknown) => error,
  );
  return expectClearError(thrown).code;
};

let source: string;
beforeEach(() => {
  source = join(scratch('source'), 'files');
  tree(source, { a: { 'one.bin': noise(700_000), 'small.txt': 'small' }, 'two.bin': noise(900_000) });
});

/** Temporary files of half-finished saves and restores. */
const litter = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('-tmp-') || name.endsWith('.part'));

describe.skipIf(!canMountDisks)('a destination that is full', () => {
  test('ends the run with storage-full; earlier snapshots restore, and with more space the run carries on', async () => {
    const disk = mountDisk(9_000_000);
    const folder = join(disk.folder, 'repository');
    const repository = await make(folder);
    const first = await backup(repository, source, settings);
    const before = contentOf(source);
    tree(source, Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`new ${i}.bin`, noise(800_000)])));

    expect(await failureOf(backup(repository, source, settings))).toBe('storage-full');
    expect(litter(folder)).toEqual([]);
    const whole = await expectWhole(new LocalStorage(folder));
    expect(within(whole.snapshots.get(first.snapshot)!, source)).toEqual(before);
    expect(whole.packs).toBeGreaterThan(4);

    // To the last byte: not even a lock can be stored.
    for (let size = 1 << 20; size > 0; size = size >> 1) {
      try {
        for (let n = 0; ; n++) writeFileSync(join(disk.folder, `filler ${size} ${n}`), Buffer.alloc(size));
      } catch {
        // The disk is full for this size.
      }
    }
    const target = scratch('target');
    const restored = await restore(await openRepository(folder), target, { ...settings, snapshot: first.snapshot });
    expect(restored.problems).toEqual([]);
    expect(contentOf(join(target, source), target)).toEqual(before);
    expect(await failureOf(backup(await openRepository(folder), source, settings))).toBe('storage-full');

    for (const name of readdirSync(disk.folder)) if (name.startsWith('filler')) rmSync(join(disk.folder, name));
    disk.grow(30_000_000);
    const again = await openRepository(folder);
    const packs = (await again.names('pack')).length;
    const { unindexed } = await expectWhole(new LocalStorage(folder));
    const result = await backup(again, source, settings);
    expect(result.adoptedPacks).toBe(unindexed.length);
    const after = await expectWhole(new LocalStorage(folder));
    expect(within(after.snapshots.get(result.snapshot)!, source)).toEqual(contentOf(source));
    expect(after.stored.copies).toBe(0);
    expect(after.packs).toBeGreaterThan(packs);
    expect(after.locks).toBe(0);
    await expectCleanCheck(resticOn(folder));
  });
});

describe.skipIf(!canMountDisks)('a destination that is read-only', () => {
  test('refuses a backup with storage-read-only, and restores', async () => {
    const disk = mountDisk(9_000_000);
    const folder = join(disk.folder, 'repository');
    await backup(await make(folder), source, settings);
    disk.remount('ro');
    const repository = await openRepository(folder);
    expect(await failureOf(backup(repository, source, settings))).toBe('storage-read-only');
    const target = scratch('target');
    expect((await restore(repository, target, settings)).problems).toEqual([]);
    expect(contentOf(join(target, source), target)).toEqual(contentOf(source));
    disk.remount('rw');
    await backup(repository, source, settings);
    expect((await expectWhole(new LocalStorage(folder))).locks).toBe(0);
  });
});

/** Calls back when a save begins. */
class NoticedStorage extends LocalStorage {
  onSave: (file: StoredFile) => void = () => {};

  override save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    this.onSave(file);
    return super.save(file, parts);
  }
}

describe('a destination whose folder is deleted', () => {
  test.each([1, 2, 3])('during a backup, before pack %d, ends the run with storage-gone; nothing is made in its place', async (nth) => {
    const parent = scratch('deleted');
    const folder = join(parent, 'repository');
    const storage = new NoticedStorage(folder);
    const repository = await make(storage);
    let packs = 0;
    storage.onSave = ({ kind }) => {
      if (kind === 'pack' && ++packs === nth) rmSync(folder, { recursive: true });
    };
    expect(await failureOf(backup(repository, source, settings))).toBe('storage-gone');
    expect(readdirSync(parent)).toEqual([]);
    expect(await failureOf(openRepository(folder))).toBe('repository-not-found');
    expect(await failureOf(backup(repository, source, settings))).toBe('storage-gone');
  });

  test('during a restore ends the run with storage-gone and leaves whole files only', async () => {
    const folder = join(scratch('deleted'), 'repository');
    const repository = await make(folder);
    await backup(repository, source, settings);
    const target = scratch('target');
    // The folder goes when the first file is being restored, as every run lists the files of the target first.
    const gone = restore(repository, target, {
      ...settings,
      onProgress: () => rmSync(folder, { recursive: true, force: true }),
      clock: { ...settings.clock, every: (_, fn) => (fn(), () => {}) },
    });
    expect(await failureOf(gone)).toBe('storage-gone');
    const wanted = contentOf(source);
    for (const [path, content] of contentOf(target, target)) if (wanted.has(path)) expect(content).toBe(wanted.get(path));
    expect(litter(target)).toEqual([]);
  });

  test('by a drive that was unmounted: its empty mount point is not written to', async () => {
    const parent = scratch('stub');
    const folder = join(parent, 'repository');
    const repository = await make(folder);
    await backup(repository, source, settings);
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    expect(await failureOf(backup(repository, source, settings))).toBe('storage-gone');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe.skipIf(!canMountDisks)('a place to restore to', () => {
  const repositoryOf = async (): Promise<Repository> => {
    const repository = await make(new MemoryStorage());
    await backup(repository, source, settings);
    return repository;
  };

  test('that is too small is refused before anything is written', async () => {
    const disk = mountDisk(1_200_000);
    const free = readdirSync(disk.folder);
    expect(await failureOf(restore(await repositoryOf(), disk.folder, settings))).toBe('target-too-small');
    expect(readdirSync(disk.folder)).toEqual(free);
  });

  test('that fills up while files are written ends the run with target-full: what is there is whole, and with space the rest follows', async () => {
    const disk = mountDisk(4_000_000);
    const { folder } = disk;
    rmSync(join(folder, 'lost+found'), { recursive: true });
    const repository = await repositoryOf();
    // Somebody else fills the disk once the run has looked at it.
    const filler = join(folder, '.filler');
    let filled = false;
    const clock = {
      ...settings.clock,
      every: (_: number, fn: () => void) => (fn(), () => {}),
    };
    const onProgress = (): void => {
      if (filled) return;
      filled = true;
      for (let size = 512 << 10; size >= 4096; size = size >> 1) {
        try {
          for (let n = 0; ; n++) writeFileSync(`${filler} ${size} ${n}`, Buffer.alloc(size, 1), { flag: 'wx' });
        } catch {
          // No more of this size.
        }
      }
      rmSync(`${filler} 524288 0`);
    };
    expect(await failureOf(restore(repository, folder, { ...settings, clock, onProgress }))).toBe('target-full');
    expect(litter(folder)).toEqual([]);
    const wanted = contentOf(source);
    const there = [...contentOf(folder, folder)].filter(([path]) => wanted.has(path));
    for (const [path, content] of there) expect(content, path).toBe(wanted.get(path));
    expect(there.length).toBeLessThan(wanted.size);
    for (const name of readdirSync(folder)) if (name.startsWith('.filler')) rmSync(join(folder, name));
    expect((await restore(repository, folder, settings)).problems).toEqual([]);
    expect(contentOf(join(folder, source), folder)).toEqual(wanted);
  });

  test('that runs out of file numbers ends the run with target-full', async () => {
    const disk = mountDisk(8_000_000, { inodes: 64 });
    tree(source, Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${i}.txt`, `content ${i}`])));
    expect(await failureOf(restore(await repositoryOf(), disk.folder, settings))).toBe('target-full');
    expect(litter(disk.folder)).toEqual([]);
  });

  test('that is read-only ends the run with target-read-only, or before with target-unusable', async () => {
    const disk = mountDisk(8_000_000);
    const repository = await repositoryOf();
    mkdirSync(join(disk.folder, 'there'));
    disk.remount('ro');
    expect(await failureOf(restore(repository, join(disk.folder, 'there'), settings))).toBe('target-read-only');
    expect(['target-read-only', 'target-unusable']).toContain(await failureOf(restore(repository, join(disk.folder, 'new'), settings)));
  });
});

test('a pack of a real folder that was cut short counts as lost, and what was in it is stored again', async () => {
  const folder = join(scratch('torn'), 'repository');
  const repository = await make(folder);
  await backup(repository, source, settings);
  const [pack] = await repository.names('pack');
  truncateSync(new LocalStorage(folder).localPath({ kind: 'pack', name: pack! }), 1000);
  const { damage, snapshot } = await backup(await openRepository(folder), source, settings);
  expect(damage.map(({ code }) => code)).toEqual(['pack-lost']);
  const target = scratch('target');
  expect((await restore(repository, target, { ...settings, snapshot })).problems).toEqual([]);
  expect(contentOf(join(target, source), target)).toEqual(contentOf(source));
});
