/** What a check will look at. */
import { fail } from '../../contract/errors.ts';
import type { Repository } from '../../repository/repository.ts';
import type { DataSubset } from './subset.ts';

/**
 * - `none`: what the index and the trees tell; only trees are read.
 * - `all`, or a subset: packs are read whole, every byte is proved.
 * - `snapshot`: every blob that the snapshots need is read and proved, wherever it lies; nothing else is.
 */
export type ReadData = 'none' | 'all' | 'snapshot' | DataSubset;

export interface CheckRequest {
  /** IDs, beginnings of IDs, or `latest`; left out: all snapshots and everything else in the repository. */
  readonly snapshots?: readonly string[] | undefined;
  /** Default: none. */
  readonly readData?: ReadData | undefined;
}

export interface CheckPlan {
  /** Full IDs; undefined: the whole repository. */
  readonly snapshots: readonly string[] | undefined;
  readonly readData: ReadData;
}

/** Throws `snapshot-not-found`, `snapshot-ambiguous`. A snapshot named by its full ID may be damaged: the check will say so. */
export async function planCheck(repository: Repository, request: CheckRequest = {}): Promise<CheckPlan> {
  const readData = request.readData ?? 'none';
  if (request.snapshots === undefined) return { snapshots: undefined, readData };
  const names = await repository.names('snapshot');
  const ids = new Set<string>();
  for (const wanted of request.snapshots) {
    if (wanted === 'latest') {
      ids.add((await repository.findSnapshot(wanted)).id);
      continue;
    }
    const matches = wanted === '' ? [] : names.filter((name) => name.startsWith(wanted));
    if (matches.length === 0) return fail('snapshot-not-found', { snapshot: wanted });
    if (matches.length > 1) return fail('snapshot-ambiguous', { snapshot: wanted });
    ids.add(matches[0]);
  }
  return { snapshots: [...ids], readData };
}
