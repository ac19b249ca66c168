/**
 * Check: proves that what the snapshots promise is there, and names what is not.
 *
 * The order matters where others may write meanwhile: snapshots are listed before the index is loaded, and the index before the
 * packs are listed, since whoever adds a snapshot stores packs, index and snapshot in this order.
 */
import { fail, hasCode } from '../../contract/errors.ts';
import { BlobIndex } from '../../repository/blob-index.ts';
import { Lock } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { reportProgress, type RunOptions } from '../run.ts';
import { isDamage } from '../trees/damage-codes.ts';
import { markUsedBlobs, type UsedBlobs } from '../trees/mark.ts';
import { WorkerPool } from '../workers/pool.ts';
import { DamageReport } from './damage.ts';
import { type Finding, Findings } from './finding.ts';
import { bestRecords, fitness, type IndexSurvey, packTrait, recordKind } from './index-survey.ts';
import { listPacks, type PackListing } from './pack-listing.ts';
import type { PackDamage } from './pack-job.ts';
import type { CheckPlan } from './plan.ts';
import { checkKeys, checkSnapshots } from './small-files.ts';
import { choosePacks } from './subset.ts';

export interface CheckOptions extends RunOptions {
  /**
   * Default: exclusive for the whole repository, as restic; shared for some snapshots. Without a lock nothing is written, but what
   * another program removes meanwhile looks like damage.
   */
  readonly lock?: 'exclusive' | 'shared' | 'none' | undefined;
  /** In [0, 1): chooses the packs of a random subset. Default: Math.random. */
  readonly random?: (() => number) | undefined;
}

export interface CheckResult {
  /** Errors first. */
  readonly findings: readonly Finding[];
  /** How many there are, those included that are not listed one by one. */
  readonly errors: number;
  readonly warnings: number;
  readonly notes: number;
  readonly snapshots: number;
  readonly indexFiles: number;
  readonly packs: number;
  readonly trees: number;
  /** Packs of which data was read, and the bytes of their blobs. */
  readonly packsRead: number;
  readonly bytesRead: number;
}

/** Packs or blobs of so many bytes are one job: few enough that no worker is left with much when the others are done. */
const batchBytes = 16 << 20;
const batchRecords = 16_384;
/** An index file that vanishes was replaced by another program: the files are listed anew. */
const listingAttempts = 3;

/** Throws `cancelled`, `locked`, `lock-unreadable`, `storage-gone` and the like: damage is never thrown but found. */
export async function executeCheck(repository: Repository, plan: CheckPlan, options: CheckOptions): Promise<CheckResult> {
  const kind = options.lock ?? (plan.snapshots ? 'shared' : 'exclusive');
  const lock = kind === 'none' ? undefined : await Lock.begin(repository, options.holder, kind === 'exclusive', options.clock);
  const index = BlobIndex.create();
  const pool = new WorkerPool(repository, { control: options.control, index, threads: options.threads });
  try {
    const result = await new CheckRun(repository, plan, options, index, pool, lock, kind !== 'exclusive').run();
    if (result.errors > 0) await expectPresent(repository);
    return result;
  } finally {
    await pool.close();
    await lock?.release().catch(() => {});
  }
}

/** A destination that was unplugged looks as if everything were missing. Throws `storage-gone`. */
export async function expectPresent(repository: Repository): Promise<void> {
  try {
    await repository.storage.size({ kind: 'config', name: '' });
  } catch (error) {
    if (!hasCode(error, 'file-not-found')) throw error;
    fail('storage-gone', { location: repository.storage.location, cause: 'its config file is missing' }, error);
  }
}

class CheckRun {
  readonly #repository: Repository;
  readonly #plan: CheckPlan;
  readonly #options: CheckOptions;
  readonly #index: BlobIndex;
  readonly #pool: WorkerPool;
  readonly #lock: Lock | undefined;
  /** Whether other programs may remove files meanwhile. */
  readonly #shared: boolean;
  readonly #findings = new Findings();
  #indexFiles = 0;

  constructor(
    repository: Repository,
    plan: CheckPlan,
    options: CheckOptions,
    index: BlobIndex,
    pool: WorkerPool,
    lock: Lock | undefined,
    shared: boolean,
  ) {
    this.#lock = lock;
    this.#repository = repository;
    this.#plan = plan;
    this.#options = options;
    this.#index = index;
    this.#pool = pool;
    this.#shared = shared;
  }

  async run(): Promise<CheckResult> {
    const { snapshots: wanted } = this.#plan;
    const reading = this.#readSmallFiles(wanted);
    const snapshots = await (this.#lock ? this.#lock.whileSettling(reading) : reading);
    const survey = await this.#pool.run('surveyIndex', undefined);
    const packs = await listPacks(this.#repository, this.#index);
    const best = bestRecords(survey, fitness(survey, packs.stored));
    const used = await this.#walk(snapshots, best);
    const report = new DamageReport(this.#index, survey, best, used.marks, this.#findings);
    const inUse = packsInUse(survey, used.marks, best);
    this.#judgePacks(survey, packs, wanted ? inUse : undefined, report);
    for (const problem of used.problems) report.addTreeProblem(problem);
    this.#findings.count('error', 'blob-missing', used.moreProblems);
    if (!wanted) this.#noteUntidiness(survey, packs);
    await this.#readData(survey, packs, used, best, wanted ? inUse : undefined, report);
    await report.findPaths(this.#pool, snapshots);
    return {
      findings: this.#findings.list(),
      errors: this.#findings.total('error'),
      warnings: this.#findings.total('warning'),
      notes: this.#findings.total('note'),
      snapshots: snapshots.length,
      indexFiles: this.#indexFiles,
      packs: survey.packs,
      trees: this.#pool.total('dirs'),
      packsRead: this.#pool.total('files'),
      bytesRead: this.#pool.total('bytes'),
    };
  }

  async #readSmallFiles(wanted: readonly string[] | undefined): Promise<Snapshot[]> {
    const names = wanted ?? (await this.#repository.names('snapshot'));
    const snapshots = await checkSnapshots(this.#repository, names, wanted === undefined && this.#shared, this.#findings);
    if (!wanted) await checkKeys(this.#repository, this.#findings);
    await this.#loadIndex();
    return snapshots;
  }

  async #loadIndex(): Promise<void> {
    const done = new Set<string>();
    for (let attempt = 1; ; attempt++) {
      const names = (await this.#repository.names('index')).filter((name) => !done.has(name));
      let vanished = false;
      await Promise.all(
        names.map(async (name) => {
          try {
            const named = await this.#pool.run('checkIndexFile', name);
            done.add(name);
            if (named) return;
            const message = `Index file ${name.slice(0, 8)} holds the content of another one. What it lists was used nevertheless.`;
            this.#findings.add('warning', 'index-misnamed', message, { index: name });
          } catch (error) {
            if (!isDamage(error)) throw error;
            if (this.#shared && hasCode(error, 'file-not-found') && attempt < listingAttempts) {
              vanished = true;
              return;
            }
            done.add(name);
            const message = `Index file ${name.slice(0, 8)} cannot be used: ${String(error.context.cause ?? error.message)}`;
            this.#findings.add('error', 'index-damaged', message, { index: name });
          }
        }),
      );
      if (vanished) continue;
      this.#indexFiles = done.size;
      return;
    }
  }

  async #walk(snapshots: readonly Snapshot[], best: Uint32Array): Promise<UsedBlobs> {
    const stop = reportProgress(this.#options, this.#pool, {
      phase: 'checking',
      items: () => this.#pool.total('dirs'),
      bytes: () => 0,
    });
    return markUsedBlobs(
      this.#pool,
      this.#index,
      best,
      snapshots.map(({ tree }) => tree),
    ).finally(stop);
  }

  #judgePacks(survey: IndexSurvey, { stored }: PackListing, inUse: Uint8Array | undefined, report: DamageReport): void {
    for (let pack = 0; pack < survey.packs; pack++) {
      if (inUse?.[pack] === 0) continue;
      const size = survey.sizes[pack];
      if (stored[pack] < 0) report.addUnfitPack(pack, 'pack-missing', 'is missing');
      else if (stored[pack] !== size) report.addUnfitPack(pack, 'pack-size', `has ${stored[pack]} bytes where the index expects ${size}`);
      else if ((survey.traits[pack] & packTrait.broken) !== 0)
        report.addPack(pack, 'pack-header', 'has gaps or overlaps according to the index');
    }
  }

  #noteUntidiness(survey: IndexSurvey, { unindexed }: PackListing): void {
    const findings = this.#findings;
    for (const { name } of unindexed) {
      findings.add(
        'note',
        'pack-unindexed',
        `No index names pack ${name.slice(0, 8)}: a run that was cut off left it. The next backup or prune deals with it.`,
        { pack: name },
      );
    }
    for (let pack = 0; pack < survey.packs; pack++) {
      if ((survey.traits[pack] & 3) !== 3) continue;
      const id = this.#index.packId(pack).toString('hex');
      findings.add(
        'note',
        'pack-mixed',
        `Pack ${id.slice(0, 8)} holds both data and folder listings, as early versions of restic wrote it. A prune divides it.`,
        { pack: id },
      );
    }
    if (survey.copies > 0)
      findings.add('note', 'blob-copies', `Blobs stored more than once: ${survey.copies}. A prune removes what it costs little to remove.`);
  }

  async #readData(
    survey: IndexSurvey,
    packs: PackListing,
    used: UsedBlobs,
    best: Uint32Array,
    inUse: Uint8Array | undefined,
    report: DamageReport,
  ): Promise<void> {
    const { readData } = this.#plan;
    if (readData === 'none') return;
    const jobs: (() => Promise<PackDamage[]>)[] = [];
    let totalBytes = 0;
    let totalItems: number | undefined;
    if (readData === 'snapshot') {
      for (const { records, bytes } of recordBatches(survey, packs, used.marks, best)) {
        totalBytes += bytes;
        jobs.push(() => this.#pool.run('verifyBlobs', { records, survey }));
      }
    } else {
      const present = Array.from({ length: survey.packs }, (_, pack) => pack).filter(
        (pack) => packs.stored[pack] >= 0 && inUse?.[pack] !== 0,
      );
      const random = this.#options.random ?? Math.random;
      const size = (pack: number): number => packs.stored[pack];
      const chosen = readData === 'all' ? present : choosePacks(present, readData, (pack) => this.#index.packId(pack)[0], size, random);
      totalItems = chosen.length;
      for (const { batch, bytes } of packBatches(chosen, size)) {
        totalBytes += bytes;
        jobs.push(() => this.#pool.run('verifyPacks', { packs: batch, stored: packs.stored, survey }));
      }
    }
    const stop = reportProgress(this.#options, this.#pool, {
      phase: 'verifying',
      items: () => this.#pool.total('files'),
      bytes: () => this.#pool.total('bytes'),
      totalItems,
      totalBytes,
    });
    try {
      const results = await Promise.all(jobs.map((job) => job()));
      for (const damage of results.flat()) report.addPackDamage(damage);
    } finally {
      stop();
    }
  }
}

function packsInUse(survey: IndexSurvey, marks: Uint8Array, best: Uint32Array): Uint8Array {
  const inUse = new Uint8Array(survey.packs);
  for (let record = 0; record < marks.length; record++) if (marks[record] !== 0) inUse[survey.packOf[best[record]]] = 1;
  return inUse;
}

function* packBatches(packs: readonly number[], size: (pack: number) => number): Generator<{ batch: Uint32Array; bytes: number }> {
  let batch: number[] = [];
  let bytes = 0;
  for (const pack of packs) {
    batch.push(pack);
    bytes += size(pack);
    if (bytes < batchBytes) continue;
    yield { batch: Uint32Array.from(batch), bytes };
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield { batch: Uint32Array.from(batch), bytes };
}

/** The data blobs that are marked, but those of missing packs: trees were proved when they were walked. */
function* recordBatches(
  survey: IndexSurvey,
  { stored }: PackListing,
  marks: Uint8Array,
  best: Uint32Array,
): Generator<{ records: Uint32Array; bytes: number }> {
  let batch: number[] = [];
  let bytes = 0;
  for (let i = 0; i < survey.records; i++) {
    const record = survey.order[i];
    const blob = survey.primary[record];
    if (marks[blob] === 0 || best[blob] !== record || (survey.kinds[record] & recordKind.tree) !== 0 || stored[survey.packOf[record]] < 0)
      continue;
    batch.push(record);
    bytes += survey.lengths[record];
    if (bytes < batchBytes && batch.length < batchRecords) continue;
    yield { records: Uint32Array.from(batch), bytes };
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield { records: Uint32Array.from(batch), bytes };
}
