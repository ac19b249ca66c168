/**
 * Which snapshots of a plan its destinations owe each other. Pure: lists of snapshots decide.
 *
 * - The *primary* is owed all that its retention would keep: what was made while it was away, and what was there before it was.
 * - A *copy* is owed the same by its own retention, each snapshot from its times on (a snapshot is *due* once a time has come after it was
 *   made), or at once when it has none.
 * - A *standby* stands in: while all before it are away it is owed what was made without them, and nothing once they are back.
 *
 * Two snapshots are the same when they have one *original*, whatever was taken out of them since: one that was rewritten, or tagged, at one
 * place is not brought back from another as it was before. Only what can be read somewhere counts as owed, so that a place which is gone for
 * good holds nothing up.
 */
import { type Plan, type PlanDestination, retentionOn } from '../../contract/plan.ts';
import { originalOf } from '../../engine/copy/copies.ts';
import { planRetention } from '../../engine/retention.ts';
import { hasCode } from '../../contract/errors.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { policyOf } from '../runs/retain.ts';
import { nextOf } from '../schedule/next-due.ts';

/** What is known of a destination: its snapshots of the plan. */
export interface Shelf {
  readonly destination: string;
  readonly snapshots: readonly Snapshot[];
}

export interface OwedContext {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Of the plan's schedule: an IANA name. */
  readonly zone: string;
  readonly isPinned: (snapshot: Snapshot) => boolean;
  /** Whether a snapshot can be read there, as far as can be told. */
  readonly canRead: (destination: string, snapshot: Snapshot) => boolean;
  /** Whether a destination can be written to: a standby stands in for those that cannot. */
  readonly isThere: (destination: string) => boolean;
  /** A person has deleted it there, and only there. */
  readonly isUnwanted: (destination: string, original: string) => boolean;
}

export interface OwedSnapshot {
  /** The ID that all copies of it share. */
  readonly original: string;
  readonly snapshot: Snapshot;
  /** Destinations that hold it and can be read, in the order of the shelves. */
  readonly sources: readonly string[];
  /** Milliseconds since 1970: from when on it is to be copied; Infinity where no time comes any more. */
  readonly dueAt: number;
}

/** What a destination of the plan is owed, oldest first. `shelves` hold that destination's, too, and may hold others than the plan's. */
export function owedTo(target: string, plan: Plan, shelves: readonly Shelf[], context: OwedContext): OwedSnapshot[] {
  const place = plan.destinations.find(({ destination }) => destination === target);
  if (!place) return [];
  const candidates = candidatesFor(target, shelves, context);
  if (candidates.size === 0) return [];
  const held = shelves.find(({ destination }) => destination === target)?.snapshots ?? [];
  const kept = keptOf(held, [...candidates.values()], plan, target, context);
  const list = [...candidates].flatMap(([original, { snapshot, sources }]): OwedSnapshot[] =>
    kept(snapshot) ? [{ original, snapshot, sources, dueAt: dueAtOf(snapshot, place, context) }] : [],
  );
  const owed = place.role === 'standby' ? list.filter(standIn(target, plan, shelves, context)) : list;
  return owed.sort((a, b) => timeOf(a.snapshot) - timeOf(b.snapshot) || (a.original < b.original ? -1 : 1));
}

export const timeOf = ({ time }: Snapshot): number => Date.parse(time);

/** What the target lacks in any version and somebody can give it, by original. */
function candidatesFor(target: string, shelves: readonly Shelf[], { canRead, isUnwanted }: OwedContext) {
  const has = new Set(shelves.find(({ destination }) => destination === target)?.snapshots.map(originalOf));
  const found = new Map<string, { snapshot: Snapshot; sources: string[] }>();
  for (const { destination, snapshots } of shelves) {
    if (destination === target) continue;
    for (const snapshot of snapshots) {
      const original = originalOf(snapshot);
      if (has.has(original) || !canRead(destination, snapshot) || isUnwanted(target, original)) continue;
      const known = found.get(original);
      if (!known) found.set(original, { snapshot, sources: [destination] });
      else if (!known.sources.includes(destination)) known.sources.push(destination);
    }
  }
  return found;
}

/** Tells what the target's retention would keep if it held everything. */
function keptOf(
  held: readonly Snapshot[],
  candidates: readonly { readonly snapshot: Snapshot }[],
  plan: Plan,
  target: string,
  { now, isPinned }: OwedContext,
): (snapshot: Snapshot) => boolean {
  const policy = policyOf(retentionOn(plan, target));
  if (!policy) return () => true;
  const all = [...held, ...candidates.map(({ snapshot }) => snapshot)].filter((snapshot) => !isPinned(snapshot));
  const judged = all.map((snapshot, i) => ({ id: String(i), time: snapshot.time, paths: [], snapshot }));
  try {
    const groups = planRetention(judged, policy, { now, groupBy: { host: false, paths: false, tags: false } });
    const gone = new Set(groups.flatMap(({ remove }) => remove.map(({ snapshot }) => snapshot)));
    return (snapshot) => !gone.has(snapshot);
  } catch (error) {
    // Nothing is forgotten by such a policy.
    if (hasCode(error, 'retention-empties-group')) return () => true;
    throw error;
  }
}

function dueAtOf(snapshot: Snapshot, { schedule }: PlanDestination, { zone }: OwedContext): number {
  const made = timeOf(snapshot);
  if (!schedule) return made;
  return Math.min(...schedule.map((time) => nextOf(time, made, zone) ?? Infinity));
}

/** Of a standby: those that none of the destinations before it holds, while all of these are away. */
function standIn(
  target: string,
  { destinations }: Plan,
  shelves: readonly Shelf[],
  { isThere }: OwedContext,
): (owed: OwedSnapshot) => boolean {
  const order = inOrder(destinations);
  const before = order.slice(0, order.indexOf(target));
  if (before.some(isThere)) return () => false;
  const theirs = shelves.filter(({ destination }) => before.includes(destination));
  const newest = Math.max(...theirs.flatMap(({ snapshots }) => snapshots.map(timeOf)));
  const held = new Set(theirs.flatMap(({ snapshots }) => snapshots.map(originalOf)));
  return ({ original, snapshot }) => !held.has(original) && timeOf(snapshot) > newest;
}

/** The primary, then the standbys in their order. */
const inOrder = (destinations: Plan['destinations']): string[] =>
  (['primary', 'standby'] as const).flatMap((role) =>
    destinations.filter((each) => each.role === role).map(({ destination }) => destination),
  );
