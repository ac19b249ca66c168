/** Job of `repair index`: what the index should say of packs that it does not know, or knows otherwise than they are. */
import { hasCode } from '../../contract/errors.ts';
import { type IndexSurvey, recordsOf } from '../check/index-survey.ts';
import { PackFile } from '../check/pack-file.ts';
import { isDamage } from '../trees/damage-codes.ts';
import type { WorkerContext } from '../workers/context.ts';
import { listOf, placeCount, type Place, visitPlaces } from './places.ts';
import { headerCause, placesInIndex, readOwnList, salvagePack } from './salvage.ts';

export interface PackToLookAt {
  /** 64 hex digits. */
  readonly name: string;
  /** File size in bytes. */
  readonly size: number;
  /** Its number in the index; -1 when the index does not name it. */
  readonly pack: number;
}

export interface LookArgs {
  readonly packs: readonly PackToLookAt[];
  readonly survey: IndexSurvey;
}

export interface PackLook {
  /**
   * - `same`: the index says what the pack says; `places` is empty.
   * - `header`: the index is to say what the pack's header says.
   * - `proved`: the header is of no use; these are the places that hold what they should.
   * - `unread`: the pack cannot be read just now.
   */
  readonly from: 'same' | 'header' | 'proved' | 'unread';
  /** A list of places: see places.ts. */
  readonly places: Uint8Array<ArrayBuffer>;
  /** Blobs that the index lists in the pack. */
  readonly listed: number;
  /** Blobs that it lists and that are not there. */
  readonly dropped: number;
  /** Why the header is of no use. */
  readonly cause: string | undefined;
}

/** Gives a result for each pack, in their order. */
export function lookAtPacks({ packs, survey }: LookArgs, context: WorkerContext): PackLook[] {
  const looks = packs.map((pack) => {
    context.control.checkpoint();
    const look = lookAt(pack, survey, context);
    context.progress.add('files', 1);
    context.progress.add('bytes', pack.size);
    return look;
  });
  for (const { places } of looks) context.transfer.push(places.buffer);
  return looks;
}

const none = new Uint32Array(0);

function lookAt({ name, size, pack }: PackToLookAt, survey: IndexSurvey, context: WorkerContext): PackLook {
  const records = pack < 0 ? none : recordsOf(survey, pack);
  const indexed = placesInIndex(context, records);
  const listed = placeCount(indexed);
  try {
    return PackFile.with(context, name, (file) => {
      let cause: string;
      try {
        const own = twice(() => readOwnList(file, size, context));
        if (own.end === own.headerAt) {
          if (Buffer.compare(own.places, indexed) === 0)
            return { from: 'same', places: new Uint8Array(0), listed, dropped: 0, cause: undefined };
          return { from: 'header', places: own.places, listed, dropped: countMissing(indexed, own.places), cause: undefined };
        }
        cause = `its blobs take ${own.end} bytes, but ${own.headerAt} bytes lie before its header`;
      } catch (error) {
        if (!isDamage(error)) throw error;
        cause = headerCause(error);
      }
      const { intact, unread } = salvagePack(file, size, records, context);
      if (intact.length === 0 && unread.length > 0) return { from: 'unread', places: indexed, listed, dropped: 0, cause };
      const places = listOf(byOffset([...intact, ...unread]));
      return { from: 'proved', places, listed, dropped: countMissing(indexed, places), cause };
    });
  } catch (error) {
    if (!isDamage(error)) throw error;
    if (hasCode(error, 'file-not-found'))
      return { from: 'proved', places: new Uint8Array(0), listed, dropped: listed, cause: 'it is missing' };
    return { from: 'unread', places: indexed, listed, dropped: 0, cause: headerCause(error) };
  }
}

/** A hiccup of the storage is not to be taken for damage. */
function twice<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!hasCode(error, 'storage-failed')) throw error;
    return read();
  }
}

const byOffset = (places: Place[]): Place[] => places.sort((a, b) => a.offset - b.offset);

/** How many blobs of `before` are not in `after`, wherever they lie. */
function countMissing(before: Uint8Array, after: Uint8Array): number {
  const known = new Set<string>();
  visitPlaces(after, (type, _offset, _length, _plain, ids, at) => known.add(`${type} ${ids.toString('hex', at, at + 32)}`));
  let missing = 0;
  visitPlaces(before, (type, _offset, _length, _plain, ids, at) => {
    if (!known.has(`${type} ${ids.toString('hex', at, at + 32)}`)) missing += 1;
  });
  return missing;
}
