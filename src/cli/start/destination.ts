/** The repository that `npm start` backs up to: the person's own, in a folder or on a server, or the embedded one in the user's data folder. */
import { readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fail, hasCode } from '../../contract/errors.ts';
import { dataFolder } from '../../platform/host.ts';
import { Repository } from '../../repository/repository.ts';
import { farPackSize } from '../../repository/pack.ts';
import { LocalStorage } from '../../storage/local.ts';
import { kindOf } from '../../storage/place.ts';
import { configFile, type Storage } from '../../storage/storage.ts';
import { usualVariables, withPassword } from '../passwords.ts';
import type { Invocation } from '../run-verb.ts';
import { storageAt } from '../session.ts';
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
 * folder of its own inside; a place on a server is used as it is named. Throws what opening and making throw, `home-unknown`, `password-not-kept`.
 */
export async function openDestination(to: string | undefined, invocation: Invocation): Promise<Destination> {
  const data = dataFolder();
  const isEmbedded = to === undefined;
  const storage = await storageOf(to, data, invocation);
  const { location, localPath } = storage;
  const file = isEmbedded ? embeddedPasswordFile(data) : passwordFileOf(data, localPath ? realPath(location) : location);
  const kept = await keptPassword(file);
  const open = async (password: string): Promise<Repository> => {
    const repository = await Repository.open(storage, password);
    if (!localPath) repository.packSize = farPackSize;
    return repository;
  };
  if (await holdsConfig(storage)) {
    const opened = kept === undefined ? undefined : await unlessWrong(open(kept));
    if (opened) return { repository: opened, passwordFile: file, isNew: false, isEmbedded };
    const { env, control } = invocation;
    const asker = { env, signal: control.signal };
    const repository = await withPassword({ file: undefined, variables: usualVariables }, location, asker, open);
    return { repository, passwordFile: env[usualVariables.file] === '' ? undefined : env[usualVariables.file], isNew: false, isEmbedded };
  }
  // A password without a repository is left from a run that was cut off in between.
  const password = kept ?? (await makeKeptPassword(file));
  await invocation.control.checkpointAsync();
  // On a server another computer may be making one at this moment; there the same password finishes what was begun.
  if (localPath) await removeUnfinished(storage);
  const repository = await Repository.init(storage, password, invocation.identity, invocation.clock);
  if (!localPath) repository.packSize = farPackSize;
  return { repository, passwordFile: file, isNew: true, isEmbedded };
}

/**
 * Removes the keys of a repository that was never finished: without a config nothing can be opened with them, and without
 * data nothing is lost. Otherwise the place would be refused for ever.
 */
async function removeUnfinished(storage: Storage): Promise<void> {
  if (namesIn(storage.location).length === 0) return;
  for (const kind of ['pack', 'index', 'snapshot'] as const) for await (const _ of storage.list(kind)) return;
  const keys: string[] = [];
  for await (const { name } of storage.list('key')) keys.push(name);
  for (const name of keys) await storage.remove({ kind: 'key', name });
}

/** Undefined when the password is not this repository's. */
async function unlessWrong(opening: Promise<Repository>): Promise<Repository | undefined> {
  try {
    return await opening;
  } catch (error) {
    if (hasCode(error, 'wrong-password')) return undefined;
    throw error;
  }
}

async function storageOf(to: string | undefined, data: string, invocation: Invocation): Promise<Storage> {
  if (to === undefined) return new LocalStorage(join(data, 'repository'));
  const found = kindOf(to);
  // Nothing of it is kept here: the proof is that the place itself gives back what was stored.
  if (found && found.kind !== 'local') return storageAt(to, invocation);
  return new LocalStorage(repositoryFolder(resolve(found?.address ?? to)));
}

/** `folder` itself when a repository is or can be there, else a folder of our own in it. Throws `storage-denied`, `bad-usage`. */
function repositoryFolder(folder: string): string {
  const names = namesIn(folder);
  if (names.length === 0 || names.includes('config') || names.includes('keys')) return folder;
  return join(folder, ownFolder);
}

/** A place that is not there yet holds nothing. */
const missing = ['file-not-found', 'storage-gone', 'bucket-missing'] as const;

async function holdsConfig(storage: Storage): Promise<boolean> {
  if (storage.localPath) return namesIn(storage.location).includes('config');
  try {
    await storage.size(configFile);
    return true;
  } catch (error) {
    if (missing.some((code) => hasCode(error, code))) return false;
    throw error;
  }
}

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
