/** Opening the repository that a run is about. */
import { fail, hasCode } from '../contract/errors.ts';
import { type OpenOptions, Repository } from '../repository/repository.ts';
import { LocalStorage } from '../storage/local.ts';
import type { Storage } from '../storage/storage.ts';
import { type PasswordSource, usualVariables, withPassword } from './passwords.ts';
import type { Invocation } from './run-verb.ts';

/** Places that restic knows and that are no folders; a folder of such a name can be given as `./s3:…`. */
const otherKinds = /^(s3|sftp|rest|azure|gs|b2|swift|rclone):/;

/** The storage at a place. Throws `bad-usage` for a kind that is not supported. */
export function storageAt(place: string): Storage {
  if (otherKinds.test(place)) {
    return fail('bad-usage', {
      problem: `Holdfast cannot use ${place.slice(0, place.indexOf(':'))} destinations yet.`,
      guidance: 'Use a folder.',
    });
  }
  return new LocalStorage(place.startsWith('local:') ? place.slice('local:'.length) : place);
}

/** The place that `--repo` or the environment names. Throws `bad-usage` when neither does. */
export function placeOf({ globals, env }: Invocation): string {
  const place = globals.repo ?? env.HOLDFAST_REPOSITORY ?? '';
  if (place !== '') return place;
  return fail('bad-usage', { problem: 'No repository was named.', guidance: 'Name its folder with --repo, or in HOLDFAST_REPOSITORY.' });
}

export const passwordSourceOf = ({ globals }: Invocation): PasswordSource => ({ file: globals.passwordFile, variables: usualVariables });

/** How a repository is opened, where a verb needs it otherwise. */
export interface Opening {
  readonly open?: ((storage: Storage, password: string, options: OpenOptions) => Promise<Repository>) | undefined;
  /** Whether there may be a repository where there is no config. */
  readonly withoutConfig?: boolean | undefined;
  /**
   * Snapshots are read while the key is derived. For verbs that take no lock: one that does has the time in which the lock
   * settles for it, and does not slow the derivation down.
   */
  readonly readAhead?: boolean | undefined;
}

/** Opens the repository at `place`. Throws what opening throws, and `password-missing`. */
export async function openRepository(
  place: string,
  source: PasswordSource,
  { env, control }: Invocation,
  opening: Opening = {},
): Promise<Repository> {
  const storage = storageAt(place);
  // Whoever mistyped the place is told so before being asked for a password.
  const { open = Repository.open, withoutConfig = false, readAhead } = opening;
  if (!withoutConfig) await refuseNoRepository(storage);
  return withPassword(source, storage.location, { env, signal: control.signal }, (password) => open(storage, password, { readAhead }));
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

async function refuseNoRepository(storage: Storage): Promise<void> {
  try {
    await storage.size({ kind: 'config', name: '' });
  } catch (error) {
    if (hasCode(error, 'file-not-found') || hasCode(error, 'storage-gone'))
      return fail('repository-not-found', { location: storage.location }, error);
    throw error;
  }
}
