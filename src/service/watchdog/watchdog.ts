/**
 * Notices that backups have stopped, whatever the reason: it looks at results alone, and runs apart from what makes them.
 *
 * Words: a *problem* is something that is wrong now; a *notice* is what a person is told about it.
 *
 * - **overdue**: a destination of a plan has no successful snapshot within its target (RPO). It does not matter whether runs failed, did
 *   not happen, are paused, or wait for a drive: until the target is passed all of these are calm, and then none is.
 * - **service**: the process that makes backups has ended and does not come back, or no longer answers.
 * - **host**: the process that watches over it has ended, so that the service watches itself, as well as it can.
 * - **budget**: what a destination holds or costs is near what a person has allowed for it, or beyond. It is told again when it is passed.
 * - **clock**: the computer's clock was set by more than a few minutes, so that "when" cannot be trusted. It is solved when the clock is
 *   set back to where it was, or when a snapshot was made under the new time.
 *
 * A problem is told when it is found, again each day, and once more when it is solved. The state is plain data: stored after each look
 * and given to the next, it makes this hold across restarts. Pure: {@link watch} has no effects and reads no clock.
 *
 * After sleep or power-off a target that was passed meanwhile is first left to the run that makes up for it: the alarm comes after half
 * an hour in which the computer was awake, however short the wakes are.
 */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A look that comes later than this after the last: the computer slept, or nobody looked. */
const longestAwakeGap = 5 * MINUTE;
const catchUpGrace = 30 * MINUTE;
/** Larger than what a time server corrects each day. */
const clockTolerance = 5 * MINUTE;
/** A host starts a service again at once; only one that stays away is a problem. */
const endedGrace = MINUTE;
/** A shorter stall is no harm: a service that stalls makes its backups later. */
export const hungAfter = 3 * MINUTE;

export interface WatchedDestination {
  readonly id: string;
  /** For a person. */
  readonly name: string;
  /** How old the newest successful snapshot may be, in milliseconds; nothing: nobody set a target. */
  readonly targetMs: number | undefined;
  /** When the newest successful snapshot was made (wall time); nothing when there is none. */
  readonly lastSuccess: number | undefined;
  /** False for a drive that is not plugged in. */
  readonly isThere: boolean;
}

export interface WatchedPlan {
  readonly id: string;
  /** For a person. */
  readonly name: string;
  /** A plan that is not enabled is not expected to do anything. */
  readonly enabled: boolean;
  /** Since when its targets count (wall time): when it was made, enabled, or given its destination. */
  readonly since: number;
  readonly destinations: readonly WatchedDestination[];
}

/** A budget that is near or passed. */
export interface WatchedBudget {
  readonly destination: string;
  /** For a person. */
  readonly name: string;
  readonly unit: 'bytes' | 'money';
  readonly level: 'near' | 'passed';
  readonly used: number;
  readonly limit: number;
  /** Of money. */
  readonly currency: string | null;
  /** When it will be passed (wall time), as far as that can be told. */
  readonly passedAt: number | null;
}

export interface WatchdogInput {
  /** Wall time, milliseconds. */
  readonly now: number;
  /** Of the same clock: see `Clock.sinceBoot`. */
  readonly sinceBoot: number;
  /** Nothing while the host cannot ask the service: what it knew last counts, since a dead service makes no backups either. */
  readonly plans: readonly WatchedPlan[] | undefined;
  /** The same for budgets. */
  readonly budgets?: readonly WatchedBudget[] | undefined;
  readonly service: {
    readonly isRunning: boolean;
    /** Milliseconds of monotonic time since it gave a sign of life, or since it ended. */
    readonly silentFor: number;
    /** Why it could not be started again, for a person. */
    readonly because?: { readonly message: string; readonly guidance: string } | undefined;
  };
  readonly isHostGone: boolean;
}

export type Problem =
  | {
      readonly kind: 'overdue';
      readonly plan: string;
      readonly destination: string;
      readonly targetMs: number;
      /** Nothing when there never was one. */
      readonly lastSuccess: number | undefined;
      readonly ageMs: number;
      readonly isThere: boolean;
    }
  | {
      readonly kind: 'service';
      readonly why: 'ended' | 'hung';
      readonly silentForMs: number;
      readonly because?: WatchdogInput['service']['because'];
    }
  | { readonly kind: 'host' }
  | ({ readonly kind: 'budget' } & WatchedBudget)
  /** Positive: set forward. */
  | { readonly kind: 'clock'; readonly byMs: number };

/** `withdrawn`: it is no longer looked at (the plan is disabled or gone), so a notification of it may go; nobody need be told. */
export interface Notice {
  readonly what: 'raised' | 'repeated' | 'solved' | 'withdrawn';
  readonly problem: Problem;
  /** Since when the problem is known (wall time). */
  readonly since: number;
}

interface Known {
  readonly problem: Problem;
  readonly since: number;
  readonly toldAt: number;
}

interface Seen {
  /** When the newest snapshot was made; before there is one, since when there should be. */
  readonly from: number;
  readonly at: number;
}

/** Stored by the host. All but `sinceBoot` in wall time. */
export interface WatchdogState {
  readonly at: number;
  readonly sinceBoot: number;
  readonly plans: readonly WatchedPlan[];
  readonly budgets?: readonly WatchedBudget[];
  /** How far the clock was set, in milliseconds, without a snapshot since; and when. */
  readonly clockSet?: { readonly by: number; readonly at: number };
  /** Problems that were told, by their key. */
  readonly known: Readonly<Record<string, Known>>;
  /** Of targets that were passed while nobody was awake: how long somebody has been since. */
  readonly awake: Readonly<Record<string, number>>;
  /** When each newest snapshot was first seen: one that says to be from the future is as old as that. */
  readonly seen: Readonly<Record<string, Seen>>;
}

/** @param state of the last look; nothing at the very first one */
export function watch(state: WatchdogState | undefined, input: WatchdogInput): { state: WatchdogState; notices: readonly Notice[] } {
  const before = settleClock(state, input);
  const plans = input.plans ?? state?.plans ?? [];
  const budgets = input.budgets ?? state?.budgets ?? [];
  const isAwake = before.gap >= 0 && before.gap <= longestAwakeGap;
  const awake: Record<string, number> = {};
  const seen: Record<string, Seen> = {};
  const found = new Map<string, Problem>();
  let hasNewSuccess = false;
  for (const plan of plans) {
    if (!plan.enabled) continue;
    for (const destination of plan.destinations) {
      const key = `overdue ${JSON.stringify([plan.id, destination.id])}`;
      const { lastSuccess, targetMs } = destination;
      const from = lastSuccess ?? plan.since;
      const old = before.seen[key];
      const newest = (seen[key] = old?.from === from ? old : { from, at: input.now });
      if (old !== undefined && old !== newest && lastSuccess !== undefined) hasNewSuccess = true;
      if (targetMs === undefined) continue;
      const ageMs = ageOf(newest, input.now, before.clockSet);
      if (ageMs <= targetMs) continue;
      const wasAwake = before.awake[key];
      // Passed under our eyes, or long enough awake since: both tell at once. A problem that was told stays one.
      const passedNow = isAwake && wasAwake === undefined && ageMs - targetMs <= before.gap;
      awake[key] = passedNow || before.known[key] !== undefined ? catchUpGrace : (wasAwake ?? 0) + (isAwake ? before.gap : 0);
      if (awake[key] < catchUpGrace) continue;
      found.set(key, {
        kind: 'overdue',
        plan: plan.id,
        destination: destination.id,
        targetMs,
        lastSuccess,
        ageMs,
        isThere: destination.isThere,
      });
    }
  }
  const service = serviceProblem(input, isAwake, before.known['service'] !== undefined);
  if (service !== undefined) found.set('service', service);
  for (const budget of budgets) found.set(`budget ${budget.destination} ${budget.unit}`, { kind: 'budget', ...budget });
  if (input.isHostGone) found.set('host', { kind: 'host' });
  const isClockSolved = before.clockSet === undefined || Math.abs(before.clockSet.by) <= clockTolerance || hasNewSuccess;
  if (!isClockSolved) found.set('clock', { kind: 'clock', byMs: before.clockSet.by });
  const { known, notices } = tell(before.known, found, input.now, plans);
  const clockSet = isClockSolved ? {} : { clockSet: before.clockSet };
  return { state: { at: input.now, sinceBoot: input.sinceBoot, plans, budgets, ...clockSet, known, awake, seen }, notices };
}

type Settled = Pick<WatchdogState, 'clockSet' | 'known' | 'awake' | 'seen'> & {
  /** Milliseconds of the last look, by the clock that nobody sets; -1 when that is not known. */
  readonly gap: number;
};

/** Finds out by how much the clock was set since the last look, and moves what is remembered with it. */
function settleClock(state: WatchdogState | undefined, { now, sinceBoot }: WatchdogInput): Settled {
  if (state === undefined) return { gap: -1, known: {}, awake: {}, seen: {} };
  const wall = now - state.at;
  const isSameBoot = sinceBoot >= state.sinceBoot;
  const passed = isSameBoot ? sinceBoot - state.sinceBoot : Math.max(0, wall);
  // After a boot nobody knows how long the computer was off; only that it was not less than nothing.
  const jump = wall - passed;
  if (Math.abs(jump) <= clockTolerance) return { ...state, gap: isSameBoot ? passed : -1 };
  const by = (state.clockSet?.by ?? 0) + jump;
  const move = (at: number): number => at + jump;
  const known = Object.fromEntries(
    Object.entries(state.known).map(([key, { problem, since, toldAt }]) => [key, { problem, since: move(since), toldAt: move(toldAt) }]),
  );
  const seen = Object.fromEntries(Object.entries(state.seen).map(([key, { from, at }]) => [key, { from, at: move(at) }]));
  return { ...state, gap: isSameBoot ? passed : -1, known, seen, clockSet: { by, at: state.clockSet?.at ?? now } };
}

/**
 * Milliseconds since the newest snapshot, or since there should be one. What was made before the clock was set is reckoned by the clock
 * as it was then; what seems to come from the future counts from when it was first seen.
 */
function ageOf(seen: Seen, now: number, clockSet: WatchdogState['clockSet']): number {
  const own = now - seen.from - (clockSet?.by ?? 0);
  return own >= 0 ? own : Math.max(0, now - seen.at);
}

function serviceProblem({ service }: WatchdogInput, isAwake: boolean, isKnown: boolean): Problem | undefined {
  const limit = service.isRunning ? hungAfter : endedGrace;
  // Where monotonic time goes on in sleep, the silence of one is no sign.
  if (service.silentFor <= limit || (!isAwake && !isKnown)) return undefined;
  const { isRunning, silentFor, because } = service;
  return { kind: 'service', why: isRunning ? 'hung' : 'ended', silentForMs: silentFor, ...(because ? { because } : {}) };
}

function tell(
  before: Readonly<Record<string, Known>>,
  found: ReadonlyMap<string, Problem>,
  now: number,
  plans: readonly WatchedPlan[],
): { known: Record<string, Known>; notices: Notice[] } {
  const known: Record<string, Known> = {};
  const notices: Notice[] = [];
  for (const [key, problem] of found) {
    const old = before[key];
    if (old === undefined || isPassedNow(old.problem, problem)) {
      notices.push({ what: 'raised', problem, since: now });
      known[key] = { problem, since: now, toldAt: now };
    } else if (now - old.toldAt >= DAY) {
      notices.push({ what: 'repeated', problem, since: old.since });
      known[key] = { problem, since: old.since, toldAt: now };
    } else known[key] = { ...old, problem, toldAt: Math.min(old.toldAt, now) };
  }
  for (const [key, { problem, since }] of Object.entries(before)) {
    if (found.has(key)) continue;
    notices.push({ what: isStillWatched(problem, plans) ? 'solved' : 'withdrawn', problem, since });
  }
  return { known, notices };
}

const isPassedNow = (old: Problem, problem: Problem): boolean =>
  old.kind === 'budget' && problem.kind === 'budget' && old.level === 'near' && problem.level === 'passed';

const isStillWatched = (problem: Problem, plans: readonly WatchedPlan[]): boolean =>
  problem.kind !== 'overdue' ||
  plans.some(
    ({ id, enabled, destinations }) =>
      enabled && id === problem.plan && destinations.some((each) => each.id === problem.destination && each.targetMs !== undefined),
  );
