/**
 * The index seen by packs: which records lie in which pack, in which order, and what that makes of the pack's file.
 *
 * - Records of one blob in several places are *copies*; lookups give one of them, the blob's *primary* record.
 * - A pack *fits* when the storage holds it at the size that its records compute and they leave no gap.
 *
 * All lists are typed arrays on shared memory: 17 bytes a record, and no object.
 */
import { emptyLocation } from '../../repository/blob-index.ts';
import type { WorkerContext } from '../workers/context.ts';

export const recordKind = { tree: 1, compressed: 2 } as const;
export const packTrait = {
  data: 1,
  tree: 2,
  /** The blobs do not follow one another without gap or overlap. */
  broken: 4,
} as const;

/** Bytes of a pack that are neither blobs nor entries of the header. */
const packFrame = 36;

type Shared32 = Uint32Array<SharedArrayBuffer>;
type Shared8 = Uint8Array<SharedArrayBuffer>;

export interface IndexSurvey {
  readonly packs: number;
  readonly records: number;
  /** Records beyond one for each blob. */
  readonly copies: number;
  /** Record numbers by pack, then by offset. */
  readonly order: Shared32;
  /** Pack p has the records at starts[p] to starts[p + 1] of `order`. */
  readonly starts: Shared32;
  /** File size of each pack in bytes, as its records compute it. */
  readonly sizes: Float64Array<SharedArrayBuffer>;
  /** Bits of {@link packTrait} for each pack. */
  readonly traits: Shared8;
  /** For each record: its pack. */
  readonly packOf: Shared32;
  /** For each record: the sealed length in bytes. */
  readonly lengths: Shared32;
  /** For each record: bits of {@link recordKind}. */
  readonly kinds: Shared8;
  /** For each record: the primary record of its blob. */
  readonly primary: Shared32;
}

const shared32 = (length: number): Shared32 => new Uint32Array(new SharedArrayBuffer(length * 4));
const shared8 = (length: number): Shared8 => new Uint8Array(new SharedArrayBuffer(length));

/** Job. Call it when the index is loaded; no pack may be marked as lost. */
export function surveyIndex(_: undefined, context: WorkerContext): IndexSurvey {
  const { index, control } = context;
  const count = index.blobCount;
  const packs = index.packCount;
  const offsets = new Uint32Array(count);
  const packOf = shared32(count);
  const lengths = shared32(count);
  const kinds = shared8(count);
  const primary = shared32(count);
  const starts = shared32(packs + 1);
  const location = emptyLocation();
  let copies = 0;
  for (let record = 0; record < count; record++) {
    if ((record & 0xfff) === 0) control.checkpoint();
    index.at(record, location);
    const type = index.typeAt(record);
    packOf[record] = location.pack;
    offsets[record] = location.offset;
    lengths[record] = location.length;
    kinds[record] = (type === 'tree' ? recordKind.tree : 0) | (location.uncompressedLength > 0 ? recordKind.compressed : 0);
    primary[record] = index.primaryOf(record);
    if (primary[record] !== record) copies += 1;
    starts[location.pack + 1] += 1;
  }
  for (let pack = 0; pack < packs; pack++) starts[pack + 1] += starts[pack];
  const order = shared32(count);
  const next = starts.slice(0, packs);
  for (let record = 0; record < count; record++) order[next[packOf[record]]++] = record;

  const sizes = new Float64Array(new SharedArrayBuffer(packs * 8));
  const traits = shared8(packs);
  for (let pack = 0; pack < packs; pack++) {
    control.checkpoint();
    const own = order.subarray(starts[pack], starts[pack + 1]);
    if (!isAscending(own, offsets)) own.sort((a, b) => offsets[a] - offsets[b] || a - b);
    let end = 0;
    let size = packFrame;
    for (const record of own) {
      if (offsets[record] !== end) traits[pack] |= packTrait.broken;
      end = offsets[record] + lengths[record];
      size += lengths[record] + ((kinds[record] & recordKind.compressed) !== 0 ? 41 : 37);
      traits[pack] |= (kinds[record] & recordKind.tree) !== 0 ? packTrait.tree : packTrait.data;
    }
    sizes[pack] = size;
  }
  return { packs, records: count, copies, order, starts, sizes, traits, packOf, lengths, kinds, primary };
}

function isAscending(records: Uint32Array, offsets: Uint32Array): boolean {
  for (let i = 1; i < records.length; i++) if (offsets[records[i - 1]] >= offsets[records[i]]) return false;
  return true;
}

/** The records of a pack by their offset; a view. */
export const recordsOf = (survey: IndexSurvey, pack: number): Shared32 =>
  survey.order.subarray(survey.starts[pack], survey.starts[pack + 1]);

/** For each pack: 1 when it fits. `stored` has the file sizes, -1 for a missing one. */
export function fitness({ packs, sizes, traits }: IndexSurvey, stored: Float64Array): Uint8Array {
  const fits = new Uint8Array(packs);
  for (let pack = 0; pack < packs; pack++) fits[pack] = stored[pack] === sizes[pack] && (traits[pack] & packTrait.broken) === 0 ? 1 : 0;
  return fits;
}

/**
 * For each primary record the record to read its blob from: a copy in a pack that fits, if there is any. A pack that was lost stays
 * in the index after a backup has stored its blobs anew.
 */
export function bestRecords({ records, packOf, primary }: IndexSurvey, fits: Uint8Array): Shared32 {
  const best = shared32(records);
  best.set(primary);
  for (let record = 0; record < records; record++) {
    if (fits[packOf[record]] === 1 && fits[packOf[best[primary[record]]]] === 0) best[primary[record]] = record;
  }
  return best;
}
