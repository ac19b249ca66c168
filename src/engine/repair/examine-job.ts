/** Jobs of `repair packs`: find out what can still be had of packs, and copy it into new ones. */
import { createHash } from 'node:crypto';
import type { HoldfastError } from '../../contract/errors.ts';
import { decodeBlob } from '../../repository/blob-codec.ts';
import { bytesOfId } from '../../repository/ids.ts';
import { type IndexSurvey, recordsOf } from '../check/index-survey.ts';
import { PackFile } from '../check/pack-file.ts';
import { isDamage } from '../trees/damage-codes.ts';
import type { WorkerContext } from '../workers/context.ts';
import type { PackToLookAt } from './look-job.ts';
import { listOf, type Place, placesOf } from './places.ts';
import { headerCause, type OwnList, placesInIndex, readOwnList, salvagePack } from './salvage.ts';

export interface ExamineArgs {
  readonly packs: readonly PackToLookAt[];
  readonly survey: IndexSurvey;
}

export interface PackExamined {
  /**
   * - `whole`: the pack is as it was written, and the index says so.
   * - `misdescribed`: it is as it was written, but the index says otherwise.
   * - `damaged`
   */
  readonly state: 'whole' | 'misdescribed' | 'damaged';
  /** What is wrong with it; empty when it is whole. */
  readonly cause: string;
  /** Lists of places, empty unless it is damaged. */
  readonly intact: Uint8Array<ArrayBuffer>;
  /** What index or header promise and what is not among the intact. */
  readonly lost: Uint8Array<ArrayBuffer>;
  /** A part of it could not be read at all, so the file cannot be copied as it is. */
  readonly unreadable: boolean;
}

/** Bytes that are hashed at once. */
const pieceBytes = 4 << 20;

const causeOf = (error: HoldfastError): string => String(error.context.cause ?? error.message);

/** Reads each pack whole; gives a result for each, in their order. */
export function examinePacks({ packs, survey }: ExamineArgs, context: WorkerContext): PackExamined[] {
  const results = packs.map((pack) => {
    const records = pack.pack < 0 ? new Uint32Array(0) : recordsOf(survey, pack.pack);
    const result = examine(pack, records, context);
    context.progress.add('files', 1);
    context.progress.add('bytes', pack.size);
    return result;
  });
  for (const { intact, lost } of results) context.transfer.push(intact.buffer, lost.buffer);
  return results;
}

const nothing = (): Uint8Array<ArrayBuffer> => new Uint8Array(0);

/** What fails to be read is tried a second time, so that a hiccup of the storage is not taken for damage. */
function examine(pack: PackToLookAt, records: Uint32Array, context: WorkerContext): PackExamined {
  const first = examineOnce(pack, records, context);
  return first.unreadable ? examineOnce(pack, records, context) : first;
}

function examineOnce({ name, size, pack }: PackToLookAt, records: Uint32Array, context: WorkerContext): PackExamined {
  try {
    return PackFile.with(context, name, (file): PackExamined => {
      const hash = hashOf(file, name, size, context);
      const own = ownListOf(file, size, context);
      const fits = own.list !== undefined && own.list.end === own.list.headerAt;
      const blobs = hash.isSame && fits ? proveAll(file, placesOf(own.list!.places), context) : undefined;
      if (blobs?.areIntact) {
        const agrees = pack < 0 || Buffer.compare(own.list!.places, placesInIndex(context, records)) === 0;
        return {
          state: agrees ? 'whole' : 'misdescribed',
          cause: agrees ? '' : 'the index does not say what it holds',
          intact: nothing(),
          lost: nothing(),
          unreadable: false,
        };
      }
      const { intact, lost, unread } = salvagePack(file, size, records, context);
      const cause = hash.cause ?? own.cause ?? (fits ? 'it holds damaged blobs' : 'its header lists something else');
      const unreadable = [hash, own, blobs].some((part) => part?.unread) || unread.length > 0;
      return { state: 'damaged', cause, intact: listOf(intact), lost: listOf(lost), unreadable };
    });
  } catch (error) {
    if (!isDamage(error)) throw error;
    const lost = placesInIndex(context, records);
    return { state: 'damaged', cause: causeOf(error), intact: nothing(), lost, unreadable: isUnread(error) };
  }
}

const isUnread = (error: HoldfastError): boolean => error.code === 'storage-failed';

/** What came of reading a part of a pack. */
interface Part {
  /** Why it is not as it should be. */
  readonly cause: string | undefined;
  /** The storage could not read it, which says nothing about what is there. */
  readonly unread: boolean;
}

function hashOf(file: PackFile, name: string, size: number, { control }: WorkerContext): Part & { readonly isSame: boolean } {
  const hash = createHash('sha256');
  try {
    for (let at = 0; at < size; at += pieceBytes) {
      control.checkpoint();
      hash.update(file.read(at, Math.min(pieceBytes, size - at)));
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { isSame: false, cause: causeOf(error), unread: isUnread(error) };
  }
  const isSame = hash.digest().equals(bytesOfId(name));
  return { isSame, cause: isSame ? undefined : 'its content does not have the hash that it is named by', unread: false };
}

function ownListOf(file: PackFile, size: number, context: WorkerContext): Part & { readonly list: OwnList | undefined } {
  try {
    return { list: readOwnList(file, size, context), cause: undefined, unread: false };
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { list: undefined, cause: headerCause(error), unread: isUnread(error) };
  }
}

function proveAll(file: PackFile, places: readonly Place[], { sealer, control }: WorkerContext): Part & { readonly areIntact: boolean } {
  try {
    for (const { type, offset, length, uncompressedLength, id } of places) {
      control.checkpoint();
      decodeBlob(sealer, file.read(offset, length), id, uncompressedLength, type);
    }
    return { areIntact: true, cause: undefined, unread: false };
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { areIntact: false, cause: undefined, unread: isUnread(error) };
  }
}

export interface CopyPlaces {
  readonly name: string;
  /** A list of places. */
  readonly places: Uint8Array;
}

/** Copies blobs as they are sealed, each proved once more before it is packed. Throws as reading and decoding do. */
export function copyPlaces({ name, places }: CopyPlaces, context: WorkerContext): void {
  const { sealer, control, progress } = context;
  PackFile.with(context, name, (file) => {
    for (const { type, offset, length, uncompressedLength, id } of placesOf(places)) {
      control.checkpoint();
      const sealed = file.read(offset, length);
      decodeBlob(sealer, sealed, id, uncompressedLength, type);
      (type === 'tree' ? context.tree : context.data).addSealed(id, sealed, uncompressedLength);
      progress.add('bytes', length);
    }
  });
  progress.add('files', 1);
}
