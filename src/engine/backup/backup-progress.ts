/** What a backup tells while it works. */
import type { BlobIndex } from '../../repository/blob-index.ts';
import type { Repository } from '../../repository/repository.ts';
import { type ProgressSource, reportProgress, type RunOptions } from '../run.ts';
import { WorkerPool } from '../workers/pool.ts';
import type { BackupPlan } from './plan.ts';

/** Tells the progress of `work` as long as it goes on. */
export async function withReport<T>(
  repository: Repository,
  plan: BackupPlan,
  options: RunOptions,
  pool: WorkerPool,
  index: BlobIndex,
  work: () => Promise<T>,
): Promise<T> {
  const stop = reportBackup(repository, plan, options, pool, index);
  try {
    return await work();
  } finally {
    await stop();
  }
}

/**
 * Tells the progress. How much there is comes from the snapshot before; for a first one it is counted beside the run, by a
 * thread of its own, when somebody looks.
 */
function reportBackup(
  repository: Repository,
  plan: BackupPlan,
  options: RunOptions,
  pool: WorkerPool,
  index: BlobIndex,
): () => Promise<void> {
  const previous = plan.parent?.summary;
  const source: ProgressSource = {
    phase: 'backing-up',
    items: () => pool.total('files'),
    bytes: () => pool.total('bytes'),
    totalItems: previous?.total_files_processed,
    totalBytes: previous?.total_bytes_processed,
  };
  const stop = reportProgress(options, pool, source);
  if (previous || !options.onProgress) return async () => stop();
  const counter = new WorkerPool(repository, { control: options.control, index, threads: 1 });
  const sources = plan.sources.map((path) => new Uint8Array(path));
  counter
    .run('estimate', { rules: plan.request.rules, leftOut: plan.leftOut, sources })
    .then(({ files, bytes }) => {
      source.totalItems = files;
      source.totalBytes = bytes;
    })
    // Without it the progress has no end to name; the backup does not depend on it.
    .catch(() => {})
    .then(() => counter.close())
    .catch(() => {});
  return async () => {
    stop();
    await counter.close();
  };
}
