/** What is known of the destinations, as far as it concerns a plan. */
import type { Plan } from '../../contract/plan.ts';
import { tagOfPlan } from '../../engine/own-tags.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import type { Holding } from '../library/holdings.ts';
import type { Shelf } from './owed.ts';

/** All destinations may hold snapshots of a plan: one that has left it still gives what it holds. */
export function shelvesOf(plan: Pick<Plan, 'id'>, holdings: readonly Pick<Holding, 'destination' | 'snapshots'>[]): Shelf[] {
  return holdings.map(({ destination, snapshots }) => ({ destination: destination.id, snapshots: ofPlan(plan, snapshots) }));
}

export function ofPlan({ id }: Pick<Plan, 'id'>, snapshots: readonly Snapshot[]): Snapshot[] {
  const tag = tagOfPlan(id);
  return snapshots.filter(({ tags }) => tags?.includes(tag) === true);
}

/** With the list of one destination as it is now. */
export const withShelf = (shelves: readonly Shelf[], shelf: Shelf): Shelf[] => [
  ...shelves.filter(({ destination }) => destination !== shelf.destination),
  shelf,
];
