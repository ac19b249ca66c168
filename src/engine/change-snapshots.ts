/**
 * Snapshots that get other fields. A snapshot is never changed: a new one is saved, which says in `original` where it comes from, and
 * then the old one may be removed.
 *
 * A run that was cut off in between leaves both. The next one finds the new one to be just what it would save (its *successor*) and
 * only removes the old one, so that there is never a third.
 */
import { fail, hasCode } from '../contract/errors.ts';
import type { RunControl } from '../platform/cancellation.ts';
import type { Lock } from '../repository/locks.ts';
import type { Repository } from '../repository/repository.ts';
import { changeSnapshot, type Snapshot, type SnapshotChanges } from '../repository/snapshot.ts';

/** Snapshots that are read, or replaced, at the same time. */
const parallel = 8;

export interface WantedChange {
  readonly snapshot: Snapshot;
  /** Without `original`, which is set here. */
  readonly changes: Omit<SnapshotChanges, 'original'>;
}

export interface SnapshotChange {
  readonly snapshot: Snapshot;
  /** What is saved. */
  readonly text: Buffer;
  /** ID of a snapshot that is there already and says the same. */
  readonly successor: string | undefined;
}

export interface WorkedOut {
  /** In the order of what was wanted. */
  readonly changes: readonly SnapshotChange[];
  /** Those that already are as wanted. */
  readonly unchanged: readonly Snapshot[];
}

/**
 * Works out what would be saved. `all`: every snapshot there is. `original`: `first` keeps the ID that a snapshot has there already, as
 * restic does when tags change; `this` names the snapshot itself, as it does when trees are rewritten.
 */
export async function workOutChanges(
  repository: Repository,
  all: readonly Snapshot[],
  wanted: readonly WantedChange[],
  original: 'first' | 'this',
): Promise<WorkedOut> {
  const texts = await inParallel(wanted, async ({ snapshot, changes }) => {
    const stored = await repository.loadItem('snapshot', snapshot.id);
    if (changeSnapshot(stored, changes).equals(changeSnapshot(stored, {}))) return undefined;
    const source = original === 'first' ? (snapshot.original ?? snapshot.id) : snapshot.id;
    return changeSnapshot(stored, { ...changes, original: source });
  });
  const unchanged: Snapshot[] = [];
  const changed: { snapshot: Snapshot; text: Buffer }[] = [];
  for (const [i, { snapshot }] of wanted.entries()) {
    const text = texts[i];
    if (text) changed.push({ snapshot, text });
    else unchanged.push(snapshot);
  }
  // What is about to change itself can stand in for nothing.
  const changing = new Set(changed.map(({ snapshot }) => snapshot.id));
  const byTime = Map.groupBy(
    all.filter(({ id, original: from }) => from !== undefined && !changing.has(id)),
    ({ original: from }) => from!,
  );
  const changes = await inParallel(changed, async ({ snapshot, text }) => {
    const { original: from, tree } = JSON.parse(text.toString()) as Snapshot;
    for (const other of byTime.get(from!) ?? []) {
      if (other.tree !== tree) continue;
      if (changeSnapshot(await repository.loadItem('snapshot', other.id), {}).equals(text)) return { snapshot, text, successor: other.id };
    }
    return { snapshot, text, successor: undefined };
  });
  return { changes, unchanged };
}

export interface ChangedSnapshot {
  /** IDs. */
  readonly old: string;
  readonly new: string;
}

export interface ChangeOptions {
  readonly control: RunControl;
  /** Whether the old snapshots go. */
  readonly remove: boolean;
  readonly onChanged?: ((changed: ChangedSnapshot) => void) | undefined;
}

/**
 * Saves the new snapshots; each old one that is to go is removed once its new one was read back from the storage. The first change is
 * made alone, so that a storage that refuses is asked once. Throws `cancelled` between two changes, `lock-lost`, what the storage
 * throws, or `encoding-failed` when a new snapshot does not read as it was saved; whatever it throws, each snapshot is there, the old
 * one or the new.
 */
export async function makeChanges(
  repository: Repository,
  lock: Pick<Lock, 'ensure'>,
  changes: readonly SnapshotChange[],
  { control, remove, onChanged }: ChangeOptions,
): Promise<ChangedSnapshot[]> {
  /** By text: two snapshots that are alike become one. */
  const saved = new Map<string, Promise<string>>();
  const change = async ({ snapshot, text, successor }: SnapshotChange): Promise<ChangedSnapshot> => {
    await control.checkpointAsync();
    await lock.ensure();
    const key = text.toString('latin1');
    let saving = successor === undefined ? saved.get(key) : Promise.resolve(successor);
    if (!saving) saved.set(key, (saving = save(repository, text)));
    const done: ChangedSnapshot = { old: snapshot.id, new: await saving };
    if (remove) {
      await lock.ensure();
      await repository.storage.remove({ kind: 'snapshot', name: snapshot.id }).catch((error: unknown) => {
        if (!hasCode(error, 'file-not-found')) throw error;
      });
    }
    onChanged?.(done);
    return done;
  };
  const first = await inParallel(changes.slice(0, 1), change);
  return [...first, ...(await inParallel(changes.slice(1), change))];
}

/** Saves a snapshot and reads it back: what replaces another must be there. */
async function save(repository: Repository, text: Buffer): Promise<string> {
  const id = await repository.saveItem('snapshot', text);
  try {
    if (!(await repository.loadItem('snapshot', id)).equals(text)) fail('encoding-failed', { blob: 'snapshot' });
  } catch (error) {
    if (hasCode(error, 'item-tampered') || hasCode(error, 'encoding-failed'))
      await repository.storage.remove({ kind: 'snapshot', name: id }).catch(() => {});
    throw error;
  }
  return id;
}

/** Several at the same time; results in the order of the items. The first failure ends it, once what is under way has ended. */
async function inParallel<T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  let failed = false;
  const work = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const at = next++;
      try {
        results[at] = await act(items[at]);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: Math.min(parallel, items.length) }, work));
  const rejected = workers.find((worker) => worker.status === 'rejected');
  if (rejected) throw rejected.reason;
  return results;
}
