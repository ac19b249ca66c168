/**
 * Listings of the trees of a repository, for whoever only looks: without a lock, so that it is in nobody's way for as long as it takes.
 * What another program deletes meanwhile cannot be read then, which is the same as damage here; whoever meets it asks the repository
 * whether the snapshot is still there.
 */
import { fail } from '../../contract/errors.ts';
import type { RunControl } from '../../platform/cancellation.ts';
import { BlobIndex } from '../../repository/blob-index.ts';
import { bytesOfId, idBytes } from '../../repository/ids.ts';
import type { Repository } from '../../repository/repository.ts';
import { loadIndex } from '../index/load.ts';
import { WorkerPool } from '../workers/pool.ts';

export interface TreeReading {
  /** The listing (format.ts) of each tree, in the same order; undefined: it cannot be read. */
  readonly read: (trees: readonly Uint8Array[]) => Promise<(Uint8Array | undefined)[]>;
  /**
   * To be called before the trees of a snapshot are read. Those of one whose folders unfold to more entries than `mostEntries` end with
   * `snapshot-too-large`.
   */
  readonly begin: (snapshot: { readonly id: string; readonly tree: string }) => void;
}

/** A snapshot with more entries is looked into, but not listed as a whole. */
const mostEntries = 100_000_000;
/** Counting is not worth its time before. */
const manyFolders = 2_000;

/**
 * Calls `use` with what reads trees. One thread works, so that something is left for everybody else; it waits while the control is paused.
 * `loaded`: an index of all that the repository holds, where somebody has one. Throws what `use` throws, `cancelled`, or what the storage throws.
 */
export async function withTrees<T>(
  repository: Repository,
  control: RunControl,
  use: (reading: TreeReading) => Promise<T>,
  loaded?: BlobIndex,
): Promise<T> {
  const index = loaded ?? BlobIndex.create();
  const pool = new WorkerPool(repository, { control, index, threads: 1 });
  try {
    if (!loaded) await loadIndex(repository, pool);
    let folders = 0;
    let isCounted = false;
    let snapshot = { id: '', tree: '' };
    const refuseEndless = async (): Promise<void> => {
      if (isCounted || folders < manyFolders || folders < index.blobCount) return;
      isCounted = true;
      const entries = await pool.run('countUnfolded', bytesOfId(snapshot.tree));
      if (entries > mostEntries) fail('snapshot-too-large', { snapshot: snapshot.id, entries });
    };
    return await use({
      begin: (next) => {
        [folders, isCounted, snapshot] = [0, false, next];
      },
      read: async (trees) => {
        await control.checkpointAsync();
        folders += trees.length;
        await refuseEndless();
        const ids = new Uint8Array(trees.length * idBytes);
        for (const [i, tree] of trees.entries()) ids.set(tree, i * idBytes);
        const { listings, ends, isLost } = await pool.run('listTrees', { trees: ids }, [ids.buffer]);
        return trees.map((_, i) => (isLost[i] === 1 ? undefined : listings.subarray(i === 0 ? 0 : ends[i - 1], ends[i])));
      },
    });
  } finally {
    await pool.close();
  }
}
