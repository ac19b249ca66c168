/**
 * Drives the engine's verbs in tests: cheap keys, this host's identity, and defaults for what most tests do not care about.
 *
 * Each verb takes the repository first, then what it works on, then options that are laid over the defaults.
 */
import { RunControl } from '../../src/platform/cancellation.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { hostIdentity } from '../../src/platform/host.ts';
import { type BackupOptions, type BackupResult, executeBackup } from '../../src/engine/backup/backup.ts';
import { compileExcludes, type ExcludeOptions } from '../../src/engine/backup/exclude.ts';
import { type BackupPlan, type BackupRequest, planBackup } from '../../src/engine/backup/plan.ts';
import type { RestoreRequest } from '../../src/engine/restore/plan.ts';
import {
  executeRestore,
  planRestore,
  type RestoreOptions,
  type RestorePlan,
  type RestoreResult,
} from '../../src/engine/restore/restore.ts';
import type { PlannedEntry } from '../../src/engine/restore/walk-task.ts';
import type { RunOptions } from '../../src/engine/run.ts';
import type { KeyCost } from '../../src/repository/keys.ts';
import { Repository } from '../../src/repository/repository.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { hastyClock } from './hasty-clock.ts';
import { noCost } from './no-cost-key.ts';
import { Restic } from './restic.ts';

/** The password of every repository made here. */
export const password = 'correct horse battery staple';

/** Who backs up here, by name, number and host. */
export const identity = hostIdentity();

/** What every verb is given: this process as lock holder, the real time without waiting, and a control of its own that nobody cancels. */
export function runOptions(options: Partial<RunOptions> = {}): RunOptions {
  return { control: new RunControl(), clock: hastyClock, holder: { ...identity, pid: process.pid }, ...options };
}

/** A new repository, in a folder or any storage; opened with {@link password}. */
export function makeRepository(place: string | Storage, options: { polynomial?: string; cost?: KeyCost } = {}): Promise<Repository> {
  return Repository.init(asStorage(place), password, identity, systemClock, { cost: noCost, ...options });
}

/** An existing repository, for example one made by restic. */
export function openRepository(place: string | Storage, secret: string = password): Promise<Repository> {
  return Repository.open(asStorage(place), secret);
}

const asStorage = (place: string | Storage): Storage => (typeof place === 'string' ? new LocalStorage(place) : place);

/** restic at work on the repository in this folder. */
export function resticOn(folder: string, secret: string = password): Restic {
  return new Restic(folder, secret);
}

export type BackupSettings = Partial<Omit<BackupRequest, 'sources' | 'rules'>> &
  Partial<BackupOptions> & { readonly exclude?: ExcludeOptions };

/** Plans and runs a backup; the result has the plan as well. */
export async function backup(
  repository: Repository,
  sources: string | Buffer | readonly (string | Buffer)[],
  settings: BackupSettings = {},
): Promise<BackupResult & { readonly plan: BackupPlan }> {
  const plan = await plannedBackup(repository, sources, settings);
  const { packSize, changed, resident, ...run } = settings;
  return { ...(await executeBackup(repository, plan, { ...runOptions(onlyRun(run)), packSize, changed, resident })), plan };
}

/** Only plans it. */
export function plannedBackup(
  repository: Repository,
  sources: string | Buffer | readonly (string | Buffer)[],
  settings: BackupSettings = {},
): Promise<BackupPlan> {
  const { exclude, strategy, excludes, tags, hostname, username, uid, gid } = { ...identity, ...settings };
  const list = typeof sources === 'string' || Buffer.isBuffer(sources) ? [sources] : sources;
  return planBackup(repository, {
    sources: list,
    rules: compileExcludes(exclude ?? {}),
    strategy,
    excludes,
    tags,
    hostname,
    username,
    uid,
    gid,
  });
}

export type RestoreSettings = Partial<RestoreRequest> & Partial<RestoreOptions>;

/** Restores `latest`, or what `settings.snapshot` and `settings.path` name, into `target`; undefined: to where everything was. */
export function restore(repository: Repository, target: string | undefined, settings: RestoreSettings = {}): Promise<RestoreResult> {
  const { segmentFiles, undo } = settings;
  return executeRestore(repository, { snapshot: 'latest', ...settings, target }, { ...runOptions(onlyRun(settings)), segmentFiles, undo });
}

/** Only plans it; the result has every entry as well. */
export async function plannedRestore(
  repository: Repository,
  target: string | undefined,
  settings: RestoreSettings = {},
): Promise<RestorePlan & { readonly entries: readonly PlannedEntry[] }> {
  const entries: PlannedEntry[] = [];
  const request = { snapshot: 'latest', ...settings, target };
  return { ...(await planRestore(repository, request, runOptions(onlyRun(settings)), (entry) => entries.push(entry))), entries };
}

/** Of settings that hold more, what runOptions takes; absent ones must not overwrite its defaults. */
function onlyRun(settings: Partial<RunOptions>): Partial<RunOptions> {
  const { control, clock, holder, onProgress, threads, corruptBlob } = settings;
  return Object.fromEntries(
    Object.entries({ control, clock, holder, onProgress, threads, corruptBlob }).filter(([, value]) => value !== undefined),
  );
}

/** The lines of problems as a person would read them, for expectations: `kind: path`. */
export const problemLines = (problems: readonly { readonly kind: string; readonly path: Uint8Array }[]): string[] =>
  problems.map(({ kind, path }) => `${kind}: ${Buffer.from(path).toString('utf8')}`).sort();
