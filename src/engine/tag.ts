/** Tag: marks snapshots, which gives each a new ID. The unchanged stay as they are. */
import { fail } from '../contract/errors.ts';
import { Lock } from '../repository/locks.ts';
import type { Repository } from '../repository/repository.ts';
import type { Snapshot } from '../repository/snapshot.ts';
import { type ChangedSnapshot, makeChanges, type SnapshotChange, workOutChanges } from './change-snapshots.ts';
import { chooseSnapshots, type DamagedSnapshot, type SnapshotChoice } from './choose-snapshots.ts';
import { ownKind } from './own-tags.ts';
import type { RunOptions } from './run.ts';
import { refuseAppendOnly } from './remove-files.ts';

/** Either `set`, or at least one of the others. A tag that is both added and removed goes. */
export interface TagRequest extends SnapshotChoice {
  /** The tags that the snapshots have afterwards, beside those that Holdfast gives them itself (own-tags.ts) and that are not among these. */
  readonly set?: readonly string[] | undefined;
  readonly add?: readonly string[] | undefined;
  readonly remove?: readonly string[] | undefined;
}

export interface PlannedTag {
  readonly snapshot: Snapshot;
  /** Afterwards. */
  readonly tags: readonly string[];
  /** An earlier run, which was cut off, saved the new snapshot: only the old one is still to be removed. */
  readonly successor: string | undefined;
}

export interface TagPlan {
  /** Oldest first. */
  readonly change: readonly PlannedTag[];
  /** IDs of those that have these tags already. */
  readonly unchanged: readonly string[];
  /** Snapshots that cannot be read, so that nobody knows whether they were meant. They stay as they are. */
  readonly damaged: readonly DamagedSnapshot[];
}

export interface TagOptions extends RunOptions {
  /** Told what will be done, as found under the lock, before anything is. */
  readonly onPlan?: ((plan: TagPlan) => void) | undefined;
  readonly onChanged?: ((changed: ChangedSnapshot) => void) | undefined;
}

export interface TagResult {
  readonly plan: TagPlan;
  /** Oldest first. */
  readonly changed: readonly ChangedSnapshot[];
}

/**
 * Decides and changes nothing. Takes no lock: the execution looks again. Throws `bad-usage`, `snapshot-not-found`,
 * `snapshot-ambiguous`, what a named snapshot that is damaged throws, or what the storage throws.
 */
export async function planTag(repository: Repository, request: TagRequest): Promise<TagPlan> {
  return (await workOut(repository, request)).plan;
}

/**
 * Under an exclusive lock. Throws also `storage-append-only` (nothing was changed), `locked`, `lock-lost`, `cancelled` and what makeChanges throws. Whatever it throws, no snapshot is
 * lost, and the same request again completes it.
 */
export async function executeTag(repository: Repository, request: TagRequest, options: TagOptions): Promise<TagResult> {
  refuseNonsense(request);
  await refuseAppendOnly(repository);
  const lock = await Lock.begin(repository, options.holder, true, options.clock);
  try {
    const { plan, changes } = await lock.whileSettling(workOut(repository, request));
    options.onPlan?.(plan);
    const changed = await makeChanges(repository, lock, changes, { control: options.control, remove: true, onChanged: options.onChanged });
    return { plan, changed };
  } finally {
    await lock.release().catch(() => {});
  }
}

async function workOut(repository: Repository, request: TagRequest): Promise<{ plan: TagPlan; changes: readonly SnapshotChange[] }> {
  refuseNonsense(request);
  const { all, chosen, damaged } = await chooseSnapshots(repository, request);
  const wanted = chosen.map((snapshot) => ({ snapshot, changes: { tags: tagsAfter(snapshot.tags ?? [], request) } }));
  const { changes, unchanged } = await workOutChanges(repository, all, wanted, 'first');
  const change = changes.map(({ snapshot, successor }) => ({ snapshot, tags: tagsAfter(snapshot.tags ?? [], request), successor }));
  return { plan: { change, unchanged: unchanged.map(({ id }) => id), damaged }, changes };
}

/** Each tag once, in the order in which they were there or came. */
function tagsAfter(before: readonly string[], { set, add = [], remove = [] }: TagRequest): string[] {
  if (set) {
    const named = new Set(set.map(ownKind));
    return [...new Set(set), ...before.filter((tag) => ownKind(tag) >= 0 && !named.has(ownKind(tag)))];
  }
  const added = add.filter((tag, i) => !before.includes(tag) && add.indexOf(tag) === i);
  return [...before, ...added].filter((tag) => !remove.includes(tag));
}

function refuseNonsense({ set, add = [], remove = [] }: TagRequest): void {
  if (set && (add.length > 0 || remove.length > 0))
    fail('bad-usage', {
      problem: 'Tags cannot be set and added or removed at the same time.',
      guidance: 'Use --set alone, or the others.',
    });
  if (!set && add.length === 0 && remove.length === 0)
    fail('bad-usage', { problem: 'It is not said which tags to change.', guidance: 'Use --add, --remove or --set.' });
}
