/** What the watchdog looks at: the plans' targets, and the newest backup on each of their destinations. */
import type { Clock } from '../../platform/clock.ts';
import { allowedAgeMs } from '../copies/allowed-age.ts';
import { newestOn } from '../copies/given.ts';
import type { StateStore } from '../state/store.ts';
import type { WatchedPlan } from './watchdog.ts';

const sinceName = 'targets count since';

/** Since when a plan's targets count: when it was made, switched on, or given a destination. */
type Since = Record<string, { readonly what: string; readonly at: number } | undefined>;

export function watchedPlans(
  state: StateStore,
  clock: Pick<Clock, 'now'>,
  /** As far as can be told without trying. */
  isThere: (destination: string) => boolean,
): WatchedPlan[] {
  const since = (state.recall(sinceName) ?? {}) as Since;
  const plans = state.plans();
  const names = new Map(state.destinations().map(({ id, name }) => [id, name]));
  let isOther = false;
  const watched = plans.map((plan) => {
    const { id, name, enabled, destinations } = plan;
    const what = JSON.stringify([enabled, destinations.map(({ destination }) => destination)]);
    const known = since[id];
    const counted = known?.what === what ? known : { what, at: clock.now() };
    if (counted !== known) isOther = true;
    since[id] = counted;
    // A standby is only used when the primary is away.
    const wanted = destinations.filter(({ role }) => role !== 'standby');
    return {
      id,
      name,
      enabled,
      since: counted.at,
      destinations: wanted.map((place) => ({
        id: place.destination,
        name: names.get(place.destination) ?? place.destination,
        targetMs: allowedAgeMs(plan, place, clock.now()),
        lastSuccess: newestOn(state, id, place.destination),
        isThere: isThere(place.destination),
      })),
    };
  });
  try {
    if (isOther) state.remember(sinceName, Object.fromEntries(plans.map(({ id }) => [id, since[id]])));
  } catch {
    // A full disk is no reason to look away; it is stored at the next look.
  }
  return watched;
}
