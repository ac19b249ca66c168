/** A destination that fails: at every operation in turn, for good, or for a moment. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { disconnectFrom, type Effect, type Fault, FaultyStorage } from '../../src/storage/faulty.ts';
import { RetryingStorage } from '../../src/storage/retrying.ts';
import { backup, openRepository, restore } from '../support/engine.ts';
import {
  empty,
  expectNextBackup,
  expectNextRestore,
  expectNoWrongByte,
  expectUnharmed,
  makeScene,
  quick,
  type Scene,
  tryBackup,
  tryRestore,
} from '../support/faulty-runs.ts';
import { seededRandom } from '../support/seeded.ts';
import { sharedScratch } from '../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../support/unhandled.ts';

refuseUnhandledRejections();

let scene: Scene;
const place = sharedScratch('faults');
let callsOfBackup: number;
let callsOfRestore: number;

beforeAll(async () => {
  scene = await makeScene(place);
  const storage = new FaultyStorage(scene.base.clone());
  expect((await tryBackup(scene, storage)).error).toBeUndefined();
  callsOfBackup = storage.calls.length;
  const other = new FaultyStorage(scene.base.clone());
  expect((await tryRestore(scene, other)).error).toBeUndefined();
  callsOfRestore = other.calls.length;
  expect(callsOfBackup).toBeGreaterThan(25);
  expect(callsOfRestore).toBeGreaterThan(15);
});

beforeEach(() => empty(scene.target));

/** Calls `act` for each operation of a run, and says at which one it failed. */
async function atEvery(calls: number, act: (nth: number) => Promise<void>): Promise<void> {
  for (let nth = 1; nth <= calls; nth++) {
    try {
      await act(nth);
    } catch (error) {
      throw new Error(`with the fault at operation ${nth} of ${calls}: ${(error as Error).message}`, { cause: error });
    }
  }
}

const once: [string, Effect][] = [
  ['an error before it has any effect', { do: 'fail' }],
  ['an error after it took effect', { do: 'fail', when: 'after', code: 'storage-gone' }],
];

describe.each(once)('%s, at every operation of a run in turn', (_, effect) => {
  test('ends a backup with clear words, or it does without that; the next backup is as ever', async () => {
    let failed = 0;
    await atEvery(callsOfBackup, async (nth) => {
      const inner = scene.base.clone();
      const { error, snapshot } = await tryBackup(scene, new FaultyStorage(inner, { faults: [{ at: { nth }, effect }] }));
      if (error) failed += 1;
      await expectUnharmed(scene, inner, snapshot);
      await expectNextBackup(scene, inner);
    });
    expect(failed).toBeGreaterThan(callsOfBackup / 3);
  });

  test('ends a restore with clear words, or only what it could not read is missing and named', async () => {
    let incomplete = 0;
    await atEvery(callsOfRestore, async (nth) => {
      empty(scene.target);
      const inner = scene.base.clone();
      const restored = await tryRestore(scene, new FaultyStorage(inner, { faults: [{ at: { nth }, effect }] }));
      if (expectNoWrongByte(scene, restored) > 0) incomplete += 1;
      await expectUnharmed(scene, inner);
      if (restored.error || restored.problems.size > 0) await expectNextRestore(scene, inner);
    });
    expect(incomplete).toBeGreaterThan(2);
  });
});

describe('a destination that disappears', () => {
  test('in the middle of a backup: the run says so, and the next one carries on', async () => {
    const codes = new Set<string>();
    await atEvery(callsOfBackup, async (nth) => {
      const inner = scene.base.clone();
      const { error } = await tryBackup(scene, new FaultyStorage(inner, { faults: [disconnectFrom(nth)] }));
      // Only the removal of the lock may go unnoticed.
      if (nth < callsOfBackup - 2) expect(error).toBeDefined();
      codes.add(error?.code ?? 'none');
      await expectUnharmed(scene, inner);
      await expectNextBackup(scene, inner);
    });
    expect([...codes].sort()).toEqual(['none', 'repository-not-found', 'storage-gone']);
  });

  test('in the middle of a restore: the run says so, and does not call the files damaged', async () => {
    const codes = new Set<string>();
    await atEvery(callsOfRestore, async (nth) => {
      empty(scene.target);
      const inner = scene.base.clone();
      const restored = await tryRestore(scene, new FaultyStorage(inner, { faults: [disconnectFrom(nth)] }));
      codes.add(restored.error?.code ?? 'none');
      expect([...restored.problems]).toEqual([]);
      expectNoWrongByte(scene, restored);
      await expectNextRestore(scene, inner);
    });
    expect([...codes].sort()).toEqual(['none', 'repository-not-found', 'storage-gone']);
  });
});

describe('a destination that fills up', () => {
  test('ends a backup with storage-full whatever was the last thing that fitted; earlier snapshots restore from it', async () => {
    for (const capacity of [0, 500, 60_000, 130_000, 200_000]) {
      empty(scene.target);
      const inner = scene.base.clone();
      const full = new FaultyStorage(inner, { capacity });
      const { error } = await tryBackup(scene, full);
      expect(error?.code, `${capacity} bytes`).toBe('storage-full');
      await expectUnharmed(scene, inner);
      // Not even a lock can be stored there.
      const restored = await tryRestore(scene, new FaultyStorage(inner, { capacity: 0 }));
      expect(restored).toEqual({ problems: new Map() });
      expect(expectNoWrongByte(scene, restored)).toBe(0);
      full.heal();
      await expectNextBackup(scene, inner);
    }
  });
});

describe('errors that pass', () => {
  /** A third of all calls fail, in no order that tries and retries could fall in step with. */
  const flaky = (seed: number): Fault[] => {
    const random = seededRandom(seed);
    const nths = Array.from({ length: 600 }, (_, i) => i + 1).filter(() => random() < 1 / 3);
    return nths.map((nth) => ({ at: { nth }, effect: { do: 'fail', when: random() < 0.5 ? 'before' : 'after' } }) as const);
  };
  const patient = (storage: FaultyStorage): RetryingStorage => new RetryingStorage(storage, quick);

  test('do not fail a backup or a restore through the retrying storage', async () => {
    for (const seed of [1, 2, 3]) {
      empty(scene.target);
      const inner = scene.base.clone();
      const faulty = new FaultyStorage(inner, { faults: flaky(seed) });
      const repository = await openRepository(patient(faulty));
      const { snapshot, problems, damage, adoptedPacks } = await backup(repository, scene.source, quick);
      expect({ problems, damage, adoptedPacks }).toEqual({ problems: [], damage: [], adoptedPacks: scene.before.unindexed.length });
      const whole = await expectUnharmed(scene, inner, snapshot);
      expect({ unindexed: whole.unindexed, copies: whole.stored.copies, locks: whole.locks }).toEqual({
        unindexed: [],
        copies: 0,
        locks: 0,
      });
      const [first] = scene.before.snapshots.keys();
      expect((await restore(repository, scene.target, { ...quick, snapshot: first! })).problems).toEqual([]);
      expect(expectNoWrongByte(scene, { problems: new Map() })).toBe(0);
    }
  });
});

test('a run that failed stores nothing any more once it has ended, however slow the destination is', async () => {
  const inner = scene.base.clone();
  const faulty = new FaultyStorage(inner, {
    clock: systemClock,
    faults: [
      { at: { call: 'save', kind: 'pack', nth: 1 }, effect: { do: 'delay', ms: 300 } },
      { at: { call: 'save', kind: 'pack', nth: 2 }, effect: { do: 'fail', code: 'storage-full' } },
    ],
  });
  const { error } = await tryBackup(scene, faulty);
  expect(error?.code).toBe('storage-full');
  const { mutations } = inner;
  await systemClock.sleep(400);
  expect(inner.mutations).toBe(mutations);
  // The slow pack was waited for, noted in the index, and then the lock went.
  const whole = await expectUnharmed(scene, inner);
  expect({ unindexed: whole.unindexed, locks: whole.locks }).toEqual({ unindexed: [], locks: 0 });
  expect(whole.packs).toBe(scene.before.packs + 1);
});

test('a slow destination only takes longer', async () => {
  const inner = scene.base.clone();
  const slow = new FaultyStorage(inner, { clock: systemClock, faults: [{ at: { times: Infinity }, effect: { do: 'delay', ms: 15 } }] });
  const { error, snapshot } = await tryBackup(scene, slow);
  expect(error).toBeUndefined();
  await expectUnharmed(scene, inner, snapshot);
  expect(await tryRestore({ ...scene }, slow)).toEqual({ problems: new Map() });
});
