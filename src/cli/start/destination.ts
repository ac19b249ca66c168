/** The repository that `npm start` backs up to: the person's own, or the embedded one in the user's data folder. */
import { readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fail, hasCode } from '../../contract/errors.ts';
import { dataFolder } from '../../platform/host.ts';
import { Repository } from '../../repository/repository.ts';
import { LocalStorage } from '../../storage/local.ts';
import { usualVariables, withPassword } from '../passwords.ts';
import type { Invocation } from '../run-verb.ts';
import { embeddedPasswordFile, keptPassword, makeKeptPassword, passwordFileOf } from './kept-password.ts';

export interface Destination {
  readonly repository: Repository;
  /** Undefined when the person gave the password. */
  readonly passwordFile: string | undefined;
  readonly isNew: boolean;
  readonly isEmbedded: boolean;
}

/** The folder in a destination that holds other things already. */
const ownFolder = 'holdfast-backup';

/**
 * Opens the repository, or makes one with a password of its own. A folder that holds other things gets the repository in a
 * folder of its own inside. Throws what opening and making throw, `home-unknown`, `password-not-kept`.
 */
export async function openDestination(to: string | undefined, invocation: Invocation): Promise<Destination> {
  const data = dataFolder();
  const isEmbedded = to === undefined;
  const folder = isEmbedded ? join(data, 'repository') : repositoryFolder(resolve(to));
  const storage = new LocalStorage(folder);
  const file = isEmbedded ? embeddedPasswordFile(data) : passwordFileOf(data, realPath(folder));
  const kept = await keptPassword(file);
  if (holdsConfig(folder)) {
    const opened = kept === undefined ? undefined : await openQuietly(storage, kept);
    if (opened) return { repository: opened, passwordFile: file, isNew: false, isEmbedded };
    const { env, control } = invocation;
    const repository = await withPassword(
      { file: undefined, variables: usualVariables },
      folder,
      { env, signal: control.signal },
      (password) => Repository.open(storage, password),
    );
    return { repository, passwordFile: env[usualVariables.file] === '' ? undefined : env[usualVariables.file], isNew: false, isEmbedded };
  }
  // A password without a repository is left from a run that was cut off in between.
  const password = kept ?? (await makeKeptPassword(file));
  await invocation.control.checkpointAsync();
  await removeUnfinished(storage);
  const repository = await Repository.init(storage, password, invocation.identity, invocation.clock);
  return { repository, passwordFile: file, isNew: true, isEmbedded };
}

/**
 * Removes the keys of a repository that was never finished: without a config nothing can be opened with them, and without
 * data nothing is lost. Otherwise the place would be refused for ever.
 */
async function removeUnfinished(storage: LocalStorage): Promise<void> {
  if (namesIn(storage.location).length === 0) return;
  for (const kind of ['pack', 'index', 'snapshot'] as const) for await (const _ of storage.list(kind)) return;
  const keys: string[] = [];
  for await (const { name } of storage.list('key')) keys.push(name);
  for (const name of keys) await storage.remove({ kind: 'key', name });
}

/** Undefined when the password is not this repository's. */
async function openQuietly(storage: LocalStorage, password: string): Promise<Repository | undefined> {
  try {
    return await Repository.open(storage, password);
  } catch (error) {
    if (hasCode(error, 'wrong-password')) return undefined;
    throw error;
  }
}

/** `folder` itself when a repository is or can be there, else a folder of our own in it. Throws `storage-denied`, `bad-usage`. */
function repositoryFolder(folder: string): string {
  const names = namesIn(folder);
  if (names.length === 0 || names.includes('config') || names.includes('keys')) return folder;
  return join(folder, ownFolder);
}

const holdsConfig = (folder: string): boolean => namesIn(folder).includes('config');

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR') return fail('bad-usage', { problem: `${folder} is not a folder.`, guidance: 'Name a folder as destination.' });
    return fail('storage-denied', { location: folder, operation: 'list', file: 'its content', cause: message }, error);
  }
}

/** The path without links, as far as it exists. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(realPath(above), basename(path));
  }
}
