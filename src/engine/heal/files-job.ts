/** Jobs that heal data from the files that it was once read from, as far as these are what they were. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { joinPath } from '../../platform/byte-paths.ts';
import { BlobIndex, type BlobIndexMemory } from '../../repository/blob-index.ts';
import { sha256 } from '../../repository/ids.ts';
import { maxChunkLength } from '../../repository/kernel/kernel.ts';
import { parsePolynomial } from '../../repository/polynomial.ts';
import { loadAnyTree } from '../copy/mark-job.ts';
import { isDamage } from '../trees/damage-codes.ts';
import type { WorkerContext } from '../workers/context.ts';

export interface FileOfSnapshot {
  /** From the snapshot's root, with a slash at its beginning. */
  readonly path: Uint8Array;
  /** In bytes. */
  readonly size: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
}

export interface FilesWithArgs {
  /** Record of a snapshot's tree. */
  readonly root: number;
  /** One byte for each record, shared by all jobs: trees that were looked at. */
  readonly seen: Uint8Array;
  readonly best: Uint32Array;
  /** Blobs that are wanted. */
  readonly wanted: BlobIndexMemory;
}

/** Files of which a piece is wanted. A folder that several snapshots share is looked at once. */
export function findFilesWith({ root, seen, best, wanted }: FilesWithArgs, context: WorkerContext): FileOfSnapshot[] {
  const { index, control } = context;
  const set = BlobIndex.attach(wanted);
  const found: FileOfSnapshot[] = [];
  const stack: { readonly record: number; readonly path: Buffer }[] = [];
  const descend = (record: number, path: Buffer): void => {
    if (record >= 0 && record < seen.length && Atomics.exchange(seen, record, 1) === 0) stack.push({ record, path });
  };
  descend(root, Buffer.from('/'));
  for (let folder = stack.pop(); folder; folder = stack.pop()) {
    control.checkpoint();
    try {
      for (const { name, type, content, subtree, size, mtimeNs } of loadAnyTree(context, folder.record, best[folder.record])) {
        if (subtree) descend(index.entryOf(subtree, 0, 'tree'), joinPath(folder.path, name));
        else if (type === 'file' && content && holdsAny(content, set))
          found.push({ path: new Uint8Array(joinPath(folder.path, name)), size, mtimeNs });
      }
    } catch (error) {
      // What it holds cannot be asked for.
      if (!isDamage(error)) throw error;
    }
  }
  return found;
}

function holdsAny(content: Buffer, set: BlobIndex): boolean {
  for (let at = 0; at < content.length; at += 32) if (set.has(content, at, 'data')) return true;
  return false;
}

export interface TakeFromFileArgs extends FileOfSnapshot {
  readonly wanted: BlobIndexMemory;
  /** Whether what is found is stored; without, it is only noted as if it were. */
  readonly store: boolean;
}

export interface TakenFromFile {
  readonly blobs: number;
  readonly bytes: number;
}

const nothing: TakenFromFile = { blobs: 0, bytes: 0 };

/**
 * Cuts a file as the repository cuts files, and takes the pieces that are wanted: a piece is what it is by its hash, whatever else has
 * become of the file. One that is not what the snapshot says (size and time), that changes meanwhile or cannot be read gives nothing.
 */
export function takeFromFile({ path, size, mtimeNs, wanted, store }: TakeFromFileArgs, context: WorkerContext): TakenFromFile {
  let fd: number;
  try {
    // O_NONBLOCK: a FIFO in its place must not block the run. A link is not what was backed up.
    fd = openSync(Buffer.from(path), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch {
    return nothing;
  }
  const isUnchanged = (): boolean => {
    const stat = fstatSync(fd, { bigint: true });
    return stat.isFile() && stat.size === BigInt(size) && stat.mtimeNs === mtimeNs;
  };
  try {
    return isUnchanged() ? takeFrom(fd, BlobIndex.attach(wanted), store, isUnchanged, context) : nothing;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return nothing;
  } finally {
    closeSync(fd);
  }
}

/** Read at once, in bytes. */
const readBytes = 1 << 20;

function takeFrom(fd: number, wanted: BlobIndex, store: boolean, isUnchanged: () => boolean, context: WorkerContext): TakenFromFile {
  const { kernel, control, progress, index } = context;
  const buffer = chunkBuffer(context);
  let [blobs, bytes, available] = [0, 0, 0];
  const take = (length: number): void => {
    const plain = kernel.bytes(buffer, length);
    const id = sha256(plain);
    if (!wanted.has(id, 0, 'data') || index.has(id, 0, 'data') || !isUnchanged()) return;
    if (store) context.store('data', id, plain);
    else index.claim(id, 0, 'data');
    blobs += 1;
    bytes += length;
  };
  kernel.resetChunk();
  for (let ended = false; ; ) {
    const cut = available > 0 ? kernel.findCut(buffer, available) : 0;
    if (cut > 0) {
      take(cut);
      kernel.view().copyWithin(buffer, buffer + cut, buffer + available);
      available -= cut;
      kernel.resetChunk();
      continue;
    }
    if (ended) break;
    control.checkpoint();
    const n = readSync(fd, kernel.view(), buffer + available, Math.min(readBytes, maxChunkLength + readBytes - available), null);
    ended = n === 0;
    available += n;
    progress.add('bytes', n);
  }
  if (available > 0) take(available);
  return { blobs, bytes };
}

const bufferKey = 'heal-chunk';

function chunkBuffer({ kernel, start, state }: WorkerContext): number {
  let buffer = state.get(bufferKey) as number | undefined;
  if (buffer === undefined) {
    kernel.initChunker(parsePolynomial(start.polynomial));
    buffer = kernel.alloc(maxChunkLength + readBytes);
    state.set(bufferKey, buffer);
  }
  return buffer;
}
