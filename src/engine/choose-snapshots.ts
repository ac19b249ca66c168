/** Which snapshots a run is about: those that are named, or those that a filter lets through. */
import { fail, hasCode, type HoldfastError } from '../contract/errors.ts';
import type { Repository } from '../repository/repository.ts';
import type { Snapshot } from '../repository/snapshot.ts';

export interface SnapshotChoice {
  /** IDs, unique beginnings of IDs, or `latest`; none: all that the filter lets through. */
  readonly snapshots?: readonly string[] | undefined;
  /** Not asked about snapshots that are named. */
  readonly filter?: ((snapshot: Snapshot) => boolean) | undefined;
}

/** A snapshot that is listed and cannot be read. */
export interface DamagedSnapshot {
  readonly id: string;
  readonly error: HoldfastError;
}

export interface ReadSnapshots {
  /** Oldest first. */
  readonly snapshots: readonly Snapshot[];
  readonly damaged: readonly DamagedSnapshot[];
}

/** Reads them all. Throws what the storage throws: whether a snapshot is damaged is unknown when the destination fails. */
export async function readSnapshots(repository: Repository): Promise<ReadSnapshots> {
  const damaged: DamagedSnapshot[] = [];
  const snapshots = await repository.snapshots((id, error) => {
    if (!hasCode(error, 'item-tampered') && !hasCode(error, 'snapshot-invalid')) throw error;
    damaged.push({ id, error });
  });
  return { snapshots, damaged };
}

/** The full ID of a snapshot that is named. Throws `snapshot-not-found`, `snapshot-ambiguous`. */
export function idOf(wanted: string, snapshots: readonly Snapshot[], damaged: readonly DamagedSnapshot[]): string {
  if (wanted === 'latest') return snapshots.at(-1)?.id ?? fail('snapshot-not-found', { snapshot: wanted });
  const matches = wanted === '' ? [] : [...snapshots, ...damaged].filter(({ id }) => id.startsWith(wanted));
  if (matches.length > 1) return fail('snapshot-ambiguous', { snapshot: wanted });
  return matches[0]?.id ?? fail('snapshot-not-found', { snapshot: wanted });
}

export interface ChosenSnapshots {
  /** All that can be read, oldest first. */
  readonly all: readonly Snapshot[];
  readonly chosen: readonly Snapshot[];
  /** Those of which nobody knows whether they were meant. */
  readonly damaged: readonly DamagedSnapshot[];
}

/** Throws `snapshot-not-found`, `snapshot-ambiguous`, the problem of a damaged snapshot that is named, or what the storage throws. */
export async function chooseSnapshots(repository: Repository, { snapshots: names = [], filter }: SnapshotChoice): Promise<ChosenSnapshots> {
  const { snapshots: all, damaged } = await readSnapshots(repository);
  if (names.length === 0) return { all, chosen: filter ? all.filter(filter) : all, damaged };
  const wanted = new Set(names.map((name) => idOf(name, all, damaged)));
  const broken = damaged.find(({ id }) => wanted.has(id));
  if (broken) throw broken.error;
  return { all, chosen: all.filter(({ id }) => wanted.has(id)), damaged: names.includes('latest') ? damaged : [] };
}
