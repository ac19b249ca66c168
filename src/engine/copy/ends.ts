/**
 * The two repositories of a copy, opened for it: locks, indexes, and one pool of workers that read from the *source* and store in
 * the *target*.
 */
import { storeRest } from '../store-rest.ts';
import { statSync } from 'node:fs';
import { fail, HoldfastError, hasCode } from '../../contract/errors.ts';
import { BlobIndex } from '../../repository/blob-index.ts';
import { Lock } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { localFolderOf } from '../../storage/local-folder.ts';
import type { Storage } from '../../storage/storage.ts';
import { adoptPacks } from '../index/adopt.ts';
import { comparePacks, loadIndex } from '../index/load.ts';
import { PackStore } from '../pack-store.ts';
import { lockIfWritable } from '../reading.ts';
import type { RunOptions } from '../run.ts';
import { WorkerPool } from '../workers/pool.ts';

export interface CopyEnds {
  readonly source: Repository;
  readonly target: Repository;
}

export interface CopyOptions extends RunOptions {
  /** Of new packs, in bytes; default: that of the target. */
  readonly packSize?: number | undefined;
}

/** Unfinished files younger than this may belong to another program that is at work. */
const leftoverAgeMs = 24 * 60 * 60_000;

export interface UnreadableSnapshot {
  readonly id: string;
  readonly error: HoldfastError;
}

export interface OpenEnds extends CopyEnds {
  readonly sourceIndex: BlobIndex;
  readonly targetIndex: BlobIndex;
  readonly pool: WorkerPool;
  /** Stores packs; undefined when nothing is to be changed. */
  readonly store: PackStore | undefined;
  /** Undefined where nothing can be written. */
  readonly sourceLock: Lock | undefined;
  readonly targetLock: Lock | undefined;
  /** Oldest first, as they were before the indexes were loaded. */
  readonly sourceSnapshots: readonly Snapshot[];
  readonly targetSnapshots: readonly Snapshot[];
  readonly unreadable: readonly UnreadableSnapshot[];
  /** Index files that could not be used; what they list counts as missing. */
  readonly sourceDamage: readonly HoldfastError[];
  /** What is wrong with the target; what it has lost is copied again, if it is needed. */
  readonly targetDamage: readonly HoldfastError[];
  /** Packs of an earlier run that was cut off, taken over by this one. */
  readonly adoptedPacks: number;
}

/** Throws `same-place` when both ends are one repository. A byte-for-byte copy of a repository is another one, though its ID is equal. */
export function refuseSamePlace({ source, target }: CopyEnds): void {
  if (source.config.id === target.config.id && isSamePlace(source.storage, target.storage))
    fail('same-place', { location: source.storage.location });
}

/** Whether two storages are one and the same place, as far as that can be told from outside. */
export function isSamePlace(a: Storage, b: Storage): boolean {
  if (a.location === b.location) return true;
  const [one, other] = [folderFacts(a), folderFacts(b)];
  return one !== undefined && one === other;
}

/** What tells a folder from every other, whatever path leads there; undefined for what is no local folder. */
function folderFacts(storage: Storage): string | undefined {
  const folder = localFolderOf(storage);
  const facts = folder === undefined ? undefined : statSync(folder, { bigint: true, throwIfNoEntry: false });
  return facts && `${facts.dev} ${facts.ino}`;
}

/**
 * Calls `use` with both ends open and returns what it returns. Both get a shared lock: others may read and add meanwhile, and
 * nobody takes anything away. A source where nothing can be written is read without; so is the target when `writes` is false.
 *
 * Throws `same-place`, `locked`, `lock-unreadable`, `cancelled`, what the storages throw and what `use` throws. However it ends,
 * what was stored by then is in the target's index, if that can still be written.
 */
export async function withEnds<T>(ends: CopyEnds, writes: boolean, options: CopyOptions, use: (open: OpenEnds) => Promise<T>): Promise<T> {
  refuseSamePlace(ends);
  const sourceLock = await lockIfWritable(ends.source, options);
  try {
    const targetLock = writes
      ? await Lock.begin(ends.target, options.holder, false, options.clock)
      : await lockIfWritable(ends.target, options);
    try {
      return await withPool(ends, { sourceLock, targetLock }, writes, options, use);
    } finally {
      await targetLock?.release().catch(() => {});
    }
  } finally {
    await sourceLock?.release().catch(() => {});
  }
}

type Locks = Pick<OpenEnds, 'sourceLock' | 'targetLock'>;

async function withPool<T>(
  ends: CopyEnds,
  locks: Locks,
  writes: boolean,
  options: CopyOptions,
  use: (open: OpenEnds) => Promise<T>,
): Promise<T> {
  const { source, target } = ends;
  const { control, clock, packSize, threads, corruptBlob } = options;
  const [sourceIndex, targetIndex] = [BlobIndex.create(), BlobIndex.create()];
  const store = writes && locks.targetLock ? new PackStore(target, targetIndex, locks.targetLock, clock, packSize) : undefined;
  const pool = new WorkerPool(target, {
    control,
    index: targetIndex,
    source: { repository: source, index: sourceIndex },
    packSize,
    threads,
    corruptBlob,
    ...(store ? { storePack: store.store } : {}),
  });
  try {
    const read = await readEnds({ ...ends, sourceIndex, targetIndex, pool, store, ...locks }, options);
    return await use(read);
  } catch (error) {
    if (store) {
      // One worker's failure ends the work of all; nothing is stored any more when the caller learns that the run has ended.
      control.cancel();
      await pool.settled();
      // What is stored is kept for the next run; a failure of this last effort would only hide why the run ended.
      await storeRest(pool, store).catch(() => store.flushIndex().catch(() => {}));
    }
    throw hasCode(error, 'cancelled') ? (pool.failure ?? error) : error;
  } finally {
    await pool.close();
  }
}

type Empty = Pick<OpenEnds, 'source' | 'target' | 'sourceIndex' | 'targetIndex' | 'pool' | 'store' | 'sourceLock' | 'targetLock'>;

async function readEnds(ends: Empty, { clock }: CopyOptions): Promise<OpenEnds> {
  const { source, target, pool, store, targetIndex, sourceLock, targetLock } = ends;
  const settled = <T>(lock: Lock | undefined, work: Promise<T>): Promise<T> => (lock ? lock.whileSettling(work) : work);
  const unreadable: UnreadableSnapshot[] = [];
  const targetDamage: HoldfastError[] = [];
  const loaded = new Set<string>();
  // Snapshots first: whoever adds one meanwhile has written its index files before.
  const readSource = async (): Promise<[Snapshot[], HoldfastError[]]> => {
    const snapshots = await readSnapshots(source, (id, error) => unreadable.push({ id, error }));
    return [snapshots, (await loadIndex(source, pool.source)).map(({ error }) => error)];
  };
  const readTarget = async (): Promise<Snapshot[]> => {
    const snapshots = await readSnapshots(target, (_, error) => targetDamage.push(error));
    targetDamage.push(...(await loadIndex(target, pool, loaded)).map(({ error }) => error));
    return snapshots;
  };
  const [[sourceSnapshots, sourceDamage], targetSnapshots] = await Promise.all([
    settled(sourceLock, readSource()),
    settled(targetLock, readTarget()),
  ]);
  const { lost, unindexed } = await comparePacks(target, targetIndex);
  for (const pack of lost) targetDamage.push(new HoldfastError('pack-lost', { pack: targetIndex.packId(pack).toString('hex') }));
  let adoptedPacks = 0;
  if (store && targetLock) {
    adoptedPacks = await adoptPacks(target, store, targetIndex, unindexed, targetLock, clock, () => loadIndex(target, pool, loaded));
    // Files that a killed run left half written; that they cannot be removed is no reason to copy nothing.
    await target.storage.removeLeftovers?.(clock.now() - leftoverAgeMs).catch(() => {});
  }
  return { ...ends, sourceSnapshots, targetSnapshots, unreadable, sourceDamage, targetDamage, adoptedPacks };
}

/** All snapshots that can be read; `onProblem` is told of the others. Whether one is damaged is unknown when the storage fails. */
async function readSnapshots(repository: Repository, onProblem: (id: string, error: HoldfastError) => void): Promise<Snapshot[]> {
  return repository.snapshots((id, error) => {
    if (!hasCode(error, 'item-tampered') && !hasCode(error, 'snapshot-invalid')) throw error;
    onProblem(id, error);
  });
}
