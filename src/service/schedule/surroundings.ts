/** What the scheduler is given: its plans, and all that it sees and does outside of itself. */
import type { Schedule } from '../../contract/schedule.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Blocker, Power, Skipped } from './due.ts';
import type { Pause } from './pause.ts';
import type { Ending, PlanState, RunReason } from './plan-state.ts';
import type { StrategyChoice, Successes } from './strategy.ts';

export interface ScheduledPlan {
  readonly id: string;
  readonly schedule: Schedule;
  /** IDs in the order in which they are tried: the first that is there is worked on. */
  readonly destinations: readonly string[];
  /** A plan that is not runs only when told to. */
  readonly enabled: boolean;
}

export interface RunOrder {
  readonly plan: string;
  readonly destination: string;
  readonly reason: RunReason;
  readonly strategy: StrategyChoice;
  /** How many occurrences and events this run answers. */
  readonly merged: number;
}

export interface SchedulerSurroundings {
  readonly clock: Clock;
  /** The IANA zone that the computer is set to now. */
  computerZone(): string;
  power(): Power;
  /** As far as one can tell without trying: false for a drive that is not plugged in, true for a server. */
  isDestinationThere(destination: string): boolean;
  /** Destinations on which something works that this scheduler has not started (a check, a restore). Call `Scheduler.look` when it ends. */
  busyDestinations(): Iterable<string>;
  successes(plan: string): Successes;
  /** Runs until the end. What it throws or rejects with is a failure; one that is no HoldfastError is tried again. */
  start(order: RunOrder): Promise<Ending>;
  /** The run of `plan` is to stop working, and to keep what it has. Also called for one that is held, when the reason changes. */
  hold(plan: string, blocker: Blocker): void;
  release(plan: string): void;
  /** To be on disk when it returns. */
  store(plan: string, state: PlanState): void;
  storePause(pause: Pause | undefined): void;
  skipped(plan: string, skipped: readonly Skipped[]): void;
  /** Something that was called from here threw. Each is told once, until it works again. */
  report(error: unknown): void;
}
