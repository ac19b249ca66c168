/** What only the keychain may hold: passwords of repositories, and what opens servers. */
import { z } from 'zod';
import { HoldfastError } from '../contract/errors.ts';

/** A keychain, or what takes its place where there is none. What it throws tells what the person can do. */
export interface SecretKeeper {
  /** Undefined when there is no such secret. */
  get(name: string): Promise<string | undefined>;
  set(name: string, secret: string): Promise<void>;
  /** Fine when there is none. */
  remove(name: string): Promise<void>;
}

/** A password belongs to the repository: it opens each copy of it. */
const passwordName = (repository: string): string => `repository ${repository}`;
const credentialsName = (destination: string): string => `destination ${destination}`;

export class Secrets {
  readonly #keeper: SecretKeeper;

  constructor(keeper: SecretKeeper) {
    this.#keeper = keeper;
  }

  /** Throws what keeping a secret would throw, as far as that can be told before: that there is no keychain, or that it is locked. */
  async ready(): Promise<void> {
    await this.#keeper.get('holdfast');
  }

  /** Throws `password-missing`. */
  async password(repository: string, location: string): Promise<string> {
    const found = await this.#keeper.get(passwordName(repository));
    if (found === undefined) throw new HoldfastError('password-missing', { location });
    return found;
  }

  keepPassword(repository: string, password: string): Promise<void> {
    return this.#keeper.set(passwordName(repository), password);
  }

  /** By name, as the environment would have them. */
  async credentials(destination: string): Promise<Readonly<Record<string, string>>> {
    const found = await this.#keeper.get(credentialsName(destination));
    return found === undefined ? {} : z.record(z.string(), z.string()).parse(JSON.parse(found));
  }

  async keepCredentials(destination: string, credentials: Readonly<Record<string, string>>): Promise<void> {
    if (Object.keys(credentials).length === 0) await this.#keeper.remove(credentialsName(destination));
    else await this.#keeper.set(credentialsName(destination), JSON.stringify(credentials));
  }

  /** `isLast`: no other destination holds the same repository. */
  async forget(destination: string, repository: string, isLast: boolean): Promise<void> {
    await this.#keeper.remove(credentialsName(destination));
    if (isLast) await this.#keeper.remove(passwordName(repository));
  }
}
