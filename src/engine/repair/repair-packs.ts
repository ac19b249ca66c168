/**
 * Repair of packs: saves what can still be had of damaged packs. A damaged pack leaves the repository only after everything
 * intact in it is durable in another pack, the index says so, and a copy of the file is kept aside:
 *
 * 1. read the packs, and find out what of them is intact and lies nowhere else
 * 2. keep copies of the files aside
 * 3. copy what is intact into new packs, and store index files for these
 * 4. prove that everything was copied
 * 5. store index files for what stood beside the damaged packs
 * 6. remove the index files that name the damaged packs
 * 7. remove the damaged packs
 */
import { fail, hasCode } from '../../contract/errors.ts';
import { BlobIndex } from '../../repository/blob-index.ts';
import { bytesOfId } from '../../repository/ids.ts';
import { Lock } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';
import { expectPresent } from '../check/check.ts';
import { PackStore } from '../pack-store.ts';
import { packFate } from '../prune/decide.ts';
import { planIndexRewrite, writeIndexFiles } from '../prune/rewrite-index.ts';
import { refuseAppendOnly, removeFiles } from '../remove-files.ts';
import { reportProgress, type RunOptions } from '../run.ts';
import { storeRest } from '../store-rest.ts';
import { WorkerPool } from '../workers/pool.ts';
import { keepAside } from './keep-aside.ts';
import { type PackRepairFacts, type RepairPacksPlan, type RepairPacksRequest, surveyForPackRepair } from './packs-plan.ts';
import { placeCount, visitPlaces } from './places.ts';

export interface RepairPacksExecution extends RunOptions {
  /** Folder that copies of the damaged packs are kept in, as `pack-ID`. It is made when it is not there. */
  readonly keepIn: string;
  /** Of new packs, in bytes; default: that of the repository. */
  readonly packSize?: number | undefined;
  /** Told what will be done, as found under the lock, before anything is. It may ask a person; what it throws ends the run. */
  readonly onPlan?: ((plan: RepairPacksPlan) => void | Promise<void>) | undefined;
  /** An exclusive lock that is held already, and is not given up. */
  readonly lock?: Lock | undefined;
  /** Only what is intact is copied; the damaged packs stay, and in the index: for a place that lets nothing be removed. */
  readonly leavePacks?: boolean | undefined;
}

export interface RepairPacksResult {
  readonly plan: RepairPacksPlan;
  /** Bytes of packs stored. */
  readonly storedBytes: number;
  /** Paths of the copies of the packs that were removed. */
  readonly kept: readonly string[];
}

/**
 * Makes a plan under an exclusive lock and carries it out. Throws `pack-not-found`, `pack-not-kept`, `locked`, `lock-lost`, `cancelled`,
 * `storage-full` or what else the storage throws; whatever it throws, nothing that could be had before is gone, and it can be run again.
 */
export async function executeRepairPacks(
  repository: Repository,
  request: RepairPacksRequest,
  options: RepairPacksExecution,
): Promise<RepairPacksResult> {
  const { control, leavePacks = false } = options;
  if (!leavePacks) await refuseAppendOnly(repository);
  const lock = options.lock ?? (await Lock.begin(repository, options.holder, true, options.clock));
  const index = BlobIndex.create();
  // What is copied is noted apart, so that nothing that is about to go can pass for a copy.
  const copied = BlobIndex.create();
  const store = new PackStore(repository, copied, lock, options.clock, options.packSize);
  const pool = new WorkerPool(repository, { control, index, packSize: options.packSize, threads: options.threads, storePack: store.store });
  try {
    const facts = await lock.whileSettling(surveyForPackRepair(repository, request, options, index, pool));
    const { plan } = facts;
    await options.onPlan?.(plan);
    await control.checkpointAsync();
    if (plan.repairs.length === 0) return { plan, storedBytes: 0, kept: [] };
    await expectPresent(repository);
    const kept: string[] = [];
    for (const { pack, size, unreadable } of plan.repairs) {
      if (unreadable || leavePacks) continue;
      await control.checkpointAsync();
      kept.push(await keepAside(repository, pack, size, options.keepIn));
    }
    await copyAll(facts, pool, store, options);
    expectCopied(facts, copied);
    if (leavePacks) return { plan, storedBytes: store.storedBytes, kept };
    await control.checkpointAsync();
    await forgetPacks(repository, facts, lock, index, pool, options);
    const gone = plan.repairs.filter(({ unreadable }) => !unreadable).map(({ pack }) => pack);
    await removeFiles(repository, lock, control, 'pack', gone);
    return { plan, storedBytes: store.storedBytes, kept };
  } catch (error) {
    throw hasCode(error, 'cancelled') ? (pool.failure ?? error) : error;
  } finally {
    await pool.close();
    if (!options.lock) await lock.release().catch(() => {});
  }
}

async function copyAll({ copies, plan }: PackRepairFacts, pool: WorkerPool, store: PackStore, options: RunOptions): Promise<void> {
  const [itemsBefore, bytesBefore] = [pool.total('files'), pool.total('bytes')];
  const stop = reportProgress(options, pool, {
    phase: 'repairing',
    items: () => pool.total('files') - itemsBefore,
    bytes: () => pool.total('bytes') - bytesBefore,
    totalItems: copies.length,
    totalBytes: plan.repairs.reduce((sum, { copiedBytes }) => sum + copiedBytes, 0),
  });
  try {
    const work = copies.filter(({ places }) => placeCount(places) > 0);
    await Promise.all(work.map(({ name, places }) => pool.run('copyPlaces', { name, places })));
    await storeRest(pool, store);
  } finally {
    stop();
  }
}

/** Throws `internal` unless each blob that was to be copied is in a new pack. */
function expectCopied({ copies }: PackRepairFacts, copied: BlobIndex): void {
  for (const { places } of copies) {
    visitPlaces(places, (type, _offset, _length, _plain, ids, at) => {
      if (!copied.has(ids, at, type)) fail('internal', { cause: `blob ${ids.toString('hex', at, at + 32)} was not copied` });
    });
  }
}

/** Makes the index forget the damaged packs. */
async function forgetPacks(
  repository: Repository,
  { plan, survey, indexFiles }: PackRepairFacts,
  lock: Lock,
  index: BlobIndex,
  pool: WorkerPool,
  { control }: RunOptions,
): Promise<void> {
  const fates = new Uint8Array(survey.packs).fill(packFate.keep);
  let anyNamed = false;
  for (const { pack } of plan.repairs) {
    const number = index.packNumber(bytesOfId(pack));
    if (number < 0) continue;
    fates[number] = packFate.drop;
    anyNamed = true;
  }
  if (!anyNamed) return;
  const rewrite = await planIndexRewrite(pool, indexFiles, fates);
  await writeIndexFiles(repository, lock, index, survey, rewrite.packs);
  await removeFiles(repository, lock, control, 'index', rewrite.obsolete);
}
