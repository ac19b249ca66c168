/** What `repair snapshots` will do, as data that a person can read; and the facts that its execution needs. */
import { hasCode, type HoldfastError } from '../../contract/errors.ts';
import { BlobIndex } from '../../repository/blob-index.ts';
import { bytesOfId } from '../../repository/ids.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { idOf } from '../choose-snapshots.ts';
import { lockIfWritable } from '../reading.ts';
import { reportProgress, type RunOptions } from '../run.ts';
import { WorkerPool } from '../workers/pool.ts';
import { findAvailable } from './available.ts';
import { type CompleteIndex, loadCompleteIndex, refuseIncomplete } from './complete-index.ts';
import type { Loss, RewriteTrees, RewrittenTree, RewrittenTrees } from './repair-trees-job.ts';

export interface RepairSnapshotsRequest {
  /** IDs, unique beginnings of IDs, or `latest`; left out: all. A damaged snapshot can be named too, but not as `latest`. */
  readonly snapshots?: readonly string[] | undefined;
  /** Snapshots that it says no to are not looked at. */
  readonly filter?: ((snapshot: Snapshot) => boolean) | undefined;
  /** Removes snapshots that were replaced, those of which nothing can be had, and damaged ones that are named. */
  readonly forget?: boolean | undefined;
}

export interface SnapshotRepair {
  readonly snapshot: Snapshot;
  /**
   * - `replace`: a snapshot without what is lost is stored.
   * - `replaced`: an earlier repair has stored it: `by`.
   * - `hopeless`: not even its root can be read.
   */
  readonly action: 'replace' | 'replaced' | 'hopeless';
  /** The tree of the new snapshot, 64 hex digits. */
  readonly tree: string | undefined;
  /** ID of the snapshot that is there already. */
  readonly by: string | undefined;
  /** Whether this snapshot is removed. */
  readonly remove: boolean;
  readonly losses: readonly Loss[];
  /** More is lost than is listed. */
  readonly more: boolean;
}

export interface RepairSnapshotsPlan {
  /** Snapshots that were looked at. */
  readonly snapshots: number;
  /** Those that lack something, oldest first. */
  readonly repairs: readonly SnapshotRepair[];
  /** Listings of empty folders that were gone and are stored again. Nothing is lost with them. */
  readonly emptyListings: number;
  /** Snapshots whose file cannot be read. They stay, unless they are named and forgotten. */
  readonly damaged: readonly { readonly id: string; readonly error: HoldfastError; readonly remove: boolean }[];
}

export interface SnapshotRepairFacts {
  readonly plan: RepairSnapshotsPlan;
  /** For storing the new trees: see {@link RewriteTrees}. */
  readonly roots: readonly Uint8Array[];
  readonly rewriting: Pick<RewriteTrees, 'best' | 'available' | 'states'>;
  readonly emptyListings: readonly Uint8Array[];
  readonly complete: CompleteIndex;
}

/**
 * Makes a plan and changes nothing. Throws `index-incomplete`, `snapshot-not-found`, `snapshot-ambiguous`, `locked`, `cancelled` or what
 * the storage throws.
 */
export async function planRepairSnapshots(
  repository: Repository,
  request: RepairSnapshotsRequest,
  options: RunOptions,
): Promise<RepairSnapshotsPlan> {
  const lock = await lockIfWritable(repository, options);
  const index = BlobIndex.create();
  const pool = new WorkerPool(repository, { control: options.control, index, threads: options.threads });
  try {
    const facts = surveyForSnapshotRepair(repository, request, options, index, pool);
    return (await (lock ? lock.whileSettling(facts) : facts)).plan;
  } finally {
    await pool.close();
    await lock?.release().catch(() => {});
  }
}

export async function surveyForSnapshotRepair(
  repository: Repository,
  request: RepairSnapshotsRequest,
  options: RunOptions,
  index: BlobIndex,
  pool: WorkerPool,
): Promise<SnapshotRepairFacts> {
  const broken: { id: string; error: HoldfastError }[] = [];
  const all = await repository.snapshots((id, error) => {
    // Whether a snapshot is damaged is unknown when the destination fails.
    if (!hasCode(error, 'item-tampered') && !hasCode(error, 'snapshot-invalid')) throw error;
    broken.push({ id, error });
  });
  const { snapshots: wanted, filter, forget = false } = request;
  const named = wanted && new Set(wanted.map((each) => idOf(each, all, broken)));
  const chosen = all.filter((snapshot) => (named ? named.has(snapshot.id) : true) && (filter?.(snapshot) ?? true));
  const damaged = broken
    .filter(({ id }) => !named || named.has(id))
    .map(({ id, error }) => ({ id, error, remove: forget && named !== undefined }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));

  const complete = await loadCompleteIndex(repository, options, index, pool);
  const { survey, listing } = complete;
  const { best, available } = await findAvailable(repository, survey, listing, pool);
  const rewriting = { best, available, states: new Uint8Array(new SharedArrayBuffer(survey.records)) };
  const { trees, emptyListings } = await rewriteAll(chosen, rewriting, options, pool);
  const repairs = chosen.flatMap((snapshot, i) => repairOf(snapshot, trees[i], all, forget));
  if (repairs.length > 0) refuseIncomplete(complete);
  const roots = chosen.map(({ tree }) => new Uint8Array(bytesOfId(tree)));
  const plan = { snapshots: chosen.length, repairs, emptyListings: emptyListings.length, damaged };
  return { plan, roots, rewriting, emptyListings, complete };
}

async function rewriteAll(
  snapshots: readonly Snapshot[],
  rewriting: SnapshotRepairFacts['rewriting'],
  options: RunOptions,
  pool: WorkerPool,
): Promise<RewrittenTrees> {
  const stop = reportProgress(options, pool, { phase: 'checking', items: () => pool.total('dirs'), bytes: () => 0 });
  try {
    const roots = snapshots.map(({ tree }) => new Uint8Array(bytesOfId(tree)));
    return await pool.run('repairTrees', { ...rewriting, roots, store: false, emptyListings: [] });
  } finally {
    stop();
  }
}

function repairOf(snapshot: Snapshot, { tree, losses, more }: RewrittenTree, all: readonly Snapshot[], forget: boolean): SnapshotRepair[] {
  const facts = { snapshot, losses, more, remove: forget };
  if (!tree) return [{ ...facts, action: 'hopeless', tree: undefined, by: undefined }];
  const id = Buffer.from(tree).toString('hex');
  if (id === snapshot.tree) return [];
  const by = all.find((other) => other.original === snapshot.id && other.tree === id)?.id;
  return [{ ...facts, action: by === undefined ? 'replace' : 'replaced', tree: id, by }];
}
