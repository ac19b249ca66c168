/**
 * The pack file: sealed blobs one after the other, then a sealed header that lists them, then the header's length.
 * See restic's design document, "Pack Format".
 *
 * An *entry* of the header is `type(1) ‖ u32LE sealed length ‖ [u32LE plain length if compressed] ‖ ID(32)`.
 */
import { HoldfastError } from '../contract/errors.ts';
import type { BlobType } from './blob-index.ts';
import { sealOverhead } from './crypto.ts';

/** Of the sealed header; restic reads none that is longer. */
export const maxHeaderBytes = 16 << 20;
export const defaultPackSize = 16 << 20;
/** Behind a network each pack costs a request at the least. */
export const farPackSize = 24 << 20;
export const packSizeLimits = { least: 4 << 20, most: 128 << 20 } as const;

/** Length of the longest entry, in bytes. */
export const maxEntryBytes = 41;

/** Writes an entry at `at` and returns where it ends; `uncompressedLength` is 0 for a blob that is not compressed. */
export function writeEntry(out: Buffer, at: number, type: BlobType, length: number, uncompressedLength: number, id: Uint8Array): number {
  const compressed = uncompressedLength > 0;
  out[at] = (type === 'tree' ? 1 : 0) | (compressed ? 2 : 0);
  out.writeUInt32LE(length, at + 1);
  let next = at + 5;
  if (compressed) {
    out.writeUInt32LE(uncompressedLength, next);
    next += 4;
  }
  out.set(id, next);
  return next + 32;
}

export type EntryVisitor = (
  type: BlobType,
  offset: number,
  length: number,
  uncompressedLength: number,
  header: Buffer,
  idAt: number,
) => void;

/**
 * Calls `visit` for each entry of an opened header, with the offset of its blob in the pack; returns the sum of all
 * sealed lengths. Throws `pack-invalid` when the header is not a whole number of well-formed entries.
 */
export function readEntries(header: Buffer, visit: EntryVisitor): number {
  let offset = 0;
  let at = 0;
  while (at < header.length) {
    const kind = header[at];
    const entryLength = kind >= 2 ? 41 : 37;
    if (kind > 3 || at + entryLength > header.length)
      throw new HoldfastError('pack-invalid', { cause: `entry at byte ${at} of its header` });
    const length = header.readUInt32LE(at + 1);
    const plain = kind >= 2 ? header.readUInt32LE(at + 5) : 0;
    if (length < sealOverhead || (kind >= 2 && plain === 0))
      throw new HoldfastError('pack-invalid', { cause: `entry at byte ${at} of its header` });
    visit((kind & 1) === 1 ? 'tree' : 'data', offset, length, plain, header, at + entryLength - 32);
    offset += length;
    at += entryLength;
  }
  return offset;
}

/** Whether an opened header is that of a pack of trees: the first entry tells, since packs are of one type (restic's, too). */
export const holdsTrees = (header: Buffer): boolean => header.length > 0 && (header[0] & 1) === 1;

/** Where the sealed header lies in a pack of `size` bytes whose last four bytes are `tail`. */
export function headerRange(tail: Buffer, size: number): { offset: number; length: number } {
  if (tail.length !== 4) throw new HoldfastError('pack-invalid', { cause: `${tail.length} bytes came where 4 were asked for` });
  const length = tail.readUInt32LE(0);
  if (length < sealOverhead + 37 || length > maxHeaderBytes || length + 4 > size)
    throw new HoldfastError('pack-invalid', { cause: `header length ${length} in a file of ${size} bytes` });
  return { offset: size - 4 - length, length };
}
