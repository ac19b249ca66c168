/**
 * What is offered to a server so that it lets one in, and in which order: first what the person has named, then what lies around.
 *
 * 1. the key in HOLDFAST_SFTP_KEY_FILE; 2. the password, also where the server asks for it in a dialogue; 3. if no key was named,
 * those that ssh's configuration names, the keys of ssh-agent, then those in `~/.ssh`; a key in a file only if it needs no passphrase,
 * or the one that was given.
 *
 * Only what the server says that it takes is offered. One that wants a key and then a password gets both.
 */
import type { AnyAuthMethod } from 'ssh2';
import { HoldfastError } from '../../contract/errors.ts';
import { type PrivateKey, usableKeys } from './keys.ts';

export interface SftpCredentials {
  readonly username: string;
  readonly password: string | undefined;
  /** The one that the person has named. */
  readonly key: PrivateKey | undefined;
  readonly passphrase: string | undefined;
  /** The socket of ssh-agent. */
  readonly agent: string | undefined;
  /** Files that ssh's configuration names for this server. */
  readonly namedKeyFiles: readonly string[];
  /** Files that may hold keys. */
  readonly usualKeyFiles: readonly string[];
}

interface Offer {
  readonly shown: string;
  readonly method: AnyAuthMethod;
}

/** One attempt to be let in, over one connection. */
export class SignIn {
  readonly #username: string;
  readonly #offers: Offer[];
  readonly #tried = new Set<string>();
  #taken: readonly string[] = [];

  constructor(credentials: SftpCredentials) {
    this.#username = credentials.username;
    this.#offers = offersOf(credentials);
  }

  /** What to offer next; undefined when nothing is left. `taken`: the methods that the server takes; null before it has said so. */
  next(taken: readonly string[] | null): AnyAuthMethod | undefined {
    // The server answers it with the list of what it takes.
    if (taken === null) return { type: 'none', username: this.#username };
    this.#taken = taken;
    const i = this.#offers.findIndex(({ method: { type } }) => taken.includes(type === 'agent' ? 'publickey' : type));
    if (i < 0) return undefined;
    const [{ shown, method }] = this.#offers.splice(i, 1);
    this.#tried.add(shown);
    return method;
  }

  /** Why one was not let in: `credentials-missing` or `credentials-refused`. */
  refusal(location: string, cause?: string, variables = 'HOLDFAST_SFTP_KEY_FILE or HOLDFAST_SFTP_PASSWORD'): HoldfastError {
    if (this.#tried.size === 0) {
      return new HoldfastError('credentials-missing', { location, what: `${this.#wanted()} of ${this.#username}`, variables });
    }
    const advice = 'Check that the user name is right, and that the server knows this key or password as that user’s.';
    const takes = this.#taken.length === 0 ? undefined : `it takes ${this.#taken.join(', ')}`;
    const what = `${[...this.#tried].join(' and ')} of ${this.#username}`;
    return new HoldfastError('credentials-refused', { location, what, advice, cause: cause ?? takes });
  }

  #wanted(): string {
    const wantsPassword = this.#taken.some((each) => each === 'password' || each === 'keyboard-interactive');
    if (!this.#taken.includes('publickey')) return wantsPassword ? 'the password' : 'a key or the password';
    return wantsPassword ? 'a key or the password' : 'a key';
  }
}

function offersOf({ username, password, key, passphrase, agent, namedKeyFiles, usualKeyFiles }: SftpCredentials): Offer[] {
  const offers: Offer[] = [];
  const offerKey = ({ file, key: parsed }: PrivateKey): void =>
    void offers.push({ shown: `the key ${file}`, method: { type: 'publickey', username, key: parsed } });
  if (key) offerKey(key);
  if (password !== undefined) {
    offers.push({ shown: 'the password', method: { type: 'password', username, password } });
    offers.push({ shown: 'the password', method: { type: 'keyboard-interactive', username, prompt: answering(password) } });
  }
  if (key) return offers;
  for (const each of usableKeys(namedKeyFiles, passphrase)) offerKey(each);
  if (agent !== undefined) offers.push({ shown: 'the keys of ssh-agent', method: { type: 'agent', username, agent } });
  for (const each of usableKeys(usualKeyFiles, passphrase)) offerKey(each);
  return offers;
}

/** Gives the password to each question whose answer is not shown; nothing else is known here. */
const answering =
  (password: string) =>
  (_name: string, _instructions: string, _language: string, prompts: { echo?: boolean }[], finish: (answers: string[]) => void): void =>
    finish(prompts.map(({ echo }) => (echo ? '' : password)));
