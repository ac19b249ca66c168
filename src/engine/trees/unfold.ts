/** Ends a walk through every path of a snapshot that could never end. */
import { fail } from '../../contract/errors.ts';
import type { BlobIndex } from '../../repository/blob-index.ts';
import type { WorkerPool } from '../workers/pool.ts';

/** ext4 holds no more files; a walk through as many takes hours, and its progress shows. */
export const mostEntries = 2 ** 32;
/** Counting is not worth its time before. */
const manyFolders = 2_000;

export interface UnfoldedWalk {
  readonly pool: WorkerPool;
  readonly index: BlobIndex;
  /** ID of the snapshot. */
  readonly snapshot: string;
  /** ID of the tree that the walk began at. */
  readonly root: Uint8Array;
}

/**
 * Gives the function to be awaited with the number of folders met so far. It throws `snapshot-too-large` once a walk that has
 * met more folders than the repository has blobs turns out to have no end in sight. Honest walks are counted once at most.
 */
export function unfoldingLimit({ pool, index, snapshot, root }: UnfoldedWalk): (folders: number) => Promise<void> {
  let isCounted = false;
  return async (folders) => {
    if (isCounted || folders < manyFolders || folders < index.blobCount) return;
    isCounted = true;
    const entries = await pool.run('countUnfolded', root);
    if (entries > mostEntries) fail('snapshot-too-large', { snapshot, entries });
  };
}
