/**
 * Repairs that do not end: a power cut after every write, a fault at every operation, a full disk, a cancellation. Whatever happens,
 * nothing that could be had before is given up, and the next repair completes the work.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { executeForget, planForget } from '../../../src/engine/forget.ts';
import { RunControl } from '../../../src/platform/cancellation.ts';
import { Lock } from '../../../src/repository/locks.ts';
import { disconnectFrom, FaultyStorage } from '../../../src/storage/faulty.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { CancellingStorage } from '../../support/cancelling-storage.ts';
import { expectClearError } from '../../support/faulty-runs.ts';
import type { HadContent } from '../../support/had.ts';
import { expectCleanCheck } from '../../support/judge.ts';
import { scratch, sharedScratch } from '../../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { backup, newRepository, noise, open } from '../check-fixture.ts';
import {
  codesOf,
  cut,
  filesOf,
  flip,
  had,
  indexLines,
  lose,
  mutationsOf,
  packFile,
  packsWith,
  recover,
  repairIndex,
  repairPacks,
  repairSnapshots,
  resticOnCopy,
  run,
  unlock,
} from './fixture.ts';

refuseUnhandledRejections();

const whole = new MemoryStorage();
const source = sharedScratch('interrupted-source');
const kept = sharedScratch('interrupted-kept');

interface Scenario {
  /** The damaged repository. */
  readonly start: MemoryStorage;
  readonly run: (storage: Storage, control?: RunControl) => Promise<unknown>;
  /** What has to be the same after every completed repair. */
  readonly outcome: (storage: Storage) => Promise<unknown>;
}

let scenarios: Record<'index' | 'packs' | 'snapshots' | 'recover', Scenario>;

const blobsIn = async (storage: Storage): Promise<string[]> =>
  [...new Set((await indexLines(storage)).map((line) => line.split(' ').slice(1, 3).join(' ')))].sort();

const snapshotsIn = async (storage: Storage): Promise<string[]> =>
  (await (await open(storage)).snapshots()).map(({ tree, original, tags }) => `${original} ${tree} ${tags?.join()}`).sort();

beforeAll(async () => {
  const repository = await newRepository(whole);
  const ids: string[] = [];
  for (let n = 0; n < 2; n++) {
    mkdirSync(join(source, 'folder'), { recursive: true });
    for (let i = 0; i < 4; i++) writeFileSync(join(source, `folder/${i}`), noise(i + (i % 2) * n * 10 + 1, 20_000));
    writeFileSync(join(source, 'large'), noise(50 + n, 1_300_000));
    ids.push(await backup(repository, source));
  }
  const [data, trees] = [await packsWith(whole, 'data'), await packsWith(whole, 'tree')];

  const index = whole.clone();
  flip(index, (await filesOf(index, 'index'))[0]!, 60);
  lose(index, packFile(data[0]!.name));
  cut(index, packFile(trees[0]!.name), trees[0]!.places.at(-1)!.offset + 8);

  const packs = whole.clone();
  flip(packs, packFile(data[0]!.name), data[0]!.places[0]!.offset + 20);
  cut(packs, packFile(data[1]!.name), data[1]!.places[0]!.length + 5);
  flip(packs, packFile(trees[0]!.name), -3);

  const snapshots = whole.clone();
  // Whichever packs they are in: which blob comes first in one is chance.
  for (const { name, places } of data) if (places.some(({ length }) => length > 400_000)) lose(snapshots, packFile(name));
  await repairIndex(snapshots);

  const orphans = whole.clone();
  const opened = await open(orphans);
  await executeForget(opened, await planForget(opened, { snapshots: ids, force: true }), run());

  scenarios = {
    index: {
      start: index.clone(),
      run: (storage, control) => repairIndex(storage, {}, control),
      outcome: async (storage) => [await indexLines(storage), await codesOf(storage)],
    },
    packs: {
      start: packs.clone(),
      run: (storage, control) => repairPacks(storage, kept, 'all', control),
      outcome: async (storage) => [await blobsIn(storage), await codesOf(storage)],
    },
    snapshots: {
      start: snapshots.clone(),
      run: (storage, control) => repairSnapshots(storage, { forget: true }, control),
      outcome: async (storage) => [await snapshotsIn(storage), await codesOf(storage)],
    },
    recover: {
      start: orphans.clone(),
      run: (storage, control) => recover(storage, control),
      outcome: async (storage) => {
        const all = await had(storage);
        const roots = [...all.values()].map((content) => [...content.keys()].filter((path) => path.split('/').length === 2).sort());
        return [roots, await codesOf(storage)];
      },
    },
  };
});

/** Each snapshot of before gives what it gave, or one that stands for it does. */
async function expectNothingGivenUp(before: ReadonlyMap<string, HadContent>, storage: Storage): Promise<void> {
  const after = await had(storage);
  const standIns = new Map((await (await open(storage)).snapshots()).map(({ id, original }) => [original, id]));
  for (const [id, content] of before) {
    const now = after.get(id) ?? after.get(standIns.get(id) ?? '');
    for (const [path, what] of content) expect(now?.get(path), `${id.slice(0, 8)}${path}`).toBe(what);
  }
}

const kinds = ['index', 'packs', 'snapshots', 'recover'] as const;

describe.each(kinds)('repair of %s', (kind) => {
  const scenario = (): Scenario => scenarios[kind];

  /** Another run completes what one has left. */
  async function expectNextCompletes(storage: Storage, expected: unknown): Promise<void> {
    await unlock(storage);
    await scenario().run(storage);
    expect(await scenario().outcome(storage)).toEqual(expected);
  }

  async function completed(): Promise<{ storage: MemoryStorage; outcome: unknown; before: Map<string, HadContent> }> {
    const storage = scenario().start.clone();
    const before = await had(storage);
    await scenario().run(storage);
    return { storage, outcome: await scenario().outcome(storage), before };
  }

  test('cut off after any write or removal gives nothing up, and the next one completes it', async () => {
    const { storage, outcome, before } = await completed();
    // At the least a lock, an index file, the removal of another, and no lock any more: which index file is damaged is chance.
    expect(storage.mutations).toBeGreaterThanOrEqual(4);
    for (let n = 0; n <= storage.mutations; n++) {
      const state = storage.replay(n);
      await expectNothingGivenUp(before, state);
      if (kind === 'recover') {
        // What is orphaned is reached by no snapshot, so it is looked at through the next recovery.
        await expectNextCompletes(state, outcome);
        continue;
      }
      await expectNextCompletes(state, outcome);
      await expectNothingGivenUp(before, state);
    }
  });

  test('with a fault at any operation says so, and the next one completes it', async () => {
    const { outcome, before } = await completed();
    const probe = new FaultyStorage(scenario().start.clone());
    await scenario().run(probe);
    const operations = probe.calls.length;
    let failed = 0;
    for (let nth = 1; nth <= operations; nth++) {
      const inner = scenario().start.clone();
      const faulty = new FaultyStorage(inner, {
        faults: [{ at: { nth }, effect: { do: 'fail', when: nth % 2 === 0 ? 'after' : 'before' } }],
      });
      const error = await scenario()
        .run(faulty)
        .then(
          () => undefined,
          (thrown: unknown) => expectClearError(thrown),
        );
      if (error) failed += 1;
      // What was not touched is as it was.
      if (mutationsOf(inner).length === 0) continue;
      await expectNothingGivenUp(before, inner);
      await expectNextCompletes(inner, outcome);
    }
    expect(failed).toBeGreaterThan(operations / 4);
  });

  test('on a destination that disappears or fills up says so, and the next one completes it', async () => {
    const { storage, outcome, before } = await completed();
    const probe = new FaultyStorage(scenario().start.clone());
    await scenario().run(probe);
    const saved = storage.operations.reduce((sum, operation) => sum + (operation.kind === 'save' ? operation.content.length : 0), 0);
    const codes = new Set<string>();
    const tries: (() => FaultyStorage)[] = [
      ...[2, 3, 4, 5, 6, 7].map((part) => () => {
        const nth = Math.ceil((probe.calls.length * part) / 8);
        return new FaultyStorage(scenario().start.clone(), { faults: [disconnectFrom(nth)] });
      }),
      ...[0, 0.3, 0.6, 0.9].map((part) => () => new FaultyStorage(scenario().start.clone(), { capacity: Math.floor(saved * part) })),
    ];
    for (const make of tries) {
      const faulty = make();
      const error = await scenario()
        .run(faulty)
        .then(
          () => undefined,
          (thrown: unknown) => expectClearError(thrown),
        );
      codes.add(error?.code ?? 'none');
      faulty.heal();
      await expectNothingGivenUp(before, faulty);
      await expectNextCompletes(faulty, outcome);
    }
    expect([...codes].filter((code) => code !== 'none' && code !== 'repository-not-found').sort()).toEqual([
      'storage-full',
      'storage-gone',
    ]);
  });

  test('cancelled at any write gives nothing up, and the next one completes it', async () => {
    const { storage, outcome, before } = await completed();
    let cancelledRuns = 0;
    for (let at = 1; at <= storage.mutations; at++) {
      const control = new RunControl();
      const inner = new CancellingStorage(scenario().start, control, at);
      await scenario()
        .run(inner, control)
        .catch((error: { code: string }) => {
          expect(error.code).toBe('cancelled');
          cancelledRuns += 1;
        });
      expect(await filesOf(inner, 'lock')).toEqual([]);
      if (mutationsOf(inner).length === 0) continue;
      await expectNothingGivenUp(before, inner);
      await expectNextCompletes(inner, outcome);
    }
    expect(cancelledRuns).toBeGreaterThan(0);
  });

  test('is refused while another program uses the repository', async () => {
    const storage = scenario().start.clone();
    const other = { hostname: 'other', username: 'x', pid: 1, uid: 0, gid: 0 };
    const lock = await Lock.acquire(await open(storage), other, false, run().clock);
    const before = storage.dump();
    await expect(scenario().run(storage)).rejects.toMatchObject({ code: 'locked' });
    expect(storage.dump()).toEqual(before);
    await lock.release();
  });
});

test('copies of damaged packs that are kept aside are whole after all that', () => {
  const names = readdirSync(kept);
  expect(names.filter((name) => !name.startsWith('pack-'))).toEqual([]);
  expect(names).toHaveLength(3);
  for (const name of names) {
    const pack = name.slice('pack-'.length);
    const bytes = scenarios.packs.start.dump().get(`data/${pack.slice(0, 2)}/${pack}`)!;
    expect(Buffer.from(bytes).equals(readFileSync(join(kept, name)))).toBe(true);
  }
  expect(existsSync(kept)).toBe(true);
});

test('restic has nothing to add after all repairs were done', async () => {
  const storage = scenarios.packs.start.clone();
  await repairPacks(storage, scratch('kept'));
  await repairSnapshots(storage, { forget: true });
  await expectCleanCheck(await resticOnCopy(storage, scratch('judged')), { unindexedPacks: true });
});
