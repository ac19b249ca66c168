/**
 * Which snapshots are copies of each other, by restic's rules (cmd/restic/cmd_copy.go), so that neither program copies again what
 * the other has copied.
 *
 * A copy names in `original` the snapshot that it was made of; copies of copies keep it. Two snapshots of one original are the
 * same when everything but `parent` and `original` (and what tells of the run that made them) is equal: tags and paths in any order.
 */
import type { Snapshot, SnapshotFields } from '../../repository/snapshot.ts';
import { parseTime } from '../../repository/tree/go-time.ts';

/** The ID that all copies of a snapshot have in common. */
export const originalOf = ({ id, original }: Snapshot): string => original ?? id;

/** The fields of a copy. `tree` and `parent` are IDs in the target. */
export const copyFields = (snapshot: Snapshot, tree: string, parent: string | undefined): SnapshotFields => {
  const { id: _, ...fields } = snapshot;
  return { ...fields, parent, tree, original: originalOf(snapshot) };
};

/** The snapshots of a repository by what they may be copies of. */
export class Copies {
  readonly #byOriginal = new Map<string, Snapshot[]>();

  constructor(snapshots: readonly Snapshot[]) {
    for (const snapshot of snapshots) this.add(snapshot);
  }

  add(snapshot: Snapshot): void {
    // An original may have come back to where it was made.
    for (const key of new Set([snapshot.id, originalOf(snapshot)])) {
      const others = this.#byOriginal.get(key);
      if (others) others.push(snapshot);
      else this.#byOriginal.set(key, [snapshot]);
    }
  }

  /** The copy of a snapshot with the same tree. */
  find(snapshot: Snapshot): Snapshot | undefined {
    return this.similar(snapshot).find(({ tree }) => tree === snapshot.tree);
  }

  /** Those that may be copies of a snapshot, whatever their trees. */
  similar(snapshot: Snapshot): Snapshot[] {
    return (this.#byOriginal.get(originalOf(snapshot)) ?? []).filter((other) => isSimilar(other, snapshot));
  }

  /** Any snapshot that a snapshot of the source, perhaps gone there, was copied to. */
  ofId(id: string): Snapshot | undefined {
    return this.#byOriginal.get(id)?.[0];
  }
}

/** Whether all is equal that does not depend on the repository, but the tree. */
export function isSimilar(a: Snapshot, b: Snapshot): boolean {
  return (
    isSameTime(a.time, b.time) &&
    (a.hostname ?? '') === (b.hostname ?? '') &&
    (a.username ?? '') === (b.username ?? '') &&
    (a.uid ?? 0) === (b.uid ?? 0) &&
    (a.gid ?? 0) === (b.gid ?? 0) &&
    isSameSet(a.paths, b.paths) &&
    isSameSet(a.tags ?? [], b.tags ?? []) &&
    JSON.stringify(a.excludes ?? []) === JSON.stringify(b.excludes ?? [])
  );
}

function isSameTime(a: string, b: string): boolean {
  if (a === b) return true;
  const time = parseTime(a);
  return time !== undefined && time === parseTime(b);
}

/** As restic compares: as many, and all of the second among the first. */
function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  const set = new Set(a);
  return a.length === b.length && b.every((item) => set.has(item));
}
