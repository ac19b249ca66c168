/**
 * Packs that a run stored but did not live to write into an index file: the next run takes them over instead of storing
 * the same blobs again.
 */
import { HoldfastError, hasCode } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { listLocks, type Lock } from '../../repository/locks.ts';
import { readPackHeader } from '../../repository/pack-header.ts';
import type { BlobIndex } from '../../repository/blob-index.ts';
import { bytesOfId } from '../../repository/ids.ts';
import type { Repository } from '../../repository/repository.ts';
import type { PackStore } from '../pack-store.ts';

/**
 * Adds the packs named to the index, unless another run that holds a lock may have stored them. `reload` loads the index files
 * that were written since the index was loaded. A pack whose header does not authenticate is left for `prune`. Returns how many
 * were taken over.
 */
export async function adoptPacks(
  repository: Repository,
  store: PackStore,
  index: BlobIndex,
  unindexed: readonly string[],
  lock: Lock,
  clock: Clock,
  reload: () => Promise<unknown>,
): Promise<number> {
  if (unindexed.length === 0) return 0;
  // Only then everybody else who is at work shows.
  await lock.ensure();
  const others = (await listLocks(repository, clock)).filter(({ name }) => name !== lock.name);
  if (others.length > 0) return 0;
  // A run that ended since the index was loaded has written its index files before it gave up its lock.
  await reload();
  let adopted = 0;
  for (const name of new Set(unindexed)) {
    if (index.packNumber(bytesOfId(name)) >= 0) continue;
    try {
      const header = await readPackHeader(repository, name);
      store.note(Buffer.from(name, 'hex'), header);
      adopted += 1;
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      // Damaged or gone: nothing depends on it, since no index names it.
      if (!['pack-invalid', 'item-tampered', 'file-not-found', 'file-short'].some((code) => hasCode(error, code as typeof error.code)))
        throw error;
    }
  }
  if (adopted > 0) await store.flushIndex();
  return adopted;
}
