/** Finding a repository again by its ID, wherever its drive is mounted now. */
import { type HoldfastError, hasCode, toHoldfastError } from '../contract/errors.ts';
import { LocalStorage } from '../storage/local.ts';
import { holdsRepository, Repository } from './repository.ts';

export interface FoundRepository {
  readonly folder: string;
  /** Why it cannot be said whether it is this one; undefined when it is. */
  readonly problem: HoldfastError | undefined;
}

/**
 * Those among `folders` (see `candidatesFor` of the drives) that hold the repository `id`, in their order. The ID stands in the config,
 * which only opens with the password, so each repository that is met costs the derivation of a key. A folder without a repository, or
 * with one that has another ID or password, is none. More than one means that the repository was copied, clone of a drive or not:
 * whoever writes to both makes two different ones of them. Throws nothing.
 */
export async function findRepository(id: string, password: string, folders: readonly string[]): Promise<FoundRepository[]> {
  const found: FoundRepository[] = [];
  for (const folder of folders) {
    const storage = new LocalStorage(folder);
    try {
      if (!(await holdsRepository(storage))) continue;
      const { config } = await Repository.open(storage, password);
      if (config.id === id) found.push({ folder, problem: undefined });
    } catch (error) {
      if (hasCode(error, 'storage-gone') || hasCode(error, 'wrong-password')) continue;
      found.push({ folder, problem: toHoldfastError(error) });
    } finally {
      await storage.close();
    }
  }
  return found;
}
