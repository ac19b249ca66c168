/**
 * Secrets in the keychain of the operating system: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows.
 *
 * - A secret is text, found by the name of the service (the program) and of the account (what it opens). Names are no secrets:
 *   other programs can list them.
 * - Nothing of a secret comes into errors.
 * - The library, for macOS and Windows, is loaded at the first use. The kernel's key ring, which is empty after a restart, is never taken
 *   for a keychain.
 */
import { createRequire } from 'node:module';
import type * as KeyringModule from '@napi-rs/keyring';
import { fail, HoldfastError } from '../../contract/errors.ts';
import { unlessCancelled } from '../cancellation.ts';
import { isLockedError, SecretItem } from './secret-item.ts';
import { secretServiceState, withSecretService } from './secret-service.ts';

export interface SecretName {
  readonly service: string;
  readonly account: string;
}

export type KeychainState =
  | { readonly kind: 'available' }
  /** It exists, and its person has to unlock it first. */
  | { readonly kind: 'locked'; readonly reason: string }
  | { readonly kind: 'absent'; readonly reason: string };

export interface KeychainUse {
  /** Ends every wait with `cancelled`. A wait for a person has no other end. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether a locked keychain may ask the person to unlock it. `never` (the default) throws `keychain-locked` instead, as is right for
   * whatever runs unattended. macOS asks by itself, always.
   */
  readonly prompt?: 'never' | 'allowed';
}

/**
 * All but `state` throw `keychain-absent`, `keychain-locked`, `keychain-refused` and `cancelled`. What was cancelled while the
 * keychain worked on it may still happen. Several processes may use it at once.
 */
export interface Keychain {
  /** What the keychain is like now; asks nobody anything. On macOS and Windows never `locked`. Throws `cancelled` only. */
  state(signal?: AbortSignal): Promise<KeychainState>;

  /** The secret; undefined when there is none of this name. */
  get(name: SecretName, use?: KeychainUse): Promise<string | undefined>;

  /** Keeps the secret, in place of one that is there. It is durable when this resolves, as far as the keychain makes it so. */
  set(name: SecretName, secret: string, use?: KeychainUse): Promise<void>;

  /** Removes the secret; false when there was none. */
  remove(name: SecretName, use?: KeychainUse): Promise<boolean>;
}

/** One secret in the keychain of a system: what the library's entries are. */
export interface SecretEntry {
  /** null when there is none. */
  getSecret(): Promise<ArrayLike<number> | null>;
  setSecret(secret: Uint8Array): Promise<void>;
  /** False when there was none. */
  deletePassword(): Promise<boolean>;
}

/** What decides which keychain there is; a parameter for tests. */
export interface KeychainSurroundings {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** With the value `off` no keychain is used. */
const switchVariable = 'HOLDFAST_KEYCHAIN';

/** Windows: CRED_MAX_CREDENTIAL_BLOB_SIZE of wincred.h. The others have no limit that a password or credentials could meet. */
const longestSecret: Partial<Record<NodeJS.Platform, number>> = { win32: 2560 };

type Keyring = typeof KeyringModule;
let keyring: Keyring | undefined;

/** @throws keychain-absent when there is no binary for this system, or it does not load */
function loadKeyring(): Keyring {
  try {
    keyring ??= createRequire(import.meta.url)('@napi-rs/keyring') as Keyring;
    return keyring;
  } catch (error) {
    return fail('keychain-absent', { cause: 'its library could not be loaded' }, error);
  }
}

const toldReason = (error: unknown): string => (error instanceof HoldfastError ? String(error.context.cause ?? '') : String(error));

export class SystemKeychain implements Keychain {
  readonly #where: KeychainSurroundings;

  constructor(where: KeychainSurroundings = { platform: process.platform, env: process.env }) {
    this.#where = where;
  }

  async state(signal?: AbortSignal): Promise<KeychainState> {
    const { platform, env } = this.#where;
    if (env[switchVariable] === 'off') return { kind: 'absent', reason: `${switchVariable} is off` };
    if (!isSystemsOwn(platform)) return secretServiceState(env, signal);
    try {
      loadKeyring();
    } catch (error) {
      return { kind: 'absent', reason: toldReason(error) };
    }
    return { kind: 'available' };
  }

  async get(name: SecretName, use: KeychainUse = {}): Promise<string | undefined> {
    const bytes = await this.#use(name, 'read', use, (entry) => entry.getSecret());
    if (bytes === null) return undefined;
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
    } catch {
      return refused(name, 'read', 'it is not text');
    }
  }

  async set(name: SecretName, secret: string, use: KeychainUse = {}): Promise<void> {
    // Half a character would come back as another one.
    if (!secret.isWellFormed()) return refused(name, 'keep', 'it is not text');
    const bytes = Buffer.from(secret);
    const longest = longestSecret[this.#where.platform];
    if (longest !== undefined && bytes.length > longest)
      return refused(name, 'keep', `it has ${bytes.length} bytes, and ${longest} is the most that fits`);
    await this.#use(name, 'keep', use, (entry) => entry.setSecret(bytes));
  }

  remove(name: SecretName, use: KeychainUse = {}): Promise<boolean> {
    return this.#use(name, 'remove', use, (entry) => entry.deletePassword());
  }

  async #use<T>(name: SecretName, operation: string, use: KeychainUse, act: (entry: SecretEntry) => Promise<T>): Promise<T> {
    const { platform, env } = this.#where;
    const { signal } = use;
    if (signal?.aborted) return fail('cancelled');
    if (env[switchVariable] === 'off') return fail('keychain-absent', { cause: `${switchVariable} is off` });
    try {
      if (!isSystemsOwn(platform))
        return await withSecretService(env, use, (bus, collection) => act(new SecretItem(bus, collection, name, signal)));
      const { AsyncEntry } = loadKeyring();
      // The library takes signals only for calls that have not begun.
      return await unlessCancelled(act(new AsyncEntry(name.service, name.account)), signal);
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      if (isLockedError(error)) return fail('keychain-locked', { cause: 'it was locked meanwhile' }, error);
      return refused(name, operation, (error as Error).message, error);
    }
  }
}

/** Whether the system itself has a keychain, which is then always there. */
const isSystemsOwn = (platform: NodeJS.Platform): boolean => platform === 'darwin' || platform === 'win32';

const refused = ({ account }: SecretName, operation: string, cause: string, error?: unknown): never =>
  fail('keychain-refused', { operation, account, cause }, error);
