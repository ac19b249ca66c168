/**
 * Passwords that Holdfast makes by itself, each in a file that only its person can read (mode 0600), until the system's
 * keychain keeps them. The file is there, whole and durable, before the repository that it opens.
 */
import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, link, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail } from '../../contract/errors.ts';
import { sync, syncFolder } from '../../storage/durable.ts';
import { readPasswordFile } from '../passwords.ts';

/** 192 bits, from the system's random numbers. */
const passwordBytes = 24;

/** The file that keeps the password of the embedded repository. */
export const embeddedPasswordFile = (dataFolder: string): string => join(dataFolder, 'password');

/** The file that keeps the password of the repository in `folder`, an absolute path without links. */
export const passwordFileOf = (dataFolder: string, folder: string): string =>
  join(dataFolder, 'passwords', createHash('sha256').update(folder).digest('hex').slice(0, 32));

/** The password in `file`, undefined when there is no such file. Throws `input-unreadable`, `password-missing` for an empty one. */
export async function keptPassword(file: string): Promise<string | undefined> {
  try {
    await (await open(file, 'r')).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  }
  return readPasswordFile(file);
}

/** Makes a password and keeps it in `file`; if another run just did so, that one's counts. Throws `password-not-kept`. */
export async function makeKeptPassword(file: string): Promise<string> {
  const folder = dirname(file);
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeSecret(temporary, `${randomBytes(passwordBytes).toString('base64url')}\n`);
    await placeOnce(temporary, file);
    await syncFolder(folder);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    return fail('password-not-kept', { path: file, cause: (error as Error).message }, error);
  }
  return readPasswordFile(file);
}

async function writeSecret(file: string, text: string): Promise<void> {
  const handle = await open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    await handle.writeFile(text);
    await sync(handle);
  } finally {
    await handle.close();
  }
  await chmod(file, 0o600);
}

/** Gives the file its name unless that is taken. */
async function placeOnce(temporary: string, file: string): Promise<void> {
  try {
    await link(temporary, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A file system without hard links: whoever comes second replaces a password that nothing was made with yet.
    if (code !== 'EEXIST') return rename(temporary, file);
  }
  await unlink(temporary);
}
