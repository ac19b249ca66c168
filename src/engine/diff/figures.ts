/** Counts and bytes of a difference. */
import { type BlobIndex, emptyLocation } from '../../repository/blob-index.ts';
import { sealOverhead } from '../../repository/crypto.ts';
import type { Node } from '../../repository/tree/node.ts';
import type { WorkerContext } from '../workers/context.ts';
import { needs } from './survey-job.ts';

export interface EntryTally {
  files: number;
  folders: number;
  /** Links, devices and so on. */
  others: number;
  /** Of the files, each name counted. */
  bytes: number;
}

export interface EntryFigures {
  readonly added: EntryTally;
  readonly removed: EntryTally;
  /** What moved, with all that is in a folder that did. */
  readonly moved: EntryTally;
  readonly content: { files: number; bytesBefore: number; bytesAfter: number };
  /** Entries that became another type. */
  retyped: number;
  /** Entries of which nothing but metadata changed. */
  metadataOnly: number;
}

const noTally = (): EntryTally => ({ files: 0, folders: 0, others: 0, bytes: 0 });

export const noEntries = (): EntryFigures => ({
  added: noTally(),
  removed: noTally(),
  moved: noTally(),
  content: { files: 0, bytesBefore: 0, bytesAfter: 0 },
  retyped: 0,
  metadataOnly: 0,
});

export function addEntry(tally: EntryTally, { type, size }: Node): void {
  if (type === 'file') tally.files += 1;
  else if (type === 'dir') tally.folders += 1;
  else tally.others += 1;
  tally.bytes += size;
}

/** Adds the figures of `part` to `sum`. */
export function addFigures(sum: EntryFigures, part: EntryFigures): void {
  for (const kind of ['added', 'removed', 'moved'] as const)
    for (const field of ['files', 'folders', 'others', 'bytes'] as const) sum[kind][field] += part[kind][field];
  for (const field of ['files', 'bytesBefore', 'bytesAfter'] as const) sum.content[field] += part.content[field];
  sum.retyped += part.retyped;
  sum.metadataOnly += part.metadataOnly;
}

/** Blobs that only one of the two needs. */
export interface BlobTally {
  dataBlobs: number;
  treeBlobs: number;
  /** Of their plaintext. */
  bytes: number;
  /** That they take in packs. */
  packedBytes: number;
}

export interface BlobFigures {
  readonly first: BlobTally;
  readonly second: BlobTally;
}

/** Job: counts the marks of a survey. */
export function tallyBlobs(marks: Uint8Array, { index, control }: WorkerContext): BlobFigures {
  const figures = { first: noBlobs(), second: noBlobs() };
  for (let record = 0; record < marks.length; record++) {
    if ((record & 0xffff) === 0) control.checkpoint();
    const need = marks[record] & 7;
    if (need === needs.first) addBlob(figures.first, index, record);
    else if (need === needs.second) addBlob(figures.second, index, record);
  }
  return figures;
}

const noBlobs = (): BlobTally => ({ dataBlobs: 0, treeBlobs: 0, bytes: 0, packedBytes: 0 });
const location = emptyLocation();

function addBlob(tally: BlobTally, index: BlobIndex, record: number): void {
  if (index.typeAt(record) === 'tree') tally.treeBlobs += 1;
  else tally.dataBlobs += 1;
  if (!index.at(record, location)) return;
  tally.bytes += location.uncompressedLength || location.length - sealOverhead;
  tally.packedBytes += location.length;
}
