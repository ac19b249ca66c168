/** Applies to a destination what a plan keeps there, after a run has stored something. */
import type { Retention } from '../../contract/plan.ts';
import { hasCode, HoldfastError } from '../../contract/errors.ts';
import { executeForget, planForget } from '../../engine/forget.ts';
import { tagOfPlan } from '../../engine/own-tags.ts';
import { parseDuration } from '../../engine/retention/duration.ts';
import type { RetentionPolicy } from '../../engine/retention/policy.ts';
import type { RunOptions } from '../../engine/run.ts';
import { counted, formatBytes } from '../../platform/sizes.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import type { Log } from './backup-job.ts';

/** What became of old snapshots: `forgotten` of them lost their name, and `isPruned` says whether what nobody needs was deleted since. */
export interface Retained {
  readonly forgotten: number;
  readonly isPruned: boolean;
  readonly isFine: boolean;
}

/** Old snapshots that stay, since another destination has still to be given them. */
export interface Spared {
  readonly ids: ReadonlySet<string>;
  /** Names of the destinations that they are for. */
  readonly waitedFor: readonly string[];
  /** More wait than are kept for them: so many go without having been copied. */
  readonly givenUp: number;
}

export interface RetainJob {
  /** Its ID. */
  readonly plan: string;
  readonly retention: Retention;
  /** What is no longer needed is to be deleted, too: that reads and rewrites packs, so that it is not for every run. */
  readonly prune: boolean;
  /** Tells snapshots that no retention forgets, as they are pinned by then; they do not count for its rules. */
  readonly pinned: () => (snapshot: Snapshot) => boolean;
  /** Which of those that would go stay. `here` is all that the destination holds of the plan. */
  readonly spare: (going: readonly Snapshot[], here: readonly Snapshot[]) => Spared;
}

/** Forgets the plan's own old snapshots. What could not be done is tried again after the next run. */
export async function retain(
  repository: Repository,
  { plan, retention, prune, pinned, spare }: RetainJob,
  options: RunOptions,
  log: Log,
): Promise<Retained> {
  const none: Retained = { forgotten: 0, isPruned: false, isFine: true };
  const policy = policyOf(retention);
  if (!policy) return none;
  try {
    const tag = tagOfPlan(plan);
    const isPinned = pinned();
    const isOwn = (snapshot: Snapshot): boolean => snapshot.tags?.includes(tag) === true;
    let spared: Spared | undefined;
    const planned = async (): ReturnType<typeof planForget> => {
      const found = await planForget(repository, {
        policy,
        // One line of snapshots, though the plan's folders may have changed.
        groupBy: { host: false, paths: false, tags: false },
        filter: (snapshot: Snapshot) => isOwn(snapshot) && !isPinned(snapshot),
        now: options.clock.now(),
      });
      const going = found.groups.flatMap(({ remove }) => remove);
      if (going.length === 0) return found;
      const { ids } = (spared = spare(going, [...found.groups.flatMap(({ keep }) => keep.map(({ snapshot }) => snapshot)), ...going]));
      return { ...found, remove: found.remove.filter((id) => !ids.has(id)) };
    };
    // Without a look first each run would need the repository for itself alone.
    const isNothing = !prune && (await planned()).remove.length === 0;
    const { removed, prune: pruned } = isNothing
      ? { removed: [], prune: undefined }
      : await executeForget(repository, planned, { ...options, ...(prune ? { prune: {} } : {}) });
    if (removed.length > 0) log('info', `${counted(removed.length, 'old snapshot')} forgotten by the plan's retention.`);
    if (pruned)
      log('info', `${formatBytes(Math.max(0, pruned.deletedBytes - pruned.storedBytes))} that nobody needs any more were deleted.`);
    if (spared) tellSpared(spared, log);
    return { forgotten: removed.length, isPruned: pruned !== undefined, isFine: (spared?.givenUp ?? 0) === 0 };
  } catch (error) {
    if (!(error instanceof HoldfastError) || hasCode(error, 'cancelled')) throw error;
    // Whoever chose such a destination wants it so.
    const isWished = hasCode(error, 'storage-append-only');
    log(isWished ? 'info' : 'warning', `Old snapshots could not be forgotten. ${error.message} ${error.guidance}`);
    return { ...none, isFine: isWished };
  }
}

function tellSpared({ ids, waitedFor, givenUp }: Spared, log: Log): void {
  const names = waitedFor.map((name) => `“${name}”`).join(', ');
  if (ids.size > 0) log('info', `${counted(ids.size, 'old snapshot')} stay here until ${names} can be given them.`);
  if (givenUp > 0)
    log(
      'warning',
      `${counted(givenUp, 'old snapshot')} had to go although ${names} was to be given them: no more are kept for it. ` +
        `Bring it back, or take it out of the plan.`,
    );
}

/** Undefined when all snapshots are kept. */
export function policyOf({ within, ...keep }: Retention): RetentionPolicy | undefined {
  if (within === null && Object.values(keep).every((count) => count === 0)) return undefined;
  return { keep, within: within === null ? undefined : parseDuration(within, 'within') };
}
