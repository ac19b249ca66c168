/** Runs that are cancelled or paused, at many moments. */
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HoldfastError } from '../../src/contract/errors.ts';
import type { Progress } from '../../src/engine/run.ts';
import { RunControl } from '../../src/platform/cancellation.ts';
import { type Clock, systemClock } from '../../src/platform/clock.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { FileKind, StoredFile } from '../../src/storage/storage.ts';
import { contentOf } from '../support/content-of.ts';
import { backup, openRepository, restore } from '../support/engine.ts';
import {
  empty,
  expectClearError,
  expectNextBackup,
  expectNextRestore,
  expectNoWrongByte,
  expectUnharmed,
  makeScene,
  quick,
  type Scene,
} from '../support/faulty-runs.ts';
import { hastyClock } from '../support/hasty-clock.ts';
import { sharedScratch } from '../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../support/unhandled.ts';

refuseUnhandledRejections();

let scene: Scene;
const place = sharedScratch('control');

beforeAll(async () => {
  scene = await makeScene(place);
});

beforeEach(() => empty(scene.target));

/** Calls back after every save that took effect. */
class WatchedStorage extends MemoryStorage {
  onSaved: (file: StoredFile, nthOfKind: number) => void = () => {};
  readonly #count = new Map<FileKind, number>();

  override async save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    await super.save(file, parts);
    const count = (this.#count.get(file.kind) ?? 0) + 1;
    this.#count.set(file.kind, count);
    this.onSaved(file, count);
  }
}

const watched = (): WatchedStorage => new WatchedStorage('the destination', scene.base.dump());

/** Tells the progress as often as it can. */
const eagerClock: Clock = { ...hastyClock, every: (ms, fn) => systemClock.every(ms < 1000 ? 1 : ms, fn) };

const outcomeOf = (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => 'done',
    (error: { code: string }) => (error.code === 'cancelled' ? error.code : expectClearError(error).code),
  );

describe('a backup that is cancelled', () => {
  const moments: [FileKind, number][] = [
    ['lock', 1],
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((nth): [FileKind, number] => ['pack', nth]),
    ['index', 1],
    ['index', 2],
  ];

  test.each(moments)('after storing %s %d ends as cancelled, and what it stored is found by the next run', async (kind, nth) => {
    const storage = watched();
    const control = new RunControl();
    let met = false;
    storage.onSaved = (file, count) => {
      if (file.kind !== kind || count !== nth) return;
      met = true;
      control.cancel();
    };
    const outcome = await outcomeOf(backup(await openRepository(storage), scene.source, { ...quick, control }));
    const mutations = storage.mutations;
    storage.onSaved = () => {};
    // A small run may have stored fewer packs; and only a run that has nothing left to do may finish all the same.
    if (met) expect(outcome).toBe('cancelled');
    const whole = await expectUnharmed(scene, storage);
    if (kind === 'pack' || kind === 'index') expect(whole.unindexed).toEqual([]);
    expect(whole.locks).toBe(0);
    expect(storage.mutations, 'writes after the run had ended').toBe(mutations);
    await expectNextBackup(scene, storage);
  });

  test('while its progress is told, at many moments, ends as cancelled; nothing is stored twice', async () => {
    const outcomes = new Set<string>();
    const storage = watched();
    for (let events = 1; events <= 40; events += 3) {
      const control = new RunControl();
      let seen = 0;
      const onProgress = (): void => void (++seen === events && control.cancel());
      outcomes.add(
        await outcomeOf(
          backup(await openRepository(storage), scene.source, { ...quick, clock: eagerClock, control, onProgress, strategy: 'full' }),
        ),
      );
      const { unindexed, stored } = await expectUnharmed(scene, storage);
      expect(unindexed).toEqual(scene.before.unindexed.filter((name) => unindexed.includes(name)));
      expect(stored.copies).toBe(0);
    }
    expect(outcomes).toContain('cancelled');
    expect([...outcomes].filter((outcome) => outcome !== 'done' && outcome !== 'cancelled')).toEqual([]);
    await expectNextBackup(scene, storage);
  });

  test('before it began stores nothing', async () => {
    const storage = watched();
    const control = new RunControl();
    control.cancel();
    expect(await outcomeOf(backup(await openRepository(storage), scene.source, { ...quick, control }))).toBe('cancelled');
    const { packs, locks } = await expectUnharmed(scene, storage);
    expect({ packs, locks }).toEqual({ packs: scene.before.packs, locks: 0 });
  });
});

describe('a restore that is cancelled', () => {
  test('at many moments leaves whole files only, and the next one completes it', async () => {
    const outcomes = new Set<string>();
    const storage = watched();
    const repository = await openRepository(storage);
    for (let events = 1; events <= 30; events += 2) {
      empty(scene.target);
      const control = new RunControl();
      let seen = 0;
      const onProgress = (): void => void (++seen === events && control.cancel());
      const run = restore(repository, scene.target, { ...quick, clock: eagerClock, control, onProgress });
      const outcome = await outcomeOf(run);
      outcomes.add(outcome);
      expectNoWrongByte(scene, { ...(outcome === 'cancelled' ? { error: new HoldfastError('cancelled') } : {}), problems: new Map() });
      await expectNextRestore(scene, storage);
    }
    expect(outcomes).toContain('cancelled');
    expect((await expectUnharmed(scene, storage)).locks).toBe(0);
  });
});

/** Whether a thread beside this one has something to do: it runs, waits for a processor or for a disk (proc_pid_stat(5)). */
function othersWork(): boolean {
  const threads = process.platform === 'linux' ? readdirSync('/proc/self/task').filter((id) => id !== String(process.pid)) : [];
  return threads.some((id) => {
    try {
      return /\) [RD] /.test(readFileSync(`/proc/self/task/${id}/stat`, 'latin1'));
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
}

/** Resolves when over several looks `figure` has not changed, and no thread was only waiting for its turn. */
async function stands(figure: () => string): Promise<string> {
  for (let [last, same] = ['', 0]; ; ) {
    await systemClock.sleep(20);
    const now = figure();
    same = now === last && !othersWork() ? same + 1 : 0;
    last = now;
    if (same === 5) return now;
  }
}

describe('a run that is paused', () => {
  test.each([1, 2, 3])('after storing pack %d stands still, and goes on when it is resumed', async (nth) => {
    const storage = watched();
    const control = new RunControl();
    let progress: Progress | undefined;
    storage.onSaved = ({ kind }, count) => kind === 'pack' && count === nth && control.pause();
    let ended = false;
    const run = backup(await openRepository(storage), scene.source, {
      ...quick,
      clock: eagerClock,
      control,
      onProgress: (each) => (progress = each),
      strategy: 'full',
    });
    void run.finally(() => (ended = true));
    while (!control.isPaused && !ended) await systemClock.sleep(1);
    expect(ended).toBe(false);
    const figures = (): string => `${progress?.items} ${progress?.bytes} ${storage.mutations}`;
    const atRest = await stands(figures);
    await systemClock.sleep(200);
    expect(figures()).toBe(atRest);
    expect(ended).toBe(false);
    control.resume();
    const { snapshot } = await run;
    await expectUnharmed(scene, storage, snapshot);
  });

  test('can be cancelled, and then ends', async () => {
    const storage = watched();
    const control = new RunControl();
    storage.onSaved = ({ kind }, count) => kind === 'pack' && count === 2 && control.pause();
    let ended = false;
    const outcome = outcomeOf(backup(await openRepository(storage), scene.source, { ...quick, control, strategy: 'full' }));
    void outcome.finally(() => (ended = true));
    while (!control.isPaused && !ended) await systemClock.sleep(1);
    expect(ended).toBe(false);
    control.cancel();
    expect(await outcome).toBe('cancelled');
    await expectNextBackup(scene, storage);
  });

  test('as a restore, stands still and goes on', async () => {
    const control = new RunControl();
    const storage = watched();
    let progress: Progress | undefined;
    let ended = false;
    control.pause();
    const run = restore(await openRepository(storage), scene.target, {
      ...quick,
      clock: eagerClock,
      control,
      onProgress: (each) => (progress = each),
    });
    void run.finally(() => (ended = true));
    const figures = (): string => `${progress?.items} ${progress?.bytes} ${contentOf(scene.target).size}`;
    await stands(figures);
    expect(ended).toBe(false);
    expect(contentOf(scene.target).size).toBe(0);
    control.resume();
    expect((await run).problems).toEqual([]);
    expect(expectNoWrongByte(scene, { problems: new Map() })).toBe(0);
  });
});
