/**
 * Which old snapshots a destination keeps beyond its retention, since another one has still to be given them: what is owed elsewhere would
 * else be gone before it was copied. There is an end to it, which is told: a destination that never comes back must not fill this one.
 */
import type { Plan } from '../../contract/plan.ts';
import { originalOf } from '../../engine/copy/copies.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import type { Spared } from '../runs/retain.ts';
import { type OwedContext, owedTo, type Shelf, timeOf } from './owed.ts';
import { withShelf } from './holdings-of.ts';

/** The newest of them; the others go. */
export const mostSpared = 200;

export interface SpareFacts {
  readonly plan: Plan;
  /** The destination whose snapshots go, and what it holds of the plan now. */
  readonly here: Shelf;
  readonly going: readonly Snapshot[];
  /** As far as is known. */
  readonly shelves: readonly Shelf[];
  readonly context: Omit<OwedContext, 'canRead'>;
  readonly nameOf: (destination: string) => string;
}

export function sparedOf({ plan, here, going, shelves, context, nameOf }: SpareFacts): Spared {
  const known = withShelf(shelves, here);
  const wanted = new Set<string>();
  const waitedFor: string[] = [];
  for (const { destination, role } of plan.destinations) {
    if (destination === here.destination || role === 'standby') continue;
    const owed = new Set(owedTo(destination, plan, known, { ...context, canRead: () => true }).map(({ original }) => original));
    const mine = going.filter((snapshot) => owed.has(originalOf(snapshot)));
    for (const { id } of mine) wanted.add(id);
    if (mine.length > 0) waitedFor.push(nameOf(destination));
  }
  const newestFirst = going.filter(({ id }) => wanted.has(id)).toSorted((a, b) => timeOf(b) - timeOf(a));
  const ids = new Set(newestFirst.slice(0, mostSpared).map(({ id }) => id));
  return { ids, waitedFor, givenUp: newestFirst.length - ids.size };
}
