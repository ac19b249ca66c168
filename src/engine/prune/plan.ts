/** What a prune will do, as data that a person can read; and the facts that it is decided from. */
import { fail, hasCode, HoldfastError } from '../../contract/errors.ts';
import { BlobIndex } from '../../repository/blob-index.ts';
import { Lock } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';
import { bestRecords, fitness, type IndexSurvey, recordsOf } from '../check/index-survey.ts';
import { listPacks, type PackListing } from '../check/pack-listing.ts';
import { type IndexProblem, loadIndex } from '../index/load.ts';
import { reportProgress, type RunOptions } from '../run.ts';
import { isDamage } from '../trees/damage-codes.ts';
import { markUsedBlobs } from '../trees/mark.ts';
import { WorkerPool } from '../workers/pool.ts';
import { type Decision, decide, packFate, type Tally } from './decide.ts';
import { defaultMaxUnused, type MaxUnused } from './max-unused.ts';

export interface PruneRequest {
  /** Default: 5%. */
  readonly maxUnused?: MaxUnused | undefined;
  /** Snapshots to be left out of account, by their full IDs: what a plan would give once they are forgotten. Ignored by the execution. */
  readonly without?: readonly string[] | undefined;
}

export interface PruneOptions extends RunOptions {
  /** Of new packs, in bytes; default: that of the repository. */
  readonly packSize?: number | undefined;
}

export interface PlannedPack {
  /** 64 hex digits. */
  readonly pack: string;
  /** File size in bytes. */
  readonly size: number;
  /** Bytes of it that nobody needs. */
  readonly unused: number;
}

export interface PrunePlan {
  readonly snapshots: number;
  readonly used: Tally;
  readonly unused: Tally;
  /** Further copies of used blobs. */
  readonly duplicate: Tally;
  /** Nobody needs anything in these. */
  readonly remove: readonly PlannedPack[];
  /** What is needed in these moves to new packs. */
  readonly repack: readonly PlannedPack[];
  readonly keptPacks: number;
  /** Packs that no index names. */
  readonly unindexed: readonly PlannedPack[];
  /** The index names them, but they do not exist and nobody needs them: the index forgets them. */
  readonly forgotten: readonly string[];
  /** Bytes of blobs that are copied to new packs. */
  readonly copiedBytes: number;
  /** About as many bytes will be free. */
  readonly freedBytes: number;
  /** Bytes that nobody needs and that stay nevertheless. */
  readonly unusedAfter: number;
  /** Bytes of all packs, before and after. */
  readonly totalBefore: number;
  readonly totalAfter: number;
}

/** The plan with what its execution needs. */
export interface PruneFacts {
  readonly plan: PrunePlan;
  readonly decision: Decision;
  readonly survey: IndexSurvey;
  readonly listing: PackListing;
  readonly indexFiles: readonly string[];
  /** All that were listed. */
  readonly snapshots: readonly string[];
}

/** Makes a plan and changes nothing. Throws `prune-refused` when the repository is damaged, and what {@link executePrune} throws. */
export async function planPrune(repository: Repository, request: PruneRequest, options: PruneOptions): Promise<PrunePlan> {
  const lock = await Lock.begin(repository, options.holder, false, options.clock);
  const index = BlobIndex.create();
  const pool = new WorkerPool(repository, { control: options.control, index, threads: options.threads, firstThreads });
  try {
    return (await lock.whileSettling(surveyForPrune(repository, request, options, index, pool))).plan;
  } finally {
    await pool.close();
    await lock.release().catch(() => {});
  }
}

/** A second thread takes longer to start than a small repository takes to be looked at. */
export const firstThreads = 1;
/** Some ten thousand blobs. */
const smallIndexBytes = 1 << 20;

const refuse = (problem: string, cause?: unknown): never => fail('prune-refused', { problem }, cause);

async function readSmallFiles(
  repository: Repository,
  request: PruneRequest,
  pool: WorkerPool,
): Promise<Pick<PruneFacts, 'snapshots' | 'indexFiles'> & { roots: readonly string[]; problems: readonly IndexProblem[] }> {
  const without = new Set(request.without);
  const snapshots = await repository.names('snapshot');
  const roots = await loadRoots(
    repository,
    snapshots.filter((name) => !without.has(name)),
  );
  const indexFiles: string[] = [];
  let indexBytes = 0;
  for await (const { name, size } of repository.storage.list('index')) {
    indexFiles.push(name);
    indexBytes += size;
  }
  if (indexBytes > smallIndexBytes) pool.grow();
  return { snapshots, roots, indexFiles, problems: await loadIndex(repository, pool) };
}

/** Finds out what is used, and decides. Throws `prune-refused` when anything is not as it must be for deleting. */
export async function surveyForPrune(
  repository: Repository,
  request: PruneRequest,
  options: PruneOptions,
  index: BlobIndex,
  pool: WorkerPool,
): Promise<PruneFacts> {
  const { snapshots, roots, indexFiles, problems } = await readSmallFiles(repository, request, pool);
  const [damaged] = problems;
  if (damaged) {
    if (!isDamage(damaged.error)) throw damaged.error;
    refuse(`index file ${damaged.name.slice(0, 12)} cannot be read`, damaged.error);
  }
  const survey = await pool.run('surveyIndex', undefined);
  const listing = await listPacks(repository, index);
  const stop = reportProgress(options, pool, { phase: 'scanning', items: () => pool.total('dirs'), bytes: () => 0 });
  const used = await markUsedBlobs(pool, index, bestRecords(survey, fitness(survey, listing.stored)), roots).finally(stop);
  const [problem] = used.problems;
  if (problem) {
    const what = problem.type === 'tree' ? 'folder listing' : 'piece of data';
    const count = used.problems.length + used.moreProblems;
    const others = count > 1 ? ` (and ${count - 1} more)` : '';
    refuse(
      `the ${what} ${problem.blob.slice(0, 12)}${others}, which snapshots need, ${problem.kind === 'missing' ? 'is missing' : 'cannot be read'}`,
    );
  }
  const facts = { survey, marks: used.marks, stored: listing.stored };
  const decision = decide(facts, request.maxUnused ?? defaultMaxUnused, options.packSize ?? repository.packSize);
  if (decision.unfit.length > 0) {
    const [pack] = decision.unfit;
    const id = index.packId(pack).toString('hex').slice(0, 12);
    const others = decision.unfit.length > 1 ? ` (and ${decision.unfit.length - 1} more)` : '';
    refuse(`pack ${id}${others}, which snapshots need, ${listing.stored[pack] < 0 ? 'is missing' : 'is not as the index describes it'}`);
  }
  const plan = describe(index, survey, listing, decision, roots.length);
  return { plan, decision, survey, listing, indexFiles, snapshots };
}

/**
 * Throws `prune-refused` when there is a snapshot or an index file that was not listed before: nobody can have added one under the
 * exclusive lock, so the server had left out what was new, and what seems to be garbage may be the data of it.
 */
export async function refuseUnlisted(repository: Repository, { snapshots, indexFiles }: PruneFacts): Promise<void> {
  const known = new Set([...snapshots, ...indexFiles]);
  const names = [...(await repository.names('snapshot')), ...(await repository.names('index'))];
  const added = names.filter((name) => !known.has(name));
  if (added.length > 0) refuse('the destination lists snapshots or index files now that it had left out a moment ago');
}

const parallelLoads = 16;

/** The trees of all snapshots. One that is listed and cannot be read ends everything: what it needs is unknown. */
async function loadRoots(repository: Repository, names: readonly string[]): Promise<string[]> {
  const roots: string[] = [];
  let next = 0;
  const load = async (): Promise<void> => {
    while (next < names.length) {
      const name = names[next++];
      try {
        roots.push((await repository.snapshot(name)).tree);
      } catch (error) {
        if (!(error instanceof HoldfastError) || hasCode(error, 'storage-failed') || !isDamage(error)) throw error;
        refuse(`snapshot ${name.slice(0, 8)} cannot be read, so nobody knows what it needs`, error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallelLoads, names.length) }, load));
  return roots;
}

function describe(index: BlobIndex, survey: IndexSurvey, listing: PackListing, decision: Decision, snapshots: number): PrunePlan {
  const { stored } = listing;
  const remove: PlannedPack[] = [];
  const repack: PlannedPack[] = [];
  const forgotten: string[] = [];
  let keptPacks = 0;
  let totalBefore = 0;
  let gone = 0;
  let copiedBytes = 0;
  let copiedHeaders = 0;
  for (let pack = 0; pack < survey.packs; pack++) {
    if (stored[pack] >= 0) totalBefore += stored[pack];
    const fate = decision.fates[pack];
    if (fate === packFate.keep) {
      keptPacks += 1;
      continue;
    }
    const name = index.packId(pack).toString('hex');
    if (fate === packFate.drop) {
      forgotten.push(name);
      continue;
    }
    gone += stored[pack];
    (fate === packFate.remove ? remove : repack).push({ pack: name, size: stored[pack], unused: decision.unusedOf[pack] });
    if (fate !== packFate.repack) continue;
    for (const record of recordsOf(survey, pack)) {
      if (decision.copy[record] === 0) continue;
      copiedBytes += survey.lengths[record];
      copiedHeaders += 41;
    }
  }
  // Packs are numbered in the order in which index files happened to come.
  const byId = (a: PlannedPack, b: PlannedPack): number => (a.pack < b.pack ? -1 : 1);
  remove.sort(byId);
  repack.sort(byId);
  forgotten.sort();
  const unindexed = listing.unindexed.map(({ name, size }) => ({ pack: name, size, unused: size }));
  const strayBytes = unindexed.reduce((sum, { size }) => sum + size, 0);
  const freedBytes = Math.max(0, gone + strayBytes - copiedBytes - copiedHeaders);
  const { used, unused, duplicate, unusedAfter } = decision;
  totalBefore += strayBytes;
  return {
    snapshots,
    used,
    unused,
    duplicate,
    remove,
    repack,
    keptPacks,
    unindexed,
    forgotten,
    copiedBytes,
    freedBytes,
    unusedAfter,
    totalBefore,
    totalAfter: totalBefore - freedBytes,
  };
}
