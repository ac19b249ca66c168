/** Job: what the blobs that snapshots need take, and what would be free without each snapshot. */
import { emptyLocation } from '../../repository/blob-index.ts';
import { sealOverhead } from '../../repository/crypto.ts';
import type { WorkerContext } from '../workers/context.ts';
import { isOwned, isOwnedByLookedAt, loneOwner } from './owners-job.ts';

/** Blobs, each counted once. The figures and their definitions are those of restic's `stats --mode raw-data`. */
export interface RawFigures {
  blobs: number;
  /** In packs. */
  bytes: number;
  /** What they would take if none was compressed. */
  uncompressedBytes: number;
  /** Of those that are compressed. */
  compressedBlobsBytes: number;
  compressedBlobsUncompressedBytes: number;
}

export interface BlobCounts {
  readonly lookedAt: RawFigures;
  /** Of all that the index names, further copies included. */
  readonly stored: { blobs: number; bytes: number };
  /** What no snapshot needs. */
  readonly unused: { blobs: number; bytes: number };
  /** For each snapshot by its number: what no other snapshot needs. */
  readonly aloneBlobs: Float64Array;
  readonly aloneBytes: Float64Array;
}

export interface RawArgs {
  /** See owners-job.ts. */
  readonly owners: Uint32Array;
  readonly snapshots: number;
}

export function countBlobs({ owners, snapshots }: RawArgs, { index, control }: WorkerContext): BlobCounts {
  const counts: BlobCounts = {
    lookedAt: { blobs: 0, bytes: 0, uncompressedBytes: 0, compressedBlobsBytes: 0, compressedBlobsUncompressedBytes: 0 },
    stored: { blobs: 0, bytes: 0 },
    unused: { blobs: 0, bytes: 0 },
    aloneBlobs: new Float64Array(snapshots),
    aloneBytes: new Float64Array(snapshots),
  };
  const location = emptyLocation();
  for (let record = 0; record < owners.length; record++) {
    if ((record & 0xffff) === 0) control.checkpoint();
    if (!index.at(record, location)) continue;
    const { length, uncompressedLength } = location;
    counts.stored.blobs += 1;
    counts.stored.bytes += length;
    const owner = owners[record];
    if (!isOwned(owner)) {
      counts.unused.blobs += 1;
      counts.unused.bytes += length;
      continue;
    }
    if (isOwnedByLookedAt(owner)) addRaw(counts.lookedAt, length, uncompressedLength);
    const lone = loneOwner(owner);
    if (lone < 0) continue;
    counts.aloneBlobs[lone] += 1;
    counts.aloneBytes[lone] += length;
  }
  return counts;
}

function addRaw(raw: RawFigures, length: number, uncompressedLength: number): void {
  const uncompressed = uncompressedLength > 0 ? uncompressedLength + sealOverhead : length;
  raw.blobs += 1;
  raw.bytes += length;
  raw.uncompressedBytes += uncompressed;
  if (uncompressedLength === 0) return;
  raw.compressedBlobsBytes += length;
  raw.compressedBlobsUncompressedBytes += uncompressed;
}

/** Shares as restic gives them; 0 where there is nothing to divide. */
export const compressionOf = (raw: RawFigures): { ratio: number; progress: number; spaceSaving: number } => ({
  /** Of what is compressed: how many bytes became one. */
  ratio: raw.compressedBlobsBytes > 0 ? raw.compressedBlobsUncompressedBytes / raw.compressedBlobsBytes : 0,
  /** How much of all is compressed, in percent. */
  progress: raw.uncompressedBytes > 0 ? (raw.compressedBlobsUncompressedBytes / raw.uncompressedBytes) * 100 : 0,
  /** In percent. */
  spaceSaving: raw.uncompressedBytes > 0 ? (1 - raw.bytes / raw.uncompressedBytes) * 100 : 0,
});
