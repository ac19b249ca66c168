/** ls: what a snapshot holds, in batches and in order. Memory does not grow with the snapshot. */
import type { HoldfastError } from '../contract/errors.ts';
import type { Repository } from '../repository/repository.ts';
import type { Snapshot } from '../repository/snapshot.ts';
import { type Entry, entriesOf } from './entry.ts';
import type { LsFrame } from './ls-job.ts';
import { withReading } from './reading.ts';
import type { RunOptions } from './run.ts';
import { absolutePath, resolveSnapshotPath } from './snapshot-path.ts';
import { splitPath } from '../platform/byte-paths.ts';

/** Few enough that the first ones show at once, enough that messages cost nothing. */
const entriesPerBatch = 2_000;

export interface LsRequest {
  readonly snapshot: Snapshot;
  /** Absolute path within the snapshot; undefined for its root. */
  readonly path?: Buffer | undefined;
  /** Whether what lies in subfolders is listed too. */
  readonly recursive: boolean;
}

export interface LsResult {
  readonly entries: number;
  /** Index files that could not be used. */
  readonly damage: readonly HoldfastError[];
}

/**
 * Hands over the entries in a folder, or the one entry that is no folder. `take` is awaited before the next batch is read.
 * Throws `snapshot-path-not-found`, `locked`, `cancelled`, what reading a tree throws (see resolveSnapshotPath) and what `take` throws.
 */
export async function listSnapshot(
  repository: Repository,
  { snapshot, path, recursive }: LsRequest,
  options: RunOptions,
  take: (entries: readonly Entry[]) => void | Promise<void>,
): Promise<LsResult> {
  return withReading(repository, options, async ({ pool, damage }) => {
    const found = await resolveSnapshotPath(pool, snapshot, path);
    if (!found.tree) {
      await take([found.entry!]);
      return { entries: 1, damage };
    }
    const start = absolutePath(path === undefined ? [] : splitPath(path));
    let frames: readonly LsFrame[] = [{ tree: found.tree, path: new Uint8Array(start), next: 0 }];
    let entries = 0;
    while (frames.length > 0) {
      const more = await pool.run('listMore', { frames, recursive, atMost: entriesPerBatch });
      frames = more.frames;
      entries += more.batch.facts.length;
      await take(entriesOf(more.batch));
    }
    return { entries, damage };
  });
}
