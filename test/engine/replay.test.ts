/**
 * A power cut at any moment: the repository as it is after each prefix of the writes of recorded runs. At every one of them
 * nothing needs repair, every finished snapshot restores, and the next backup carries on.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { executeCheck } from '../../src/engine/check/check.ts';
import { planCheck } from '../../src/engine/check/plan.ts';
import { RunControl } from '../../src/platform/cancellation.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { Repository } from '../../src/repository/repository.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { StoredFile } from '../../src/storage/storage.ts';
import { contentOf, within } from '../support/content-of.ts';
import { backup, identity, openRepository, password, resticOn, restore, runOptions } from '../support/engine.ts';
import { hasty } from '../support/hostile.ts';
import { expectCleanCheck } from '../support/judge.ts';
import { atEveryPrefix, deadHolder } from '../support/prefixes.ts';
import { seededBytes, seededRandom } from '../support/seeded.ts';
import { scratch, sharedScratch, tree } from '../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../support/unhandled.ts';
import { expectWhole, type SnapshotContent } from '../support/whole-repository.ts';
import { noCost } from '../support/no-cost-key.ts';

refuseUnhandledRejections();

/** Packs far smaller than a person may choose, so that few files fill several. */
const settings = { ...hasty, threads: 2, packSize: 48 << 10 };
const holder = deadHolder();

const random = seededRandom(1);
const noise = (length: number): Buffer => seededBytes(random, length);

/** Calls back after every save, so that a test can act in the middle of a run. */
class WatchedStorage extends MemoryStorage {
  onSaved: (file: StoredFile) => void = () => {};

  override async save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    await super.save(file, parts);
    this.onSaved(file);
  }
}

function writeOut(storage: MemoryStorage, folder: string): string {
  for (const [path, bytes] of storage.dump()) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  for (const name of ['data', 'index', 'keys', 'locks', 'snapshots']) mkdirSync(join(folder, name), { recursive: true });
  return folder;
}

describe('a power cut during backups', () => {
  const place = sharedScratch('replay');
  const source = join(place, 'source');
  const storage = new WatchedStorage();
  /** What each snapshot has to hold, by its ID. */
  const expected = new Map<string, SnapshotContent>();
  const now = (): SnapshotContent => contentOf(source);

  beforeAll(async () => {
    const repository = await Repository.init(storage, password, identity, systemClock, { cost: noCost });
    tree(source, {
      docs: Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`letter ${i}.txt`, `Dear ${i}, `.repeat(i * 40)])),
      photos: Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`${i}.jpg`, noise(20_000 + i * 7_000)])),
      film: noise(1_700_000),
      empty: '',
      deep: { deeper: { deepest: { 'here.txt': 'here' } } },
    });
    const keep = async (strategy: 'incremental' | 'differential'): Promise<void> => {
      const { snapshot } = await backup(repository, source, { ...settings, holder, strategy });
      expected.set(snapshot, now());
    };
    await keep('incremental');
    tree(source, {
      docs: { 'letter 3.txt': 'rewritten', 'new.txt': 'new' },
      photos: { '2.jpg': noise(120_000), 'new.jpg': noise(250_000) },
    });
    rmSync(join(source, 'deep/deeper/deepest'), { recursive: true });
    await keep('incremental');
    tree(source, { film: noise(900_000), photos: { '5.jpg': noise(90_000) } });
    await keep('differential');

    tree(source, { more: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`${i}.bin`, noise(80_000)])) });
    const control = new RunControl();
    let packs = 0;
    storage.onSaved = ({ kind }) => {
      if (kind === 'pack' && ++packs === 4) control.cancel();
    };
    await expect(backup(repository, source, { ...settings, holder, control })).rejects.toMatchObject({ code: 'cancelled' });
    storage.onSaved = () => {};
    expect(packs).toBeGreaterThanOrEqual(4);
  });

  const afterInit = 2;

  test('leaves a repository in which nothing is missing or wrong, whichever write was the last', async () => {
    expect(storage.mutations).toBeGreaterThan(35);
    const met = new Set<number>();
    await atEveryPrefix(storage, afterInit, async (state) => {
      const whole = await expectWhole(state);
      met.add(whole.snapshots.size);
      for (const [id, content] of whole.snapshots) expect(within(content, source)).toEqual(expected.get(id));
    });
    expect([...met]).toEqual([0, 1, 2, 3]);
  });

  test('leaves a repository that our check has nothing to say against, without any repair', async () => {
    await atEveryPrefix(storage, afterInit, async (state) => {
      const repository = await openRepository(state);
      const result = await executeCheck(repository, await planCheck(repository, { readData: 'all' }), runOptions({ ...hasty, threads: 1 }));
      expect(result.findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
    });
  });

  test('leaves every finished snapshot restorable', async () => {
    await atEveryPrefix(storage, afterInit, async (state) => {
      const repository = await openRepository(state);
      for (const { id } of await repository.snapshots()) {
        const target = mkdtempSync(join(place, 'restored-'));
        const { problems } = await restore(repository, target, { ...settings, threads: 1, snapshot: id });
        expect(problems).toEqual([]);
        expect(contentOf(join(target, source), target)).toEqual(expected.get(id));
        rmSync(target, { recursive: true });
      }
    });
  });

  test('leaves a repository that restic finds clean', async () => {
    const step = Math.ceil(storage.mutations / 7);
    for (let mutations = afterInit + 1; mutations <= storage.mutations; mutations += step) {
      const folder = writeOut(storage.replay(mutations), scratch('judged'));
      await expectCleanCheck(resticOn(folder), { noLock: true, unindexedPacks: true });
    }
  });

  test('lets the next backup carry on: it takes over packs that no index names and stores nothing twice', async () => {
    let [adopted, prefixes] = [0, 0];
    await atEveryPrefix(storage, afterInit, async (state, mutations) => {
      if (mutations % 2 === 1) return;
      const before = await expectWhole(state);
      const result = await backup(await openRepository(state), source, settings);
      expect(result.problems).toEqual([]);
      expect(result.damage).toEqual([]);
      expect(result.adoptedPacks).toBe(before.unindexed.length);
      adopted += result.adoptedPacks;
      prefixes += 1;
      const after = await expectWhole(state);
      expect(after.unindexed).toEqual([]);
      expect(after.namedAgain).toEqual([]);
      expect(after.locks).toBe(0);
      expect(after.stored.copies).toBe(0);
      expect(within(after.snapshots.get(result.snapshot)!, source)).toEqual(now());
      for (const id of before.snapshots.keys()) expect(after.snapshots.get(id)).toEqual(before.snapshots.get(id));
    });
    expect(adopted).toBeGreaterThan(prefixes);
  });

  test('after a cancelled run, all that it stored is in the index', async () => {
    const { unindexed, snapshots } = await expectWhole(storage.replay(storage.mutations));
    expect(unindexed).toEqual([]);
    expect(snapshots.size).toBe(3);
  });
});

describe('a power cut while a repository is made', () => {
  const made = new MemoryStorage();
  beforeAll(async () => void (await Repository.init(made, password, identity, systemClock, { cost: noCost })));

  test('leaves a place in which the same can be done again', async () => {
    await atEveryPrefix(made, 0, async (state, mutations) => {
      if (mutations === made.mutations) return;
      await expect(openRepository(state)).rejects.toMatchObject({ code: 'repository-not-found' });
      await Repository.init(state, password, identity, systemClock, { cost: noCost });
      const { config } = await openRepository(state);
      expect(config.version).toBe(2);
      expect(
        state
          .files()
          .map(({ kind }) => kind)
          .sort(),
      ).toEqual(['config', 'key']);
      const { snapshot } = await backup(await openRepository(state), import.meta.filename, settings);
      expect([...(await expectWhole(state)).snapshots.keys()]).toEqual([snapshot]);
    });
  });

  test('leaves a key that no other password takes over', async () => {
    await expect(Repository.init(made.replay(1), 'another', identity, systemClock, { cost: noCost })).rejects.toMatchObject({
      code: 'repository-exists',
    });
  });

  test('never makes a repository over one that has lost only its config', async () => {
    const state = made.clone();
    await backup(await openRepository(state), import.meta.filename, settings);
    state.tamper({ kind: 'config', name: '' }, () => undefined);
    await expect(Repository.init(state, password, identity, systemClock, { cost: noCost })).rejects.toMatchObject({
      code: 'repository-exists',
    });
  });
});

describe('a power cut while passwords change', () => {
  test('leaves at least one password that opens the repository and everything in it', async () => {
    const storage = new MemoryStorage();
    const first = await Repository.init(storage, 'one', identity, systemClock, { cost: noCost });
    await backup(first, import.meta.filename, settings);
    const start = storage.mutations;
    await first.addKey('two', identity, systemClock, noCost);
    const opening = ['one'];
    await first.changePassword('three', identity, systemClock, noCost);
    const second = await openRepository(storage, 'two');
    const three = (await second.keys()).find(({ current }) => !current)!;
    await second.removeKey(three.id);
    await second.changePassword('four', identity, systemClock, noCost);
    expect(storage.mutations - start).toBe(6);

    const openings: string[] = [];
    await atEveryPrefix(storage, start, async (state) => {
      const opens: string[] = [];
      for (const each of ['one', 'two', 'three', 'four']) {
        try {
          expect((await expectWhole(state, each)).snapshots.size).toBe(1);
          opens.push(each);
        } catch (error) {
          expect(error).toMatchObject({ code: 'wrong-password' });
        }
      }
      expect(opens.length).toBeGreaterThan(0);
      openings.push(opens.join(' '));
    });
    expect(openings).toEqual([opening.join(' '), 'one two', 'one two three', 'two three', 'two', 'two four', 'four']);
  });
});
