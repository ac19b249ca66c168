/** The scheduler among the other parts of the service: where its plans, its memory and its runs are. */
import { z } from 'zod';
import { thisComputer } from '../contract/destination.ts';
import type { HoldfastError } from '../contract/errors.ts';
import type { Plan } from '../contract/plan.ts';
import { isFinal, type Run } from '../contract/run.ts';
import type { Pause as PauseView } from '../contract/state.ts';
import type { Clock } from '../platform/clock.ts';
import { computerZone } from '../platform/time-zone.ts';
import { type Desk, wasCancelled } from './runs/desk.ts';
import { type Blocker, blockerOf, type Power } from './schedule/due.ts';
import { zoneOf } from './schedule/next-due.ts';
import { type Pause, pauseEnd, type PauseWish } from './schedule/pause.ts';
import { ended, type Ending, type PlanState, type RunReason } from './schedule/plan-state.ts';
import { Scheduler } from './schedule/scheduler.ts';
import type { ScheduledPlan } from './schedule/surroundings.ts';
import type { StateStore } from './state/store.ts';
import type { PlanWatches } from './watch/plan-watches.ts';

export interface SchedulingOptions {
  readonly clock: Clock;
  readonly state: StateStore;
  readonly desk: Desk;
  readonly watches: PlanWatches;
  readonly power: () => Power;
  /** As far as can be told without trying. */
  readonly isDestinationThere: (destination: string) => boolean;
  /** A plan's outlook may be another one now. */
  readonly onPlan: (plan: string) => void;
  readonly onPause: (pause: Pause | undefined) => void;
  readonly onDefect: (error: unknown) => void;
}

const pauseName = 'pause';
const stateName = (plan: string): string => `schedule ${plan}`;

/** As the scheduler has written it; what another hand made of it is as good as lost. */
const storedState = z.custom<PlanState>(
  (value) => typeof value === 'object' && value !== null && 'settled' in value && 'failures' in value,
);
const storedPause = z.custom<Pause>((value) => typeof value === 'object' && value !== null && 'kind' in value && 'since' in value);

export class Scheduling {
  readonly scheduler: Scheduler;
  readonly #options: SchedulingOptions;
  /** Runs that the scheduler has started and not yet seen end, by plan. */
  readonly #runs = new Map<string, number>();
  /** Plans whose interrupted run the scheduler takes up by itself. */
  readonly resumes: ReadonlySet<string>;

  constructor(options: SchedulingOptions) {
    const { clock, state, desk, power, onDefect } = options;
    this.#options = options;
    const pause = storedPause.safeParse(state.recall(pauseName)).data;
    this.scheduler = new Scheduler(
      {
        clock,
        power,
        computerZone: () => computerZone(),
        isDestinationThere: options.isDestinationThere,
        busyDestinations: () => desk.busy(new Set(this.#runs.values())),
        successes: (plan) => state.runs.successes(plan),
        start: async ({ plan, destination: chosen, reason, strategy }) => {
          // The run finds its way there by itself.
          const destination = chosen === thisComputer ? inOrder(state.plan(plan).destinations)[0]! : chosen;
          const attempt = reason.kind === 'retry' ? reason.failures + 1 : 1;
          const isAtWork = desk.unfinished().some((run) => run.kind === 'backup' && run.plan === plan && run.destination === destination);
          // One that a person has paused, and that this one would have to wait for.
          if (isAtWork) {
            desk.skip({ plan, destination, cause: causeOf(reason), strategy: strategy.strategy, attempt }, 'at-work');
            return { outcome: 'skipped' };
          }
          try {
            const run = desk.ask({ plan, destination, cause: causeOf(reason), strategy: strategy.strategy, attempt });
            this.#runs.set(plan, run.id);
            return endingOf(await desk.endOf(run.id));
          } finally {
            this.#runs.delete(plan);
          }
        },
        hold: (plan) => this.#withRun(plan, (run) => desk.pause(run, 'scheduler')),
        release: (plan) => this.#withRun(plan, (run) => desk.resume(run, 'scheduler')),
        store: (plan, planState) => {
          state.remember(stateName(plan), planState);
          options.onPlan(plan);
        },
        storePause: (changed) => this.#storePause(changed),
        skipped: (plan, skipped) => {
          const { destinations } = state.plan(plan);
          for (const { because } of skipped) {
            const reason = because === 'running' ? 'at-work' : 'clock-set-back';
            desk.skip({ plan, destination: destinations[0].destination, cause: 'schedule', strategy: 'incremental' }, reason);
          }
        },
        report: onDefect,
      },
      pause,
    );
    const stored = this.#stored();
    this.resumes = new Set([...stored].flatMap(([plan, { running }]) => (running ? [plan] : [])));
    this.scheduler.setPlans(this.#plans(), stored);
  }

  /** Plans were made, changed or removed. */
  changed(): void {
    this.scheduler.setPlans(this.#plans());
    this.#options.watches.setPlans(this.#options.state.plans());
  }

  /** A run has ended. One that somebody else has started, and that failed, is tried again as the scheduler's own are. */
  runEnded(run: Run): void {
    if (run.kind !== 'backup' || run.plan === null || [...this.#runs.values()].includes(run.id)) return;
    this.scheduler.endedElsewhere(run.plan, run.destination, endingOf(run));
  }

  removed(plan: string): void {
    this.#options.state.forget(stateName(plan));
    this.changed();
  }

  /** Nothing starts by itself until then, and what did waits. What a person has asked for goes on. */
  pauseFor(wish: PauseWish): PauseView {
    this.scheduler.pause(wish);
    // To be on disk when the person reads that it is so; the scheduler itself stores it at its next look.
    this.#storePause(this.scheduler.paused);
    return this.pause!;
  }

  resume(): void {
    this.scheduler.resume();
    this.#storePause(undefined);
  }

  /** Why what belongs to a plan must not start by itself now, as its runs must not. */
  blockerOf({ schedule }: Plan): Blocker | undefined {
    const { clock, power } = this.#options;
    const zone = computerZone();
    const around = { ...power(), zone: zoneOf(schedule, zone), computerZone: zone, pause: this.scheduler.paused, isDestinationThere: true };
    return blockerOf(schedule, { kind: 'scheduled', at: clock.now() }, clock.now(), around);
  }

  get pause(): PauseView | null {
    const pause = this.scheduler.paused;
    if (!pause) return null;
    const until = pauseEnd(pause, computerZone());
    return { since: pause.since, until: until === Infinity ? null : until };
  }

  #storePause(pause: Pause | undefined): void {
    this.#options.state.remember(pauseName, pause ?? null);
    this.#options.onPause(pause);
  }

  #plans(): ScheduledPlan[] {
    return this.#options.state.plans().map(({ id, schedule, enabled, destinations, onThisComputer }) => ({
      id,
      schedule,
      enabled,
      // With it there is always one that is there.
      destinations: [...inOrder(destinations), ...(onThisComputer ? [thisComputer] : [])],
    }));
  }

  #stored(): Map<string, PlanState> {
    const { state } = this.#options;
    return new Map(
      state.plans().flatMap(({ id }) => {
        const { data } = storedState.safeParse(state.recall(stateName(id)));
        return data ? [[id, this.#noteEnd(id, data)] as const] : [];
      }),
    );
  }

  /** The run that a stored state tells of may have ended, or have been cancelled, before the last service could note it there. */
  #noteEnd(plan: string, planState: PlanState): PlanState {
    const { clock, state } = this.#options;
    const { running } = planState;
    if (!running) return planState;
    const run = state.runs
      .list({ plan, kinds: ['backup'], limit: 20 })
      .find(({ created, cause }) => created >= running.since && cause !== 'person');
    // One that a person has paused waits for a person, at the desk.
    if (run && (wasCancelled(run) || (!isFinal(run.status) && state.runs.isHeldByPerson(run.id))))
      return ended(planState, { outcome: 'cancelled' }, clock.now());
    return run && isFinal(run.status) && run.status !== 'interrupted' ? ended(planState, endingOf(run), run.ended!) : planState;
  }

  #withRun(plan: string, act: (run: number) => void): void {
    const run = this.#runs.get(plan);
    if (run !== undefined) act(run);
  }
}

/** The primary, then the standbys; copies are given what those have. */
const inOrder = (destinations: Plan['destinations']): string[] =>
  (['primary', 'standby'] as const).flatMap((role) =>
    destinations.filter((each) => each.role === role).map(({ destination }) => destination),
  );

const causes: Readonly<Record<RunReason['kind'], Run['cause']>> = {
  manual: 'person',
  scheduled: 'schedule',
  missed: 'caught-up',
  drive: 'drive-arrived',
  login: 'login',
  interrupted: 'resumed',
  retry: 'retry',
  change: 'changes',
};
const causeOf = ({ kind }: RunReason): Run['cause'] => causes[kind];

function endingOf({ status, error }: Run): Ending {
  if (status === 'succeeded' || status === 'completed-with-warnings') return { outcome: 'succeeded' };
  if (status === 'cancelled') return { outcome: 'cancelled' };
  return { outcome: 'failed', retryable: (error as Pick<HoldfastError, 'retryable'> | null)?.retryable ?? true };
}
