/**
 * Repair of the index: makes it say what the packs hold, and nothing else. Entries are dropped only when what they name is proved
 * not to be there; an index file is removed only after all that it is still right about is durable in another one:
 *
 * 1. compare the index with the packs, and read those that it does not know or knows otherwise
 * 2. store index files for what changes, and for what stood beside it
 * 3. remove the index files that are damaged or replaced
 */
import { hasCode } from '../../contract/errors.ts';
import { BlobIndex } from '../../repository/blob-index.ts';
import { Lock } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';
import { expectPresent } from '../check/check.ts';
import { packFate } from '../prune/decide.ts';
import { planIndexRewrite, writeIndexFiles } from '../prune/rewrite-index.ts';
import { removeFiles } from '../remove-files.ts';
import type { RunOptions } from '../run.ts';
import { WorkerPool } from '../workers/pool.ts';
import { isIndexWhole, type RepairIndexPlan, type RepairIndexRequest, surveyForIndexRepair } from './index-plan.ts';
import { visitPlaces } from './places.ts';

export interface RepairIndexExecution extends RunOptions {
  /** Told what will be done, as found under the lock, before anything is. It may ask a person; what it throws ends the run. */
  readonly onPlan?: ((plan: RepairIndexPlan) => void | Promise<void>) | undefined;
  /** An exclusive lock that is held already, and is not given up. */
  readonly lock?: Lock | undefined;
}

export interface RepairIndexResult {
  readonly plan: RepairIndexPlan;
  /** Index files stored and removed. */
  readonly stored: number;
  readonly removed: number;
}

/**
 * Makes a plan under an exclusive lock and carries it out. Throws `locked`, `lock-lost`, `cancelled`, `storage-read-only` or what else
 * the storage throws; whatever it throws, everything that could be restored before still can, and it can be run again.
 */
export async function executeRepairIndex(
  repository: Repository,
  request: RepairIndexRequest,
  options: RepairIndexExecution,
): Promise<RepairIndexResult> {
  const { control } = options;
  const lock = options.lock ?? (await Lock.begin(repository, options.holder, true, options.clock));
  const index = BlobIndex.create();
  const pool = new WorkerPool(repository, { control, index, threads: options.threads });
  try {
    const facts = await lock.whileSettling(surveyForIndexRepair(repository, request, options, index, pool));
    const { plan, survey, stays, anew } = facts;
    await options.onPlan?.(plan);
    await control.checkpointAsync();
    if (isIndexWhole(plan)) return { plan, stored: 0, removed: 0 };
    await expectPresent(repository);
    const fates = stays.map((stay) => (stay === 1 ? packFate.keep : packFate.drop));
    const rewrite = await planIndexRewrite(pool, facts.soundFiles, fates);
    const others = anew.map(({ name, places }) => ({ name, tell: visitPlaces.bind(undefined, places) }));
    const stored = await writeIndexFiles(repository, lock, index, survey, rewrite.packs, others);
    let removed = 0;
    await removeFiles(repository, lock, control, 'index', [...rewrite.obsolete, ...facts.uselessFiles], () => void (removed += 1));
    return { plan, stored, removed };
  } catch (error) {
    throw hasCode(error, 'cancelled') ? (pool.failure ?? error) : error;
  } finally {
    await pool.close();
    if (!options.lock) await lock.release().catch(() => {});
  }
}
