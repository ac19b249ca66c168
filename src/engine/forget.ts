/**
 * Forget: removes snapshots, by a retention policy or by name. What only they needed stays stored until a prune.
 *
 * A policy never empties a group of snapshots (see retention.ts). Snapshots that are named may be the last of their group only with
 * `force`: a person who mistypes should not lose the only backup of a folder.
 */
import { fail, hasCode, type HoldfastError } from '../contract/errors.ts';
import { Lock } from '../repository/locks.ts';
import type { Repository } from '../repository/repository.ts';
import type { Snapshot } from '../repository/snapshot.ts';
import type { PrunePlan, PruneRequest } from './prune/plan.ts';
import { type PruneResult, pruneUnderLock } from './prune/prune.ts';
import { refuseAppendOnly, removeFiles } from './remove-files.ts';
import { defaultGroupBy, type GroupBy, groupName, planRetention, type RetentionGroup } from './retention.ts';
import type { RetentionPolicy } from './retention/policy.ts';
import type { RunOptions } from './run.ts';

export type ForgetRequest =
  | {
      readonly policy: RetentionPolicy;
      /** Default: host and paths. */
      readonly groupBy?: GroupBy | undefined;
      /** Snapshots that it says no to are neither looked at nor removed. */
      readonly filter?: ((snapshot: Snapshot) => boolean) | undefined;
      /** Milliseconds since 1970. */
      readonly now: number;
      /** IANA name; default: the zone of this process. */
      readonly timeZone?: string | undefined;
    }
  | {
      /** IDs, unique beginnings of IDs, or `latest`. A damaged snapshot can be named too, but not as `latest`. */
      readonly snapshots: readonly string[];
      /** The last snapshot of a group may go. */
      readonly force?: boolean | undefined;
    };

export interface ForgetPlan {
  /** Every snapshot that was looked at, with the reasons to keep it; snapshots that are named: only the groups they belong to. */
  readonly groups: readonly RetentionGroup<Snapshot>[];
  /** IDs to be removed: damaged ones, then the oldest first. */
  readonly remove: readonly string[];
  /** Snapshots that cannot be read. They stay, unless they were named. */
  readonly damaged: readonly { readonly id: string; readonly error: HoldfastError }[];
}

/**
 * Decides and changes nothing. Takes no lock: the execution looks again.
 * Throws `retention-empties-group`, `last-of-group`, `snapshot-not-found`, `snapshot-ambiguous`, `bad-usage` or what the storage throws.
 */
export async function planForget(repository: Repository, request: ForgetRequest): Promise<ForgetPlan> {
  const damaged: { id: string; error: HoldfastError }[] = [];
  const snapshots = await repository.snapshots((id, error) => {
    // Whether a snapshot is damaged is unknown when the destination fails.
    if (!hasCode(error, 'item-tampered') && !hasCode(error, 'snapshot-invalid')) throw error;
    damaged.push({ id, error });
  });
  if ('policy' in request) {
    const { policy, groupBy, filter, now, timeZone } = request;
    const groups = planRetention(filter ? snapshots.filter(filter) : snapshots, policy, { now, groupBy, timeZone });
    return { groups, remove: oldestFirst(groups), damaged };
  }
  if (request.snapshots.length === 0)
    return fail('bad-usage', { problem: 'No snapshot was named.', guidance: 'Name one, or give a rule such as --keep-last 7.' });
  const named = new Set(request.snapshots.map((wanted) => resolve(wanted, snapshots, damaged)));
  const groups = groupsOf(snapshots, named);
  for (const { key, keep, remove } of groups) {
    if (keep.length === 0 && !request.force) fail('last-of-group', { group: groupName(key), snapshots: remove.length });
  }
  const broken = damaged.filter(({ id }) => named.has(id)).map(({ id }) => id);
  return { groups, remove: [...broken, ...oldestFirst(groups)], damaged: damaged.filter(({ id }) => !named.has(id)) };
}

/** The full ID. */
function resolve(wanted: string, snapshots: readonly Snapshot[], damaged: readonly { id: string }[]): string {
  if (wanted === 'latest') return snapshots.at(-1)?.id ?? fail('snapshot-not-found', { snapshot: wanted });
  const matches = wanted === '' ? [] : [...snapshots, ...damaged].filter(({ id }) => id.startsWith(wanted));
  if (matches.length > 1) return fail('snapshot-ambiguous', { snapshot: wanted });
  return matches[0]?.id ?? fail('snapshot-not-found', { snapshot: wanted });
}

/** The groups, by host and paths, that any of the named snapshots is in. `snapshots` are the oldest first. */
function groupsOf(snapshots: readonly Snapshot[], named: ReadonlySet<string>): RetentionGroup<Snapshot>[] {
  const keyOf = ({ hostname, paths }: Snapshot): RetentionGroup['key'] => ({
    host: defaultGroupBy.host ? (hostname ?? '') : '',
    paths: [...paths].sort(),
    tags: [],
  });
  const groups: RetentionGroup<Snapshot>[] = [];
  for (const members of Map.groupBy(snapshots, (snapshot) => JSON.stringify(keyOf(snapshot))).values()) {
    if (!members.some(({ id }) => named.has(id))) continue;
    members.reverse();
    groups.push({
      key: keyOf(members[0]),
      keep: members.filter(({ id }) => !named.has(id)).map((snapshot) => ({ snapshot, reasons: ['not named'] })),
      remove: members.filter(({ id }) => named.has(id)),
    });
  }
  return groups;
}

const oldestFirst = (groups: readonly RetentionGroup<Snapshot>[]): string[] =>
  groups
    .flatMap(({ remove }) => remove)
    .sort((a, b) => Date.parse(a.time) - Date.parse(b.time))
    .map(({ id }) => id);

export interface ForgetOptions extends RunOptions {
  /** Prunes afterwards, under the same lock. */
  readonly prune?: PruneRequest | undefined;
  readonly onPrunePlan?: ((plan: PrunePlan) => void | Promise<void>) | undefined;
  /** Of packs that the prune writes, in bytes; default: that of the repository. */
  readonly packSize?: number | undefined;
  /** Told after each snapshot that was removed. */
  readonly onRemoved?: ((id: string) => void) | undefined;
}

export interface ForgetResult {
  readonly removed: readonly string[];
  /** Undefined when no prune was asked for. */
  readonly prune: PruneResult | undefined;
}

/**
 * Removes what the plan says (or the plan that the function makes) under an exclusive lock. Snapshots that were added since stay; when one that the plan keeps
 * is gone, nothing is removed and it throws `plan-outdated`. Throws also `storage-append-only`, `locked`, `lock-lost`, `cancelled`, what the storage throws,
 * and what a prune throws.
 */
export async function executeForget(
  repository: Repository,
  plan: ForgetPlan | (() => Promise<ForgetPlan>),
  options: ForgetOptions,
): Promise<ForgetResult> {
  const lock = await Lock.begin(repository, options.holder, true, options.clock);
  try {
    // Making the plan takes about as long as the lock takes to settle.
    return await forgetUnderLock(repository, lock, typeof plan === 'function' ? await plan() : plan, options);
  } finally {
    await lock.release().catch(() => {});
  }
}

async function forgetUnderLock(repository: Repository, lock: Lock, plan: ForgetPlan, options: ForgetOptions): Promise<ForgetResult> {
  const { control } = options;
  const present = new Set(await lock.whileSettling(repository.names('snapshot')));
  for (const { keep, remove } of plan.groups) {
    const missing = remove.length > 0 ? keep.find(({ snapshot }) => !present.has(snapshot.id)) : undefined;
    if (missing) fail('plan-outdated', { snapshot: missing.snapshot.id });
  }
  const gone = new Set<string>();
  // Somebody else may have forgotten some, too.
  const ids = plan.remove.filter((id) => present.has(id));
  if (ids.length > 0 || options.prune) await refuseAppendOnly(repository);
  await removeFiles(repository, lock, control, 'snapshot', ids, (id) => {
    gone.add(id);
    options.onRemoved?.(id);
  });
  const removed = ids.filter((id) => gone.has(id));
  if (!options.prune) return { removed, prune: undefined };
  const prune = await pruneUnderLock(repository, lock, options.prune, { ...options, onPlan: options.onPrunePlan });
  return { removed, prune };
}
