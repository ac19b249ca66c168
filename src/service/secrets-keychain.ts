/** Secrets in the keychain of the computer. */
import type { Keychain, KeychainUse } from '../platform/keychain/keychain.ts';
import { keychainService } from '../platform/keychain/names.ts';
import type { SecretKeeper } from './secrets.ts';

/**
 * Each call throws `keychain-absent`, `keychain-locked` or `keychain-refused`. Unless `use` says otherwise nobody is asked to unlock it:
 * a service runs when nobody is there.
 */
export class SecretsKeychain implements SecretKeeper {
  readonly #keychain: Keychain;
  readonly #use: KeychainUse;

  constructor(keychain: Keychain, use: KeychainUse = {}) {
    this.#keychain = keychain;
    this.#use = use;
  }

  get(name: string): Promise<string | undefined> {
    return this.#keychain.get(named(name), this.#use);
  }

  set(name: string, secret: string): Promise<void> {
    return this.#keychain.set(named(name), secret, this.#use);
  }

  async remove(name: string): Promise<void> {
    await this.#keychain.remove(named(name), this.#use);
  }
}

const named = (account: string): { service: string; account: string } => ({ service: keychainService, account });
