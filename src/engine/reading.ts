/** What every verb that only reads snapshots begins with: a shared lock, worker threads and the index. */
import { type HoldfastError, hasCode } from '../contract/errors.ts';
import { BlobIndex } from '../repository/blob-index.ts';
import { Lock } from '../repository/locks.ts';
import type { Repository } from '../repository/repository.ts';
import { localFolderOf } from '../storage/local-folder.ts';
import type { Storage } from '../storage/storage.ts';
import { loadIndex } from './index/load.ts';
import type { RunOptions } from './run.ts';
import { type PoolOptions, WorkerPool } from './workers/pool.ts';

export interface Reading {
  readonly pool: WorkerPool;
  readonly index: BlobIndex;
  /** Index files that could not be used; what they list counts as missing. */
  readonly damage: readonly HoldfastError[];
  /** The destination where it lies behind a network, so that reading ahead of the workers pays. */
  readonly far: Storage | undefined;
}

export interface ReadingOptions extends RunOptions {
  /** `use` is called before it is certain that the lock holds; what it finds counts when the whole resolves. */
  readonly provisional?: boolean | undefined;
  /** See PoolOptions. */
  readonly rescue?: PoolOptions['rescue'];
  /** See PoolOptions. */
  readonly youngGenerationMb?: number | undefined;
}

/**
 * Calls `use` between locking and unlocking and returns what it returns. Throws what `use` throws, `locked`,
 * `lock-unreadable`, `cancelled` or what the storage throws.
 */
export async function withReading<T>(repository: Repository, options: ReadingOptions, use: (reading: Reading) => Promise<T>): Promise<T> {
  const lock = await lockIfWritable(repository, options);
  try {
    const index = BlobIndex.create();
    const pool = new WorkerPool(repository, {
      control: options.control,
      index,
      threads: options.threads,
      youngGenerationMb: options.youngGenerationMb,
      rescue: options.rescue,
    });
    try {
      const loading = loadIndex(repository, pool);
      const far = localFolderOf(repository.storage) === undefined ? repository.storage : undefined;
      const read = async (): Promise<T> => use({ pool, index, damage: (await loading).map(({ error }) => error), far });
      if (!lock) return await read();
      if (options.provisional) return await lock.whileSettling(read());
      await lock.whileSettling(loading);
      return await read();
    } finally {
      await pool.close();
    }
  } finally {
    await lock?.release().catch(() => {});
  }
}

/**
 * A place where nothing can be written is read without a lock: on read-only storage nobody can take anything away, and
 * when a full disk holds the only backup, getting it back matters more than that another program might prune just now
 * (whose lock is respected all the same; at worst, blobs are missing, and each is reported).
 */
export async function lockIfWritable(
  repository: Repository,
  { holder, clock }: Pick<RunOptions, 'holder' | 'clock'>,
): Promise<Lock | undefined> {
  try {
    return await Lock.begin(repository, holder, false, clock);
  } catch (error) {
    if (hasCode(error, 'storage-read-only') || hasCode(error, 'storage-full')) return undefined;
    throw error;
  }
}
