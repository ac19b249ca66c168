/** ls: what a snapshot holds, in batches and in order. Memory does not grow with the snapshot. */
import { errorFromJSON, type HoldfastError } from '../contract/errors.ts';
import { splitPath } from '../platform/byte-paths.ts';
import type { Repository } from '../repository/repository.ts';
import type { Snapshot } from '../repository/snapshot.ts';
import { type Entry, entriesOf } from './entry.ts';
import type { LsFrame } from './ls-job.ts';
import { withReading } from './reading.ts';
import type { RunOptions } from './run.ts';
import { absolutePath, resolveSnapshotPath } from './snapshot-path.ts';
import { unfoldingLimit } from './trees/unfold.ts';

/** Few enough that the first ones show at once, enough that messages cost nothing. */
const entriesPerBatch = 2_000;

export interface LsRequest {
  /** It may still be looked for: that takes as long as locking does. */
  readonly snapshot: Snapshot | Promise<Snapshot>;
  /** Absolute path within the snapshot; undefined for its root. */
  readonly path?: Buffer | undefined;
  /** Whether what lies in subfolders is listed too. */
  readonly recursive: boolean;
}

export interface LsResult {
  readonly entries: number;
  /** Folders whose content could not be listed. */
  readonly problems: readonly { readonly path: Buffer; readonly error: HoldfastError }[];
  /** Index files that could not be used. */
  readonly damage: readonly HoldfastError[];
}

/**
 * Hands over the entries in a folder, or the one entry that is no folder. `take` is awaited before the next batch is read.
 * Throws `snapshot-path-not-found`, `snapshot-too-large`, `locked`, `cancelled`, what reading a tree throws (see resolveSnapshotPath) and what `take` throws.
 */
export async function listSnapshot(
  repository: Repository,
  { snapshot: wanted, path, recursive }: LsRequest,
  options: RunOptions,
  take: (entries: readonly Entry[]) => void | Promise<void>,
): Promise<LsResult> {
  // Whoever awaits it hears of a failure.
  if (wanted instanceof Promise) wanted.catch(() => {});
  return withReading(repository, { ...options, provisional: true }, async ({ pool, index, damage }) => {
    const snapshot = await wanted;
    const found = await resolveSnapshotPath(pool, snapshot, path);
    if (!found.tree) {
      await take([found.entry!]);
      return { entries: 1, problems: [], damage };
    }
    const start = absolutePath(path === undefined ? [] : splitPath(path));
    let frames: readonly LsFrame[] = [{ tree: found.tree, path: new Uint8Array(start), next: 0 }];
    const refuseEndless = unfoldingLimit({ pool, index, snapshot: snapshot.id, root: found.tree });
    let entries = 0;
    let folders = 0;
    const problems: { path: Buffer; error: HoldfastError }[] = [];
    while (frames.length > 0) {
      const more = await pool.run('listMore', { frames, recursive, atMost: entriesPerBatch });
      frames = more.frames;
      entries += more.batch.facts.length;
      for (const { type } of more.batch.facts) if (type === 'dir') folders += 1;
      if (recursive) await refuseEndless(folders);
      for (const { path: folder, error } of more.problems) problems.push({ path: Buffer.from(folder), error: errorFromJSON(error) });
      await take(entriesOf(more.batch));
    }
    return { entries, problems, damage };
  });
}
