/**
 * The worker's part of an export that makes the bytes of a ZIP: reads and proves content, compresses it and computes its CRC.
 *
 * What is made is independent of where it will stand, so that workers make parts of one ZIP at the same time. A file of several
 * pieces is deflated piece by piece: each ends on a byte's border without ending the stream (Z_SYNC_FLUSH), and none refers to
 * the one before.
 */
import { constants, crc32, deflateRawSync } from 'node:zlib';
import { fail } from '../../contract/errors.ts';
import { joinPath } from '../../platform/byte-paths.ts';
import { idBytes } from '../../repository/ids.ts';
import { throwIfGone } from '../restore/failures.ts';
import type { WorkerContext } from '../workers/context.ts';
import type { ExportProblem } from './problem.ts';
import { type EntryToZip, entriesOfList } from './zip-entry.ts';
import { centralRecord, isFolderMode, isLinkMode, localHeader, methods, type ZipData } from './zip-format.ts';

export interface ZipEntriesTask {
  /** Entries of which none needs several pieces; see zip-entry.ts. */
  readonly entries: Uint8Array;
  /** The folder that is exported. */
  readonly base: Uint8Array;
  readonly compress: boolean;
}

export interface ZippedEntries {
  /** Local headers and data. */
  readonly bytes: Uint8Array;
  /** Central records, with offsets from the beginning of `bytes`. */
  readonly records: Uint8Array;
  readonly count: number;
  /** What was left out. */
  readonly problems: readonly ExportProblem[];
  /** Of what was left out: files, bytes. */
  readonly lostBytes: number;
}

export interface ZipPieceTask {
  /** IDs one after the other, 32 bytes each. */
  readonly ids: Uint8Array;
  /** Sum of the contents' lengths. */
  readonly size: number;
  readonly isLast: boolean;
  readonly isDense: boolean;
  readonly compress: boolean;
}

/** A piece of a deflated stream, or why there is none. */
export type ZippedPiece = { readonly bytes: Uint8Array; readonly crc: number } | { readonly damage: string };

/** zlib's default: what is gained beyond takes many times the time. */
const level = 6;
/** Of what the repository could not compress, this much is tried before all of it is; bytes. */
const sampleBytes = 32 << 10;
/** Less than this part of the sample is not worth the time. */
const leastGain = 0.03;

/** Job: see the top of this file. */
export function zipEntries({ entries, base, compress }: ZipEntriesTask, context: WorkerContext): ZippedEntries {
  const parts: Uint8Array[] = [];
  const records: Buffer[] = [];
  const problems: ExportProblem[] = [];
  let offset = 0;
  let count = 0;
  let lostBytes = 0;
  for (const entry of entriesOfList(entries)) {
    context.control.checkpoint();
    let zipped: { data: ZipData; bytes: Uint8Array };
    try {
      zipped = zip(entry, compress, context);
    } catch (error) {
      throwIfGone(error, context);
      const path = entry.path.length > 0 ? entry.path : joinPath(Buffer.from(base), Buffer.from(entry.name));
      problems.push({ path: new Uint8Array(path), kind: 'damaged', detail: error.message });
      lostBytes += entry.size;
      continue;
    }
    const header = localHeader(entry, zipped.data);
    parts.push(header, zipped.bytes);
    records.push(centralRecord(entry, zipped.data, offset, false));
    offset += header.length + zipped.bytes.length;
    count += 1;
    context.progress.add('files', 1);
  }
  return { bytes: handOver(context, parts), records: handOver(context, records), count, problems, lostBytes };
}

/** Job: a piece of a large file. */
export function zipPiece({ ids, size, isLast, isDense, compress }: ZipPieceTask, context: WorkerContext): ZippedPiece {
  let plain: Buffer;
  try {
    plain = readContent(ids, size, context);
  } catch (error) {
    throwIfGone(error, context);
    return { damage: error.message };
  }
  const isCompressed = compress && !(isDense && seemsDense(plain));
  const bytes = deflateRawSync(plain, {
    // At level 0 the stream only wraps the content.
    level: isCompressed ? level : 0,
    finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    chunkSize: chunkFor(plain.length),
  });
  if (isLast) context.progress.add('files', 1);
  return { bytes: handOver(context, [bytes]), crc: crc32(plain) };
}

function zip(entry: EntryToZip, compress: boolean, context: WorkerContext): { data: ZipData; bytes: Uint8Array } {
  const plain = isFolderMode(entry.mode)
    ? nothing
    : isLinkMode(entry.mode)
      ? entry.content
      : readContent(entry.content, entry.size, context);
  const crc = plain.length === 0 ? 0 : crc32(plain);
  if (compress && plain.length > 0 && !isLinkMode(entry.mode) && !(entry.isDense && seemsDense(plain))) {
    const bytes = deflateRawSync(plain, { level, chunkSize: chunkFor(plain.length) });
    if (bytes.length < plain.length)
      return { data: { method: methods.deflated, crc, compressed: bytes.length, size: plain.length }, bytes };
  }
  return { data: { method: methods.stored, crc, compressed: plain.length, size: plain.length }, bytes: plain };
}

const nothing = new Uint8Array(0);

/**
 * The content of these blobs, each proved; several of them are as few bytes as fit a piece. Throws as `loadBlob` does, also when
 * their lengths are not those that the index tells.
 */
function readContent(ids: Uint8Array, size: number, context: WorkerContext): Buffer {
  if (ids.length === idBytes) {
    // Before memory is taken for a length that nobody has proved.
    const plain = Buffer.from(context.loadBlob('data', ids));
    if (plain.length !== size) fail('item-tampered', { cause: 'its length differs' });
    context.progress.add('bytes', size);
    return plain;
  }
  const out = Buffer.allocUnsafe(size);
  let length = 0;
  for (let at = 0; at < ids.length; at += idBytes) {
    context.control.checkpoint();
    const plain = context.loadBlob('data', ids.subarray(at, at + idBytes));
    if (length + plain.length > size) fail('item-tampered', { cause: 'its length differs' });
    out.set(plain, length);
    length += plain.length;
    context.progress.add('bytes', plain.length);
  }
  if (length !== size) fail('item-tampered', { cause: 'its length differs' });
  return out;
}

function seemsDense(plain: Uint8Array): boolean {
  const sample = plain.subarray(0, sampleBytes);
  return deflateRawSync(sample, { level: 1, chunkSize: chunkFor(sample.length) }).length > sample.length * (1 - leastGain);
}

/** zlib takes memory in pieces of this size; one is enough for most. */
const chunkFor = (length: number): number => Math.min(Math.max(1024, length + 64), 1 << 20);

/** Everything in memory of its own, which crosses to the coordinator without a copy. */
function handOver(context: WorkerContext, parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  context.transfer.push(out.buffer);
  return out;
}
