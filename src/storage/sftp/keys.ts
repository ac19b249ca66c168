/** Private keys in files, as ssh-keygen and OpenSSL make them. */
import { readFileSync } from 'node:fs';
import ssh2, { type ParsedKey } from 'ssh2';
import { fail, hasCode } from '../../contract/errors.ts';
import { fromPkcs8 } from './pkcs8.ts';

export interface PrivateKey {
  readonly file: string;
  readonly key: ParsedKey;
}

/** What ssh2 says of a key that wants a passphrase, or another one. */
const wantsPassphrase = /no passphrase given/;
const wrongPassphrase = /bad passphrase|bad decrypt|integrity check failed|wrong tag|padding/i;

/** Throws `input-unreadable` for a file that cannot be read or holds no private key, `private-key-locked` without its passphrase. */
export function readPrivateKey(file: string, passphrase: string | undefined): PrivateKey {
  const purpose = 'the file of your private key';
  let text: Buffer;
  try {
    text = readFileSync(file);
  } catch (error) {
    return fail('input-unreadable', { path: file, purpose, cause: (error as Error).message }, error);
  }
  const parsed = parse(text, passphrase);
  if (parsed instanceof Error) {
    const { message } = parsed;
    if (wantsPassphrase.test(message) || (passphrase !== undefined && wrongPassphrase.test(message)))
      return fail('private-key-locked', { path: file, given: passphrase !== undefined });
    return fail('input-unreadable', { path: file, purpose, cause: message });
  }
  if (!parsed.isPrivateKey()) return fail('input-unreadable', { path: file, purpose, cause: 'it holds a public key' });
  return { file, key: parsed };
}

function parse(text: Buffer, passphrase: string | undefined): ParsedKey | Error {
  try {
    // Of some forms it gives a list of one.
    const parsed: ParsedKey | Error | (ParsedKey | Error)[] = ssh2.utils.parseKey(
      fromPkcs8(text.toString('latin1'), passphrase),
      passphrase,
    );
    return Array.isArray(parsed) ? (parsed[0] ?? new Error('it holds no key')) : parsed;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Those of these files that can be used as they are: one that is not there, is locked or is no key is left out. */
export function usableKeys(files: readonly string[], passphrase: string | undefined): PrivateKey[] {
  return files.flatMap((file) => {
    try {
      return [readPrivateKey(file, passphrase)];
    } catch (error) {
      if (hasCode(error, 'input-unreadable') || hasCode(error, 'private-key-locked')) return [];
      throw error;
    }
  });
}
