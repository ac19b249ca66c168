/** Loads an index that tells of all that there is: what it does not tell of must not be given up as lost. */
import { fail } from '../../contract/errors.ts';
import type { BlobIndex } from '../../repository/blob-index.ts';
import { bytesOfId } from '../../repository/ids.ts';
import type { Lock } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';
import type { IndexSurvey } from '../check/index-survey.ts';
import { listPacks, type PackListing } from '../check/pack-listing.ts';
import { writeIndexFiles } from '../prune/rewrite-index.ts';
import type { RunOptions } from '../run.ts';
import type { WorkerPool } from '../workers/pool.ts';
import { type RepairIndexPlan, surveyForIndexRepair } from './index-plan.ts';
import { visitPlaces } from './places.ts';

export interface CompleteIndex {
  readonly survey: IndexSurvey;
  readonly listing: PackListing;
  /** Whole packs that no index file names, as a run leaves them that was cut off. They are in the index that was loaded. */
  readonly adopted: readonly { readonly name: string; readonly places: Uint8Array }[];
  /** What a repair of the index would do. */
  readonly plan: RepairIndexPlan;
}

export async function loadCompleteIndex(
  repository: Repository,
  options: RunOptions,
  index: BlobIndex,
  pool: WorkerPool,
): Promise<CompleteIndex> {
  const { plan, survey, listing, anew } = await surveyForIndexRepair(repository, {}, options, index, pool);
  const whole = new Set(plan.changes.filter(({ action, cause }) => action === 'add' && cause === undefined).map(({ pack }) => pack));
  const adopted = anew.filter(({ name }) => whole.has(name));
  if (adopted.length === 0) return { survey, listing, adopted, plan };
  for (const { name, places } of adopted) {
    const pack = index.pack(bytesOfId(name));
    visitPlaces(places, (type, offset, length, plain, ids, at) => index.add(pack, ids, at, type, offset, length, plain));
  }
  return { survey: await pool.run('surveyIndex', undefined), listing: await listPacks(repository, index), adopted, plan };
}

/** Names the packs that were taken over in an index file, which is durable when this resolves. */
export async function indexAdopted(
  repository: Repository,
  lock: Lock,
  index: BlobIndex,
  { survey, adopted }: CompleteIndex,
): Promise<void> {
  const others = adopted.map(({ name, places }) => ({ name, tell: visitPlaces.bind(undefined, places) }));
  await writeIndexFiles(repository, lock, index, survey, [], others);
}

const some = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

/**
 * Throws `index-incomplete` when a repair of the index might find more than was loaded. A damaged index file alone is no reason: the
 * packs that only it listed were read.
 */
export function refuseIncomplete({ plan: { damagedIndexFiles, changes }, adopted }: CompleteIndex): void {
  const unread = damagedIndexFiles.filter(({ stays }) => stays).length;
  if (unread > 0) fail('index-incomplete', { problem: some(unread, 'index file cannot be read', 'index files cannot be read') });
  const unknown = changes.filter(({ action }) => action === 'add').length - adopted.length;
  if (unknown > 0) fail('index-incomplete', { problem: some(unknown, 'damaged pack is in no index', 'damaged packs are in no index') });
  const wrong = changes.filter(({ action }) => action === 'correct').length;
  if (wrong > 0)
    fail('index-incomplete', {
      problem: some(wrong, 'pack is not as the index describes it', 'packs are not as the index describes them'),
    });
}
