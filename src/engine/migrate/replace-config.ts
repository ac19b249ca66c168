/** Gives a repository another config, whatever its storage can do, so that the old one or the new one is there or can be brought back. */
import { fail, hasCode, HoldfastError } from '../../contract/errors.ts';
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
 * Throws what the storage throws: the old config is there then, or the new one; or `config-not-replaced` when neither is. A config that
 * the storage said it had stored is read back.
 */
export async function replaceConfig(repository: Repository, { old, next, copy }: ConfigReplacement): Promise<void> {
  const { storage } = repository;
  try {
    if (storage.replaceConfig && old) await storage.replaceConfig([next]);
    else {
      await removeConfig(repository);
      await storage.save(configFile, [next]);
    }
    if (Buffer.compare(await storage.load(configFile), next) !== 0) {
      const { location } = storage;
      fail('storage-failed', { location, operation: 'replace', file: describeFile(configFile), cause: 'it reads otherwise' });
    }
  } catch (error) {
    const cause = error instanceof HoldfastError ? error : new HoldfastError('internal', { cause: String(error) }, { cause: error });
    if (!(await isThere(repository, old ?? next))) {
      fail('config-not-replaced', { location: storage.location, path: copy, cause: cause.message }, error);
    }
    throw error;
  }
}

/** Whether a config of the repository is in the storage after a failure; one that is missing or torn is stored again. */
async function isThere(repository: Repository, config: Uint8Array): Promise<boolean> {
  const { storage } = repository;
  for (let attempt = 1; ; attempt++) {
    try {
      if (repository.openConfig(await storage.load(configFile))) return true;
      if (attempt > 1) return false;
      await removeConfig(repository);
    } catch (error) {
      if (attempt > 1 || !hasCode(error, 'file-not-found')) return false;
    }
    await storage.save(configFile, [config]).catch(() => {});
  }
}

async function removeConfig({ storage }: Repository): Promise<void> {
  try {
    await storage.remove(configFile);
  } catch (error) {
    if (!hasCode(error, 'file-not-found')) throw error;
  }
}
