/** How far a plan is from three copies on two kinds of media, one of them elsewhere. */
import type { Destination } from '../../contract/destination.ts';
import type { PlanFacts } from '../../contract/home.ts';
import { placeKind } from '../plans/advice.ts';

/** `holders`: the plan's destinations that hold a backup of it. The files themselves are the first copy, on the computer's own disk. */
export function rule321(holders: readonly Destination[]): PlanFacts['rule321'] {
  const media = new Set(['computer', ...holders.map(mediumOf)]);
  const copies = 1 + holders.length;
  // A server may stand in the next room: nobody knows, and it counts.
  const offSite = holders.filter((each) => ['remote', 'server'].includes(placeKind(each))).length;
  const missing = [
    ...(copies < 3 ? (['copy'] as const) : []),
    ...(media.size < 2 ? (['medium'] as const) : []),
    ...(offSite < 1 ? (['off-site'] as const) : []),
  ];
  return { copies, media: media.size, offSite, isMet: missing.length === 0, missing };
}

/** Folders on the computer's own disk are one medium, however many there are; each drive and each far place is one. */
function mediumOf(destination: Destination): string {
  const kind = placeKind(destination);
  return kind === 'computer' ? kind : (destination.volume?.uuid ?? destination.place);
}
