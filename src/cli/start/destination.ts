/** The repository that `npm start` backs up to: the person's own, in a folder or on a server, or the embedded one in the user's data folder. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fail, hasCode } from '../../contract/errors.ts';
import { dataFolder } from '../../platform/host.ts';
import { Repository } from '../../repository/repository.ts';
import { farPackSize } from '../../repository/pack.ts';
import { LocalStorage } from '../../storage/local.ts';
import { isMissingPlace } from '../../storage/missing-place.ts';
import { kindOf } from '../../storage/place.ts';
import { configFile, type Storage } from '../../storage/storage.ts';
import { moveIntoKeychain, passwordInKeychain, realPath } from '../kept-in-keychain.ts';
import { refuseEmptyMountPoint } from '../../storage/mount-points.ts';
import { usualVariables, withPassword } from '../passwords.ts';
import type { Invocation } from '../run-verb.ts';
import { storageAt } from '../session.ts';
import { embeddedPasswordFile, keptPassword, makeKeptPassword, passwordFileOf } from './kept-password.ts';

export type KeptIn =
  | { readonly where: 'keychain' }
  /** `reason`: why it is not in the keychain. */
  | { readonly where: 'file'; readonly file: string; readonly reason: string }
  /** A file that the person named. */
  | { readonly where: 'named'; readonly file: string };

export interface Destination {
  readonly repository: Repository;
  /** Where Holdfast keeps the password. Undefined when the person gave it. */
  readonly kept: KeptIn | undefined;
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
  const { env, control } = invocation;
  const open = async (password: string): Promise<Repository> => {
    const repository = await Repository.open(storage, password);
    if (!localPath) repository.packSize = farPackSize;
    return repository;
  };
  const inFile = await keptPassword(file);
  const holds = await holdsConfig(storage);
  if (holds && inFile !== undefined) {
    const opened = await unlessWrong(open(inFile));
    if (opened) return { repository: opened, kept: await keep(file, location, invocation), isNew: false, isEmbedded };
  }
  // Who gave a password is not asked to unlock the keychain for another.
  const isGiven = (env[usualVariables.password] || env[usualVariables.file] || '') !== '';
  const asked = { signal: control.signal, prompt: isGiven || !holds ? 'never' : 'allowed' } as const;
  const inKeychain = await passwordInKeychain(location, env, asked);
  if (holds) {
    const opened = inKeychain.password === undefined ? undefined : await unlessWrong(open(inKeychain.password));
    if (opened) return { repository: opened, kept: { where: 'keychain' }, isNew: false, isEmbedded };
    const asker = { env, signal: control.signal, kept: inKeychain };
    const repository = await withPassword({ file: undefined, variables: usualVariables }, location, asker, open);
    const named = env[usualVariables.file];
    return { repository, kept: named ? { where: 'named', file: named } : undefined, isNew: false, isEmbedded };
  }
  await refuseEmptyMountPoint(storage);
  // A password without a repository is left from a run that was cut off in between. A new one is in its file before it is used.
  const password = inFile ?? inKeychain.password ?? (await makeKeptPassword(file));
  await control.checkpointAsync();
  // On a server another computer may be making one at this moment; there the same password finishes what was begun.
  if (localPath) await removeUnfinished(storage);
  const repository = await Repository.init(storage, password, invocation.identity, invocation.clock);
  if (!localPath) repository.packSize = farPackSize;
  const isInFile = inFile !== undefined || inKeychain.password === undefined;
  const kept: KeptIn = isInFile ? await keep(file, location, invocation) : { where: 'keychain' };
  return { repository, kept, isNew: true, isEmbedded };
}

/** Moves a password that was proved to open the repository into the keychain, where there is one. */
async function keep(file: string, location: string, { env, control }: Invocation): Promise<KeptIn> {
  const reason = await moveIntoKeychain(file, location, env, control.signal);
  return reason === undefined ? { where: 'keychain' } : { where: 'file', file, reason };
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

async function holdsConfig(storage: Storage): Promise<boolean> {
  if (storage.localPath) return namesIn(storage.location).includes('config');
  try {
    await storage.size(configFile);
    return true;
  } catch (error) {
    // A place that is not there yet holds nothing.
    if (hasCode(error, 'file-not-found') || isMissingPlace(error)) return false;
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
