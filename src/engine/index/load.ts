/** Loads the index of a repository with all workers. */
import { HoldfastError, hasCode, isDestinationError } from '../../contract/errors.ts';
import type { BlobIndex } from '../../repository/blob-index.ts';
import { bytesOfId } from '../../repository/ids.ts';
import type { Repository } from '../../repository/repository.ts';
import type { WorkerPool } from '../workers/pool.ts';

/** Index files that could not be used. */
export interface IndexProblem {
  readonly name: string;
  readonly error: HoldfastError;
}

const isStorageError = (error: HoldfastError): boolean =>
  isDestinationError(error) || error.code === 'storage-failed' || error.code === 'storage-denied';

/**
 * Fills the pool's index. List what refers to blobs (snapshots) before calling it: whoever adds a snapshot meanwhile has
 * written its index files first. An index file that another program replaced meanwhile is looked for anew. `loaded` names the
 * files that are in the index already, and afterwards those that are now: with the same set a later call loads only new ones.
 */
export async function loadIndex(repository: Repository, pool: WorkerPool, loaded: Set<string> = new Set()): Promise<IndexProblem[]> {
  for (let attempt = 1; ; attempt++) {
    const problems: IndexProblem[] = [];
    let vanished = false;
    const names = (await repository.names('index')).filter((name) => !loaded.has(name));
    await Promise.all(
      names.map(async (name) => {
        try {
          await pool.run('loadIndexFile', name);
          loaded.add(name);
        } catch (error) {
          if (!(error instanceof HoldfastError) || hasCode(error, 'cancelled')) throw error;
          if (hasCode(error, 'file-not-found')) vanished = true;
          // One file that cannot be read is damage; a destination that does not answer at all is not.
          else if (isStorageError(error) && !(await repository.answers())) throw error;
          problems.push({ name, error });
        }
      }),
    );
    // What came as wrong bytes once may come right the second time; what vanished was replaced by something else.
    if (problems.length === 0 || attempt === (vanished ? 3 : 2)) return problems;
  }
}

/**
 * Marks the packs that the index names but the storage does not hold at the size that the index computes, and returns
 * the IDs of those that it holds but the index does not name.
 */
export async function comparePacks(repository: Repository, index: BlobIndex): Promise<{ lost: number[]; unindexed: string[] }> {
  const found = new Uint8Array(index.packCount);
  const unindexed: string[] = [];
  for await (const { name, size } of repository.storage.list('pack')) {
    const pack = index.packNumber(bytesOfId(name));
    if (pack < 0) unindexed.push(name);
    else if (index.packSize(pack) === size) found[pack] = 1;
  }
  const lost: number[] = [];
  for (let pack = 0; pack < found.length; pack++) {
    if (found[pack] === 1) continue;
    lost.push(pack);
    index.markLost(pack);
  }
  if (lost.length > 0) index.preferWhole();
  return { lost, unindexed };
}
