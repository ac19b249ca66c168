/** diff, find and stats on a destination that fails at every operation in turn: they say what is missing, or give what they always give. */
import { beforeAll, describe, expect, test } from 'vitest';
import { measureRepository } from '../../src/engine/stats/stats.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { disconnectFrom, type Effect, type Fault, FaultyStorage } from '../../src/storage/faulty.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { makeRepository, openRepository, runOptions } from '../support/engine.ts';
import { expectClearError } from '../support/faulty-runs.ts';
import { fileNode, folderNode, Forge } from '../support/forge.ts';
import { hasty } from '../support/hostile.ts';
import { changeLine, difference, hitsOf, search } from '../support/reading.ts';
import { refuseUnhandledRejections } from '../support/unhandled.ts';

refuseUnhandledRejections();

const base = new MemoryStorage('the destination');
let ids: [string, string];

beforeAll(async () => {
  const forge = new Forge(await makeRepository(base));
  const file = (name: string, content: string) => fileNode(name, [forge.data(content)], { size: content.length });
  const same = forge.tree([file('s', 'same')]);
  const gone = forge.tree([file('g', 'gone')]);
  const first = await forge.snapshot(
    forge.tree([folderNode('a', gone), folderNode('d', forge.tree([file('f', 'one')])), folderNode('same', same)]),
  );
  await forge.store();
  await forge.index();
  const moved = forge.tree([folderNode('a', gone)]);
  const root = forge.tree([
    folderNode('d', forge.tree([file('f', 'two'), file('new', 'new')])),
    folderNode('m', moved),
    folderNode('same', same),
  ]);
  ids = [first, await forge.snapshot(root, { time: '2026-01-03T00:00:00Z' })];
});

/** What a verb told, and whether it said that something is missing. */
interface Told {
  readonly told: unknown;
  readonly isIncomplete: boolean;
}

const verbs: Record<string, (repository: Repository) => Promise<Told>> = {
  diff: async (repository) => {
    const { changes, entries, blobs, problems, damagedTrees, unknownBlobs } = await difference(repository, ids, { options: hasty });
    return { told: [changes.map(changeLine), entries, blobs], isIncomplete: problems.length + damagedTrees.length + unknownBlobs > 0 };
  },
  find: async (repository) => {
    const { batches, problems } = await search(repository, ['f', 'g'], { snapshots: ids, options: hasty });
    return { told: [...hitsOf({ batches })], isIncomplete: problems > 0 };
  },
  stats: async (repository) => {
    const snapshots = await Promise.all(ids.map((id) => repository.findSnapshot(id)));
    const request = { snapshots, others: [], breakdown: { snapshot: snapshots.at(-1)!, top: 5 } };
    const { damagedTrees, unknownBlobs, damage, ...figures } = await measureRepository(repository, request, runOptions(hasty));
    return {
      told: figures,
      isIncomplete: damagedTrees.length + unknownBlobs + damage.length > 0 || figures.breakdown!.problems.length > 0,
    };
  },
};

/** By turns. */
const effects: readonly Effect[] = [
  { do: 'fail' },
  {
    do: 'change-bytes',
    change: (bytes) => {
      const changed = Uint8Array.from(bytes);
      changed[changed.length >> 1]! ^= 1;
      return changed;
    },
  },
];

describe.each(Object.keys(verbs))('%s', (verb) => {
  async function attempt(faults: readonly Fault[]) {
    const storage = new FaultyStorage(base.clone(), { faults });
    const run = async (): Promise<{ told?: Told; failed?: true }> => {
      try {
        return { told: await verbs[verb]!(await openRepository(storage)) };
      } catch (error) {
        expectClearError(error);
        return { failed: true };
      }
    };
    const result = await run();
    const count = (wanted: string): number => storage.calls.filter(({ call, kind }) => call === 'load' && kind === wanted).length;
    return { ...result, calls: storage.calls.length, loads: { index: count('index'), pack: count('pack') } };
  }

  // What comes before and after is the same for all verbs: see faults.test.ts.
  const kinds = ['index', 'pack'] as const;

  test('when reading fails, or gives wrong bytes', async () => {
    const usual = await attempt([]);
    expect(usual.told!.isIncomplete).toBe(false);
    let noticed = 0;
    for (const kind of kinds) {
      for (let nth = 1; nth <= usual.loads[kind]; nth++) {
        const { told, failed } = await attempt([{ at: { call: 'load', kind, nth }, effect: effects[nth % 2]! }]);
        if (failed || told!.isIncomplete) noticed += 1;
        else expect(told, `with the fault at ${kind} ${nth}`).toEqual(usual.told);
      }
    }
    // What was read wrong once may come right the second time.
    expect(noticed).toBeGreaterThan(usual.loads.pack / 3);
  });

  test('when the destination goes away for good', async () => {
    const { calls } = await attempt([]);
    for (const nth of [1, 5, calls >> 1, calls - 4]) {
      const { failed } = await attempt([disconnectFrom(nth)]);
      expect(failed, `gone from operation ${nth} of ${calls} on`).toBe(true);
    }
  });
});
