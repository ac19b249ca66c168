/**
 * Repair of snapshots: stores, beside each snapshot that lacks something, one that lacks nothing because it does not mention what is
 * gone. The damaged one is removed on request only, and after the other is durable.
 */
import { hasCode } from '../../contract/errors.ts';
import { BlobIndex } from '../../repository/blob-index.ts';
import { Lock } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot, SnapshotFields } from '../../repository/snapshot.ts';
import { expectPresent } from '../check/check.ts';
import { PackStore } from '../pack-store.ts';
import { refuseAppendOnly, removeFiles } from '../remove-files.ts';
import { reportProgress, type RunOptions } from '../run.ts';
import { storeRest } from '../store-rest.ts';
import { WorkerPool } from '../workers/pool.ts';
import { indexAdopted } from './complete-index.ts';
import {
  type RepairSnapshotsPlan,
  type RepairSnapshotsRequest,
  type SnapshotRepairFacts,
  surveyForSnapshotRepair,
} from './snapshots-plan.ts';

export interface RepairSnapshotsExecution extends RunOptions {
  /** Of new packs, in bytes; default: that of the repository. */
  readonly packSize?: number | undefined;
  /** Told what will be done, as found under the lock, before anything is. It may ask a person; what it throws ends the run. */
  readonly onPlan?: ((plan: RepairSnapshotsPlan) => void | Promise<void>) | undefined;
}

export interface RepairSnapshotsResult {
  readonly plan: RepairSnapshotsPlan;
  /** IDs of the new snapshots, by the IDs of those that they replace. */
  readonly stored: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
}

/** Whom a repaired snapshot can be told by. As restic has it, the tag is only given while the damaged snapshot is there too. */
const repairedTag = 'repaired';

/**
 * Makes a plan under an exclusive lock and carries it out. Throws what {@link planRepairSnapshots} throws, `lock-lost`, `storage-full`
 * or what else the storage throws; whatever it throws, every snapshot of before is there, or one that replaces it. It can be run again.
 */
export async function executeRepairSnapshots(
  repository: Repository,
  request: RepairSnapshotsRequest,
  options: RepairSnapshotsExecution,
): Promise<RepairSnapshotsResult> {
  const { control } = options;
  if (request.forget) await refuseAppendOnly(repository);
  const lock = await Lock.begin(repository, options.holder, true, options.clock);
  const index = BlobIndex.create();
  // Apart, since what is known of the index's records is for those that it had at first.
  const added = BlobIndex.create();
  const store = new PackStore(repository, added, lock, options.clock, options.packSize);
  const pool = new WorkerPool(repository, { control, index, packSize: options.packSize, threads: options.threads, storePack: store.store });
  try {
    const facts = await lock.whileSettling(surveyForSnapshotRepair(repository, request, options, index, pool));
    const { plan } = facts;
    await options.onPlan?.(plan);
    await control.checkpointAsync();
    await expectPresent(repository);
    // New trees may refer to what was taken over.
    if (plan.repairs.length > 0) await indexAdopted(repository, lock, index, facts.complete);
    await storeTrees(facts, options, pool, store);
    const stored = new Map<string, string>();
    for (const { action, snapshot, tree } of plan.repairs) {
      if (action !== 'replace') continue;
      await control.checkpointAsync();
      await lock.ensure();
      stored.set(snapshot.id, await repository.saveSnapshot(replacement(snapshot, tree!, request.forget === true)));
    }
    const removed: string[] = [];
    const going = [...plan.damaged, ...plan.repairs.map(({ snapshot, remove }) => ({ id: snapshot.id, remove }))];
    const ids = going.filter(({ remove }) => remove).map(({ id }) => id);
    await removeFiles(repository, lock, control, 'snapshot', ids, (id) => void removed.push(id));
    return { plan, stored, removed };
  } catch (error) {
    throw hasCode(error, 'cancelled') ? (pool.failure ?? error) : error;
  } finally {
    await pool.close();
    await lock.release().catch(() => {});
  }
}

async function storeTrees(
  { plan, rewriting, roots, emptyListings }: SnapshotRepairFacts,
  options: RunOptions,
  pool: WorkerPool,
  store: PackStore,
): Promise<void> {
  if (emptyListings.length === 0 && !plan.repairs.some(({ action }) => action === 'replace')) return;
  const before = pool.total('dirs');
  const stop = reportProgress(options, pool, { phase: 'repairing', items: () => pool.total('dirs') - before, bytes: () => 0 });
  try {
    await pool.run('repairTrees', { ...rewriting, roots, store: true, emptyListings });
    await storeRest(pool, store);
  } finally {
    stop();
  }
}

function replacement({ id, ...fields }: Snapshot, tree: string, forget: boolean): SnapshotFields {
  const tags = fields.tags ?? [];
  return { ...fields, tree, original: id, tags: forget || tags.includes(repairedTag) ? tags : [...tags, repairedTag] };
}
