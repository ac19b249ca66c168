/** What `repair packs` will do, as data that a person can read; and the facts that its execution needs. */
import { fail, HoldfastError } from '../../contract/errors.ts';
import { BlobIndex } from '../../repository/blob-index.ts';
import { isId } from '../../repository/ids.ts';
import type { Repository } from '../../repository/repository.ts';
import { bestRecords, fitness, type IndexSurvey } from '../check/index-survey.ts';
import { listPacks, type PackListing } from '../check/pack-listing.ts';
import { type IndexProblem, loadIndex } from '../index/load.ts';
import { lockIfWritable } from '../reading.ts';
import { reportProgress, type RunOptions } from '../run.ts';
import { isDamage } from '../trees/damage-codes.ts';
import { WorkerPool } from '../workers/pool.ts';
import { wholeElsewhere } from './elsewhere.ts';
import type { PackExamined } from './examine-job.ts';
import type { PackToLookAt } from './look-job.ts';
import { type BlobWithPaths, findPathsOf, type NamedBlob } from './lost-paths.ts';
import { placeCount, PlaceWriter, visitPlaces } from './places.ts';

/** `all`: every pack of the repository is read, and the damaged ones are found. Else IDs or unique beginnings of IDs. */
export type RepairPacksRequest = { readonly packs: readonly string[] | 'all' };

export interface PackRepair {
  /** 64 hex digits. */
  readonly pack: string;
  /** Of its file, in bytes. */
  readonly size: number;
  /** What is wrong with it. */
  readonly cause: string;
  /** Blobs that can be had of it. */
  readonly intact: number;
  /** Of these, the ones that lie whole in no other pack, so that they are stored anew; and the bytes that they take. */
  readonly copied: number;
  readonly copiedBytes: number;
  /** Blobs that index or pack promise and that cannot be had, neither of it nor of another pack. */
  readonly lost: number;
  /** A part of the file cannot be read just now: the index forgets it, but the file stays, so that nothing of it is given up. */
  readonly unreadable: boolean;
}

export interface RepairPacksPlan {
  readonly examined: number;
  /** By pack. */
  readonly repairs: readonly PackRepair[];
  /** Packs that were named and are as they should be. */
  readonly whole: readonly string[];
  /** Packs that are as they were written while the index says otherwise: that is for `repair index` to mend. */
  readonly misdescribed: readonly string[];
  /** Packs that were named and are not there; perhaps an earlier repair removed them. */
  readonly missing: readonly string[];
  /** Packs that cannot be read just now, nothing of them: they are left alone. */
  readonly unread: readonly { readonly pack: string; readonly cause: string }[];
  /** What is gone, each blob once, with what needs it. */
  readonly lost: readonly BlobWithPaths[];
  /** Lost blobs beyond those that are listed. */
  readonly moreLost: number;
  /** Index files that could not be used. */
  readonly indexProblems: readonly IndexProblem[];
}

export interface PackRepairFacts {
  readonly plan: RepairPacksPlan;
  readonly survey: IndexSurvey;
  /** Index files that could be loaded. */
  readonly indexFiles: readonly string[];
  /** All that is gone: blobs that index or pack promise and that cannot be had, neither of it nor of another pack. */
  readonly lost: BlobIndex;
  /** What is to be copied out of which pack, as lists of places; every pack of the plan's repairs has one. */
  readonly copies: readonly { readonly name: string; readonly size: number; readonly places: Uint8Array }[];
}

/**
 * Makes a plan and changes nothing. Throws `pack-not-found`, `bad-usage`, `locked`, `cancelled` or what the storage throws.
 */
export async function planRepairPacks(repository: Repository, request: RepairPacksRequest, options: RunOptions): Promise<RepairPacksPlan> {
  const lock = await lockIfWritable(repository, options);
  const index = BlobIndex.create();
  const pool = new WorkerPool(repository, { control: options.control, index, threads: options.threads });
  try {
    const facts = surveyForPackRepair(repository, request, options, index, pool);
    return (await (lock ? lock.whileSettling(facts) : facts)).plan;
  } finally {
    await pool.close();
    await lock?.release().catch(() => {});
  }
}

/** Lost blobs that are listed one by one. */
const listedLost = 1000;
/** Packs of so many bytes are one job. */
const batchBytes = 16 << 20;

export async function surveyForPackRepair(
  repository: Repository,
  request: RepairPacksRequest,
  options: RunOptions,
  index: BlobIndex,
  pool: WorkerPool,
): Promise<PackRepairFacts> {
  if (request.packs.length === 0)
    return fail('bad-usage', { problem: 'No pack was named.', guidance: 'Name one, or let the damaged ones be found with --damaged.' });
  const loaded = new Set<string>();
  const indexProblems = await loadIndex(repository, pool, loaded);
  const foreign = indexProblems.find(({ error }) => !isDamage(error));
  if (foreign) throw foreign.error;
  const survey = await pool.run('surveyIndex', undefined);
  const listing = await listPacks(repository, index);
  const { packs, missing } = chosenPacks(request, index, survey, listing);
  const examined = await examine(packs, survey, options, pool);

  const repairs: PackRepair[] = [];
  const copies: { name: string; size: number; places: Uint8Array }[] = [];
  const broken = packs.flatMap((pack, i) => (examined[i].state === 'damaged' ? [{ ...pack, ...examined[i] }] : []));
  const isUnread = ({ unreadable, intact }: PackExamined): boolean => unreadable && placeCount(intact) === 0;
  const damaged = broken.filter((pack) => !isUnread(pack));
  const isWhole = await wholeElsewhere(damaged, index, survey, listing, pool);
  // Sets of blobs: those that can be had of the damaged packs, those that are to be copied, those that are known to be lost.
  const [intact, copied, lost] = [BlobIndex.create(), BlobIndex.create(), BlobIndex.create()];
  for (const pack of damaged) visitPlaces(pack.intact, (type, _offset, _length, _plain, ids, at) => void intact.claim(ids, at, type));
  const lostBlobs: NamedBlob[] = [];
  let moreLost = 0;
  for (const { name, size, cause, unreadable, ...lists } of damaged) {
    const copy = new PlaceWriter();
    let copiedBytes = 0;
    visitPlaces(lists.intact, (type, offset, length, plain, ids, at) => {
      if (isWhole(type, ids, at) || !copied.claim(ids, at, type)) return;
      copy.add(type, offset, length, plain, ids, at);
      copiedBytes += length;
    });
    let gone = 0;
    visitPlaces(lists.lost, (type, _offset, _length, _plain, ids, at) => {
      if (isWhole(type, ids, at) || intact.has(ids, at, type)) return;
      gone += 1;
      if (!lost.claim(ids, at, type)) return;
      if (lostBlobs.length < listedLost) lostBlobs.push({ type, blob: ids.toString('hex', at, at + 32) });
      else moreLost += 1;
    });
    copies.push({ name, size, places: copy.take() });
    repairs.push({ pack: name, size, cause, intact: placeCount(lists.intact), copied: copy.count, copiedBytes, lost: gone, unreadable });
  }
  const inState = (state: PackExamined['state']): string[] => packs.filter((_, i) => examined[i].state === state).map(({ name }) => name);
  const plan: RepairPacksPlan = {
    examined: packs.length,
    repairs,
    whole: request.packs === 'all' ? [] : inState('whole'),
    misdescribed: inState('misdescribed'),
    missing,
    unread: broken.filter(isUnread).map(({ name, cause }) => ({ pack: name, cause })),
    lost: await withPaths(lostBlobs, repository, index, survey, listing, pool),
    moreLost,
    indexProblems,
  };
  return { plan, survey, indexFiles: [...loaded].sort(), lost, copies };
}

async function withPaths(
  lost: readonly NamedBlob[],
  repository: Repository,
  index: BlobIndex,
  survey: IndexSurvey,
  { stored }: PackListing,
  pool: WorkerPool,
): Promise<BlobWithPaths[]> {
  if (lost.length === 0) return [];
  // What a snapshot needs that cannot be read is for `check` to say.
  const snapshots = await repository.snapshots((_, error) => {
    if (!isDamage(error)) throw error;
  });
  return findPathsOf(lost, snapshots.reverse(), bestRecords(survey, fitness(survey, stored)), { pool, index, survey });
}

/** The packs to be read, by name, and the full IDs that were named and of which there is no file. */
function chosenPacks(
  { packs: wanted }: RepairPacksRequest,
  index: BlobIndex,
  survey: IndexSurvey,
  { stored, unindexed }: PackListing,
): { packs: PackToLookAt[]; missing: string[] } {
  const packs: PackToLookAt[] = unindexed.map(({ name, size }) => ({ name, size, pack: -1 }));
  for (let pack = 0; pack < survey.packs; pack++)
    if (stored[pack] >= 0) packs.push({ name: index.packId(pack).toString('hex'), size: stored[pack], pack });
  packs.sort((a, b) => (a.name < b.name ? -1 : 1));
  if (wanted === 'all') return { packs, missing: [] };
  const chosen = new Set<PackToLookAt>();
  const missing = new Set<string>();
  for (const text of wanted) {
    const matches = text === '' ? [] : packs.filter(({ name }) => name.startsWith(text));
    if (matches.length === 1) chosen.add(matches[0]);
    else if (matches.length === 0 && isId(text)) missing.add(text);
    else throw new HoldfastError('pack-not-found', { pack: text });
  }
  return { packs: [...chosen].sort((a, b) => (a.name < b.name ? -1 : 1)), missing: [...missing] };
}

async function examine(
  packs: readonly PackToLookAt[],
  survey: IndexSurvey,
  options: RunOptions,
  pool: WorkerPool,
): Promise<PackExamined[]> {
  const stop = reportProgress(options, pool, {
    phase: 'verifying',
    items: () => pool.total('files'),
    bytes: () => pool.total('bytes'),
    totalItems: packs.length,
    totalBytes: packs.reduce((sum, { size }) => sum + size, 0),
  });
  try {
    const jobs: Promise<PackExamined[]>[] = [];
    for (let from = 0; from < packs.length; ) {
      let to = from;
      for (let bytes = 0; to < packs.length && bytes < batchBytes; to++) bytes += packs[to].size;
      jobs.push(pool.run('examinePacks', { packs: packs.slice(from, to), survey }));
      from = to;
    }
    return (await Promise.all(jobs)).flat();
  } finally {
    stop();
  }
}
