/** The repository that `npm start` backs up to: the person's own, or the embedded one in the user's data folder. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fail, hasCode } from '../../contract/errors.ts';
import { dataFolder } from '../../platform/host.ts';
import { Repository } from '../../repository/repository.ts';
import { LocalStorage } from '../../storage/local.ts';
import { moveIntoKeychain, passwordInKeychain, realPath } from '../kept-in-keychain.ts';
import { refuseEmptyMountPoint } from '../mount-points.ts';
import { usualVariables, withPassword } from '../passwords.ts';
import type { Invocation } from '../run-verb.ts';
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
 * folder of its own inside. Throws what opening and making throw, `home-unknown`, `password-not-kept`.
 */
export async function openDestination(to: string | undefined, invocation: Invocation): Promise<Destination> {
  const data = dataFolder();
  const isEmbedded = to === undefined;
  const folder = isEmbedded ? join(data, 'repository') : repositoryFolder(resolve(to));
  const storage = new LocalStorage(folder);
  const file = isEmbedded ? embeddedPasswordFile(data) : passwordFileOf(data, realPath(folder));
  const { env, control } = invocation;
  const inFile = await keptPassword(file);
  const holds = holdsConfig(folder);
  if (holds && inFile !== undefined) {
    const opened = await openQuietly(storage, inFile);
    if (opened) return { repository: opened, kept: await keep(file, folder, invocation), isNew: false, isEmbedded };
  }
  // Who gave a password is not asked to unlock the keychain for another.
  const isGiven = (env[usualVariables.password] || env[usualVariables.file] || '') !== '';
  const asked = { signal: control.signal, prompt: isGiven || !holds ? 'never' : 'allowed' } as const;
  const inKeychain = await passwordInKeychain(folder, env, asked);
  if (holds) {
    const opened = inKeychain.password === undefined ? undefined : await openQuietly(storage, inKeychain.password);
    if (opened) return { repository: opened, kept: { where: 'keychain' }, isNew: false, isEmbedded };
    const repository = await withPassword(
      { file: undefined, variables: usualVariables },
      folder,
      { env, signal: control.signal, kept: inKeychain },
      (password) => Repository.open(storage, password),
    );
    const named = env[usualVariables.file];
    return { repository, kept: named ? { where: 'named', file: named } : undefined, isNew: false, isEmbedded };
  }
  await refuseEmptyMountPoint(storage);
  // A password without a repository is left from a run that was cut off in between. A new one is in its file before it is used.
  const password = inFile ?? inKeychain.password ?? (await makeKeptPassword(file));
  await control.checkpointAsync();
  await removeUnfinished(storage);
  const repository = await Repository.init(storage, password, invocation.identity, invocation.clock);
  const isInFile = inFile !== undefined || inKeychain.password === undefined;
  const kept: KeptIn = isInFile ? await keep(file, folder, invocation) : { where: 'keychain' };
  return { repository, kept, isNew: true, isEmbedded };
}

/** Moves a password that was proved to open the repository into the keychain, where there is one. */
async function keep(file: string, folder: string, { env, control }: Invocation): Promise<KeptIn> {
  const reason = await moveIntoKeychain(file, folder, env, control.signal);
  return reason === undefined ? { where: 'keychain' } : { where: 'file', file, reason };
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
