/** How files of a repository are deleted, whatever the verb. */
import { fail, hasCode } from '../contract/errors.ts';
import type { RunControl } from '../platform/cancellation.ts';
import type { Lock } from '../repository/locks.ts';
import type { Repository } from '../repository/repository.ts';
import type { FileKind } from '../storage/storage.ts';

/** Files deleted at the same time: in a folder, as many share one sync. */
const parallelRemovals = 32;

/**
 * Deletes files, several at the same time; `onRemoved` is told of each. One that is gone already is fine. The first failure ends it.
 * The first file goes alone, so that a storage that refuses is asked once.
 */
export async function removeFiles(
  repository: Repository,
  lock: Lock,
  control: RunControl,
  kind: FileKind,
  names: readonly string[],
  onRemoved: (name: string) => void = () => {},
): Promise<void> {
  let next = 0;
  let failed = false;
  const work = async (until: number): Promise<void> => {
    while (next < until && !failed) {
      const name = names[next++];
      try {
        await control.checkpointAsync();
        await lock.ensure();
        await repository.storage.remove({ kind, name });
        onRemoved(name);
      } catch (error) {
        if (hasCode(error, 'file-not-found')) continue;
        failed = true;
        throw error;
      }
    }
  };
  await work(Math.min(1, names.length));
  const results = await Promise.allSettled(Array.from({ length: parallelRemovals }, () => work(names.length)));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Throws `storage-append-only` where nothing can be removed: before a run does in vain what it would remove something for. */
export async function refuseAppendOnly({ storage }: Pick<Repository, 'storage'>): Promise<void> {
  if (await storage.refusesRemoval?.()) fail('storage-append-only', { location: storage.location });
}
