/** Loads the index of a repository with all workers. */
import { HoldfastError, hasCode, isDestinationError } from '../../contract/errors.ts';
import type { BlobIndex } from '../../repository/blob-index.ts';
import { bytesOfId } from '../../repository/ids.ts';
import type { Repository } from '../../repository/repository.ts';
import type { ListedFile } from '../../storage/storage.ts';
import type { JobRunner } from '../workers/pool.ts';

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
export async function loadIndex(repository: Repository, pool: JobRunner, loaded: Set<string> = new Set()): Promise<IndexProblem[]> {
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

/** A listing whose first part is on its way from now on, and not only when it is read. */
export function beginListing<T>(listing: AsyncIterable<T>): AsyncIterable<T> {
  const files = listing[Symbol.asyncIterator]();
  const first = files.next();
  // Whoever reads it hears of a failure.
  first.catch(() => {});
  return (async function* () {
    for (let next = await first; next.done !== true; next = await files.next()) yield next.value;
  })();
}

/** So many packs that seem to be lost are looked for at a time. */
const parallelLooks = 16;

/**
 * Marks the packs that the index names but the storage does not hold at the size that the index computes, and returns
 * the numbers of those, and the IDs of packs that it holds but the index does not name. What is missing from the listing (which may
 * be older than the index, and a server may leave out what is new) is looked for by itself before it counts as lost.
 */
export async function comparePacks(
  repository: Repository,
  index: BlobIndex,
  listing: AsyncIterable<ListedFile> = repository.storage.list('pack'),
): Promise<{ lost: number[]; unindexed: string[] }> {
  const found = new Uint8Array(index.packCount);
  const unindexed: string[] = [];
  for await (const { name, size } of listing) {
    const pack = index.packNumber(bytesOfId(name));
    if (pack < 0) unindexed.push(name);
    else if (index.packSize(pack) === size) found[pack] = 1;
  }
  const missing: number[] = [];
  for (let pack = 0; pack < found.length; pack++) if (found[pack] === 0) missing.push(pack);
  const lost: number[] = [];
  let next = 0;
  const look = async (): Promise<void> => {
    while (next < missing.length) {
      const pack = missing[next++];
      if (!(await isThere(repository, index, pack))) lost.push(pack);
    }
  };
  await Promise.all(Array.from({ length: parallelLooks }, look));
  lost.sort((a, b) => a - b);
  for (const pack of lost) index.markLost(pack);
  if (lost.length > 0) index.preferWhole();
  return { lost, unindexed };
}

async function isThere({ storage }: Repository, index: BlobIndex, pack: number): Promise<boolean> {
  try {
    return (await storage.size({ kind: 'pack', name: index.packId(pack).toString('hex') })) === index.packSize(pack);
  } catch (error) {
    if (hasCode(error, 'file-not-found')) return false;
    throw error;
  }
}
