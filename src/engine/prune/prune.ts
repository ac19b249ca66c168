/**
 * Prune: deletes what no snapshot needs. At every moment each snapshot is whole, so a run may be cut off anywhere:
 *
 * 1. find the used blobs; refuse to go on when anything that is needed is not as it should be
 * 2. delete packs that no index names
 * 3. copy the used blobs of packs with much waste into new packs, and store index files for these
 * 4. prove that every blob to be kept has its copy
 * 5. store index files for the packs that stay
 * 6. delete the index files that still name packs that go
 * 7. delete these packs
 */
import { fail, hasCode } from '../../contract/errors.ts';
import { BlobIndex } from '../../repository/blob-index.ts';
import { Lock } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';
import type { FileKind } from '../../storage/storage.ts';
import { type IndexSurvey, recordsOf } from '../check/index-survey.ts';
import { PackStore } from '../pack-store.ts';
import { refuseAppendOnly, removeFiles } from '../remove-files.ts';
import { reportProgress } from '../run.ts';
import { storeRest } from '../store-rest.ts';
import { WorkerPool } from '../workers/pool.ts';
import { type Decision, isTree, packFate } from './decide.ts';
import { firstThreads, type PruneOptions, type PrunePlan, type PruneRequest, refuseUnlisted, surveyForPrune } from './plan.ts';
import { planIndexRewrite, writeIndexFiles } from './rewrite-index.ts';

export interface PruneExecution extends PruneOptions {
  /** Told what will be done, as found under the lock, before anything is. It may ask a person; what it throws ends the run. */
  readonly onPlan?: ((plan: PrunePlan) => void | Promise<void>) | undefined;
}

export interface PruneResult {
  readonly plan: PrunePlan;
  /** Bytes of packs stored and deleted. */
  readonly storedBytes: number;
  readonly deletedBytes: number;
}

/** Of each worker, in megabytes: what a prune makes is in shared memory, or moved as bytes. */
const youngGenerationMb = 3;

/**
 * Makes a plan under an exclusive lock and carries it out. Throws `prune-refused` (nothing was deleted but perhaps packs that no index
 * names), `storage-append-only`, `locked`, `lock-lost`, `cancelled` or what the storage throws; whatever it throws, all snapshots are whole.
 */
export async function executePrune(repository: Repository, request: PruneRequest, options: PruneExecution): Promise<PruneResult> {
  await refuseAppendOnly(repository);
  const lock = await Lock.begin(repository, options.holder, true, options.clock);
  try {
    return await pruneUnderLock(repository, lock, request, options);
  } finally {
    await lock.release().catch(() => {});
  }
}

/** Of what is copied: one thread copies it in less time than another takes to start. */
const littleBytes = 16 << 20;

/** As {@link executePrune}, for a caller that holds an exclusive lock. */
export async function pruneUnderLock(
  repository: Repository,
  lock: Lock,
  request: PruneRequest,
  options: PruneExecution,
): Promise<PruneResult> {
  const { control } = options;
  const index = BlobIndex.create();
  // What is copied is noted apart, so that nothing that is about to go can pass for a copy.
  const copied = BlobIndex.create();
  const store = new PackStore(repository, copied, lock, options.clock, options.packSize);
  const pool = new WorkerPool(repository, {
    control,
    index,
    packSize: options.packSize,
    threads: options.threads,
    firstThreads,
    storePack: store.store,
    youngGenerationMb,
  });
  try {
    const facts = await lock.whileSettling(surveyForPrune(repository, { ...request, without: undefined }, options, index, pool));
    const { plan, decision, survey, listing, indexFiles } = facts;
    await options.onPlan?.(plan);
    await refuseUnlisted(repository, facts);
    await control.checkpointAsync();
    const remove = (kind: FileKind, names: readonly string[]): Promise<void> => removeFiles(repository, lock, control, kind, names);
    // Holding the exclusive lock, nobody else can be writing these; that they cannot be removed takes no snapshot's data away.
    await repository.storage.removeLeftovers?.(Number.POSITIVE_INFINITY).catch(() => {});
    await remove(
      'pack',
      listing.unindexed.map(({ name }) => name),
    );
    if (plan.repack.length > 0) {
      if (plan.copiedBytes > littleBytes) pool.grow();
      await repackAll(pool, store, plan, decision, survey, options);
      expectCopies(index, copied, decision, survey);
    }
    if (plan.remove.length + plan.repack.length + plan.forgotten.length > 0) {
      const rewrite = await planIndexRewrite(pool, indexFiles, decision.fates);
      await control.checkpointAsync();
      await writeIndexFiles(repository, lock, index, survey, rewrite.packs);
      await remove('index', rewrite.obsolete);
    }
    const gone = [...plan.remove, ...plan.repack];
    await remove(
      'pack',
      gone.map(({ pack }) => pack),
    );
    const deletedBytes = [...gone, ...plan.unindexed].reduce((sum, { size }) => sum + size, 0);
    return { plan, storedBytes: store.storedBytes, deletedBytes };
  } catch (error) {
    throw hasCode(error, 'cancelled') ? (pool.failure ?? error) : error;
  } finally {
    await pool.close();
  }
}

async function repackAll(
  pool: WorkerPool,
  store: PackStore,
  plan: PrunePlan,
  { fates, copy }: Decision,
  survey: IndexSurvey,
  options: PruneOptions,
): Promise<void> {
  const stop = reportProgress(options, pool, {
    phase: 'pruning',
    items: () => pool.total('files'),
    bytes: () => pool.total('bytes'),
    totalItems: plan.repack.length,
    totalBytes: plan.copiedBytes,
  });
  try {
    const jobs: Promise<void>[] = [];
    for (let pack = 0; pack < survey.packs; pack++) {
      if (fates[pack] !== packFate.repack) continue;
      const records = recordsOf(survey, pack).filter((record) => copy[record] === 1);
      jobs.push(pool.run('repack', { pack, records: new Uint32Array(records) }));
    }
    await Promise.all(jobs);
    await storeRest(pool, store);
  } finally {
    stop();
  }
}

/** Throws `internal` unless each blob that was to be copied is in a new pack. */
function expectCopies(index: BlobIndex, copied: BlobIndex, { copy }: Decision, survey: IndexSurvey): void {
  for (let record = 0; record < copy.length; record++) {
    if (copy[record] === 0) continue;
    const id = index.idAt(record);
    if (!copied.has(id, 0, isTree(survey, record) ? 'tree' : 'data'))
      fail('internal', { cause: `blob ${id.toString('hex')} was not copied` });
  }
}
