/** What `repair index` will do, as data that a person can read; and the facts that its execution needs. */
import { type HoldfastError, hasCode } from '../../contract/errors.ts';
import { BlobIndex } from '../../repository/blob-index.ts';
import type { Repository } from '../../repository/repository.ts';
import { fitness, type IndexSurvey, recordsOf } from '../check/index-survey.ts';
import { listPacks, type PackListing } from '../check/pack-listing.ts';
import { lockIfWritable } from '../reading.ts';
import { reportProgress, type RunOptions } from '../run.ts';
import { isDamage } from '../trees/damage-codes.ts';
import { WorkerPool } from '../workers/pool.ts';
import type { PackLook, PackToLookAt } from './look-job.ts';
import { placeCount } from './places.ts';

export interface RepairIndexRequest {
  /** Reads the header of every pack, instead of those only that the index does not know or knows at another size. */
  readonly readAllPacks?: boolean | undefined;
}

export interface PackChange {
  /** 64 hex digits. */
  readonly pack: string;
  /**
   * - `add`: no index names the pack; it is added.
   * - `correct`: the index says something else than the pack holds; what it holds is written down.
   * - `drop`: there is no such pack, or nothing in it can be had; the index forgets it.
   * - `keep`: the pack is damaged, but all that the index says of it is there.
   * - `leave`: the pack cannot be read, or nothing in it can be had; it stays as it is, and so does what the index says of it.
   */
  readonly action: 'add' | 'correct' | 'drop' | 'keep' | 'leave';
  /** Blobs that the index will list in the pack. */
  readonly blobs: number;
  /** Blobs that it lists now and will not. */
  readonly dropped: number;
  /** What is wrong with the pack; undefined when only the index is. */
  readonly cause: string | undefined;
}

export interface DamagedIndexFile {
  /** 64 hex digits. */
  readonly name: string;
  readonly cause: string;
  /** It is left in place: it may be readable another time, and what only it lists is not known otherwise. */
  readonly stays: boolean;
}

export interface RepairIndexPlan {
  readonly indexFiles: number;
  readonly damagedIndexFiles: readonly DamagedIndexFile[];
  /** Packs in the storage. */
  readonly packs: number;
  readonly packsRead: number;
  /** By pack. */
  readonly changes: readonly PackChange[];
}

/** Whether there is anything to be done. */
export const isIndexWhole = ({ damagedIndexFiles, changes }: RepairIndexPlan): boolean =>
  damagedIndexFiles.every(({ stays }) => stays) && changes.every(({ action }) => action === 'keep' || action === 'leave');

export interface IndexRepairFacts {
  readonly plan: RepairIndexPlan;
  readonly survey: IndexSurvey;
  readonly listing: PackListing;
  /** Index files whose content is sound and theirs. */
  readonly soundFiles: readonly string[];
  /** Index files that go whatever else they list. */
  readonly uselessFiles: readonly string[];
  /** For each pack of the index: 1 when what it says of the pack stays as it is. */
  readonly stays: Uint8Array;
  /** Packs to be listed anew, with their places (see places.ts). */
  readonly anew: readonly { readonly name: string; readonly places: Uint8Array }[];
}

/** Makes a plan and changes nothing. Throws `locked`, `cancelled` or what the storage throws. */
export async function planRepairIndex(repository: Repository, request: RepairIndexRequest, options: RunOptions): Promise<RepairIndexPlan> {
  const lock = await lockIfWritable(repository, options);
  const index = BlobIndex.create();
  const pool = new WorkerPool(repository, { control: options.control, index, threads: options.threads });
  try {
    const facts = surveyForIndexRepair(repository, request, options, index, pool);
    return (await (lock ? lock.whileSettling(facts) : facts)).plan;
  } finally {
    await pool.close();
    await lock?.release().catch(() => {});
  }
}

/** Packs that one job looks at. */
const packsPerJob = 32;

/** Loads the index into `index` as far as it can be used, and compares it with the packs. */
export async function surveyForIndexRepair(
  repository: Repository,
  request: RepairIndexRequest,
  options: RunOptions,
  index: BlobIndex,
  pool: WorkerPool,
): Promise<IndexRepairFacts> {
  const files = await loadIndexFiles(repository, pool);
  const survey = await pool.run('surveyIndex', undefined);
  const listing = await listPacks(repository, index);
  const fits = fitness(survey, listing.stored);
  const stays = new Uint8Array(survey.packs);
  const changes: PackChange[] = [];
  const anew: { name: string; places: Uint8Array }[] = [];
  const toLookAt: PackToLookAt[] = listing.unindexed.map(({ name, size }) => ({ name, size, pack: -1 }));
  let packs = listing.unindexed.length;
  for (let pack = 0; pack < survey.packs; pack++) {
    const size = listing.stored[pack];
    const name = index.packId(pack).toString('hex');
    if (size >= 0) packs += 1;
    if (size < 0) changes.push({ pack: name, action: 'drop', blobs: 0, dropped: recordsOf(survey, pack).length, cause: 'it is missing' });
    else if (fits[pack] === 1 && !request.readAllPacks) stays[pack] = 1;
    else toLookAt.push({ name, size, pack });
  }
  const looks = await lookAt(toLookAt, survey, options, pool);
  toLookAt.forEach(({ name, pack }, i) => {
    const look = looks[i];
    if (look.from === 'same') {
      stays[pack] = 1;
      return;
    }
    const change = changeOf(name, pack, look);
    changes.push(change);
    if (change.blobs > 0) anew.push({ name, places: look.places });
  });
  const anyUnknown = changes.some(({ action, blobs }) => action === 'leave' && blobs === 0);
  const damagedIndexFiles = files.damaged.map(({ name, error }) => ({
    name,
    cause: String(error.context.cause ?? error.message),
    // What cannot be authenticated never will be; what could not be read may be read another time.
    stays: anyUnknown && hasCode(error, 'storage-failed'),
  }));
  const byId = (a: PackChange, b: PackChange): number => (a.pack < b.pack ? -1 : 1);
  const plan: RepairIndexPlan = {
    indexFiles: files.sound.length + files.misnamed.length + files.damaged.length,
    damagedIndexFiles: [
      ...damagedIndexFiles,
      ...files.misnamed.map((name) => ({ name, cause: 'it holds the content of another one', stays: false })),
    ],
    packs,
    packsRead: toLookAt.length,
    changes: changes.sort(byId),
  };
  const uselessFiles = plan.damagedIndexFiles.filter((file) => !file.stays).map(({ name }) => name);
  return { plan, survey, listing, soundFiles: files.sound, uselessFiles, stays, anew };
}

function changeOf(pack: string, number: number, { from, places, listed, dropped, cause }: PackLook): PackChange {
  const blobs = placeCount(places);
  const change = { pack, blobs, dropped, cause };
  if (from === 'unread') return { ...change, action: 'leave' };
  if (number < 0) return { ...change, action: blobs > 0 ? 'add' : 'leave' };
  if (blobs === 0) return { ...change, action: 'drop' };
  return { ...change, action: from === 'proved' && dropped === 0 && blobs === listed ? 'keep' : 'correct' };
}

async function lookAt(packs: readonly PackToLookAt[], survey: IndexSurvey, options: RunOptions, pool: WorkerPool): Promise<PackLook[]> {
  const stop = reportProgress(options, pool, {
    phase: 'repairing',
    items: () => pool.total('files'),
    bytes: () => pool.total('bytes'),
    totalItems: packs.length,
  });
  try {
    const jobs: Promise<PackLook[]>[] = [];
    for (let from = 0; from < packs.length; from += packsPerJob)
      jobs.push(pool.run('lookAtPacks', { packs: packs.slice(from, from + packsPerJob), survey }));
    return (await Promise.all(jobs)).flat();
  } finally {
    stop();
  }
}

interface LoadedIndexFiles {
  readonly sound: readonly string[];
  /** Authentic, but not what the name promises. What they list was used. */
  readonly misnamed: readonly string[];
  readonly damaged: readonly { readonly name: string; readonly error: HoldfastError }[];
}

/** Another program may have replaced an index file since the listing; what cannot be read is tried again. */
const attempts = 3;

async function loadIndexFiles(repository: Repository, pool: WorkerPool): Promise<LoadedIndexFiles> {
  const sound: string[] = [];
  const misnamed: string[] = [];
  const done = new Set<string>();
  for (let attempt = 1; ; attempt++) {
    const damaged: { name: string; error: HoldfastError }[] = [];
    const names = (await repository.names('index')).filter((name) => !done.has(name));
    await Promise.all(
      names.map(async (name) => {
        try {
          ((await pool.run('checkIndexFile', name)) ? sound : misnamed).push(name);
          done.add(name);
        } catch (error) {
          if (!isDamage(error)) throw error;
          damaged.push({ name, error });
        }
      }),
    );
    if (damaged.length === 0 || attempt === attempts) {
      const there = damaged.filter(({ error }) => !hasCode(error, 'file-not-found'));
      return { sound: sound.sort(), misnamed: misnamed.sort(), damaged: there.sort((a, b) => (a.name < b.name ? -1 : 1)) };
    }
  }
}
