/** Taking a secret out of a file into the keychain, so that at every moment at least one of them holds it. */
import { readFile, unlink } from 'node:fs/promises';
import { fail } from '../../contract/errors.ts';
import type { Keychain, KeychainUse, SecretName } from './keychain.ts';

/**
 * `moved`: the keychain holds it and the file is gone. `file-left`: both hold it, the file could not be deleted. `differs`: the
 * keychain holds another one of this name; both were left.
 */
export type MoveOutcome = 'moved' | 'file-left' | 'differs';

/** What a file keeps as its secret: its text without the white space around it, as restic reads password files. */
export const secretInText = (text: string): string => text.replace(/^\ufeff/, '').trim();

/**
 * Keeps the secret of `file` in the keychain, reads it back, and only then deletes the file. Killed in between, the file is still
 * there, and doing it again is right. An empty file is left: it holds no secret.
 * Throws `input-unreadable`, `password-missing`, and what the keychain throws: the file is there then.
 */
export async function moveFileToKeychain(file: string, name: SecretName, keychain: Keychain, use: KeychainUse = {}): Promise<MoveOutcome> {
  const secret = await read(file);
  if (secret === '') return fail('password-missing');
  const there = await keychain.get(name, use);
  if (there !== undefined && there !== secret) return 'differs';
  if (there === undefined) await keychain.set(name, secret, use);
  if ((await keychain.get(name, use)) !== secret)
    return fail('keychain-refused', { operation: 'keep', account: name.account, cause: 'it gave back another one' });
  try {
    // Somebody may have put another secret there meanwhile.
    if (secretInText(await readFile(file, 'utf8')) !== secret) return 'differs';
    await unlink(file);
  } catch (error) {
    // Another process that does the same may be ahead.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return 'file-left';
  }
  return 'moved';
}

async function read(file: string): Promise<string> {
  try {
    return secretInText(await readFile(file, 'utf8'));
  } catch (error) {
    return fail('input-unreadable', { path: file, purpose: 'the password file', cause: (error as Error).message }, error);
  }
}
