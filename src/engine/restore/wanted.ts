/** What of a snapshot is wanted: all of it, what a path holds, or some entries below that path. */
import type { HoldfastError } from '../../contract/errors.ts';
import { splitPath } from '../../platform/byte-paths.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { absolutePath, type FoundEntry, resolveSnapshotPath } from '../snapshot-path.ts';
import type { WorkerPool } from '../workers/pool.ts';

export interface WantedRequest {
  /** An ID, the beginning of one, or `latest`. */
  readonly snapshot: string;
  /** Inside the snapshot. */
  readonly path?: Buffer | undefined;
  /** Only these entries, as paths relative to `path` (or absolute ones of the snapshot). */
  readonly items?: readonly Buffer[] | undefined;
}

export interface Wanted {
  readonly snapshot: Snapshot;
  /** Snapshots that cannot be read, when the newest was asked for: one of them may have been newer. */
  readonly damage: readonly HoldfastError[];
  /** The folder in which everything is that is wanted: its names from the root. */
  readonly above: readonly Buffer[];
  /** ID of that folder's tree. */
  readonly tree: Uint8Array;
  /** The names that lead from there to each wanted entry; undefined: everything in it. */
  readonly selection: readonly (readonly Buffer[])[] | undefined;
  /** What stands at the path. */
  readonly found: FoundEntry;
}

/** Throws `snapshot-not-found`, `snapshot-path-not-found`, or what reading a tree throws. */
export async function resolveWanted(repository: Repository, pool: WorkerPool, request: WantedRequest): Promise<Wanted> {
  const damage: HoldfastError[] = [];
  const snapshot = await repository.findSnapshot(request.snapshot, (_, error) => damage.push(error));
  const names = request.path ? splitPath(request.path) : [];
  const found = await resolveSnapshotPath(pool, snapshot, absolutePath(names));
  const isFolder = found.tree !== undefined;
  const above = isFolder ? names : names.slice(0, -1);
  const items = (request.items ?? []).map((item) => relativeTo(above, item));
  for (const item of items) await resolveSnapshotPath(pool, snapshot, absolutePath([...above, ...item]));
  const selection = !isFolder ? [names.slice(-1)] : items.length > 0 && items.every((item) => item.length > 0) ? items : undefined;
  return { snapshot, damage, above, tree: found.tree ?? found.holder, selection, found };
}

function relativeTo(above: readonly Buffer[], item: Buffer): Buffer[] {
  const names = splitPath(item);
  const isAbsolute = item[0] === 0x2f && names.length >= above.length && above.every((name, i) => name.equals(names[i]));
  return isAbsolute ? names.slice(above.length) : names;
}
