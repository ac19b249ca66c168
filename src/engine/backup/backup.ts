/** Backup: reads the sources and adds a snapshot of them to the repository. */
import { errorFromJSON, HoldfastError, hasCode } from '../../contract/errors.ts';
import { BlobIndex } from '../../repository/blob-index.ts';
import { bytesOfId } from '../../repository/ids.ts';
import { Lock } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';
import type { SnapshotFields, SnapshotSummary } from '../../repository/snapshot.ts';
import { localTime } from '../../repository/tree/go-time.ts';
import { adoptPacks } from '../index/adopt.ts';
import { beginListing, comparePacks, loadIndex } from '../index/load.ts';
import { PackStore } from '../pack-store.ts';
import { type ProgressSource, reportProgress, type RunOptions } from '../run.ts';
import { storeRest } from '../store-rest.ts';
import { WorkerPool } from '../workers/pool.ts';
import { isParentUnreadable } from './parent-damage.ts';
import type { BackupPlan } from './plan.ts';
import type { Problem, ScanFigures } from './scan-task.ts';
import { walkSources } from './walk.ts';

/** What Holdfast calls itself in snapshots. */
export const programVersion = 'holdfast 0.1.0';

/** What a scan makes is short-lived; verbs that keep whole folders need more room, or they keep their garbage, too. */
const youngGenerationMb = 3;

/** Unfinished files younger than this may belong to another program that is at work. */
const leftoverAgeMs = 24 * 60 * 60_000;

export interface BackupOptions extends RunOptions {
  /** In bytes; default 16 MiB. */
  readonly packSize?: number | undefined;
}

export interface BackupResult {
  readonly snapshot: string;
  readonly summary: SnapshotSummary;
  /** Files that are not, or perhaps not consistently, in the snapshot. */
  readonly problems: readonly Problem[];
  /** Damage of the repository that the run worked around: what was affected is stored anew. */
  readonly damage: readonly HoldfastError[];
  /** Packs of an earlier run that was cut off, taken over by this one. */
  readonly adoptedPacks: number;
}

/**
 * Carries the plan out. Whatever happens, finished snapshots stay as they are, and what this run has stored is found by the
 * next one. Throws `cancelled`, `locked`, `lock-lost`, `encoding-failed` or what the storage throws.
 */
export async function executeBackup(repository: Repository, plan: BackupPlan, options: BackupOptions): Promise<BackupResult> {
  const { control, clock } = options;
  const started = clock.now();
  const lock = await Lock.begin(repository, options.holder, false, clock);
  const index = BlobIndex.create();
  const store = new PackStore(repository, index, lock, clock, options.packSize);
  /** By tree: two folders may share one. */
  const unreadable = new Map<string, HoldfastError>();
  const pool = new WorkerPool(repository, {
    youngGenerationMb,
    control,
    index,
    onNote: (note) => {
      if (isParentUnreadable(note)) unreadable.set(note.tree, errorFromJSON(note.error));
    },
    packSize: options.packSize,
    threads: options.threads,
    storePack: store.store,
    corruptBlob: options.corruptBlob,
  });
  try {
    const work = async () => {
      const loaded = new Set<string>();
      const packs = beginListing(repository.storage.list('pack'));
      const indexProblems = await loadIndex(repository, pool, loaded);
      const { lost, unindexed } = await comparePacks(repository, index, packs);
      // Unindexed packs are nobody's only when no other run may be writing them, which a stale lock suggests and listing proves.
      const adoptedPacks = await adoptPacks(repository, store, index, unindexed, lock, clock, () => loadIndex(repository, pool, loaded));
      // Files that a killed run left half written; that they cannot be removed is no reason to make no backup.
      await repository.storage.removeLeftovers?.(clock.now() - leftoverAgeMs).catch(() => {});
      await pool.runOnEach('beginScan', { rules: plan.request.rules, leftOut: plan.leftOut });
      const walk = await withReport(repository, plan, options, pool, index, () => {
        const parentTree = plan.parent && bytesOfId(plan.parent.tree);
        return walkSources(pool, control, plan.sources, parentTree && new Uint8Array(parentTree));
      });
      return { indexProblems, lost, adoptedPacks, walk };
    };
    // What is stored meanwhile waits until the lock holds.
    const { indexProblems, lost, adoptedPacks, walk } = await lock.whileSettling(work());
    await storeRest(pool, store);
    // From here on the snapshot is wanted: whoever cancels later cancels too late.
    await control.checkpointAsync();
    await lock.ensure();
    const summary = summarise(walk.figures, started, clock.now());
    const snapshot = await repository.saveSnapshot(snapshotFields(plan, started, walk.tree, summary));
    const damage = [
      ...indexProblems.map(({ error }) => error),
      ...lost.map((pack) => new HoldfastError('pack-lost', { pack: index.packId(pack).toString('hex') })),
      // A tree of a lost pack is no news.
      ...[...unreadable.values()].filter(({ code }) => code !== 'blob-missing' || lost.length === 0),
    ];
    return { snapshot, summary, problems: [...plan.missing, ...walk.problems], damage, adoptedPacks };
  } catch (error) {
    // One worker's failure ends the work of all; nothing is stored any more when the caller learns that the run has ended.
    control.cancel();
    await pool.settled();
    // What is stored is kept for the next run; a failure of this last effort would only hide why the run ended.
    await storeRest(pool, store).catch(() => store.flushIndex().catch(() => {}));
    throw hasCode(error, 'cancelled') ? (pool.failure ?? error) : error;
  } finally {
    await pool.close();
    await lock.release().catch(() => {});
  }
}

/** Tells the progress of `work` as long as it goes on. */
async function withReport<T>(
  repository: Repository,
  plan: BackupPlan,
  options: BackupOptions,
  pool: WorkerPool,
  index: BlobIndex,
  work: () => Promise<T>,
): Promise<T> {
  const stop = reportBackup(repository, plan, options, pool, index);
  try {
    return await work();
  } finally {
    await stop();
  }
}

/**
 * Tells the progress. How much there is comes from the snapshot before; for a first one it is counted beside the run, by a
 * thread of its own, when somebody looks.
 */
function reportBackup(
  repository: Repository,
  plan: BackupPlan,
  options: BackupOptions,
  pool: WorkerPool,
  index: BlobIndex,
): () => Promise<void> {
  const previous = plan.parent?.summary;
  const source: ProgressSource = {
    phase: 'backing-up',
    items: () => pool.total('files'),
    bytes: () => pool.total('bytes'),
    totalItems: previous?.total_files_processed,
    totalBytes: previous?.total_bytes_processed,
  };
  const stop = reportProgress(options, pool, source);
  if (previous || !options.onProgress) return async () => stop();
  const counter = new WorkerPool(repository, { control: options.control, index, threads: 1 });
  const sources = plan.sources.map((path) => new Uint8Array(path));
  counter
    .run('estimate', { rules: plan.request.rules, leftOut: plan.leftOut, sources })
    .then(({ files, bytes }) => {
      source.totalItems = files;
      source.totalBytes = bytes;
    })
    // Without it the progress has no end to name; the backup does not depend on it.
    .catch(() => {})
    .then(() => counter.close())
    .catch(() => {});
  return async () => {
    stop();
    await counter.close();
  };
}

const timeText = (ms: number): string => localTime.format(BigInt(Math.round(ms)) * 1_000_000n);

function summarise(figures: ScanFigures, started: number, ended: number): SnapshotSummary {
  const { data, trees } = figures;
  return {
    backup_start: timeText(started),
    backup_end: timeText(ended),
    files_new: figures.filesNew,
    files_changed: figures.filesChanged,
    files_unmodified: figures.filesUnmodified,
    dirs_new: figures.dirsNew,
    dirs_changed: figures.dirsChanged,
    dirs_unmodified: figures.dirsUnmodified,
    data_blobs: data.blobs,
    tree_blobs: trees.blobs,
    data_added: data.bytes + trees.bytes,
    data_added_packed: data.packed + trees.packed,
    total_files_processed: figures.filesNew + figures.filesChanged + figures.filesUnmodified,
    total_bytes_processed: figures.totalBytes,
  };
}

function snapshotFields(plan: BackupPlan, started: number, tree: Uint8Array, summary: SnapshotSummary): SnapshotFields {
  const { request, parent } = plan;
  return {
    time: timeText(started),
    parent: parent?.id,
    tree: Buffer.from(tree).toString('hex'),
    paths: plan.paths,
    hostname: request.hostname,
    username: request.username,
    uid: request.uid,
    gid: request.gid,
    excludes: request.excludes,
    tags: plan.tags,
    program_version: programVersion,
    summary,
  };
}
