/**
 * The worker's part of a restore that writes content: reads pieces of one pack, proves each blob, and puts it wherever it
 * belongs. The worker that writes a file's last blob completes the file.
 *
 * A file that is one blob and replaces nothing is written at its place at once. Every other file grows under a temporary
 * name and is renamed when it is whole, so that no half-written content ever stands under a name that means something.
 */
import { closeSync, constants, fsyncSync, ftruncateSync, linkSync, lstatSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { HoldfastError, hasCode } from '../../contract/errors.ts';
import { splitList } from '../../platform/byte-list.ts';
import { joinPath, parentPath } from '../../platform/byte-paths.ts';
import { decodeBlob } from '../../repository/blob-codec.ts';
import { sha256 } from '../../repository/ids.ts';
import type { Node } from '../../repository/tree/node.ts';
import { parseNode } from '../../repository/tree/parse.ts';
import type { WorkerContext } from '../workers/context.ts';
import { throwIfFatal } from './failures.ts';
import { applyMetadata } from './metadata.ts';
import type { RestoreProblem } from './walk-job.ts';

/** Neighbouring blobs are read together when no more than this lies between them; bytes. */
const readGap = 32 << 10;
const readAtOnce = 8 << 20;
/** Files that a job keeps open at a time. */
const openFiles = 64;
/** Runs of zeros of at least this length become holes; one block of every common file system. */
const holeBytes = 4096;

export const sizeOfBlobRow = 6;
export const sizeOfPlaceRow = 3;

export interface WriteTask {
  /** ID of the pack, hex. */
  readonly pack: string;
  /** Ascending by offset, rows of: offset, length, uncompressed length, first place, number of places, 0. */
  readonly blobs: Float64Array;
  /** IDs of the blobs, 32 bytes each. */
  readonly ids: Uint8Array;
  /** Rows of: file (row in `files`), offset in the file, 0. */
  readonly places: Float64Array;
  /** Joined list: path, node as JSON, path, node… */
  readonly files: Uint8Array;
  /** For each file: its number in the segment. */
  readonly numbers: Uint32Array;
  /** For each file: whether it is written at its place at once. */
  readonly direct: Uint8Array;
  /** By number in the segment: how many blobs are still to be written, and whether one of them could not be. */
  readonly remaining: Int32Array;
  readonly failed: Int32Array;
  readonly sparse: boolean;
  readonly durable: boolean;
}

/** Job: see the top of this file. */
export function writeBlobs(task: WriteTask, context: WorkerContext): RestoreProblem[] {
  const writer = new ContentWriter(task, context);
  try {
    return writer.run();
  } finally {
    writer.closeAll();
  }
}

export interface FinishTask {
  /** Joined list: path, node, path, node… */
  readonly files: Uint8Array;
}

/** Job: files without content. */
export function makeEmptyFiles({ files }: FinishTask, context: WorkerContext): RestoreProblem[] {
  const problems: RestoreProblem[] = [];
  forEachFile(files, problems, (path, node) => {
    closeSync(openSync(temporaryName(path), create, 0o600));
    complete(path, temporaryName(path), node, problems);
    context.progress.add('files', 1);
  });
  return problems;
}

export interface LinkTask {
  /** Joined list: existing path, new path, node… */
  readonly links: Uint8Array;
}

/** Job: further names of files that are restored already. */
export function makeHardLinks({ links }: LinkTask, context: WorkerContext): RestoreProblem[] {
  const problems: RestoreProblem[] = [];
  const items = splitList(links);
  for (let i = 0; i < items.length; i += 3) {
    const [first, path] = [items[i], items[i + 1]];
    try {
      if (!isSameFile(first, path)) {
        const temporary = temporaryName(path);
        unlinkIfThere(temporary);
        linkSync(first, temporary);
        renameSync(temporary, path);
      }
      context.progress.add('files', 1);
      context.progress.add('bytes', parseNode(items[i + 2]).size);
    } catch (error) {
      throwIfFatal(error, path);
      problems.push({ path: new Uint8Array(path), kind: 'failed', detail: (error as Error).message });
    }
  }
  return problems;
}

const create = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (constants.O_NOFOLLOW ?? 0);
const createNew = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

/** Beside the file, and the same for every try, so that the next restore takes over what a cut-off one left. */
export const temporaryName = (path: Buffer): Buffer =>
  joinPath(parentPath(path), Buffer.from(`.holdfast-${sha256(path).toString('hex', 0, 12)}.part`));

function isSameFile(a: Buffer, b: Buffer): boolean {
  const there = lstatSync(b, { bigint: true, throwIfNoEntry: false });
  if (!there) return false;
  const { dev, ino } = lstatSync(a, { bigint: true });
  return there.dev === dev && there.ino === ino;
}

function forEachFile(files: Uint8Array, problems: RestoreProblem[], act: (path: Buffer, node: Node) => void): void {
  const items = splitList(files);
  for (let i = 0; i < items.length; i += 2) {
    try {
      act(items[i], parseNode(items[i + 1]));
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      throwIfFatal(error, items[i]);
      problems.push({ path: new Uint8Array(items[i]), kind: 'failed', detail: (error as Error).message });
    }
  }
}

function unlinkIfThere(path: Buffer): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Gives a written file its metadata and, when it grew under another name, its own. */
function complete(path: Buffer, written: Buffer, node: Node, problems: RestoreProblem[]): void {
  for (const detail of applyMetadata(written, node, true)) problems.push({ path: new Uint8Array(path), kind: 'metadata', detail });
  if (written !== path) renameSync(written, path);
}

class ContentWriter {
  readonly #task: WriteTask;
  readonly #context: WorkerContext;
  readonly #problems: RestoreProblem[] = [];
  readonly #paths: Buffer[] = [];
  readonly #nodes: Buffer[] = [];
  /** By row in the task's files. */
  readonly #open = new Map<number, number>();

  constructor(task: WriteTask, context: WorkerContext) {
    this.#task = task;
    this.#context = context;
    const items = splitList(task.files);
    for (let i = 0; i < items.length; i += 2) {
      this.#paths.push(items[i]);
      this.#nodes.push(items[i + 1]);
    }
  }

  run(): RestoreProblem[] {
    const { blobs } = this.#task;
    for (let row = 0; row < blobs.length; ) {
      let end = row + sizeOfBlobRow;
      const from = blobs[row];
      let to = from + blobs[row + 1];
      while (end < blobs.length && blobs[end] - to <= readGap && blobs[end] + blobs[end + 1] - from <= readAtOnce) {
        to = Math.max(to, blobs[end] + blobs[end + 1]);
        end += sizeOfBlobRow;
      }
      this.#writeRun(row, end, from, to);
      row = end;
    }
    return this.#problems;
  }

  closeAll(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  #writeRun(row: number, end: number, from: number, to: number): void {
    const { blobs, pack } = this.#task;
    let bytes: Uint8Array | undefined;
    try {
      bytes = this.#context.read({ kind: 'pack', name: pack }, { offset: from, length: to - from });
    } catch (error) {
      if (hasCode(error, 'cancelled')) throw error;
      // The pack ends early or has an unreadable part: each blob is tried alone.
    }
    for (let at = row; at < end; at += sizeOfBlobRow) {
      this.#context.control.checkpoint();
      const offset = blobs[at] - from;
      const sealed = bytes?.subarray(offset, offset + blobs[at + 1]);
      this.#writeBlob(at, sealed);
    }
  }

  #writeBlob(row: number, sealed: Uint8Array | undefined): void {
    const { blobs, pack, ids, places } = this.#task;
    const index = row / sizeOfBlobRow;
    const id = ids.subarray(index * 32, index * 32 + 32);
    let plain: Uint8Array | undefined;
    let damage: unknown;
    try {
      const bytes = sealed ?? this.#context.read({ kind: 'pack', name: pack }, { offset: blobs[row], length: blobs[row + 1] });
      plain = decodeBlob(this.#context.sealer, bytes, id, blobs[row + 2], 'data');
    } catch (error) {
      if (!(error instanceof HoldfastError) || hasCode(error, 'cancelled') || hasCode(error, 'storage-gone')) throw error;
      damage = error;
    }
    for (let i = 0; i < blobs[row + 4]; i++) {
      const place = (blobs[row + 3] + i) * sizeOfPlaceRow;
      this.#writePlace(places[place], places[place + 1], plain, damage);
    }
  }

  #writePlace(file: number, offset: number, plain: Uint8Array | undefined, damage: unknown): void {
    const { remaining, failed, numbers } = this.#task;
    const number = numbers[file];
    const path = this.#paths[file];
    if (!plain) this.#giveUp(file, 'damaged', damage);
    else if (Atomics.load(failed, number) === 0) {
      try {
        this.#write(file, offset, plain);
        this.#context.progress.add('bytes', plain.length);
      } catch (error) {
        throwIfFatal(error, path);
        this.#giveUp(file, 'failed', error);
      }
    }
    if (Atomics.sub(remaining, number, 1) > 1) return;
    this.#finish(file);
  }

  #giveUp(file: number, kind: RestoreProblem['kind'], error: unknown): void {
    const { failed, numbers } = this.#task;
    // Only the first finds it out: one file, one line.
    if (Atomics.exchange(failed, numbers[file], 1) === 1) return;
    this.#problems.push({ path: new Uint8Array(this.#paths[file]), kind, detail: (error as Error).message });
  }

  #target(file: number): Buffer {
    return this.#task.direct[file] === 1 ? this.#paths[file] : temporaryName(this.#paths[file]);
  }

  #descriptor(file: number): number {
    const known = this.#open.get(file);
    if (known !== undefined) return known;
    if (this.#open.size >= openFiles) {
      const [oldest, fd] = this.#open.entries().next().value!;
      closeSync(fd);
      this.#open.delete(oldest);
    }
    const flags = this.#task.direct[file] === 1 ? createNew : constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0);
    const fd = openSync(this.#target(file), flags, 0o600);
    this.#open.set(file, fd);
    return fd;
  }

  #write(file: number, offset: number, plain: Uint8Array): void {
    const fd = this.#descriptor(file);
    if (!this.#task.sparse) {
      writeFully(fd, plain, offset);
      return;
    }
    // The file has its full length already, so what is not written is a hole.
    for (let at = 0; at < plain.length; ) {
      let end = Math.min(at + holeBytes, plain.length);
      if (isZero(plain, at, end)) {
        at = end;
        continue;
      }
      while (end < plain.length && !isZero(plain, end, Math.min(end + holeBytes, plain.length))) end = Math.min(end + holeBytes, plain.length);
      writeFully(fd, plain.subarray(at, end), offset + at);
      at = end;
    }
  }

  #finish(file: number): void {
    const { failed, numbers, durable, sparse, direct } = this.#task;
    const path = this.#paths[file];
    const target = this.#target(file);
    try {
      if (Atomics.load(failed, numbers[file]) === 1) {
        this.#close(file);
        unlinkIfThere(target);
        return;
      }
      const node = parseNode(this.#nodes[file]);
      const fd = this.#descriptor(file);
      if (sparse && direct[file] === 1) ftruncateSync(fd, node.size);
      if (durable) fsyncSync(fd);
      this.#close(file);
      complete(path, target, node, this.#problems);
      this.#context.progress.add('files', 1);
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      throwIfFatal(error, path);
      this.#giveUp(file, 'failed', error);
      unlinkIfThere(target);
    }
  }

  #close(file: number): void {
    const fd = this.#open.get(file);
    if (fd === undefined) return;
    this.#open.delete(file);
    closeSync(fd);
  }
}

function writeFully(fd: number, bytes: Uint8Array, offset: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, offset + at);
}

const zeros = Buffer.alloc(holeBytes);

const isZero = (bytes: Uint8Array, at: number, end: number): boolean =>
  bytes[at] === 0 && Buffer.compare(bytes.subarray(at, end), zeros.subarray(0, end - at)) === 0;

export interface PrepareTask {
  /** Joined list: path, node, path, node… */
  readonly files: Uint8Array;
}

/** Job: makes the temporary files that several workers will write to, at their full length. Returns the rows that failed. */
export function prepareFiles({ files }: PrepareTask, _: WorkerContext): { failed: number[]; problems: RestoreProblem[] } {
  const problems: RestoreProblem[] = [];
  const failed: number[] = [];
  let row = -1;
  forEachFile(files, problems, (path, node) => {
    row += 1;
    const before = problems.length;
    const temporary = temporaryName(path);
    try {
      unlinkIfThere(temporary);
      const fd = openSync(temporary, createNew, 0o600);
      try {
        ftruncateSync(fd, node.size);
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      failed.push(row);
      throw error;
    }
    if (problems.length > before) failed.push(row);
  });
  return { failed, problems };
}
