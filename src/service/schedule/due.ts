/**
 * What is to be done about a plan now: start, wait, hold, or nothing; with the reason as data. Pure.
 *
 * - Times that were missed are made up for by one run, a minute after they are noticed: after a wake the network needs that long.
 * - A time that comes while the plan's run works is skipped: that run answers it.
 * - Clock set back: what came already does not come again when the clock went back by no more than the trigger's own period (and 31
 *   days); else the clock was wrong, and the plan goes by the new one. So nothing runs twice, and nothing waits for a year.
 * - Zone changed: a time of day that the move skipped is missed, so it is made up for; one that comes again on the same date runs
 *   again, because the pause until the next date's could be longer than a day.
 */
import type { Conditions, Schedule, Trigger } from '../../contract/schedule.ts';
import { nextOf } from './next-due.ts';
import { pauseEnd, type Pause } from './pause.ts';
import { want, type PlanState, type RunReason } from './plan-state.ts';
import { windowAt } from './window.ts';
import { instantOf, wallAt } from './zone.ts';

/** An occurrence is missed when it is noticed later than this. The scheduler looks at least each minute. */
const LATE = 90_000;
export const CATCH_UP_DELAY = 60_000;
const LONGEST_SET_BACK = 31 * 86_400_000;
/** A time server's corrections. */
export const SMALL_SET_BACK = 2000;
/** Missed occurrences are not counted further. */
const MOST_COUNTED = 100;

/** An occurrence for which no run will start. `set-back`: it came before the clock was set back. */
export interface Skipped {
  readonly at: number;
  readonly because: 'running' | 'set-back';
}

/** Brings `state` up to `now`: the clock that was set back, the zone that changed, the occurrences that came. `zone` of `zoneOf`. */
export function settle(schedule: Schedule, state: PlanState, now: number, zone: string): { state: PlanState; skipped: readonly Skipped[] } {
  let next = now < state.settled ? movedBack(state, now) : state;
  const from = next.settled;
  // Where the wall clock of the old zone was, on the new zone's.
  const wallFrom = next.zone === zone ? from : Math.min(from, instantOf(zone, wallAt(next.zone, from)));
  const skipped: Skipped[] = [];
  const due = new Set<number>();
  for (const trigger of schedule.triggers) {
    let at = nextOf(trigger, isOnWall(trigger) ? wallFrom : from, zone);
    for (let count = 0; at !== undefined && at <= now && count < MOST_COUNTED; count++) {
      if (isRepeated(trigger, at, next, zone)) skipped.push({ at, because: 'set-back' });
      else if (next.running !== undefined) skipped.push({ at, because: 'running' });
      else due.add(at);
      at = nextOf(trigger, at, zone);
    }
  }
  if (due.size > 0) {
    const at = Math.min(...due);
    const isLate = now - at > LATE;
    next = want(next, { kind: isLate ? 'missed' : 'scheduled', at }, now, isLate ? CATCH_UP_DELAY : 0, due.size);
  }
  const { setBack, ...rest } = next;
  const isPast = setBack === undefined || now > setBack.from;
  return { state: { ...rest, ...(isPast ? {} : { setBack }), settled: Math.max(now, from), zone }, skipped };
}

function isOnWall(trigger: Trigger): boolean {
  if (trigger.kind === 'cron') return !(trigger.expression.trim().split(/\s+/)[1] ?? '').startsWith('*');
  return trigger.kind === 'daily' || trigger.kind === 'weekly' || trigger.kind === 'monthly';
}

function isRepeated(trigger: Trigger, at: number, { setBack }: PlanState, zone: string): boolean {
  if (setBack === undefined || at > setBack.from) return false;
  const following = nextOf(trigger, at, zone);
  return following === undefined || setBack.by <= following - at;
}

/** The clock was set back: all that is remembered moves with it, so that what was to come in an hour still does. */
function movedBack(state: PlanState, now: number): PlanState {
  const moved = state.settled - now;
  if (moved <= SMALL_SET_BACK) return state;
  const from = Math.max(state.setBack?.from ?? 0, state.settled);
  const by = from - now;
  const { setBack: _, pending, running, failedAt, ...rest } = state;
  return {
    ...rest,
    settled: now,
    ...(by <= LONGEST_SET_BACK ? { setBack: { from, by } } : {}),
    ...(pending ? { pending: { ...pending, since: pending.since - moved, notBefore: pending.notBefore - moved } } : {}),
    ...(running ? { running: { ...running, since: running.since - moved } } : {}),
    ...(failedAt === undefined ? {} : { failedAt: failedAt - moved }),
  };
}

/** How the computer is. */
export interface Power {
  readonly onBattery: boolean;
  /** 0 to 100, where it is known. */
  readonly batteryPercent?: number | undefined;
  readonly onMetered: boolean;
}

export interface Surroundings extends Power {
  /** The zone of the schedule, of `zoneOf`. */
  readonly zone: string;
  /** The zone of the computer, in which "until tomorrow" is meant. */
  readonly computerZone: string;
  readonly pause?: Pause | undefined;
  /** Whether one of the plan's destinations can be reached, as far as one can tell without trying. */
  readonly isDestinationThere: boolean;
}

/** Why a run does not start or go on. `until`: when that ends by itself, in milliseconds since 1970. */
export type Blocker =
  | { readonly by: 'pause'; readonly until?: number }
  | { readonly by: 'window'; readonly until: number }
  | { readonly by: 'battery' }
  | { readonly by: 'metered' }
  /** None of its drives is plugged in: calm, since plugging in starts it. */
  | { readonly by: 'drive' }
  /** After a change, a wake or a failure. */
  | { readonly by: 'delay'; readonly until: number }
  /** Another run works on the destination. */
  | { readonly by: 'busy' };

/** Nothing when the plan's run may work now. What a person has asked for always may. */
export function blockerOf(schedule: Schedule, reason: RunReason, now: number, around: Surroundings): Blocker | undefined {
  if (reason.kind === 'manual') return undefined;
  if (around.pause !== undefined) {
    const until = pauseEnd(around.pause, around.computerZone);
    if (until > now) return until === Infinity ? { by: 'pause' } : { by: 'pause', until };
  }
  const window = windowAt(schedule.window, now, around.zone);
  if (!window.open) return { by: 'window', until: window.opensAt };
  if (around.onBattery && !allowsBattery(schedule.conditions, around.batteryPercent)) return { by: 'battery' };
  if (around.onMetered && !schedule.conditions.onMetered) return { by: 'metered' };
  return undefined;
}

/** A level that is not known is not above anything. */
function allowsBattery({ onBattery }: Conditions, percent: number | undefined): boolean {
  if (typeof onBattery === 'string') return onBattery === 'always';
  return percent !== undefined && percent > onBattery.abovePercent;
}

export type Decision =
  | { readonly do: 'start'; readonly reason: RunReason; readonly since: number; readonly merged: number }
  /** A run is wanted and has to wait. */
  | { readonly do: 'wait'; readonly reason: RunReason; readonly for: Blocker }
  /** The run works and may, until the window closes at `until`. */
  | { readonly do: 'work'; readonly until?: number }
  /** The run works and must be held. */
  | { readonly do: 'hold'; readonly for: Blocker }
  | { readonly do: 'nothing' };

/**
 * What to do about a plan at `now`, given a state of {@link settle}. Whether the destination is busy is not looked at: that depends on
 * the other plans (queue.ts).
 */
export function due(schedule: Schedule, state: PlanState, now: number, around: Surroundings): Decision {
  if (state.running !== undefined) {
    const blocker = blockerOf(schedule, state.running.reason, now, around);
    if (blocker !== undefined) return { do: 'hold', for: blocker };
    const window = windowAt(state.running.reason.kind === 'manual' ? undefined : schedule.window, now, around.zone);
    return window.open && window.closesAt !== undefined ? { do: 'work', until: window.closesAt } : { do: 'work' };
  }
  const { pending } = state;
  if (pending === undefined) return { do: 'nothing' };
  const { reason, since, notBefore, merged } = pending;
  if (notBefore > now) return { do: 'wait', reason, for: { by: 'delay', until: notBefore } };
  const blocker =
    blockerOf(schedule, reason, now, around) ??
    (around.isDestinationThere || reason.kind === 'manual' ? undefined : { by: 'drive' as const });
  return blocker === undefined ? { do: 'start', reason, since, merged } : { do: 'wait', reason, for: blocker };
}
