/** Which blobs of the index are there. */
import { fail } from '../../contract/errors.ts';
import type { Repository } from '../../repository/repository.ts';
import { bestRecords, fitness, type IndexSurvey, recordsOf } from '../check/index-survey.ts';
import type { PackListing } from '../check/pack-listing.ts';
import type { WorkerPool } from '../workers/pool.ts';

export interface Availability {
  /** For each record that lookups give, the record to read its blob from. On shared memory, as the other. */
  readonly best: Uint32Array<SharedArrayBuffer>;
  /** For each record that lookups give: 1 when its blob is there. */
  readonly available: Uint8Array<SharedArrayBuffer>;
}

/**
 * A pack that is as long as the index says is believed to hold what the index says. What is in a pack of another length is read
 * and proved. Throws `storage-failed` when that cannot be read just now.
 */
export async function findAvailable(
  repository: Repository,
  survey: IndexSurvey,
  { stored }: PackListing,
  pool: WorkerPool,
): Promise<Availability> {
  const { packs, records, packOf, primary } = survey;
  const fits = fitness(survey, stored);
  const best = bestRecords(survey, fits);
  const available = new Uint8Array(new SharedArrayBuffer(records));
  const jobs: Promise<void>[] = [];
  for (let pack = 0; pack < packs; pack++) {
    if (fits[pack] === 1 || stored[pack] < 0) continue;
    const doubtful = Uint32Array.from(recordsOf(survey, pack));
    jobs.push(
      pool.run('verifyBlobs', { records: doubtful, survey }).then((damage) => {
        const unread = damage.find((each) => each.unread);
        if (unread)
          return fail('storage-failed', { location: repository.storage.location, operation: 'read', file: 'a pack', cause: unread.cause });
        const bad = new Set(damage.map(({ record }) => record));
        for (const record of doubtful) {
          // A damage without record is that of the whole pack.
          if (bad.has(record) || bad.has(-1)) continue;
          const known = primary[record];
          available[known] = 1;
          if (fits[packOf[best[known]]] === 0) best[known] = record;
        }
      }),
    );
  }
  await Promise.all(jobs);
  for (let record = 0; record < records; record++) if (fits[packOf[best[primary[record]]]] === 1) available[primary[record]] = 1;
  return { best, available };
}
