/**
 * Retention: which snapshots stay and which go.
 *
 * Words: a *policy* (see retention/policy.ts) is applied to each *group* of snapshots alone, by default those of the same host and
 * paths; a snapshot stays when any rule gives a *reason*. The plan is data that a person can read; nothing is removed here.
 *
 * The rules, and the words of the reasons, are those of restic's `forget`:
 * - Snapshots are looked at from the newest to the oldest. A counting rule keeps the first that it meets of each hour, day, …; while its
 *   count is not used up it also keeps the oldest snapshot of all, which makes the history as long as possible.
 * - The calendar is that of each snapshot's own offset; weeks are ISO weeks (see retention/calendar.ts).
 * - Durations reach back from the group's newest snapshot that is not in the future.
 *
 * Three differences, all towards keeping:
 * - The empty policy, and one that would remove all snapshots of any group, are refused with `retention-empties-group` for the whole
 *   plan; there is no option to override this (restic has `--unsafe-allow-remove-all`, and lets an empty policy pass without effect).
 * - Of snapshots with the very same time restic may keep any; here the order is that of their IDs.
 * - A unit given twice in a duration is refused.
 */
import { fail } from '../contract/errors.ts';
import { before, compareInstants, offsetsOf, parseSnapshotTime, periods, type Instant, type SnapshotTime } from './retention/calendar.ts';
import { formatDuration, isZero, type Duration } from './retention/duration.ts';
import { checkPolicy, isEmptyPolicy, periodNames, type RetentionPolicy } from './retention/policy.ts';

export interface RetentionSnapshot {
  readonly id: string;
  /** RFC 3339 */
  readonly time: string;
  readonly hostname?: string | undefined;
  readonly paths: readonly string[];
  readonly tags?: readonly string[] | undefined;
}

export interface GroupBy {
  readonly host: boolean;
  readonly paths: boolean;
  readonly tags: boolean;
}

export interface RetentionGroup<S extends RetentionSnapshot = RetentionSnapshot> {
  /** What the snapshots of the group share; empty for what they are not grouped by. Paths and tags are sorted. */
  readonly key: { readonly host: string; readonly paths: readonly string[]; readonly tags: readonly string[] };
  /** Newest first. */
  readonly keep: readonly { readonly snapshot: S; readonly reasons: readonly string[] }[];
  /** Newest first. */
  readonly remove: readonly S[];
}

export interface RetentionContext {
  /** Milliseconds since 1970; snapshots from then on are "in the future". */
  readonly now: number;
  /** Default: host and paths. */
  readonly groupBy?: GroupBy | undefined;
  /** IANA name; default: the zone of this process. */
  readonly timeZone?: string | undefined;
}

export const defaultGroupBy: GroupBy = { host: true, paths: true, tags: false };

/**
 * Reads `--group-by`: any of `host`, `paths`, `tags` (or `hosts`, `path`, `tag`), separated by commas; the empty text puts all in one group.
 * @throws `bad-usage`
 */
export function parseGroupBy(text: string): GroupBy {
  const found = { host: false, paths: false, tags: false };
  for (const word of text.split(',')) {
    if (word === 'host' || word === 'hosts') found.host = true;
    else if (word === 'path' || word === 'paths') found.paths = true;
    else if (word === 'tag' || word === 'tags') found.tags = true;
    else if (word !== '') {
      fail('bad-usage', {
        problem: `Snapshots cannot be grouped by “${word}”.`,
        guidance: 'Use host, paths and tags, separated by commas.',
      });
    }
  }
  return found;
}

interface Dated<S> {
  readonly snapshot: S;
  readonly time: SnapshotTime;
}

/**
 * Decides for every snapshot whether it stays. Groups come in the order of host, paths and tags.
 * @throws `retention-empties-group` (see above), `bad-usage` for a policy that means nothing, `snapshot-time-unreadable`
 */
export function planRetention<S extends RetentionSnapshot>(
  snapshots: readonly S[],
  policy: RetentionPolicy,
  context: RetentionContext,
): RetentionGroup<S>[] {
  checkPolicy(policy);
  if (isEmptyPolicy(policy)) fail('retention-empties-group');
  // Making one takes longer than all the rest, and few policies ask for it.
  let offsets = context.timeZone === undefined ? undefined : offsetsOf(context.timeZone);
  const localOffset = (instant: number): number => (offsets ??= offsetsOf())(instant);
  const groupBy = context.groupBy ?? defaultGroupBy;
  const groups = new Map<string, { key: RetentionGroup['key']; members: Dated<S>[] }>();
  for (const snapshot of snapshots) {
    const key = {
      host: groupBy.host ? (snapshot.hostname ?? '') : '',
      paths: groupBy.paths ? [...snapshot.paths].sort() : [],
      tags: groupBy.tags ? [...(snapshot.tags ?? [])].sort() : [],
    };
    const name = JSON.stringify(key);
    let group = groups.get(name);
    if (group === undefined) groups.set(name, (group = { key, members: [] }));
    group.members.push({ snapshot, time: parseSnapshotTime(snapshot.time, snapshot.id) });
  }
  const now: Instant = {
    seconds: Math.floor(context.now / 1000),
    nanoseconds: Math.round((context.now - Math.floor(context.now / 1000) * 1000) * 1e6),
  };
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { key, members }]) => {
      members.sort((a, b) => compareInstants(b.time, a.time) || (a.snapshot.id < b.snapshot.id ? -1 : 1));
      const { keep, remove } = applyPolicy(members, policy, now, localOffset);
      if (keep.length === 0) fail('retention-empties-group', { group: groupName(key), snapshots: remove.length });
      return { key, keep, remove };
    });
}

/** A group's key in words for a person. */
export function groupName(key: RetentionGroup['key']): string {
  const parts: string[] = [];
  if (key.host !== '') parts.push(`host ${key.host}`);
  if (key.paths.length > 0) parts.push(`paths ${key.paths.join(', ')}`);
  if (key.tags.length > 0) parts.push(`tags ${key.tags.join(', ')}`);
  return parts.length === 0 ? 'all snapshots' : parts.join('; ');
}

interface CountingRule {
  readonly reason: string;
  readonly periodOf: (time: SnapshotTime, position: number) => number;
  left: number;
  latest: number;
}

interface WithinRule {
  readonly reason: string;
  readonly suffix: string;
  readonly since: Instant;
  readonly periodOf: (time: SnapshotTime) => number;
  latest: number;
}

function applyPolicy<S extends RetentionSnapshot>(
  members: readonly Dated<S>[],
  policy: RetentionPolicy,
  now: Instant,
  localOffset: (seconds: number) => number,
): Pick<RetentionGroup<S>, 'keep' | 'remove'> {
  const newest = members.find(({ time }) => compareInstants(time, now) < 0)?.time;
  // When all lie in the future there is nothing to count back from, and no duration excludes any.
  const since = (duration: Duration): Instant =>
    newest === undefined ? { seconds: Number.NEGATIVE_INFINITY, nanoseconds: 0 } : before(newest, duration, localOffset);

  const counting: CountingRule[] = [];
  const rule = (count: number, reason: string, periodOf: CountingRule['periodOf']): void => {
    if (count !== 0) counting.push({ reason, periodOf, left: count, latest: -1 });
  };
  rule(policy.keep?.last ?? 0, 'last snapshot', (_, position) => position);
  for (const name of periodNames) rule(policy.keep?.[name] ?? 0, `${name} snapshot`, periods[name]);

  const within: WithinRule[] = [];
  for (const name of periodNames) {
    const duration = policy.withinPeriod?.[name];
    if (duration === undefined || isZero(duration)) continue;
    within.push({
      reason: `${name} within`,
      suffix: formatDuration(duration),
      since: since(duration),
      periodOf: periods[name],
      latest: -1,
    });
  }
  const all = policy.within === undefined || isZero(policy.within) ? undefined : { duration: policy.within, since: since(policy.within) };

  const keep: { snapshot: S; reasons: string[] }[] = [];
  const remove: S[] = [];
  for (const [position, { snapshot, time }] of members.entries()) {
    const isOldest = position === members.length - 1;
    const reasons: string[] = [];
    for (const list of policy.tags ?? []) if (hasTags(snapshot, list)) reasons.push(`has tags [${list.join(', ')}]`);
    if (all !== undefined && compareInstants(time, all.since) > 0) reasons.push(`within ${formatDuration(all.duration)}`);
    for (const r of counting) {
      if (r.left === 0) continue;
      const period = r.periodOf(time, position);
      if (period === r.latest && !isOldest) continue;
      reasons.push(period === r.latest ? `oldest ${r.reason}` : r.reason);
      r.latest = period;
      if (r.left > 0) r.left -= 1;
    }
    for (const r of within) {
      if (compareInstants(time, r.since) <= 0) continue;
      const period = r.periodOf(time);
      if (period === r.latest && !isOldest) continue;
      reasons.push(`${period === r.latest ? 'oldest ' : ''}${r.reason} ${r.suffix}`);
      r.latest = period;
    }
    if (reasons.length > 0) keep.push({ snapshot, reasons });
    else remove.push(snapshot);
  }
  return { keep, remove };
}

/** As restic: a snapshot without tags satisfies a list from the first empty tag on. */
function hasTags(snapshot: RetentionSnapshot, list: readonly string[]): boolean {
  const tags = snapshot.tags ?? [];
  for (const tag of list) {
    if (tag === '' && tags.length === 0) return true;
    if (!tags.includes(tag)) return false;
  }
  return true;
}
