/**
 * Migrate: makes a repository of format version 1 one of version 2, as restic's "migrate upgrade_repo_v2" does. Only the config changes:
 * version 2 can read everything that version 1 wrote, and may compress what it adds. There is no way back, and restic before 0.14 cannot
 * open the repository any more.
 */
import { fail, hasCode } from '../../contract/errors.ts';
import { currentVersion, type FormatVersion } from '../../repository/config.ts';
import { Lock } from '../../repository/locks.ts';
import { type OpenOptions, Repository } from '../../repository/repository.ts';
import { configFile, type Storage } from '../../storage/storage.ts';
import { type CheckOptions, type CheckResult, executeCheck } from '../check/check.ts';
import { planCheck } from '../check/plan.ts';
import type { RunOptions } from '../run.ts';
import { dropConfigs, keepConfig, keptConfigs } from './config-copies.ts';
import { replaceConfig } from './replace-config.ts';

export interface MigratePlan {
  /** What the repository is now. */
  readonly version: FormatVersion;
  /** What it becomes. */
  readonly target: FormatVersion;
  readonly isNeeded: boolean;
  /** An earlier run was cut off when the old config was gone and the new one not there yet: a copy on this computer helps out. */
  readonly isInterrupted: boolean;
  /** What was found before the upgrade, which is refused when there are errors. Undefined when none is needed. */
  readonly check: CheckResult | undefined;
}

export interface MigrateOptions extends RunOptions {
  /** Folder on this computer for the copy of the old config; it is made when it is not there, and empty again in the end. */
  readonly copies: string;
  /** Told before anything is changed. */
  readonly onPlan?: ((plan: MigratePlan) => void) | undefined;
}

/**
 * Opens a repository that may be of version 1, or have lost its config in a migration that was cut off. Throws as Repository.open does.
 */
export async function openForMigration(storage: Storage, password: string, copies: string): Promise<Repository> {
  const options: OpenOptions = { versions: [1, currentVersion], keptConfigs: await keptConfigs(copies) };
  return Repository.open(storage, password, options);
}

/** Whether {@link openForMigration} may find a repository where there is no config. */
export const hasKeptConfigs = async (copies: string): Promise<boolean> => (await keptConfigs(copies)).length > 0;

/** Looks and changes nothing: it checks the repository when an upgrade is needed. Throws what a check throws. */
export async function planMigrate(repository: Repository, options: RunOptions): Promise<MigratePlan> {
  return makePlan(repository, { ...options, lock: 'shared' });
}

/**
 * Upgrades the repository, under an exclusive lock. Does nothing when it has the current version. Throws `migrate-refused` when the
 * check finds errors, `config-not-kept`, `config-not-replaced`, `locked`, `lock-lost`, `cancelled` or what the storage throws. Whatever
 * it throws, and wherever it is cut off, the same again completes it.
 */
export async function executeMigrate(repository: Repository, options: MigrateOptions): Promise<MigratePlan> {
  const { control, copies, onPlan } = options;
  const lock = await Lock.begin(repository, options.holder, true, options.clock);
  try {
    const plan = await lock.whileSettling(makePlan(repository, { ...options, lock: 'none' }));
    onPlan?.(plan);
    if (plan.isNeeded) {
      if (plan.check && plan.check.errors > 0) {
        const { errors } = plan.check;
        fail('migrate-refused', { problem: errors === 1 ? 'a check found an error' : `a check found ${errors} errors` });
      }
      // Holding the exclusive lock, nobody else can be writing these.
      await repository.storage.removeLeftovers?.(Number.POSITIVE_INFINITY).catch(() => {});
      const old = await storedConfig(repository);
      const sealed = repository.sealedConfig(currentVersion);
      const copy = await keepConfig(copies, old ?? sealed);
      await control.checkpointAsync();
      await lock.ensure();
      await replaceConfig(repository, { old, next: sealed, copy });
    }
    await dropConfigs(copies, (bytes) => repository.openConfig(bytes) !== undefined);
    return plan;
  } finally {
    await lock.release().catch(() => {});
  }
}

async function makePlan(repository: Repository, options: CheckOptions): Promise<MigratePlan> {
  const stored = await storedConfig(repository);
  const config = stored && repository.openConfig(stored);
  const version = config?.version ?? repository.config.version;
  const isInterrupted = config === undefined;
  const isNeeded = isInterrupted || version !== currentVersion;
  const check = isNeeded ? await executeCheck(repository, await planCheck(repository), options) : undefined;
  return { version, target: currentVersion, isNeeded, isInterrupted, check };
}

/** The stored form of the config as it is now; undefined when there is none that can be read. */
async function storedConfig(repository: Repository): Promise<Uint8Array | undefined> {
  try {
    const sealed = await repository.storage.load(configFile);
    return repository.openConfig(sealed) ? sealed : undefined;
  } catch (error) {
    if (!hasCode(error, 'file-not-found')) throw error;
    return undefined;
  }
}
