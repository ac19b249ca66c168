/** Looking at and removing files of a local folder, as a storage in it needs. */

import { stat } from 'node:fs';
import { chmod, lstat, mkdir, rename, stat as statPromise, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { ListedFile } from './storage.ts';
import { systemCode } from './system-errors.ts';

/** So many files are looked at side by side; more would only keep other calls waiting for Node's few threads. */
const lookedAtTogether = 64;

/** Whether an error says that the name, or a folder on the way to it, is not there. */
export function isMissing(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Whether something has this name; any answer but "no such file" is thrown. */
export async function exists(name: string): Promise<boolean> {
  try {
    await lstat(name);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Makes a folder for its owner alone (mode 0700); false if it was there. */
export async function makeFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    // Not every system says EEXIST: some refuse first, for want of permission.
    const there = await statPromise(folder).catch(() => undefined);
    if (there?.isDirectory()) return false;
    throw error;
  }
}

/**
 * Makes a folder and the missing ones above it; resolves to those it made, outermost first. (Node's recursive mkdir
 * reports a read-only disk as ENOENT.)
 */
export async function makeFolders(folder: string): Promise<string[]> {
  const above = path.dirname(folder);
  const made: string[] = [];
  try {
    if (await makeFolder(folder)) made.push(folder);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || above === folder) throw error;
    made.push(...(await makeFolders(above)));
    if (await makeFolder(folder)) made.push(folder);
  }
  return made;
}

/** Gives `temporary` the name `final` in place of the file that has it, also of one that Windows protects because it is marked read-only. */
export async function renameOver(temporary: string, final: string): Promise<void> {
  try {
    await rename(temporary, final);
  } catch (error) {
    const code = systemCode(error);
    if (process.platform !== 'win32' || (code !== 'EPERM' && code !== 'EACCES')) throw error;
    await chmod(final, 0o600).catch(() => Promise.reject(error));
    await rename(temporary, final);
  }
}

/** Removes a file, also one that Windows or a network share protects because it is marked read-only. */
export async function unlinkAny(name: string): Promise<void> {
  try {
    await unlink(name);
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'EPERM' && code !== 'EACCES') throw error;
    const { mode } = await lstat(name).catch(() => Promise.reject(error));
    await chmod(name, 0o600).catch(() => Promise.reject(error));
    try {
      await unlink(name);
    } catch (again) {
      await chmod(name, mode & 0o7777).catch(() => undefined);
      throw again;
    }
  }
}

/** The regular files among `names` with their sizes. What vanishes meanwhile is left out. `prefix` ends in a separator. */
export async function* sizes(prefix: string, names: readonly string[]): AsyncGenerator<ListedFile> {
  for (let from = 0; from < names.length; from += lookedAtTogether)
    yield* await sizesOf(prefix, names.slice(from, from + lookedAtTogether));
}

/** One promise for all, and callbacks: a promise for each of 100,000 files costs more than the looking. `names` is not empty. */
function sizesOf(prefix: string, names: readonly string[]): Promise<ListedFile[]> {
  const { promise, resolve, reject } = Promise.withResolvers<ListedFile[]>();
  const listed: ListedFile[] = [];
  let left = names.length;
  for (const name of names)
    stat(prefix + name, (error, facts) => {
      if (error === null) {
        if (facts.isFile()) listed.push({ name, size: facts.size });
      } else if (!isMissing(error)) reject(error);
      if (--left === 0) resolve(listed);
    });
  return promise;
}
