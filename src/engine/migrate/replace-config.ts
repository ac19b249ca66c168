/** Gives a repository another config, whatever its storage can do, so that the old one or the new one is there or can be brought back. */
import { fail, hasCode, toHoldfastError } from '../../contract/errors.ts';
import type { Repository } from '../../repository/repository.ts';
import { configFile, describeFile } from '../../storage/storage.ts';

export interface ConfigReplacement {
  /** The stored form of what is there now; undefined when nothing is, or nothing that can be read. */
  readonly old: Uint8Array | undefined;
  readonly next: Uint8Array;
  /** Where a copy is kept, for the words of an error. */
  readonly copy: string;
}

/**
 * Throws what the storage throws: the old config is there then, or the new one; or `config-not-replaced` when perhaps neither is. A
 * config that the storage said it had stored is read back.
 */
export async function replaceConfig(repository: Repository, { old, next, copy }: ConfigReplacement): Promise<void> {
  const { storage } = repository;
  let inOneStep = storage.replaceConfig !== undefined && old !== undefined;
  const unlessRefused = (error: unknown): void => {
    if (!hasCode(error, 'storage-cannot-replace')) throw error;
    inOneStep = false;
  };
  try {
    if (inOneStep) await storage.replaceConfig!([next]).catch(unlessRefused);
    if (!inOneStep) {
      await removeConfig(repository);
      await storage.save(configFile, [next]);
    }
    if (!(await storedConfig(repository))?.equals(next)) {
      const { location } = storage;
      fail('storage-failed', { location, operation: 'replace', file: describeFile(configFile), cause: 'it reads otherwise' });
    }
  } catch (error) {
    const state = await afterFailure(repository, old ?? next);
    // A storage that replaces in one step has promised that one of them is there, also when nobody can look now.
    if (state === 'missing' || (state === 'unknown' && !inOneStep))
      fail('config-not-replaced', { location: storage.location, path: copy, cause: toHoldfastError(error).message }, error);
    throw error;
  }
}

/** Looks whether a config of the repository is in the storage; one that is missing or torn is stored again. */
async function afterFailure(repository: Repository, config: Uint8Array): Promise<'there' | 'missing' | 'unknown'> {
  try {
    for (let attempt = 1; ; attempt++) {
      const stored = await storedConfig(repository);
      if (stored && repository.openConfig(stored)) return 'there';
      if (attempt > 1) return 'missing';
      if (stored) await removeConfig(repository);
      await repository.storage.save(configFile, [config]);
    }
  } catch {
    return 'unknown';
  }
}

/** Undefined when there is none. */
async function storedConfig({ storage }: Repository): Promise<Buffer | undefined> {
  try {
    return Buffer.from(await storage.load(configFile));
  } catch (error) {
    if (!hasCode(error, 'file-not-found')) throw error;
    return undefined;
  }
}

async function removeConfig({ storage }: Repository): Promise<void> {
  try {
    await storage.remove(configFile);
  } catch (error) {
    if (!hasCode(error, 'file-not-found')) throw error;
  }
}
