/** What the tests of healing share: a repository with three snapshots, another that has copies of them, and what must hold afterwards. */
import { expect } from 'vitest';
import { executeHeal, type HealExecution } from '../../../src/engine/heal/heal.ts';
import { planHeal } from '../../../src/engine/heal/plan.ts';
import type { HealReport, HealRequest, HealSource } from '../../../src/engine/heal/request.ts';
import type { MemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { openRepository, runOptions } from '../../support/engine.ts';
import { scratch } from '../../support/tree-literal.ts';
import { expectWhole, type SnapshotContent } from '../../support/whole-repository.ts';
import { copy, quick, sourceWith, targetFor } from '../copy/copying.ts';

export interface Pair {
  /** Made the snapshots. */
  readonly first: MemoryStorage;
  /** Holds copies of all. */
  readonly second: MemoryStorage;
  /** What the snapshots of the first hold, by their IDs. */
  readonly content: ReadonlyMap<string, SnapshotContent>;
}

/** `folder` is filled with what the snapshots hold; the files of the last one stay there. */
export async function pairOf(folder: string): Promise<Pair> {
  const { storage: first } = await sourceWith(3, folder);
  const second = await targetFor(first, 'the other');
  await copy(first, second);
  return { first, second, content: (await expectWhole(first)).snapshots };
}

/** Opened as often as it is wanted; it is closed each time. */
export const other = (storage: MemoryStorage, name = 'other'): HealSource => ({ name, open: () => openRepository(storage.clone()) });

export type HealSettings = Partial<HealRequest> & Partial<HealExecution>;

const requestOf = ({ others = [], sources, packs, snapshots }: HealSettings): HealRequest => ({ others, sources, packs, snapshots });

export async function heal(storage: Storage, settings: HealSettings): Promise<HealReport> {
  const options = { ...runOptions(quick), packSize: quick.packSize, keepIn: scratch('kept'), ...onlyRun(settings) };
  return executeHeal(await openRepository(storage), requestOf(settings), options);
}

export const plannedHeal = async (storage: Storage, settings: HealSettings): Promise<HealReport> =>
  planHeal(await openRepository(storage), requestOf(settings), { ...runOptions(quick), ...onlyRun(settings) });

const onlyRun = ({ control, keepIn, threads }: HealSettings): Partial<HealExecution> =>
  Object.fromEntries(Object.entries({ control, keepIn, threads }).filter(([, value]) => value !== undefined));

/** The repository is whole, and holds what it held. */
export async function expectHealed(storage: Storage, { content }: Pair): Promise<void> {
  const { snapshots } = await expectWhole(storage);
  const contents = [...snapshots.values()];
  expect(contents).toHaveLength(content.size);
  for (const each of content.values()) expect(contents).toContainEqual(each);
}
