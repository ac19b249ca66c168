/** Which blobs of damaged packs lie whole in other packs. */
import type { BlobIndex, BlobType } from '../../repository/blob-index.ts';
import { bytesOfId } from '../../repository/ids.ts';
import type { IndexSurvey } from '../check/index-survey.ts';
import type { PackListing } from '../check/pack-listing.ts';
import type { WorkerPool } from '../workers/pool.ts';
import { visitPlaces } from './places.ts';

interface DamagedPack {
  /** 64 hex digits. */
  readonly name: string;
  /** Lists of places. */
  readonly intact: Uint8Array;
  readonly lost: Uint8Array;
}

/** Tells of a blob whether a pack that is not among the damaged ones holds it; the ID begins at `at` of `ids`. */
type IsWhole = (type: BlobType, ids: Uint8Array, at: number) => boolean;

/** Records that one job reads. */
const recordsPerJob = 1024;

/** Every copy that counts was read and proved. */
export async function wholeElsewhere(
  damaged: readonly DamagedPack[],
  index: BlobIndex,
  survey: IndexSurvey,
  { stored }: PackListing,
  pool: WorkerPool,
): Promise<IsWhole> {
  const { records, order, packOf, primary, packs } = survey;
  const wanted = new Uint8Array(records);
  const excluded = new Uint8Array(packs);
  for (const { name, intact, lost } of damaged) {
    const pack = index.packNumber(bytesOfId(name));
    if (pack >= 0) excluded[pack] = 1;
    for (const list of [intact, lost]) {
      visitPlaces(list, (type, _offset, _length, _plain, ids, at) => {
        const record = index.entryOf(ids, at, type);
        if (record >= 0) wanted[record] = 1;
      });
    }
  }
  const copies: number[] = [];
  for (let i = 0; i < records; i++) {
    const record = order[i];
    const pack = packOf[record];
    if (wanted[primary[record]] === 1 && excluded[pack] === 0 && stored[pack] >= 0) copies.push(record);
  }
  const whole = new Uint8Array(records);
  for (const record of copies) whole[record] = 1;
  const jobs: Promise<void>[] = [];
  for (let from = 0; from < copies.length; from += recordsPerJob) {
    const part = Uint32Array.from(copies.slice(from, from + recordsPerJob));
    jobs.push(
      pool.run('verifyBlobs', { records: part, survey }).then((damage) => {
        for (const { pack, record } of damage) {
          if (record >= 0) whole[record] = 0;
          else for (const each of part) if (packOf[each] === pack) whole[each] = 0;
        }
      }),
    );
  }
  await Promise.all(jobs);
  const isHad = new Uint8Array(records);
  for (const record of copies) if (whole[record] === 1) isHad[primary[record]] = 1;
  return (type, ids, at) => {
    const record = index.entryOf(ids, at, type);
    return record >= 0 && isHad[record] === 1;
  };
}
