/** Loads the index of a repository with all workers. */
import { HoldfastError, hasCode, isDestinationError } from '../../contract/errors.ts';
import type { BlobIndex } from '../../repository/blob-index.ts';
import type { Repository } from '../../repository/repository.ts';
import type { ListedFile } from '../../storage/storage.ts';
import { listPacks } from '../check/pack-listing.ts';
import type { JobRunner } from '../workers/pool.ts';

/** Index files that could not be used. */
export interface IndexProblem {
  readonly name: string;
  readonly error: HoldfastError;
}

/** Bytes that a blob takes in an index file: its ID cannot be compressed, nor all of its place. */
const leastBlobBytes = 40;

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
    const files: ListedFile[] = [];
    for await (const file of repository.storage.list('index')) if (!loaded.has(file.name)) files.push(file);
    const expectedBlobs = Math.floor(files.reduce((bytes, { size }) => bytes + size, 0) / leastBlobBytes);
    await Promise.all(
      files.map(async ({ name }) => {
        try {
          await pool.run('loadIndexFile', { name, expectedBlobs });
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

/**
 * Marks the packs that the index names but the storage does not hold at the size that the index computes, and returns
 * the numbers of those, and the IDs of packs that it holds but the index does not name. `listing` as {@link listPacks} takes it.
 */
export async function comparePacks(
  repository: Repository,
  index: BlobIndex,
  listing?: AsyncIterable<ListedFile>,
): Promise<{ lost: number[]; unindexed: string[] }> {
  const { stored, unindexed } = await listPacks(repository, index, listing);
  const lost: number[] = [];
  for (let pack = 0; pack < stored.length; pack++) {
    if (index.packSize(pack) === stored[pack]) continue;
    lost.push(pack);
    index.markLost(pack);
  }
  if (lost.length > 0) index.preferWhole();
  return { lost, unindexed: unindexed.map(({ name }) => name) };
}
