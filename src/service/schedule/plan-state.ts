/**
 * What the scheduler remembers of a plan: plain data, stored whenever it changes in more than `settled`, and good after a restart.
 *
 * All times are wall time in milliseconds since 1970. When the clock is set back they are moved with it (due.ts), so that what was to
 * happen in an hour still does.
 */
import type { Strategy } from '../../contract/schedule.ts';
import { retryPause } from './retry.ts';

/** Why a run starts. */
export type RunReason =
  | { readonly kind: 'manual' }
  | { readonly kind: 'scheduled'; readonly at: number }
  /** `at` is the first time that was missed: the computer was off or asleep, or its clock was set forward. */
  | { readonly kind: 'missed'; readonly at: number }
  | { readonly kind: 'drive'; readonly destination: string }
  | { readonly kind: 'login' }
  /** The process that ran it did not survive. */
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'retry'; readonly failures: number }
  | { readonly kind: 'change' };

/** A run that is wanted and has not started. */
export interface Pending {
  readonly reason: RunReason;
  /** Since when it is wanted: who is wanted longer starts first. */
  readonly since: number;
  readonly notBefore: number;
  /** How many occurrences and events this one run answers. */
  readonly merged: number;
}

export interface PlanState {
  /** Occurrences up to here have been dealt with. */
  readonly settled: number;
  /** The zone in which they were. */
  readonly zone: string;
  /** The clock was set back `by` milliseconds: times until `from` come a second time. */
  readonly setBack?: { readonly from: number; readonly by: number };
  readonly pending?: Pending;
  readonly running?: { readonly since: number; readonly reason: RunReason; readonly strategy: Strategy };
  /** Runs in a row that failed, and when the last of them ended. */
  readonly failures: number;
  readonly failedAt?: number;
}

/** A plan that is new, or whose state was lost: nothing before `now` is made up for. `zone` of `zoneOf` (next-due.ts). */
export const newPlanState = (now: number, zone: string): PlanState => ({ settled: now, zone, failures: 0 });

/** How a run ended. Only one that failed is tried again, when a later try may succeed without anyone doing anything. */
export type Ending =
  | { readonly outcome: 'succeeded' | 'cancelled' | 'skipped' }
  | { readonly outcome: 'failed'; readonly retryable: boolean };

/** One that asks for a run at once outweighs one that waits for its pause; a person outweighs all. */
const weight: Readonly<Record<RunReason['kind'], number>> = {
  manual: 3,
  scheduled: 2,
  missed: 2,
  drive: 2,
  login: 2,
  interrupted: 2,
  retry: 1,
  change: 1,
};

/**
 * A run is wanted for `reason`, `delay` milliseconds from now at the earliest. It and one that is wanted already become one. After
 * failures a change does not shorten the pause until the next try; everything else does.
 */
export function want(state: PlanState, reason: RunReason, now: number, delay = 0, merged = 1): PlanState {
  const known = state.pending;
  if (known !== undefined && reason.kind === 'change') return state;
  const pause = reason.kind === 'change' && state.failedAt !== undefined ? state.failedAt + retryPause(state.failures) : 0;
  const notBefore = Math.max(now + delay, pause);
  if (known === undefined) return { ...state, pending: { reason, since: now, notBefore, merged } };
  const isHeavier = weight[reason.kind] > weight[known.reason.kind];
  const isLighter = weight[reason.kind] < weight[known.reason.kind];
  const pending: Pending = {
    reason: isHeavier ? reason : known.reason,
    since: Math.min(known.since, now),
    notBefore: isHeavier ? notBefore : isLighter ? known.notBefore : Math.min(known.notBefore, notBefore),
    merged: known.merged + merged,
  };
  return { ...state, pending };
}

/** A run that is wanted for a change waits so many milliseconds since it, for the plan is another now; after failures not less than before. */
export function waitsAfterChange(state: PlanState, delay: number): PlanState {
  const { pending, failedAt, failures } = state;
  if (pending?.reason.kind !== 'change') return state;
  const pause = failedAt === undefined ? 0 : failedAt + retryPause(failures);
  return { ...state, pending: { ...pending, notBefore: Math.max(pending.since + delay, pause) } };
}

/** The wanted run starts. */
export function started(state: PlanState, strategy: Strategy, now: number): PlanState {
  const { pending, ...rest } = state;
  return { ...rest, running: { since: now, reason: pending?.reason ?? { kind: 'manual' }, strategy } };
}

/** The run ended. What was wanted meanwhile stays wanted. */
export function ended(state: PlanState, ending: Ending, now: number): PlanState {
  const { running: _, failedAt: __, ...rest } = state;
  if (ending.outcome === 'succeeded') return { ...rest, failures: 0 };
  if (ending.outcome !== 'failed') return state.failedAt === undefined ? rest : { ...rest, failedAt: state.failedAt };
  const failures = state.failures + 1;
  const failed: PlanState = { ...rest, failures, failedAt: now };
  const next = now + retryPause(failures);
  if (ending.retryable) {
    const known = rest.pending;
    const retry: Pending = { reason: { kind: 'retry', failures }, since: now, notBefore: next, merged: 1 };
    return { ...failed, pending: known === undefined || weight[known.reason.kind] === 1 ? retry : known };
  }
  if (rest.pending?.reason.kind !== 'change') return failed;
  return { ...failed, pending: { ...rest.pending, notBefore: Math.max(rest.pending.notBefore, next) } };
}

/** A run ended that somebody else had started, such as a person. What it did need not be tried again. */
export function endedElsewhere(state: PlanState, ending: Ending, now: number): PlanState {
  const after = ended(state, ending, now);
  if (ending.outcome !== 'succeeded' || after.pending?.reason.kind !== 'retry') return after;
  const { pending: _, ...rest } = after;
  return rest;
}

/** The process is new: a run that its predecessor had begun was interrupted, and is wanted again, `delay` milliseconds from now. */
export function interrupted(state: PlanState, now: number, delay: number): PlanState {
  const { running, ...rest } = state;
  return running === undefined ? state : want(rest, { kind: 'interrupted' }, now, delay);
}
