/** Backup: reads the sources and adds a snapshot of them to the repository. */
import { errorFromJSON, HoldfastError, hasCode, isFaultOfPlace } from '../../contract/errors.ts';
import { BlobIndex } from '../../repository/blob-index.ts';
import { Lock } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';
import type { SnapshotFields, SnapshotSummary } from '../../repository/snapshot.ts';
import { adoptPacks } from '../index/adopt.ts';
import { beginListing, comparePacks, loadIndex } from '../index/load.ts';
import { PackStore } from '../pack-store.ts';
import type { ResidentIndex } from '../index/resident-index.ts';
import type { RunOptions } from '../run.ts';
import { storeRest } from '../store-rest.ts';
import { WorkerPool } from '../workers/pool.ts';
import type { HandOver } from './hand-over.ts';
import { isParentUnreadable } from './parent-damage.ts';
import type { BackupPlan } from './plan.ts';
import type { ChangedFolders } from './changed-folders.ts';
import { type ScannedSources, scanSources } from './scan-sources.ts';
import type { Problem } from './scan-task.ts';
import { summarise, timeText } from './summary.ts';
import { withReport } from './backup-progress.ts';

/** What Holdfast calls itself in snapshots. */
export const programVersion = 'holdfast 0.1.0';

/** What a scan makes is short-lived; verbs that keep whole folders need more room, or they keep their garbage, too. */
const youngGenerationMb = 3;

/** Unfinished files younger than this may belong to another program that is at work. */
const leftoverAgeMs = 24 * 60 * 60_000;

export interface BackupOptions extends RunOptions {
  /** In bytes; default 16 MiB. */
  readonly packSize?: number | undefined;
  /** Where something changed, from a journal. Default: nobody knows. */
  readonly changed?: ChangedFolders | undefined;
  /** Takes what is in memory when the destination fails, and gives what an earlier one has left. Default: it is lost. */
  readonly handOver?: HandOver | undefined;
  /** Keeps the repository's index from run to run. Default: it is loaded for this run alone. */
  readonly resident?: ResidentIndex | undefined;
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
  /** How much was looked at, and what the next run's journal needs. */
  readonly scanned: Pick<ScannedSources, 'scan' | 'linked' | 'missed'>;
  /** Names of the index files that name all that the snapshot holds. */
  readonly indexFiles: ReadonlySet<string>;
}

/**
 * Carries the plan out. Whatever happens, finished snapshots stay as they are, and what this run has stored is found by the
 * next one. Throws `cancelled`, `locked`, `lock-lost`, `encoding-failed` or what the storage throws.
 */
export async function executeBackup(repository: Repository, plan: BackupPlan, options: BackupOptions): Promise<BackupResult> {
  const { control, clock, handOver } = options;
  const started = clock.now();
  const lock = await Lock.begin(repository, options.holder, false, clock);
  const { index, loaded } = (await options.resident?.take(repository)) ?? { index: BlobIndex.create(), loaded: new Set<string>() };
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
    keepUnstored: handOver && ((pack) => handOver.keep(repository, pack)),
    corruptBlob: options.corruptBlob,
  });
  try {
    const work = async () => {
      const packs = beginListing(repository.storage.list('pack'));
      const indexProblems = await loadIndex(repository, pool, loaded);
      const { lost, unindexed } = await comparePacks(repository, index, packs);
      // Unindexed packs are nobody's only when no other run may be writing them, which a stale lock suggests and listing proves.
      const adoptedPacks = await adoptPacks(repository, store, index, unindexed, lock, clock, () => loadIndex(repository, pool, loaded));
      // Files that a killed run left half written; that they cannot be removed is no reason to make no backup.
      await repository.storage.removeLeftovers?.(clock.now() - leftoverAgeMs).catch(() => {});
      const isDamaged = indexProblems.length > 0 || lost.length > 0;
      await handOver?.bring(pool, repository);
      const files = handOver?.files(repository, pool.size);
      const known = { files, changed: options.changed, isDamaged, indexFiles: loaded, unreadable: () => unreadable.size };
      const walk = await withReport(repository, plan, options, pool, index, () => scanSources(pool, control, plan, known));
      return { indexProblems, lost, adoptedPacks, walk };
    };
    // What is stored meanwhile waits until the lock holds.
    const { indexProblems, lost, adoptedPacks, walk } = await lock.whileSettling(work());
    await storeRest(pool, store, handOver && ((unfinished) => handOver.hold(repository, unfinished)));
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
    const indexFiles = new Set([...loaded, ...store.indexFiles]);
    if (damage.length === 0) options.resident?.keep(repository, { index, loaded: indexFiles });
    const { scan, linked, missed } = walk;
    const problems = [...plan.missing, ...walk.problems];
    return { snapshot, summary, problems, damage, adoptedPacks, scanned: { scan, linked, missed }, indexFiles };
  } catch (error) {
    // One worker's failure ends the work of all; nothing is stored any more when the caller learns that the run has ended.
    control.cancel();
    await pool.settled();
    const reason = hasCode(error, 'cancelled') ? (pool.failure ?? error) : error;
    const isCarriedOn = handOver !== undefined && isFaultOfPlace(reason);
    // What is stored is kept for the next run; a failure of this last effort would only hide why the run ended.
    if (isCarriedOn) await Promise.all([handOver.take(pool, repository), store.flushIndex().catch(() => {})]);
    else await storeRest(pool, store).catch(() => store.flushIndex().catch(() => {}));
    throw reason;
  } finally {
    await pool.close();
    await lock.release().catch(() => {});
  }
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
