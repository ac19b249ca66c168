/** What the tests of copy share: a source with several snapshots, targets, and what must hold of a copy. */
import { expect } from 'vitest';
import { type CopyExecution, type CopyResult, executeCopy, planCopy } from '../../../src/engine/copy/copy.ts';
import type { CopyPlan, CopyRequest } from '../../../src/engine/copy/plan.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { backup, makeRepository, openRepository, runOptions } from '../../support/engine.ts';
import { hasty } from '../../support/hostile.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { tree } from '../../support/tree-literal.ts';
import { expectWhole } from '../../support/whole-repository.ts';

/** Small packs, so that few files fill several. */
export const quick = { ...hasty, packSize: 24 << 10 } as const;

export type CopySettings = CopyRequest & Partial<CopyExecution>;

const optionsOf = (settings: CopySettings): CopyExecution => ({ ...runOptions(quick), packSize: quick.packSize, ...settings });

/** Copies from one storage or repository to another. */
export async function copy(from: Storage | Repository, to: Storage | Repository, settings: CopySettings = {}): Promise<CopyResult> {
  return executeCopy({ source: await opened(from), target: await opened(to) }, settings, optionsOf(settings));
}

export async function plannedCopy(from: Storage | Repository, to: Storage | Repository, settings: CopySettings = {}): Promise<CopyPlan> {
  return planCopy({ source: await opened(from), target: await opened(to) }, settings, optionsOf(settings));
}

const opened = async (place: Storage | Repository): Promise<Repository> => ('config' in place ? place : openRepository(place));

/** Some files, different in each generation. */
export function writeGeneration(folder: string, n: number): void {
  const random = seededRandom(100 + n);
  tree(folder, {
    docs: Object.fromEntries(
      Array.from({ length: 8 }, (_, i) => [`letter ${i}`, `Dear ${i % 2 === 0 ? i : i + n}, `.repeat(60 * (i + 1))]),
    ),
    [`photos ${n}`]: { 'a.jpg': seededBytes(random, 40_000), 'b.jpg': seededBytes(random, 30_000) },
    deep: { deeper: { [`at the end ${n}`]: `generation ${n}` } },
    empty: '',
  });
  // Not written again, so that all generations share its tree.
  if (n === 0) tree(folder, { still: { 'still here': 'still', deeper: { 'still there': 'there' } } });
}

/** A repository in memory with one snapshot for each generation of the files in `folder`. */
export async function sourceWith(generations: number, folder: string): Promise<{ storage: MemoryStorage; snapshots: string[] }> {
  const storage = new MemoryStorage('the source');
  const repository = await makeRepository(storage);
  const snapshots: string[] = [];
  for (let n = 0; n < generations; n++) {
    writeGeneration(folder, n);
    snapshots.push((await backup(repository, folder, quick)).snapshot);
  }
  return { storage, snapshots };
}

/** An empty repository that cuts files where the other does. */
export async function targetFor(source: Storage, location = 'the target'): Promise<MemoryStorage> {
  const storage = new MemoryStorage(location);
  await makeRepository(storage, { polynomial: (await openRepository(source)).config.chunker_polynomial });
  return storage;
}

/** A repository that cuts files anywhere else. */
export async function otherTarget(location = 'the other target'): Promise<MemoryStorage> {
  const storage = new MemoryStorage(location);
  await makeRepository(storage);
  return storage;
}

/**
 * The target is whole, and each of its snapshots holds what the snapshot of the source holds that it is a copy of. Returns the IDs
 * of those, in order of time.
 */
export async function expectCopies(source: Storage, target: Storage): Promise<string[]> {
  const [originals, copies] = [await expectWhole(source), await expectWhole(target)];
  const originalIds: string[] = [];
  for (const { id, original } of await (await openRepository(target)).snapshots()) {
    expect(originals.snapshots.has(original!), `snapshot ${id} is a copy of ${original}`).toBe(true);
    expect(copies.snapshots.get(id)).toEqual(originals.snapshots.get(original!));
    originalIds.push(original!);
  }
  return originalIds;
}
