/**
 * Rewrite: takes files and folders out of snapshots, or gives these another host or time. Each snapshot gets a successor; the old one
 * stays, unless it is to be forgotten. What was taken out stays stored until a prune finds that no snapshot needs it.
 *
 * Patterns are those of a backup, and mean what they mean there: a name anywhere in the snapshot; a path from a source folder. Beyond
 * that a path may begin at the snapshot's root, and sources, and the folders above them, can be taken out too.
 */
import { fail, type HoldfastError, hasCode } from '../../contract/errors.ts';
import { BlobIndex } from '../../repository/blob-index.ts';
import { Lock } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot, SnapshotChanges } from '../../repository/snapshot.ts';
import { storeRest } from '../store-rest.ts';
import type { ExcludeRules } from '../backup/exclude.ts';
import { type ChangedSnapshot, makeChanges, type SnapshotChange, type WantedChange, workOutChanges } from '../change-snapshots.ts';
import { type ChosenSnapshots, chooseSnapshots, type DamagedSnapshot, type SnapshotChoice } from '../choose-snapshots.ts';
import { adoptPacks } from '../index/adopt.ts';
import { comparePacks, loadIndex } from '../index/load.ts';
import { PackStore } from '../pack-store.ts';
import { withReading } from '../reading.ts';
import { reportProgress, type RunOptions } from '../run.ts';
import { WorkerPool } from '../workers/pool.ts';
import type { LeftOutEntry } from './tree-job.ts';
import type { TreeFigures } from './tree-memo.ts';
import { type RewrittenSnapshots, rewriteSnapshotTrees } from './trees.ts';
import { refuseAppendOnly } from '../remove-files.ts';

/** What marks successors beside which the old snapshots stay; restic's word. */
export const rewriteTag = 'rewrite';

export interface RewriteRequest extends SnapshotChoice {
  /** What is taken out, by name and path; what rules say about sizes and file systems counts only in a backup. */
  readonly rules?: ExcludeRules | undefined;
  readonly hostname?: string | undefined;
  /** RFC 3339. */
  readonly time?: string | undefined;
  /** The old snapshots go. */
  readonly forget?: boolean | undefined;
}

export interface PlannedRewrite {
  readonly snapshot: Snapshot;
  /** ID of its tree afterwards. */
  readonly tree: string;
  /** What stays and what goes; undefined when nothing is taken out of any snapshot. */
  readonly figures: TreeFigures | undefined;
  /** An earlier run saved the successor already. */
  readonly successor: string | undefined;
}

/** A snapshot that cannot be rewritten, and stays as it is. */
export interface RewriteProblem {
  readonly snapshot: string;
  /** The folder that is to blame. */
  readonly path: Uint8Array;
  readonly error: HoldfastError;
}

export interface RewritePlan {
  /** Oldest first. Those that have their successor are among them only when they are to be forgotten. */
  readonly change: readonly PlannedRewrite[];
  /** IDs of those that stay as they are: nothing matches, or their successor is there and they are to stay. */
  readonly unchanged: readonly string[];
  /** Of what is taken out, by path; not all when there is much. */
  readonly leftOut: readonly LeftOutEntry[];
  readonly problems: readonly RewriteProblem[];
  /** Snapshots that cannot be read, so that nobody knows whether they were meant. They stay as they are. */
  readonly damaged: readonly DamagedSnapshot[];
  /** Index files that could not be used. */
  readonly damage: readonly HoldfastError[];
}

export interface RewriteOptions extends RunOptions {
  /** Of new packs, in bytes; default: that of the repository. */
  readonly packSize?: number | undefined;
  /** Told what will be done before any snapshot is changed. */
  readonly onPlan?: ((plan: RewritePlan) => void) | undefined;
  readonly onChanged?: ((changed: ChangedSnapshot) => void) | undefined;
}

export interface RewriteResult {
  readonly plan: RewritePlan;
  /** Oldest first. */
  readonly changed: readonly ChangedSnapshot[];
  /** Bytes of packs that were stored for new trees. */
  readonly storedBytes: number;
}

/**
 * Decides and changes nothing. Throws `bad-usage`, `rewrite-empties-snapshot`, `snapshot-not-found`, `snapshot-ambiguous`, what a named
 * snapshot that is damaged throws, `locked`, `cancelled` or what the storage throws.
 */
export async function planRewrite(repository: Repository, request: RewriteRequest, options: RunOptions): Promise<RewritePlan> {
  refuseNonsense(request);
  const chosen = await chooseSnapshots(repository, request);
  const { rules } = request;
  if (!rules) return (await workOut(repository, request, chosen, undefined, [])).plan;
  return withReading(repository, options, async ({ pool, damage }) => {
    const trees = await withReport(options, pool, () => rewriteSnapshotTrees(pool, chosen.chosen, rules, false));
    return (await workOut(repository, request, chosen, trees, damage)).plan;
  });
}

/**
 * Makes the plan and carries it out, under a lock that is exclusive when snapshots are to be forgotten. New trees are durable before the
 * first snapshot that names them is saved, and each old snapshot is removed only after its successor. Throws what {@link planRewrite}
 * throws, `storage-append-only` (nothing was changed), `lock-lost`, `encoding-failed`; whatever it throws, each snapshot is there, the old one or its successor, and the same
 * request again completes it.
 */
export async function executeRewrite(repository: Repository, request: RewriteRequest, options: RewriteOptions): Promise<RewriteResult> {
  refuseNonsense(request);
  const { control, clock, holder, packSize, threads, onPlan, onChanged } = options;
  const { rules, forget = false } = request;
  if (forget) await refuseAppendOnly(repository);
  const lock = await Lock.begin(repository, holder, forget, clock);
  const index = BlobIndex.create();
  const store = new PackStore(repository, index, lock, clock, packSize);
  const pool =
    rules && new WorkerPool(repository, { control, index, packSize, threads, storePack: store.store, corruptBlob: options.corruptBlob });
  try {
    const loaded = new Set<string>();
    const reading = async (): Promise<{ chosen: ChosenSnapshots; damage: HoldfastError[] }> => {
      // Whoever adds a snapshot has written its index before.
      const chosen = await chooseSnapshots(repository, request);
      const problems = pool ? await loadIndex(repository, pool, loaded) : [];
      return { chosen, damage: problems.map(({ error }) => error) };
    };
    const { chosen, damage } = await lock.whileSettling(reading());
    let trees: RewrittenSnapshots | undefined;
    if (rules && pool) {
      // A tree counts as stored only when its pack is there; packs that a run before this one left without an index are taken over.
      const { unindexed } = await comparePacks(repository, index);
      await adoptPacks(repository, store, index, unindexed, lock, clock, () => loadIndex(repository, pool, loaded));
      trees = await withReport(options, pool, () => rewriteSnapshotTrees(pool, chosen.chosen, rules, true));
      await storeRest(pool, store);
    }
    const { plan, changes } = await workOut(repository, request, chosen, trees, damage);
    onPlan?.(plan);
    const changed = await makeChanges(repository, lock, changes, { control, remove: forget, onChanged });
    return { plan, changed, storedBytes: store.storedBytes };
  } catch (error) {
    if (!pool) throw error;
    control.cancel();
    await pool.settled();
    // What is stored is kept for the next run; a failure of this last effort would only hide why the run ended.
    await storeRest(pool, store).catch(() => store.flushIndex().catch(() => {}));
    throw hasCode(error, 'cancelled') ? (pool.failure ?? error) : error;
  } finally {
    await pool?.close();
    await lock.release().catch(() => {});
  }
}

async function withReport<T>(options: RunOptions, pool: WorkerPool, work: () => Promise<T>): Promise<T> {
  const stop = reportProgress(options, pool, { phase: 'rewriting', items: () => pool.total('dirs'), bytes: () => 0 });
  return work().finally(stop);
}

/** What is to be done with each snapshot. `trees` is undefined when none is to be rewritten. */
async function workOut(
  repository: Repository,
  request: RewriteRequest,
  { all, chosen, damaged }: ChosenSnapshots,
  trees: RewrittenSnapshots | undefined,
  damage: readonly HoldfastError[],
): Promise<{ plan: RewritePlan; changes: readonly SnapshotChange[] }> {
  const { forget = false } = request;
  const problems: RewriteProblem[] = [];
  const wanted: WantedChange[] = [];
  const figures = new Map<string, TreeFigures>();
  for (const snapshot of chosen) {
    const outcome = trees?.outcomes.get(snapshot.id);
    if (outcome && 'error' in outcome) {
      problems.push({ snapshot: snapshot.id, path: outcome.path, error: outcome.error });
      continue;
    }
    if (outcome) figures.set(snapshot.id, outcome.figures);
    wanted.push({ snapshot, changes: changesOf(snapshot, request, outcome) });
  }
  const { changes, unchanged } = await workOutChanges(repository, all, wanted, 'this');
  // Whoever asks again for successors that are there does not want them twice.
  const due = forget ? changes : changes.filter(({ successor }) => successor === undefined);
  const done = forget ? [] : changes.filter(({ successor }) => successor !== undefined).map(({ snapshot }) => snapshot);
  if (forget) for (const { snapshot } of due) refuseEmpty(snapshot, figures.get(snapshot.id));
  const plan: RewritePlan = {
    change: due.map(({ snapshot, successor }) => {
      const outcome = trees?.outcomes.get(snapshot.id);
      const tree = outcome && 'tree' in outcome ? outcome.tree : snapshot.tree;
      return { snapshot, tree, figures: figures.get(snapshot.id), successor };
    }),
    unchanged: [...unchanged, ...done].map(({ id }) => id),
    leftOut: trees?.leftOut ?? [],
    problems,
    damaged,
    damage,
  };
  return { plan, changes: due };
}

/** What the successor says otherwise than the snapshot; nothing when nothing that was asked for concerns it. */
function changesOf(
  snapshot: Snapshot,
  { hostname = snapshot.hostname, time = snapshot.time, forget }: RewriteRequest,
  outcome: { readonly tree: string; readonly figures: TreeFigures } | undefined,
): Omit<SnapshotChanges, 'original'> {
  const tree = outcome?.tree ?? snapshot.tree;
  if (tree === snapshot.tree && hostname === snapshot.hostname && time === snapshot.time) return {};
  const tags = snapshot.tags ?? [];
  return {
    tree,
    hostname,
    time,
    ...(forget || tags.includes(rewriteTag) ? {} : { tags: [...tags, rewriteTag] }),
    ...(outcome ? { summary: { total_files_processed: outcome.figures.files, total_bytes_processed: outcome.figures.bytes } } : {}),
  };
}

/** Nobody means to keep a snapshot of nothing in the place of one that could be restored: a pattern says more than was meant. */
function refuseEmpty({ id }: Snapshot, figures: TreeFigures | undefined): void {
  if (figures && leavesNothing(figures)) fail('rewrite-empties-snapshot', { snapshot: id });
}

/** Whether something was left out, and no more than folders stay. */
export const leavesNothing = ({ entries, folders, goneFiles, goneFolders }: TreeFigures): boolean =>
  entries === folders && goneFiles + goneFolders > 0;

function refuseNonsense({ rules, hostname, time }: RewriteRequest): void {
  if (rules || hostname !== undefined || time !== undefined) return;
  fail('bad-usage', {
    problem: 'It is not said what to change.',
    guidance: 'Name what to take out with --exclude, or use --new-host or --new-time.',
  });
}
