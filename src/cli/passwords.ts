/**
 * Where passwords come from: a file that is named, the environment, the keychain, or a person at a terminal; in this order.
 * Never an argument, which every program on the computer can see.
 */
import { readFileSync } from 'node:fs';
import { fail, HoldfastError, hasCode } from '../contract/errors.ts';
import { secretInText } from '../platform/keychain/move-file.ts';
import { type KeptPassword, passwordInKeychain } from './kept-in-keychain.ts';
import { printable } from './printable.ts';
import { askPassword, canAsk } from './prompt.ts';

export interface PasswordSource {
  /** Of the option; wins over the environment. */
  readonly file: string | undefined;
  /** Names of environment variables: the password itself, and a file that holds it. */
  readonly variables: { readonly password: string; readonly file: string } | undefined;
}

export const usualVariables = { password: 'HOLDFAST_PASSWORD', file: 'HOLDFAST_PASSWORD_FILE' };
/** Of a second repository, which something is taken from. */
export const fromVariables = { password: 'HOLDFAST_FROM_PASSWORD', file: 'HOLDFAST_FROM_PASSWORD_FILE' };

/** What asking needs; see prompt.ts. */
export interface Asker {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** What the keychain keeps for the place, where it was asked already. */
  readonly kept?: KeptPassword;
}

/** Guesses that a person at a terminal has. */
const tries = 3;

/**
 * The password of a file: its text without the white space around it, as restic reads such files.
 * Throws `input-unreadable`, `password-missing` for an empty one.
 */
export function readPasswordFile(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return fail('input-unreadable', { path: file, purpose: 'the password file', cause: (error as Error).message }, error);
  }
  const password = secretInText(text);
  return password === '' ? fail('password-missing') : password;
}

/** The password that was given without asking, if there is one. Throws as {@link readPasswordFile}. */
export function givenPassword({ file, variables }: PasswordSource, env: NodeJS.ProcessEnv): string | undefined {
  if (file !== undefined) return readPasswordFile(file);
  if (!variables) return undefined;
  const password = env[variables.password];
  if (password !== undefined && password !== '') return password;
  const named = env[variables.file];
  return named === undefined || named === '' ? undefined : readPasswordFile(named);
}

/**
 * Calls `open` with the password of an existing repository; what the keychain keeps for `place` is tried after `beforeAsking`, and
 * then a person at a terminal is asked, who may try again after a wrong one.
 * Throws `password-missing` when there is none and nobody to ask (`keychain-locked` when it may be in there), and what `open` throws.
 */
export async function withPassword<T>(
  source: PasswordSource,
  place: string,
  asker: Asker,
  open: (password: string) => Promise<T>,
  beforeAsking: () => Promise<void> = async () => {},
): Promise<T> {
  const given = givenPassword(source, asker.env);
  if (given !== undefined) return open(given);
  await beforeAsking();
  const kept = asker.kept ?? (await passwordInKeychain(place, asker.env, { signal: asker.signal, prompt: 'allowed' }));
  if (kept.password !== undefined) {
    try {
      return await open(kept.password);
    } catch (error) {
      if (!hasCode(error, 'wrong-password') || !somebodyIsThere()) throw error;
      process.stderr.write('The password in the keychain does not open it. ');
    }
  }
  for (let attempt = 1; ; attempt++) {
    const password = await ask(`Password for ${printable(place)}: `, asker, kept.problem);
    try {
      return await open(password);
    } catch (error) {
      if (!hasCode(error, 'wrong-password') || attempt === tries) throw error;
      process.stderr.write('That is not the password. ');
    }
  }
}

/** A new password; a person types it twice. Throws `password-missing`, and `bad-usage` when the two differ. */
export async function newPassword(source: PasswordSource, place: string, asker: Asker): Promise<string> {
  const given = givenPassword(source, asker.env);
  if (given !== undefined) return given;
  const password = await ask(`New password for ${printable(place)}: `, asker);
  const again = await ask('The same again: ', asker);
  if (password !== again) return fail('bad-usage', { problem: 'The two passwords are not the same.', guidance: 'Try again.' });
  return password;
}

/** The password of a repository that is there, asked for once where none is given. Throws `input-unreadable`, `password-missing`, `cancelled`. */
export async function knownPassword(source: PasswordSource, place: string, asker: Asker): Promise<string> {
  return givenPassword(source, asker.env) ?? ask(`Password for ${printable(place)}: `, asker);
}

const somebodyIsThere = (): boolean => canAsk(process.stdin, process.stderr);

/** `problem` is why the password was not had from elsewhere. */
async function ask(question: string, { signal }: Asker, problem?: HoldfastError): Promise<string> {
  if (!somebodyIsThere()) throw problem ?? new HoldfastError('password-missing');
  const password = await askPassword(question, { input: process.stdin, output: process.stderr, signal });
  return password === '' ? fail('password-missing') : password;
}
