/** Jobs: read packs, or blobs of packs, and prove every byte of them. */
import { createHash } from 'node:crypto';
import type { HoldfastError } from '../../contract/errors.ts';
import { decodeBlob } from '../../repository/blob-codec.ts';
import { emptyLocation } from '../../repository/blob-index.ts';
import { headerRange, readEntries } from '../../repository/pack.ts';
import { isDamage } from '../trees/damage-codes.ts';
import type { WorkerContext } from '../workers/context.ts';
import { type IndexSurvey, recordsOf } from './index-survey.ts';
import { PackFile, readSealed } from './pack-file.ts';

export interface PackDamage {
  readonly pack: number;
  /** `name`: the file's SHA-256 is not its name. `header`: the pack's own list differs from the index. `blob`: record `record` is bad. */
  readonly kind: 'unreadable' | 'name' | 'header' | 'blob';
  /** -1 unless the kind is `blob`. */
  readonly record: number;
  readonly cause: string;
}

export interface VerifyPacksArgs {
  /** Pack numbers. */
  readonly packs: Uint32Array;
  /** File size of each pack of the index, in bytes. */
  readonly stored: Float64Array;
  readonly survey: IndexSurvey;
}

export interface VerifyBlobsArgs {
  /** Records by pack, then by offset. */
  readonly records: Uint32Array;
  readonly survey: IndexSurvey;
}

/** Packs are hashed in pieces of this length; no honest pack is longer than a few of them. */
const piece = 32 << 20;

const causeOf = (error: HoldfastError): string => String(error.context.cause ?? error.message);

/** Each pack whole: its name, its header, every blob. */
export function verifyPacks({ packs, stored, survey }: VerifyPacksArgs, context: WorkerContext): PackDamage[] {
  const damage: PackDamage[] = [];
  for (const pack of packs) {
    context.control.checkpoint();
    const id = context.index.packId(pack);
    try {
      PackFile.with(context, id.toString('hex'), (file) => verifyPack(file, pack, id, stored[pack], survey, context, damage));
    } catch (error) {
      if (!isDamage(error)) throw error;
      damage.push({ pack, kind: 'unreadable', record: -1, cause: causeOf(error) });
    }
    context.progress.add('files', 1);
  }
  return damage;
}

function verifyPack(
  file: PackFile,
  pack: number,
  id: Buffer,
  size: number,
  survey: IndexSurvey,
  context: WorkerContext,
  damage: PackDamage[],
): void {
  try {
    const hash = createHash('sha256');
    for (let at = 0; at < size; at += piece) {
      context.control.checkpoint();
      hash.update(file.read(at, Math.min(piece, size - at)));
    }
    const cause = 'its content does not have the hash that it is named by';
    if (!hash.digest().equals(id)) damage.push({ pack, kind: 'name', record: -1, cause });
  } catch (error) {
    // A bad spot: each blob for itself tells which are lost.
    if (!isDamage(error)) throw error;
    damage.push({ pack, kind: 'unreadable', record: -1, cause: causeOf(error) });
  }
  const difference = compareHeader(file, size, recordsOf(survey, pack), context);
  if (difference) damage.push({ pack, kind: 'header', record: -1, cause: difference });
  verifyRecords(file, recordsOf(survey, pack), pack, context, damage);
}

/** What differs between a pack's own list of blobs and the index; undefined when nothing does. */
function compareHeader(file: PackFile, size: number, records: Uint32Array, context: WorkerContext): string | undefined {
  try {
    if (size < 4) return `the file has ${size} bytes`;
    const range = headerRange(Buffer.from(file.read(size - 4, 4)), size);
    const header = Buffer.from(context.sealer.open(file.read(range.offset, range.length)));
    const location = emptyLocation();
    let seen = 0;
    let difference: string | undefined;
    const end = readEntries(header, (type, offset, length, plain, bytes, at) => {
      const record = records[seen++];
      if (difference !== undefined || record === undefined) return;
      context.index.at(record, location);
      const same =
        location.offset === offset &&
        location.length === length &&
        location.uncompressedLength === plain &&
        context.index.typeAt(record) === type &&
        context.index.idAt(record).equals(bytes.subarray(at, at + 32));
      if (!same) difference = `entry ${seen} of the header differs from the index`;
    });
    if (seen !== records.length) return `the header lists ${seen} blobs, the index ${records.length}`;
    if (end !== range.offset) return `its blobs take ${end} bytes, but ${range.offset} bytes lie before its header`;
    return difference;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return error.code === 'item-tampered' ? 'its header does not authenticate' : causeOf(error);
  }
}

/** Only the blobs named, from wherever they lie. */
export function verifyBlobs({ records, survey }: VerifyBlobsArgs, context: WorkerContext): PackDamage[] {
  const damage: PackDamage[] = [];
  for (let from = 0; from < records.length; ) {
    const pack = survey.packOf[records[from]];
    let to = from + 1;
    while (to < records.length && survey.packOf[records[to]] === pack) to++;
    try {
      const name = context.index.packId(pack).toString('hex');
      PackFile.with(context, name, (file) => verifyRecords(file, records.subarray(from, to), pack, context, damage));
    } catch (error) {
      if (!isDamage(error)) throw error;
      damage.push({ pack, kind: 'unreadable', record: -1, cause: causeOf(error) });
    }
    context.progress.add('files', 1);
    from = to;
  }
  return damage;
}

function verifyRecords(file: PackFile, records: Uint32Array, pack: number, context: WorkerContext, damage: PackDamage[]): void {
  const { index, sealer, control, progress } = context;
  readSealed(file, index, records, (location, sealed, reason) => {
    control.checkpoint();
    const { entry } = location;
    try {
      if (!sealed) throw reason;
      decodeBlob(sealer, sealed, index.idAt(entry), location.uncompressedLength, index.typeAt(entry));
    } catch (error) {
      if (!isDamage(error)) throw error;
      damage.push({ pack, kind: 'blob', record: entry, cause: causeOf(error) });
    }
    progress.add('bytes', location.length);
  });
}
