/** Opening the repository that a run is about. */
import { fail, hasCode } from '../contract/errors.ts';
import { cacheFolder } from '../platform/host.ts';
import { farPackSize } from '../repository/pack.ts';
import { type OpenOptions, Repository } from '../repository/repository.ts';
import { CachedStorage } from '../storage/cache/cached.ts';
import { credentialsFrom } from '../storage/credentials.ts';
import type { OpenContext } from '../storage/kind.ts';
import { openPlace } from '../storage/place.ts';
import { networkRetryLimits, RetryingStorage } from '../storage/retrying.ts';
import type { Storage } from '../storage/storage.ts';
import { type PasswordSource, usualVariables, withPassword } from './passwords.ts';
import { pacesOf } from '../storage/rates.ts';
import { retryNotes } from './retry-notes.ts';
import type { Invocation } from './run-verb.ts';

const credentialsVariable = 'HOLDFAST_CREDENTIALS_FILE';
const cacheVariable = 'HOLDFAST_CACHE_FOLDER';

/** The file that the options or the environment name. */
export const credentialsFileOf = ({ globals, env }: Invocation): string | undefined =>
  globals.credentialsFile ?? (env[credentialsVariable] === '' ? undefined : env[credentialsVariable]);

/**
 * What opens places: the credentials, from the environment and the file that the options or the environment name, unless
 * another is given. Throws `input-unreadable`, `bad-usage` for a file that is none, or a limit that is none.
 */
export function openContextOf(invocation: Invocation, credentialsFile?: string): OpenContext {
  const { globals, env, clock, output } = invocation;
  const credentials = credentialsFrom(env, credentialsFile ?? credentialsFileOf(invocation));
  return { credentials, clock, paces: pacesOf(globals, clock), onNote: (text) => output.note(text) };
}

/**
 * The storage at a place; a network is tried again when it fails. Nothing is asked of a server yet. `credentialsFile` stands
 * for the one that the options or the environment name. Throws what `openPlace` and {@link openContextOf} throw.
 */
export async function storageAt(place: string, invocation: Invocation, credentialsFile?: string): Promise<Storage> {
  const { clock, control, output } = invocation;
  const storage = await openPlace(place, openContextOf(invocation, credentialsFile));
  if (storage.localPath) return storage;
  const onRetry = retryNotes(output, clock);
  return new RetryingStorage(storage, { clock, signal: control.signal, limits: networkRetryLimits, onRetry });
}

/** The place that `--repo` or the environment names. Throws `bad-usage` when neither does. */
export function placeOf({ globals, env }: Invocation): string {
  const place = globals.repo ?? env.HOLDFAST_REPOSITORY ?? '';
  if (place !== '') return place;
  return fail('bad-usage', { problem: 'No repository was named.', guidance: 'Name its place with --repo, or in HOLDFAST_REPOSITORY.' });
}

export const passwordSourceOf = ({ globals }: Invocation): PasswordSource => ({ file: globals.passwordFile, variables: usualVariables });

/** How a repository is opened, where a verb needs it otherwise. */
export interface Opening {
  readonly open?: ((storage: Storage, password: string, options: OpenOptions) => Promise<Repository>) | undefined;
  /** Whether there may be a repository where there is no config. */
  readonly withoutConfig?: boolean | undefined;
  /**
   * Snapshots are read while the key is derived: always, or only where the destination lies behind a network. For verbs that take no
   * lock always: one that does has the time in which the lock settles for it, and does not slow the derivation down.
   */
  readonly readAhead?: 'always' | 'far' | undefined;
  /** What the verb says is about what the repository itself holds: nothing is taken from what this computer keeps of it. */
  readonly bypassCache?: boolean | undefined;
  /** Instead of the one that the options or the environment name: for a second repository. */
  readonly credentialsFile?: string | undefined;
}

/** Opens the repository at `place`. Throws what opening throws, and `password-missing`. */
export async function openRepository(
  place: string,
  source: PasswordSource,
  invocation: Invocation,
  opening: Opening = {},
): Promise<Repository> {
  const { env, control } = invocation;
  const itself = await storageAt(place, invocation, opening.credentialsFile);
  const storage = opening.bypassCache ? itself : withCache(itself, invocation);
  const { open = Repository.open, withoutConfig = false } = opening;
  const isFar = storage.localPath === undefined;
  const { readAhead: early } = opening;
  const readAhead = early === undefined || (early === 'far' && !isFar) ? undefined : { listing: isFar, locks: early === 'far' };
  const keyMemory = storage instanceof CachedStorage ? storage : undefined;
  return withPassword(
    source,
    storage.location,
    { env, signal: control.signal },
    async (password) => {
      const repository = await open(storage, password, { readAhead, keyMemory });
      if (isFar) repository.packSize = farPackSize;
      return repository;
    },
    // Whoever mistyped the place is told so before being asked for a password.
    async () => {
      if (!withoutConfig) await refuseNoRepository(storage);
    },
  );
}

/** A storage behind a network, of which this computer keeps what is read in every run; one that is near, as it is. */
function withCache(storage: Storage, { globals, env, clock, output }: Invocation): Storage {
  if (storage.localPath || globals.cache === false) return storage;
  const folder = env[cacheVariable] || cacheFolder();
  const onProblem = (where: string, cause: string): void =>
    output.note(`Nothing can be kept in ${where} (${cause}). The run goes on; it reads more from the destination.`);
  return new CachedStorage(storage, { folder, clock, onProblem });
}

/** Opens the repository that the options name, calls `use`, and closes it. */
export async function withRepository<T>(
  invocation: Invocation,
  use: (repository: Repository) => Promise<T>,
  opening?: Opening,
): Promise<T> {
  const repository = await openRepository(placeOf(invocation), passwordSourceOf(invocation), invocation, opening);
  try {
    return await use(repository);
  } finally {
    await repository.storage.close().catch(() => {});
  }
}

/** As {@link withRepository}, for verbs that judge, mend or move what the repository itself holds. */
export const withRepositoryItself = <T>(invocation: Invocation, use: (repository: Repository) => Promise<T>): Promise<T> =>
  withRepository(invocation, use, { bypassCache: true });

async function refuseNoRepository(storage: Storage): Promise<void> {
  try {
    await storage.size({ kind: 'config', name: '' });
  } catch (error) {
    if (hasCode(error, 'file-not-found') || hasCode(error, 'storage-gone'))
      return fail('repository-not-found', { location: storage.location }, error);
    throw error;
  }
}
