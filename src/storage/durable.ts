/** Writing to a local file system so that a power cut cannot take back what was acknowledged. */

import { type FileHandle, open } from 'node:fs/promises';
import { fallocate } from '../platform/posix.ts';
import { systemCode } from './system-errors.ts';

/** As many parts as one writev of Linux and macOS takes (IOV_MAX). */
const partsPerWrite = 1024;

/**
 * Writes all parts one after the other at the handle's position: one writev for up to 1,024 parts unless the system
 * accepts less, in which case the rest follows. Resolves to the number of bytes, which is their sum.
 * Throws the system's error, or one with the code ENOSPC when the system accepts nothing without an error.
 */
export async function writeAll(handle: Pick<FileHandle, 'writev'>, parts: readonly Uint8Array[]): Promise<number> {
  let pending = parts.filter((part) => part.byteLength > 0);
  let written = 0;
  while (pending.length > 0) {
    const batch = pending.length > partsPerWrite ? pending.slice(0, partsPerWrite) : pending;
    let { bytesWritten } = await handle.writev(batch);
    if (bytesWritten <= 0) throw Object.assign(new Error('ENOSPC: the system wrote nothing'), { code: 'ENOSPC', syscall: 'write' });
    written += bytesWritten;
    let whole = 0;
    while (whole < batch.length && bytesWritten >= batch[whole]!.byteLength) bytesWritten -= batch[whole++]!.byteLength;
    pending = pending.slice(whole);
    if (bytesWritten > 0) pending[0] = pending[0]!.subarray(bytesWritten);
  }
  return written;
}

/** File systems without fsync: their data is as safe as they make it. ENOTTY comes from network file systems on macOS. */
const noSync = new Set(process.platform === 'darwin' ? ['ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'ENOTTY'] : ['ENOTSUP', 'EOPNOTSUPP', 'EINVAL']);

/** Forces a file's or folder's content to the disk (on macOS through the drive's cache as well: libuv uses F_FULLFSYNC). */
export async function sync(handle: Pick<FileHandle, 'sync'>): Promise<void> {
  try {
    await handle.sync();
  } catch (error) {
    if (!noSync.has(systemCode(error))) throw error;
  }
}

/** By folder: when the sync that runs has ended, and the one that begins then, for all who have asked meanwhile. */
const folderSyncs = new Map<string, { running: Promise<void>; next: Promise<void> | undefined }>();

/**
 * Makes the entries of a folder durable: names that were added to it or removed from it before the call. Whoever asks while
 * the folder is being synced shares the next sync with the others. Windows has no such call and needs none on NTFS.
 */
export function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return Promise.resolve();
  const syncs = folderSyncs.get(folder);
  if (syncs) {
    const begin = (): Promise<void> => beginSync(folder);
    syncs.next ??= syncs.running.then(begin, begin);
    return syncs.next;
  }
  return beginSync(folder);
}

function beginSync(folder: string): Promise<void> {
  const running = syncNow(folder);
  const syncs = { running, next: undefined };
  folderSyncs.set(folder, syncs);
  const end = (): void => {
    // The next one, if anybody asked for it, has taken its place or is about to.
    if (folderSyncs.get(folder) === syncs && syncs.next === undefined) folderSyncs.delete(folder);
  };
  running.then(end, end);
  return running;
}

async function syncNow(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await sync(handle);
  } finally {
    await handle.close();
  }
}

/** From this size on (in bytes) space is reserved first: a full disk shows before the writing, and the file lies in one piece. */
const reservedFrom = 1024 * 1024;

/**
 * Writes the content of a new, empty file, checks that all of it arrived, makes it read-only (mode 0400) and durable. Its
 * name becomes durable with its folder. Throws the system's error.
 */
export async function writeDurably(handle: FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
  if (length >= reservedFrom) reserve(handle.fd, length);
  const written = await writeAll(handle, parts);
  const { size } = await handle.stat();
  if (written !== length || size !== length) throw new Error(`${length} bytes were given, ${written} written, and the file has ${size}`);
  // Some file systems keep no modes; the file is as good without.
  if (process.platform !== 'win32') await handle.chmod(0o400).catch(() => undefined);
  await sync(handle);
}

/** Throws only what says that the content will not fit: any other trouble is only about reserving, or comes up again in the writing. */
function reserve(fd: number, length: number): void {
  try {
    fallocate(fd, length);
  } catch (error) {
    if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(systemCode(error))) throw error;
  }
}
