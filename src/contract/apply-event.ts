/** What each event makes of the state that a client knows. Pure. */
import { isFinal } from './run.ts';
import type { ServiceEvent, State } from './state.ts';

/** `items` with `item` in the place of the one that has the same key, or at the end. */
function replaced<T>(items: readonly T[], item: T, key: (item: T) => unknown): T[] {
  const at = items.findIndex((each) => key(each) === key(item));
  return at === -1 ? [...items, item] : items.with(at, item);
}

const byId = ({ id }: { readonly id: unknown }): unknown => id;

/** The state after `event`. Before the first whole state nothing is known, and other events say nothing. */
export function applyEvent(state: State | undefined, event: ServiceEvent): State | undefined {
  if (event.type === 'state') return event.state;
  if (!state) return undefined;
  switch (event.type) {
    case 'plan':
      return { ...state, plans: replaced(state.plans, event.plan, byId) };
    case 'plan-removed':
      return {
        ...state,
        plans: state.plans.filter(({ id }) => id !== event.id),
        planStates: state.planStates.filter(({ plan }) => plan !== event.id),
      };
    case 'plan-state':
      return { ...state, planStates: replaced(state.planStates, event.state, ({ plan }) => plan) };
    case 'destination':
      return { ...state, destinations: replaced(state.destinations, event.destination, byId) };
    case 'destination-removed':
      return { ...state, destinations: state.destinations.filter(({ id }) => id !== event.id) };
    case 'settings':
      return { ...state, settings: event.settings };
    case 'pause':
      return { ...state, pause: event.pause };
    case 'run': {
      const { run } = event;
      if (!isFinal(run.status)) return { ...state, runs: replaced(state.runs, run, byId) };
      return {
        ...state,
        runs: state.runs.filter(({ id }) => id !== run.id),
        progress: state.progress.filter((progress) => progress.run !== run.id),
      };
    }
    case 'progress':
      // One that was on its way when its run ended.
      if (!state.runs.some(({ id }) => id === event.progress.run)) return state;
      return { ...state, progress: replaced(state.progress, event.progress, ({ run }) => run) };
    case 'alarms':
      return { ...state, alarms: event.alarms };
  }
}
