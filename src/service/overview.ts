/** What a client shows: the whole state, and how each plan stands. */
import type { Plan } from '../contract/plan.ts';
import type { Alarm, Pause, PlanState, State } from '../contract/state.ts';
import { newestGiven } from './copies/given.ts';
import type { Destinations } from './destinations/destinations.ts';
import type { Common } from './parts.ts';
import type { Desk } from './runs/desk.ts';
import type { PlanOutlook } from './schedule/scheduler.ts';

export interface OverviewOptions extends Pick<Common, 'state' | 'events'> {
  readonly destinations: Pick<Destinations, 'views'>;
  readonly desk: Pick<Desk, 'unfinished' | 'progress'>;
  readonly pause: () => Pause | null;
  readonly outlook: (plan: string) => PlanOutlook | undefined;
  readonly watchNotes: (plan: string) => PlanState['watchNotes'];
  readonly alarms: () => Alarm[];
}

export class Overview {
  readonly #options: OverviewOptions;

  constructor(options: OverviewOptions) {
    this.#options = options;
  }

  /** Everything but history. */
  whole(): State {
    const { state, destinations, desk, pause, alarms } = this.#options;
    const plans = state.plans();
    return {
      plans,
      planStates: plans.map((plan) => this.planState(plan)),
      destinations: destinations.views(),
      settings: state.settings(),
      pause: pause(),
      runs: desk.unfinished(),
      progress: desk.progress(),
      alarms: alarms(),
    };
  }

  planState({ id, destinations }: Plan): PlanState {
    const { state, outlook: outlookOf, watchNotes } = this.#options;
    const lastSuccess: Record<string, number> = {};
    for (const { destination } of destinations) {
      const ended = Math.max(state.runs.lastSuccess(id, destination)?.ended ?? 0, newestGiven(state, id, destination) ?? 0);
      if (ended > 0) lastSuccess[destination] = ended;
    }
    const outlook = outlookOf(id);
    const decision = outlook?.decision;
    const blocker = decision && (decision.do === 'wait' || decision.do === 'hold') ? decision.for : undefined;
    const waitsFor = blocker ? { by: blocker.by, until: 'until' in blocker ? (blocker.until ?? null) : null } : null;
    const standIn = this.#standIn(id);
    return {
      plan: id,
      nextDue: outlook?.next ?? null,
      waitsFor,
      watchNotes: watchNotes(id),
      lastSuccess,
      ...(standIn ? { standIn } : {}),
    };
  }

  /** Which destination a plan uses instead of its primary, and why. */
  #standIn(plan: string): PlanState['standIn'] {
    const { state, destinations } = this.#options;
    const run = state.runs.list({ plan, kinds: ['backup'], limit: 5 }).find(({ status }) => status !== 'skipped');
    const first = run?.takeovers?.[0];
    if (!run || !first || run.destination === null || run.destination === first.from) return undefined;
    const now = destinations.views().find(({ id }) => id === first.from)?.now;
    const hasAnswered = now?.state === 'connected' && now.at > first.at;
    // A run at work stays where it is.
    if (run.ended !== null && (hasAnswered || !now)) return undefined;
    return { destination: run.destination, insteadOf: first.from, since: first.at, run: run.id, error: first.error };
  }

  /** Tells the clients how a plan stands now. One that is gone is no news. */
  tellPlan(id: string): void {
    const { state, events } = this.#options;
    const plan = state.plans().find((each) => each.id === id);
    if (plan) events.publish({ type: 'plan-state', state: this.planState(plan) });
  }

  /** How plans and destinations are called; their IDs when they are gone. */
  readonly names = {
    plan: (id: string): string => this.#options.state.plans().find((each) => each.id === id)?.name ?? id,
    destination: (id: string): string => this.#options.state.destinations().find((each) => each.id === id)?.name ?? id,
  };
}
