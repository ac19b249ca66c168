/** Reads parts of one pack inside a worker, into a buffer that is used again. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../../contract/errors.ts';
import { type BlobIndex, type BlobLocation, emptyLocation } from '../../repository/blob-index.ts';
import { layoutPath } from '../../storage/names.ts';
import { describeFile, type StoredFile } from '../../storage/storage.ts';
import type { WorkerContext } from '../workers/context.ts';

const bufferKey = 'pack-file';
const firstBuffer = 17 << 20;
/** Neighbouring blobs are read together up to this length in bytes. */
const longestRead = 16 << 20;
/** Reading so many unwanted bytes is cheaper than asking again. */
const widestGap = 128 << 10;

export class PackFile {
  readonly #context: WorkerContext;
  readonly #file: StoredFile;
  readonly #fd: number | undefined;

  private constructor(context: WorkerContext, file: StoredFile, fd: number | undefined) {
    this.#context = context;
    this.#file = file;
    this.#fd = fd;
  }

  /** Calls `work` with the open pack `name` (64 hex digits). Throws `file-not-found`, `storage-failed` or what `work` throws. */
  static with<T>(context: WorkerContext, name: string, work: (pack: PackFile) => T): T {
    const file: StoredFile = { kind: 'pack', name };
    const location = context.start.localFolder;
    if (location === undefined) return work(new PackFile(context, file, undefined));
    let fd: number;
    try {
      fd = openSync(join(location, layoutPath(file)), 'r');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return fail('file-not-found', { file: describeFile(file), location }, error);
      return fail('storage-failed', { file: describeFile(file), location, operation: 'read', cause: message }, error);
    }
    try {
      return work(new PackFile(context, file, fd));
    } finally {
      closeSync(fd);
    }
  }

  /** A view that is valid until the next read in this worker. Throws `file-short`, `storage-failed`. */
  read(offset: number, length: number): Uint8Array {
    if (this.#fd === undefined) return this.#context.read(this.#file, { offset, length });
    const location = this.#context.start.localFolder!;
    const short = (received: number): never => fail('file-short', { file: describeFile(this.#file), location, expected: length, received });
    // Before memory is set aside for what a hostile index claims.
    const { size } = fstatSync(this.#fd);
    if (offset + length > size) short(Math.max(0, size - offset));
    const buffer = this.#room(length);
    for (let got = 0; got < length; ) {
      let more: number;
      try {
        more = readSync(this.#fd, buffer, got, length - got, offset + got);
      } catch (error) {
        return fail(
          'storage-failed',
          { file: describeFile(this.#file), location, operation: 'read', cause: (error as Error).message },
          error,
        );
      }
      if (more === 0) short(got);
      got += more;
    }
    return buffer.subarray(0, length);
  }

  #room(length: number): Buffer {
    const { state } = this.#context;
    let buffer = state.get(bufferKey) as Buffer | undefined;
    if (!buffer || buffer.length < length) {
      buffer = Buffer.allocUnsafeSlow(Math.max(firstBuffer, length));
      state.set(bufferKey, buffer);
    }
    return buffer;
  }
}

/** What is read, and where it lies; `sealed` is undefined when it could not be read, with the reason in `error`. */
export type SealedVisitor = (location: BlobLocation, sealed: Uint8Array | undefined, error: unknown) => void;

/**
 * Calls `visit` with each of the blobs that `records` (of one pack, by offset) stand for. Neighbours are read together; when that
 * fails, each is read alone, so that one bad spot costs no other blob.
 */
export function readSealed(pack: Pick<PackFile, 'read'>, index: BlobIndex, records: Uint32Array, visit: SealedVisitor): void {
  const first = emptyLocation();
  const location = emptyLocation();
  for (let from = 0; from < records.length; ) {
    index.at(records[from], first);
    let end = first.offset + first.length;
    let to = from + 1;
    for (; to < records.length; to++) {
      index.at(records[to], location);
      const newEnd = Math.max(end, location.offset + location.length);
      if (location.offset > end + widestGap || newEnd - first.offset > longestRead) break;
      end = newEnd;
    }
    let bytes: Uint8Array | undefined;
    try {
      bytes = pack.read(first.offset, end - first.offset);
    } catch {
      // Read one by one below.
    }
    for (let i = from; i < to; i++) {
      index.at(records[i], location);
      if (bytes) {
        const at = location.offset - first.offset;
        visit(location, bytes.subarray(at, at + location.length), undefined);
        continue;
      }
      let sealed: Uint8Array | undefined;
      let reason: unknown;
      try {
        sealed = pack.read(location.offset, location.length);
      } catch (error) {
        reason = error;
      }
      visit(location, sealed, reason);
    }
    from = to;
  }
}
