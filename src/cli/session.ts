/** Opening the repository that a run is about. */
import { fail, hasCode } from '../contract/errors.ts';
import { Repository } from '../repository/repository.ts';
import { credentialsFrom } from '../storage/credentials.ts';
import type { OpenContext } from '../storage/kind.ts';
import { openPlace } from '../storage/place.ts';
import { networkRetryLimits, RetryingStorage } from '../storage/retrying.ts';
import type { Storage } from '../storage/storage.ts';
import { type PasswordSource, usualVariables, withPassword } from './passwords.ts';
import { retryNotes } from './retry-notes.ts';
import type { Invocation } from './run-verb.ts';

const credentialsVariable = 'HOLDFAST_CREDENTIALS_FILE';

/**
 * What opens places: the credentials, from the environment and the file that the options or the environment name, unless
 * another is given. Throws `input-unreadable`, `bad-usage` for a file that is none.
 */
export function openContextOf({ globals, env, clock, output }: Invocation, credentialsFile?: string): OpenContext {
  const named = env[credentialsVariable] === '' ? undefined : env[credentialsVariable];
  const credentials = credentialsFrom(env, credentialsFile ?? globals.credentialsFile ?? named);
  return { credentials, clock, onNote: (text) => output.note(text) };
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

export interface OpenOptions {
  /**
   * Snapshots are read while the key is derived. For verbs that take no lock: one that does has the time in which the lock
   * settles for it, and does not slow the derivation down.
   */
  readonly readAhead?: boolean | undefined;
  /** Instead of the one that the options or the environment name: for a second repository. */
  readonly credentialsFile?: string | undefined;
}

/** Opens the repository at `place`. Throws what opening throws, and `password-missing`. */
export async function openRepository(
  place: string,
  source: PasswordSource,
  invocation: Invocation,
  options: OpenOptions = {},
): Promise<Repository> {
  const { env, control } = invocation;
  const storage = await storageAt(place, invocation, options.credentialsFile);
  // Whoever mistyped the place is told so before being asked for a password.
  await refuseNoRepository(storage);
  return withPassword(source, storage.location, { env, signal: control.signal }, (password) => Repository.open(storage, password, options));
}

/** Opens the repository that the options name, calls `use`, and closes it. */
export async function withRepository<T>(
  invocation: Invocation,
  use: (repository: Repository) => Promise<T>,
  options: OpenOptions = {},
): Promise<T> {
  const repository = await openRepository(placeOf(invocation), passwordSourceOf(invocation), invocation, options);
  try {
    return await use(repository);
  } finally {
    await repository.storage.close().catch(() => {});
  }
}

async function refuseNoRepository(storage: Storage): Promise<void> {
  try {
    await storage.size({ kind: 'config', name: '' });
  } catch (error) {
    if (hasCode(error, 'file-not-found') || hasCode(error, 'storage-gone'))
      return fail('repository-not-found', { location: storage.location }, error);
    throw error;
  }
}
