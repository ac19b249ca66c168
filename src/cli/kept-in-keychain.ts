/** The passwords of repositories that this computer's keychain keeps. */
import { realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { type HoldfastError, hasCode, toHoldfastError } from '../contract/errors.ts';
import { type KeychainUse, type SecretName, SystemKeychain } from '../platform/keychain/keychain.ts';
import { moveFileToKeychain } from '../platform/keychain/move-file.ts';
import { repositoryPasswordName } from '../platform/keychain/names.ts';

/** A folder is known by its path without links, however it was named. */
const nameAt = (location: string): SecretName => repositoryPasswordName(isAbsolute(location) ? realPath(location) : location);

/** The path without links, as far as it exists. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(realPath(above), basename(path));
  }
}

export interface KeptPassword {
  /** Undefined when the keychain has none for this place, or cannot be used. */
  readonly password: string | undefined;
  /** Why it cannot, although there is one. */
  readonly problem: HoldfastError | undefined;
}

/** What the keychain keeps for the repository at `location`. A computer without a keychain keeps none. Throws `cancelled`. */
export async function passwordInKeychain(location: string, env: NodeJS.ProcessEnv, use: KeychainUse): Promise<KeptPassword> {
  try {
    return { password: await systemKeychain(env).get(nameAt(location), use), problem: undefined };
  } catch (error) {
    if (hasCode(error, 'cancelled')) throw error;
    return { password: undefined, problem: hasCode(error, 'keychain-absent') ? undefined : toHoldfastError(error) };
  }
}

/**
 * Moves the password file of the repository at `location` into the keychain; nobody is asked anything. Resolves to why it is still
 * in the file, if it is. Throws `cancelled`.
 */
export async function moveIntoKeychain(
  file: string,
  location: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const outcome = await moveFileToKeychain(file, nameAt(location), systemKeychain(env), { signal });
    if (outcome === 'moved') return undefined;
    return outcome === 'differs' ? 'it keeps another password for this place' : 'the file could not be deleted';
  } catch (error) {
    if (hasCode(error, 'cancelled')) throw error;
    return String(toHoldfastError(error).context.cause ?? 'it could not be used');
  }
}

const systemKeychain = (env: NodeJS.ProcessEnv): SystemKeychain => new SystemKeychain({ platform: process.platform, env });
