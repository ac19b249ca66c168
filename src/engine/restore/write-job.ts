/**
 * The worker's part of a restore that writes content: reads pieces of one pack, proves each blob, and puts it wherever it
 * belongs. The worker that writes a file's last blob completes the file.
 *
 * Every file grows under a name of its own (see part-file.ts) and is renamed when it is whole, so that no half-written
 * content ever stands under a name that means something, and a run that is cut off leaves nothing that looks finished.
 */
import { closeSync, constants, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { HoldfastError, hasCode } from '../../contract/errors.ts';
import { decodeBlob } from '../../repository/blob-codec.ts';
import { sealOverhead } from '../../repository/crypto.ts';
import { parseNode } from '../../repository/tree/parse.ts';
import type { WorkerContext } from '../workers/context.ts';
import { throwIfFatal, throwIfGone } from './failures.ts';
import { describe, writeFlags } from './files-job.ts';
import { createNew, partPath, putInPlace, unlinkQuietly } from './part-file.ts';
import { type ListedFile, splitFiles } from './segment-file.ts';
import type { RestoreProblem } from './walk-task.ts';

/** Neighbouring blobs are read together when no more than this lies between them; bytes. */
const readGap = 32 << 10;
const readAtOnce = 32 << 20;
/** Files that a job keeps open at a time. */
const openFiles = 64;
/** Runs of zeros of at least this length become holes; one block of every common file system. */
const holeBytes = 4096;

export const sizeOfBlobRow = 6;
export const sizeOfPlaceRow = 3;

/** Bytes of a pack, from this offset on. */
export interface FetchedRun {
  readonly from: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface WriteTask {
  /** ID of the pack, hex. */
  readonly pack: string;
  /** Runs of {@link runsOf} that have been read already. */
  readonly fetched?: readonly FetchedRun[] | undefined;
  /** Ascending by offset, rows of: offset, length, uncompressed length, first place, number of places, 0. */
  readonly blobs: Float64Array;
  /** IDs of the blobs, 32 bytes each. */
  readonly ids: Uint8Array;
  /** Rows of: file (row in `files`), offset in the file, 0. */
  readonly places: Float64Array;
  /** As listFiles makes it. */
  readonly files: Uint8Array;
  /** For each file: its number in the segment. */
  readonly numbers: Uint32Array;
  /** For each file: {@link writeFlags}. */
  readonly flags: Uint8Array;
  /** The part file of a file is called by this and its number in the segment. */
  readonly part: string;
  /** By number in the segment: how many blobs are still to be written, and whether one of them could not be. */
  readonly remaining: Int32Array;
  readonly failed: Int32Array;
  readonly sparse: boolean;
  /** Whether each file is brought onto the disk before it gets its name. */
  readonly durable: boolean;
}

export interface Written {
  readonly problems: RestoreProblem[];
  /** That of the runs that had been read. */
  readonly memory: readonly ArrayBuffer[];
}

/** Job: see the top of this file. */
export function writeBlobs(task: WriteTask, context: WorkerContext): Written {
  const writer = new ContentWriter(task, context);
  try {
    return { problems: writer.run(), memory: context.transfer as ArrayBuffer[] };
  } finally {
    writer.closeAll();
  }
}

/** A part of a pack that is read at once: bytes `from` to `to` hold the blobs of rows `row` to `end`. */
interface Run {
  readonly row: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
}

/** How the blobs of a task (its `blobs`) are read. */
export function runsOf(blobs: Float64Array): Run[] {
  const runs: Run[] = [];
  for (let row = 0; row < blobs.length; ) {
    let end = row + sizeOfBlobRow;
    const from = blobs[row];
    let to = from + blobs[row + 1];
    while (end < blobs.length && blobs[end] - to <= readGap && blobs[end] + blobs[end + 1] - from <= readAtOnce) {
      to = Math.max(to, blobs[end] + blobs[end + 1]);
      end += sizeOfBlobRow;
    }
    runs.push({ row, end, from, to });
    row = end;
  }
  return runs;
}

class ContentWriter {
  readonly #task: WriteTask;
  readonly #context: WorkerContext;
  readonly #problems: RestoreProblem[] = [];
  readonly #files: readonly ListedFile[];
  /** By row in the task's files. */
  readonly #open = new Map<number, number>();
  /** Rows of single files whose part file this task has made. */
  readonly #made = new Set<number>();

  constructor(task: WriteTask, context: WorkerContext) {
    this.#task = task;
    this.#context = context;
    this.#files = splitFiles(task.files);
  }

  run(): RestoreProblem[] {
    for (const { row, end, from, to } of runsOf(this.#task.blobs)) this.#writeRun(row, end, from, to);
    return this.#problems;
  }

  closeAll(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  #writeRun(row: number, end: number, from: number, to: number): void {
    const { blobs, pack, fetched } = this.#task;
    const ahead = fetched?.find((run) => run.from === from);
    let bytes: Uint8Array | undefined;
    try {
      bytes = ahead?.bytes ?? this.#context.read({ kind: 'pack', name: pack }, { offset: from, length: to - from });
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
    // Its memory is wanted for what comes next.
    if (ahead) this.#context.transfer.push(ahead.bytes.buffer);
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
      throwIfGone(error, this.#context);
      damage = error;
      const copy = this.#context.loadCopy('data', id);
      // The places of what follows in the files were counted with the length that the index tells.
      if (copy && copy.length === (blobs[row + 2] || blobs[row + 1] - sealOverhead)) plain = copy;
    }
    for (let i = 0; i < blobs[row + 4]; i++) {
      const place = (blobs[row + 3] + i) * sizeOfPlaceRow;
      this.#writePlace(places[place], places[place + 1], plain, damage);
    }
  }

  #writePlace(file: number, offset: number, plain: Uint8Array | undefined, damage: unknown): void {
    const { remaining, failed, numbers } = this.#task;
    const number = numbers[file];
    const { path } = this.#files[file];
    if (!plain) this.#giveUp(file, 'damaged', damage);
    else if (Atomics.load(failed, number) === 0) {
      try {
        this.#write(file, offset, plain);
        this.#context.progress.add('bytes', plain.length);
      } catch (error) {
        // Into a file of several blobs other workers may be writing.
        if (this.#isSingle(file)) this.#discard(file);
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
    this.#problems.push({ path: new Uint8Array(this.#files[file].path), kind, detail: (error as Error).message });
  }

  #growing(file: number): Buffer {
    return partPath(this.#files[file].path, this.#task.part, this.#task.numbers[file]);
  }

  #isSingle(file: number): boolean {
    return (this.#task.flags[file] & writeFlags.single) !== 0;
  }

  #descriptor(file: number): number {
    const known = this.#open.get(file);
    if (known !== undefined) return known;
    if (this.#open.size >= openFiles) {
      const [oldest, fd] = this.#open.entries().next().value!;
      closeSync(fd);
      this.#open.delete(oldest);
    }
    const isNew = this.#isSingle(file) && !this.#made.has(file);
    const fd = openSync(this.#growing(file), isNew ? createNew : constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0), 0o600);
    if (isNew) this.#made.add(file);
    this.#open.set(file, fd);
    return fd;
  }

  #write(file: number, offset: number, plain: Uint8Array): void {
    const fd = this.#descriptor(file);
    if (!this.#task.sparse) {
      writeFully(fd, plain, offset);
      return;
    }
    // What is not written of a file that has its full length is a hole; that of several blobs was made so.
    if (this.#isSingle(file)) ftruncateSync(fd, plain.length);
    for (let at = 0; at < plain.length; ) {
      let end = Math.min(at + holeBytes, plain.length);
      if (isZero(plain, at, end)) {
        at = end;
        continue;
      }
      while (end < plain.length && !isZero(plain, end, Math.min(end + holeBytes, plain.length)))
        end = Math.min(end + holeBytes, plain.length);
      writeFully(fd, plain.subarray(at, end), offset + at);
      at = end;
    }
  }

  #finish(file: number): void {
    const { failed, numbers, durable, flags } = this.#task;
    const { path, node: json, keep } = this.#files[file];
    try {
      if (Atomics.load(failed, numbers[file]) === 1) {
        this.#discard(file);
        return;
      }
      const node = parseNode(json);
      const growing = this.#growing(file);
      const fd = this.#descriptor(file);
      describe(path, growing, fd, node, flags[file], this.#problems);
      if (durable) fsyncSync(fd);
      this.#close(file);
      putInPlace(growing, path, keep);
      this.#context.progress.add('files', 1);
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      this.#discard(file);
      throwIfFatal(error, path);
      this.#giveUp(file, 'failed', error);
    }
  }

  #discard(file: number): void {
    this.#close(file);
    if (!this.#isSingle(file) || this.#made.has(file)) unlinkQuietly(this.#growing(file));
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
