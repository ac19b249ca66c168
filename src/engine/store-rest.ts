/** The end of every run that stores blobs. */
import type { PackStore } from './pack-store.ts';
import type { WorkerPool } from './workers/pool.ts';

/** Stores what the workers have not filled, and names all packs in the index. All of it is durable when this resolves. */
export async function storeRest(pool: WorkerPool, store: PackStore): Promise<void> {
  const unfinished = await pool.runOnEach('flush', undefined);
  await pool.allStored();
  await store.storeUnfinished(unfinished.flat());
  await store.flushIndex();
}
