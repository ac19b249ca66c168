/** Jobs: read packs, or blobs of packs, and prove every byte of them. */
import { createHash } from 'node:crypto';
import type { HoldfastError } from '../../contract/errors.ts';
import { decodeBlob } from '../../repository/blob-codec.ts';
import { emptyLocation } from '../../repository/blob-index.ts';
import { headerRange, readEntries } from '../../repository/pack.ts';
import { isDamage } from '../trees/damage-codes.ts';
import type { WorkerContext } from '../workers/context.ts';
import { type IndexSurvey, recordsOf } from './index-survey.ts';
import { PackFile, readSealed, type SealedVisitor } from './pack-file.ts';

export interface PackDamage {
  readonly pack: number;
  /** `name`: the file's SHA-256 is not its name. `header`: the pack's own list differs from the index. `blob`: record `record` is bad. */
  readonly kind: 'unreadable' | 'name' | 'header' | 'blob';
  /** -1 unless the kind is `blob`. */
  readonly record: number;
  readonly cause: string;
  /** The storage could not read it, which says nothing about what is there. */
  readonly unread: boolean;
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

/** Bytes of a pack that are read at once from a local folder, whose pages are used again and again. */
const localPiece = 4 << 20;
/** From elsewhere, where every request takes its time; no honest pack is longer than a few of them. */
const remotePiece = 32 << 20;

const causeOf = (error: HoldfastError): string => String(error.context.cause ?? error.message);
const reasonOf = (error: HoldfastError): { cause: string; unread: boolean } => ({
  cause: causeOf(error),
  unread: error.code === 'storage-failed',
});

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
      damage.push({ pack, kind: 'unreadable', record: -1, ...reasonOf(error) });
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
  const records = recordsOf(survey, pack);
  const verifier = new BlobVerifier(pack, context, damage);
  let verified = 0;
  try {
    const hash = createHash('sha256');
    verified = readOnce(file, size, records, context, (bytes) => hash.update(bytes), verifier);
    const cause = 'its content does not have the hash that it is named by';
    if (!hash.digest().equals(id)) damage.push({ pack, kind: 'name', record: -1, cause, unread: false });
  } catch (error) {
    // A bad spot: each blob for itself tells which are lost.
    if (!isDamage(error)) throw error;
    damage.push({ pack, kind: 'unreadable', record: -1, ...reasonOf(error) });
    verified = verifier.count;
  }
  const difference = compareHeader(file, size, records, context);
  if (difference) damage.push({ pack, kind: 'header', record: -1, cause: difference, unread: false });
  readSealed(file, context.index, records.subarray(verified), verifier.verify);
}

/**
 * Reads a pack from its beginning to its end, gives every byte to `hash` once and every blob to `verifier`, as long as they
 * follow one another as they should. Returns how many of `records` were verified.
 */
function readOnce(
  file: PackFile,
  size: number,
  records: Uint32Array,
  { index, control, start }: WorkerContext,
  hash: (bytes: Uint8Array) => void,
  verifier: BlobVerifier,
): number {
  const piece = start.localFolder === undefined ? remotePiece : localPiece;
  const next = emptyLocation();
  let row = 0;
  let inOrder = true;
  for (let hashed = 0; hashed < size; ) {
    control.checkpoint();
    // A blob that the last piece cut in two is read again from its beginning, rather than kept.
    let from = hashed;
    let least = 0;
    if (inOrder && row < records.length) {
      index.at(records[row], next);
      const ends = next.offset + next.length;
      inOrder = next.offset <= hashed && ends > hashed && ends <= size && next.length <= remotePiece;
      if (inOrder) [from, least] = [next.offset, next.length];
    }
    const bytes = file.read(from, Math.min(Math.max(piece, least), size - from));
    const end = from + bytes.length;
    hash(bytes.subarray(hashed - from));
    hashed = end;
    for (; inOrder && row < records.length; row++) {
      index.at(records[row], next);
      if (next.offset < from || next.offset + next.length > end) break;
      verifier.verify(next, bytes.subarray(next.offset - from, next.offset - from + next.length), undefined);
    }
  }
  return row;
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
        bytes.compare(context.index.idViewAt(record), 0, 32, at, at + 32) === 0;
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
      const { verify } = new BlobVerifier(pack, context, damage);
      PackFile.with(context, name, (file) => readSealed(file, context.index, records.subarray(from, to), verify));
    } catch (error) {
      if (!isDamage(error)) throw error;
      damage.push({ pack, kind: 'unreadable', record: -1, ...reasonOf(error) });
    }
    context.progress.add('files', 1);
    from = to;
  }
  return damage;
}

/** Proves one blob of a pack after the other, and notes those that are bad. */
class BlobVerifier {
  readonly #pack: number;
  readonly #context: WorkerContext;
  readonly #damage: PackDamage[];
  count = 0;

  constructor(pack: number, context: WorkerContext, damage: PackDamage[]) {
    this.#pack = pack;
    this.#context = context;
    this.#damage = damage;
  }

  readonly verify: SealedVisitor = ({ entry, length, uncompressedLength }, sealed, reason) => {
    const { index, sealer, control, progress } = this.#context;
    control.checkpoint();
    try {
      if (!sealed) throw reason;
      decodeBlob(sealer, sealed, index.idViewAt(entry), uncompressedLength, index.typeAt(entry));
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#damage.push({ pack: this.#pack, kind: 'blob', record: entry, ...reasonOf(error) });
    }
    this.count += 1;
    progress.add('bytes', length);
  };
}
