/** Where the step leads that a plan lacks for three copies on two media, one of them elsewhere. */
import type { Destination } from '../../../src/contract/destination.ts';
import type { Plan } from '../../../src/contract/plan.ts';

/** A place on another computer; where a server stands nobody knows, and it counts. */
const isElsewhere = ({ place }: Destination): boolean => /^[a-z]{2,}\d?:/.test(place);
/** On a disk of its own. */
const isOtherMedium = (destination: Destination): boolean => destination.volume !== undefined || isElsewhere(destination);

/**
 * To the plan, with a destination added that is connected already and gives what is missing, to be looked at and saved; where there is none, to
 * connecting one, and from there to the same.
 */
export function missingStep(
  { id, destinations: used }: Pick<Plan, 'id' | 'destinations'>,
  missing: 'off-site' | 'medium' | 'copy',
  all: readonly Destination[],
): string {
  const fits = { 'off-site': isElsewhere, medium: isOtherMedium, copy: () => true }[missing];
  const free = all.filter((each) => !used.some(({ destination }) => destination === each.id) && fits(each));
  // What is elsewhere, or at least on another disk, survives more.
  const best = free.find(isElsewhere) ?? free.find(isOtherMedium) ?? free[0];
  if (best) return `/plans/${id}/with/${best.id}`;
  return `/destinations/add/for/${id}/${missing === 'off-site' ? 'server' : 'folder'}`;
}
