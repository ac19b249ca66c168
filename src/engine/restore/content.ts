/** Whether a file on disk holds exactly the content that a node names, read piece by piece and hashed. */
import { chmodSync, closeSync, constants, fstatSync, fsyncSync, lstatSync, openSync, readSync } from 'node:fs';
import { dropPageCache } from '../../platform/posix.ts';
import { emptyLocation } from '../../repository/blob-index.ts';
import { idBytes, sha256 } from '../../repository/ids.ts';
import { sealOverhead } from '../../repository/crypto.ts';
import type { Node } from '../../repository/tree/node.ts';
import type { WorkerContext } from '../workers/context.ts';

const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const location = emptyLocation();

/** Plaintext bytes of a data blob by the index; undefined when the index does not know it. */
export function blobLength(context: WorkerContext, ids: Uint8Array, at: number): number | undefined {
  if (!context.index.locate(ids, at, 'data', location)) return undefined;
  return location.uncompressedLength > 0 ? location.uncompressedLength : location.length - sealOverhead;
}

/** Where one call brings a whole file system onto its disk, that is done once before verification; elsewhere file by file. */
export const syncsWhole = process.platform === 'linux';

/**
 * `undefined` when the index does not know a blob, so that nobody can tell. With `fromDisk` the system's cached pages are
 * dropped before, so that what is compared is what the disk holds; they must have been written (see {@link syncsWhole}).
 * Throws what the system does when the file cannot be read.
 */
export function holdsContent(path: Buffer, node: Node, context: WorkerContext, fromDisk = false): boolean | undefined {
  const fd = fromDisk ? openRestored(path) : openSync(path, flags);
  try {
    const content = node.content!;
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size !== node.size) return false;
    if (fromDisk) {
      if (!syncsWhole) syncQuietly(fd);
      dropPageCache(fd);
    }
    let buffer = Buffer.allocUnsafe(0);
    for (let at = 0; at < content.length; at += idBytes) {
      context.control.checkpoint();
      const length = blobLength(context, content, at);
      if (length === undefined) return undefined;
      if (buffer.length < length) buffer = Buffer.allocUnsafe(length);
      if (readFully(fd, buffer, length) !== length) return false;
      context.progress.add('bytes', length);
      if (sha256(buffer.subarray(0, length)).compare(content, at, at + idBytes) !== 0) return false;
    }
    return readSync(fd, Buffer.allocUnsafe(1), 0, 1, null) === 0;
  } finally {
    closeSync(fd);
  }
}

/** A file restored with a mode that closes it to its owner, who is not root, is opened for a moment. */
function openRestored(path: Buffer): number {
  try {
    return openSync(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    const stat = lstatSync(path);
    if (!stat.isFile() || stat.uid !== process.getuid?.()) throw error;
    chmodSync(path, 0o400);
    try {
      return openSync(path, flags);
    } finally {
      chmodSync(path, stat.mode & 0o7777);
    }
  }
}

/** Where a file that is open for reading cannot be synced, its pages stay in memory and are compared as they are. */
function syncQuietly(fd: number): void {
  try {
    fsyncSync(fd);
  } catch {
    // See above.
  }
}

function readFully(fd: number, buffer: Buffer, length: number): number {
  let got = 0;
  while (got < length) {
    const n = readSync(fd, buffer, got, length - got, null);
    if (n === 0) break;
    got += n;
  }
  return got;
}
