/**
 * Reads one file's content in a worker: cuts it into chunks, stores those that are new, and notices when the file changes
 * meanwhile.
 */
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { parsePolynomial } from '../../repository/polynomial.ts';
import { maxChunkLength, minChunkLength } from '../../repository/kernel/kernel.ts';
import { sha256 } from '../../repository/ids.ts';
import type { WorkerContext } from '../workers/context.ts';
import { noteRead, readBefore } from './hand-over.ts';

/** Read at once from a large file, in bytes. */
const readBytes = 1 << 20;

export interface FileContent {
  /** IDs of the chunks, 32 bytes each. */
  readonly content: Buffer;
  /** Bytes read. */
  readonly size: number;
  /** It was written to, or another file took its place, while it was read. */
  readonly changed: boolean;
}

/** What the open file is. Throws, as if it were missing, when it is not a file: a FIFO or a device took its place. */
function fileStat(fd: number): BigIntStats {
  const stat = fstatSync(fd, { bigint: true });
  if (!stat.isFile()) throw Object.assign(new Error('it is not a file any more'), { code: 'ENOENT' });
  return stat;
}

/** Figures of what this worker's files added. */
export interface StoredFigures {
  blobs: number;
  bytes: number;
  packed: number;
}

export class FileReader {
  readonly #context: WorkerContext;
  readonly #buffer: number;
  readonly #size = maxChunkLength + readBytes;
  readonly #flags: number;
  /** Where the last chunk of the file ended; bytes. */
  #cutAt = 0;
  readonly figures: StoredFigures;

  constructor(context: WorkerContext, figures: StoredFigures) {
    this.#context = context;
    this.figures = figures;
    context.kernel.initChunker(parsePolynomial(context.start.polynomial));
    this.#buffer = context.kernel.alloc(this.#size);
    // O_NONBLOCK: a FIFO that took the file's place since it was looked at must not block the run.
    this.#flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  }

  /** `before` is what `lstat` said. Throws what the system does when the file cannot be read to its end. */
  read(path: Buffer, before: BigIntStats): FileContent {
    const fd = openSync(path, this.#flags);
    try {
      const ids: Buffer[] = [];
      const size = this.#readContent(fd, path, before, ids);
      const stat = fileStat(fd);
      const changed = stat.ino !== before.ino || stat.mtimeNs !== before.mtimeNs || stat.size !== before.size || BigInt(size) !== stat.size;
      const content = ids.length === 1 ? ids[0] : Buffer.concat(ids);
      if (!changed) noteRead(this.#context, path, before, { content, size });
      return { content, size, changed };
    } finally {
      closeSync(fd);
    }
  }

  /** What is known from an earlier destination of this run is not read again. Returns the file's size. */
  #readContent(fd: number, path: Buffer, before: BigIntStats, ids: Buffer[]): number {
    const known = readBefore(this.#context, path, before);
    const from = known?.size ?? 0;
    if (known) {
      ids.push(known.content);
      this.#context.progress.add('bytes', from);
      if (BigInt(from) === before.size) return from;
    }
    if (before.size < minChunkLength) return this.#readSmall(fd, Number(before.size), ids);
    this.#cutAt = from;
    try {
      return this.#readChunked(fd, 0, from, ids);
    } catch (error) {
      // Cut off in the middle: the rest is for another destination.
      if (ids.length > 0) noteRead(this.#context, path, before, { content: Buffer.concat(ids), size: this.#cutAt });
      throw error;
    }
  }

  /** A file that was smaller than the smallest chunk: one blob, unless it has grown. */
  #readSmall(fd: number, expected: number, ids: Buffer[]): number {
    const view = this.#context.kernel.view();
    let got = 0;
    while (got <= expected) {
      const n = readSync(fd, view, this.#buffer + got, expected + 1 - got, null);
      got += n;
      this.#context.progress.add('bytes', n);
      // One byte more was asked for, and none came: the file ends there. (If it has grown since, `read` notices.)
      if (n === 0 || got === expected) break;
    }
    if (got > expected) return this.#readChunked(fd, got, got, ids);
    if (got > 0) this.#storeChunk(got, ids);
    return got;
  }

  /** `available` bytes of the file are in the buffer already, of `size` that were read so far. */
  #readChunked(fd: number, available: number, size: number, ids: Buffer[]): number {
    const { kernel, control, progress } = this.#context;
    kernel.resetChunk();
    let total = size;
    // A device that took the file's place may have no end.
    fileStat(fd);
    for (let ended = false; ; ) {
      const cut = available > 0 ? kernel.findCut(this.#buffer, available) : 0;
      if (cut > 0) {
        this.#storeChunk(cut, ids);
        this.#cutAt += cut;
        kernel.view().copyWithin(this.#buffer, this.#buffer + cut, this.#buffer + available);
        available -= cut;
        kernel.resetChunk();
        continue;
      }
      if (ended) break;
      control.checkpoint();
      const n = readSync(fd, kernel.view(), this.#buffer + available, Math.min(readBytes, this.#size - available), total);
      ended = n === 0;
      available += n;
      total += n;
      progress.add('bytes', n);
    }
    if (available > 0) this.#storeChunk(available, ids);
    return total;
  }

  #storeChunk(length: number, ids: Buffer[]): void {
    const context = this.#context;
    const plain = context.kernel.bytes(this.#buffer, length);
    const id = sha256(plain);
    const packed = context.store('data', id, plain);
    if (packed > 0) {
      this.figures.blobs += 1;
      this.figures.bytes += length;
      this.figures.packed += packed;
    }
    ids.push(id);
  }
}
