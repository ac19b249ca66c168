/** The end of every run that stores blobs. */
import type { UnfinishedPack } from '../repository/packer.ts';
import type { PackStore } from './pack-store.ts';
import type { WorkerPool } from './workers/pool.ts';

/**
 * Stores what the workers have not filled, and names all packs in the index. All of it is durable when this resolves. `onTaken` is told what
 * is not in the workers any more, and not stored yet.
 */
export async function storeRest(pool: WorkerPool, store: PackStore, onTaken?: (unfinished: UnfinishedPack[]) => void): Promise<void> {
  const unfinished = (await pool.runOnEach('flush', undefined)).flat();
  onTaken?.(unfinished);
  await pool.allStored();
  await store.storeUnfinished(unfinished);
  await store.flushIndex();
}
