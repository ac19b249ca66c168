/**
 * Starts the plans' runs when they are due, holds them when they must not work, and lets them go on.
 *
 * The rules are pure functions (due.ts, queue.ts, strategy.ts); this class keeps the states, and turns decisions into effects. It looks
 * at everything whenever something happens, at the next moment at which something is due, and at least each minute: a sleeping computer
 * or a clock that was set moves no timer. All times come from the wall clock anew, so that nothing drifts.
 *
 * Whatever is called from here may throw: it is reported, the rest goes on, and what failed is tried again at the next look.
 */
import { HoldfastError } from '../../contract/errors.ts';
import type { Schedule } from '../../contract/schedule.ts';
import { CATCH_UP_DELAY, due, settle, SMALL_SET_BACK, type Blocker, type Decision, type Power, type Surroundings } from './due.ts';
import { GuardedCalls } from './guarded-calls.ts';
import { nextDue, zoneOf } from './next-due.ts';
import { pauseEnd, type Pause, type PauseWish } from './pause.ts';
import {
  ended,
  endedElsewhere,
  interrupted,
  newPlanState,
  started,
  waitsAfterChange,
  want,
  type Ending,
  type PlanState,
  type RunReason,
} from './plan-state.ts';
import { startable, type Waiting } from './queue.ts';
import { chooseStrategy } from './strategy.ts';
import type { RunOrder, ScheduledPlan, SchedulerSurroundings } from './surroundings.ts';

const LONGEST_SLEEP = 60_000;

/** What a screen shows of a plan. */
export interface PlanOutlook {
  readonly decision: Decision;
  /** The next occurrence after now, in milliseconds since 1970. */
  readonly next: number | undefined;
}

interface Entry {
  plan: ScheduledPlan;
  state: PlanState;
  /** What is on disk, without `settled`, which alone is not worth a write. */
  stored: string;
  /** Where its run works; nothing while none does. */
  destination: string | undefined;
  heldBy: Blocker | undefined;
}

export class Scheduler {
  readonly #around: SchedulerSurroundings;
  readonly #entries = new Map<string, Entry>();
  readonly #calls: GuardedCalls;
  #pause: Pause | undefined;
  #isPauseStored = true;
  #lastLook: number;
  #zone = 'UTC';
  #power: Power = { onBattery: false, onMetered: false };
  #wake = new AbortController();
  #isRunning = false;

  /** Does nothing before {@link begin}. `pause` is what was stored. */
  constructor(around: SchedulerSurroundings, pause?: Pause) {
    this.#around = around;
    this.#calls = new GuardedCalls((error) => around.report(error));
    this.#pause = pause;
    this.#lastLook = around.clock.now();
  }

  /**
   * Replaces the plans. Those that are known keep their states; of the others `stored` has what was stored, and one of which it has
   * nothing is new. A run that a stored state tells of was interrupted, and is wanted again.
   */
  setPlans(plans: readonly ScheduledPlan[], stored: ReadonlyMap<string, PlanState> = new Map()): void {
    const now = this.#around.clock.now();
    this.#readSurroundings();
    const wanted = new Set(plans.map(({ id }) => id));
    for (const id of this.#entries.keys()) if (!wanted.has(id)) this.#entries.delete(id);
    for (const plan of plans) {
      const known = this.#entries.get(plan.id);
      if (known !== undefined) {
        const delay = changeDelayOf(plan);
        if (delay !== undefined && delay !== changeDelayOf(known.plan)) known.state = waitsAfterChange(known.state, delay);
        known.plan = plan;
        continue;
      }
      const before = stored.get(plan.id);
      const state = before ? interrupted(before, now, CATCH_UP_DELAY) : newPlanState(now, zoneOf(plan.schedule, this.#zone));
      this.#entries.set(plan.id, { plan, state, stored: '', destination: undefined, heldBy: undefined });
    }
    this.look();
  }

  /** Resolves when the scheduler was stopped. Runs that work then go on; their ends are still noted. */
  async begin(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#isRunning) {
      const { signal } = (this.#wake = new AbortController());
      let sleep = LONGEST_SLEEP;
      try {
        sleep = this.#lookAtAll();
      } catch (error) {
        this.#calls.report(error);
      }
      await this.#around.clock.sleep(sleep, signal).catch(() => {});
    }
  }

  stop(): void {
    this.#isRunning = false;
    this.#wake.abort();
  }

  /** Something has changed that only the surroundings know: power, a destination, the time zone. */
  look(): void {
    this.#wake.abort();
  }

  /** The watcher saw changes in the plan's sources. */
  changed(plan: string): void {
    const entry = this.#entries.get(plan);
    const delay = entry && changeDelayOf(entry.plan);
    if (entry?.plan.enabled && delay !== undefined && entry.state.pending?.reason.kind !== 'change')
      this.#want(entry, { kind: 'change' }, delay);
  }

  /** A drive with this destination was plugged in. Also starts what has waited for it. */
  driveArrived(destination: string): void {
    for (const entry of this.#entries.values()) {
      const { plan, state } = entry;
      const isWanted =
        plan.enabled && plan.destinations.includes(destination) && plan.schedule.triggers.some(({ kind }) => kind === 'drive');
      if (isWanted && state.running === undefined) this.#want(entry, { kind: 'drive', destination });
    }
    this.look();
  }

  /** A run of the plan has ended that this scheduler has not started: what follows from it is the same. */
  endedElsewhere(plan: string, destination: string | null, ending: Ending): void {
    const entry = this.#entries.get(plan);
    if (!entry || entry.state.running !== undefined || !entry.plan.destinations.includes(destination ?? '')) return;
    entry.state = endedElsewhere(entry.state, ending, this.#around.clock.now());
    this.#store(entry);
    this.look();
  }

  /** The person logged in. */
  loggedIn(): void {
    for (const entry of this.#entries.values()) {
      const { plan, state } = entry;
      if (!plan.enabled || state.running !== undefined || !plan.schedule.triggers.some(({ kind }) => kind === 'login')) continue;
      this.#want(entry, { kind: 'login' }, CATCH_UP_DELAY);
    }
  }

  /**
   * A person wants this run now: it starts as soon as its destination is free, and one that is held goes on.
   * @returns false when there is no such plan
   */
  runNow(plan: string): boolean {
    const entry = this.#entries.get(plan);
    if (entry === undefined) return false;
    const { running } = entry.state;
    if (running === undefined) this.#want(entry, { kind: 'manual' });
    else entry.state = { ...entry.state, running: { ...running, reason: { kind: 'manual' } } };
    this.look();
    return true;
  }

  pause(wish: PauseWish): void {
    this.#setPause({ ...wish, since: this.#around.clock.now() });
  }

  resume(): void {
    this.#setPause(undefined);
  }

  get paused(): Pause | undefined {
    return this.#pause;
  }

  /** Nothing when there is no such plan. */
  outlook(plan: string): PlanOutlook | undefined {
    const entry = this.#entries.get(plan);
    if (entry === undefined) return undefined;
    const now = this.#around.clock.now();
    const schedule = scheduleOf(entry.plan);
    const decision = due(schedule, entry.state, now, this.#surroundingsOf(entry));
    const isBusy = decision.do === 'start';
    return {
      decision: isBusy ? { do: 'wait', reason: decision.reason, for: { by: 'busy' } } : decision,
      next: nextDue(schedule, now, zoneOf(schedule, this.#zone))?.at,
    };
  }

  #want(entry: Entry, reason: RunReason, delay = 0): void {
    entry.state = want(entry.state, reason, this.#around.clock.now(), delay);
    this.look();
  }

  #setPause(pause: Pause | undefined): void {
    this.#pause = pause;
    this.#isPauseStored = false;
    this.look();
  }

  /** @returns milliseconds until the next look */
  #lookAtAll(): number {
    const now = this.#around.clock.now();
    this.#readSurroundings();
    this.#settlePause(now);
    let next = now + LONGEST_SLEEP;
    const note = (at: number | undefined): void => {
      if (at !== undefined && at > now && at < next) next = at;
    };
    if (this.#pause !== undefined) note(pauseEnd(this.#pause, this.#zone));
    const waiting: (Waiting & { readonly entry: Entry; readonly decision: Decision })[] = [];
    const busy = new Set(this.#calls.guarded('busyDestinations', () => [...this.#around.busyDestinations()], []));
    for (const entry of this.#entries.values()) {
      try {
        const schedule = scheduleOf(entry.plan);
        const zone = zoneOf(schedule, this.#zone);
        const settled = settle(schedule, dropUnwanted(entry), now, zone);
        entry.state = settled.state;
        if (settled.skipped.length > 0)
          this.#calls.guarded('skipped', () => this.#around.skipped(entry.plan.id, settled.skipped), undefined);
        this.#store(entry);
        const decision = due(schedule, entry.state, now, this.#surroundingsOf(entry));
        note(nextDue(schedule, now, zone)?.at);
        if (decision.do === 'wait' && 'until' in decision.for) note(decision.for.until);
        if (decision.do === 'hold' && 'until' in decision.for) note(decision.for.until);
        if (decision.do === 'work') note(decision.until);
        if (decision.do === 'hold') this.#hold(entry, decision.for);
        else if (decision.do === 'start' || (decision.do === 'work' && entry.heldBy !== undefined)) {
          const destination = entry.destination ?? this.#destinationOf(entry.plan);
          const since = decision.do === 'start' ? decision.since : (entry.state.running?.since ?? now);
          waiting.push({ plan: entry.plan.id, since, destination, entry, decision });
        }
      } catch (error) {
        this.#calls.report(error);
      }
    }
    // What is held leaves its destination to others.
    for (const { destination, heldBy } of this.#entries.values()) if (destination !== undefined && !heldBy) busy.add(destination);
    const chosen = startable(waiting, busy);
    for (const { plan, entry, destination, decision } of waiting) {
      if (!chosen.has(plan)) continue;
      if (decision.do === 'start') this.#start(entry, destination, decision, now);
      else this.#release(entry);
    }
    return next - now;
  }

  #settlePause(now: number): void {
    const pause = this.#pause;
    // The clock was set back since: the pause begins anew, lest an hour take a year.
    const back = this.#lastLook - now;
    this.#lastLook = now;
    if (pause !== undefined && (back > SMALL_SET_BACK || pause.since > now + SMALL_SET_BACK)) {
      this.#pause = { ...pause, since: pause.kind === 'for' ? Math.min(now, pause.since - Math.max(0, back)) : now };
      this.#isPauseStored = false;
    }
    if (this.#pause !== undefined && pauseEnd(this.#pause, this.#zone) <= now) {
      this.#pause = undefined;
      this.#isPauseStored = false;
    }
    if (this.#isPauseStored) return;
    this.#isPauseStored = this.#calls.guarded('storePause', () => (this.#around.storePause(this.#pause), true), false);
  }

  #start(entry: Entry, destination: string, { reason, merged }: Decision & { do: 'start' }, now: number): void {
    const { id, schedule } = entry.plan;
    let order: RunOrder;
    try {
      const strategy = chooseStrategy(schedule.strategy, this.#around.successes(id), now, zoneOf(schedule, this.#zone));
      order = { plan: id, destination, reason, strategy, merged };
    } catch (error) {
      this.#calls.report(error);
      // It counts as a try, or the next look would be at once.
      entry.state = started(entry.state, 'incremental', now);
      this.#end(entry, { outcome: 'failed', retryable: true });
      return;
    }
    entry.state = started(entry.state, order.strategy.strategy, now);
    entry.destination = destination;
    // On disk before it works: whatever happens then, the next process knows of it.
    this.#store(entry);
    const run = async (): Promise<Ending> => this.#around.start(order);
    void run().then(
      (ending) => this.#end(entry, ending),
      (error: unknown) => {
        this.#calls.report(error);
        this.#end(entry, { outcome: 'failed', retryable: error instanceof HoldfastError ? error.retryable : true });
      },
    );
  }

  #end(entry: Entry, ending: Ending): void {
    entry.state = ended(entry.state, ending, this.#around.clock.now());
    entry.destination = undefined;
    entry.heldBy = undefined;
    // Its plan may be gone, or be another one of the same name.
    if (this.#entries.get(entry.plan.id) === entry) this.#store(entry);
    this.look();
  }

  #hold(entry: Entry, blocker: Blocker): void {
    if (entry.heldBy?.by === blocker.by) return;
    const isHeld = this.#calls.guarded('hold', () => (this.#around.hold(entry.plan.id, blocker), true), false);
    if (isHeld) entry.heldBy = blocker;
  }

  #release(entry: Entry): void {
    const isReleased = this.#calls.guarded('release', () => (this.#around.release(entry.plan.id), true), false);
    if (isReleased) entry.heldBy = undefined;
  }

  #store(entry: Entry): void {
    const { settled: _, ...worthIt } = entry.state;
    const text = JSON.stringify(worthIt);
    if (text === entry.stored) return;
    const isStored = this.#calls.guarded('store', () => (this.#around.store(entry.plan.id, entry.state), true), false);
    if (isStored) entry.stored = text;
  }

  #readSurroundings(): void {
    this.#power = this.#calls.guarded('power', () => this.#around.power(), this.#power);
    this.#zone = this.#calls.guarded('computerZone', () => this.#around.computerZone(), this.#zone);
  }

  #surroundingsOf({ plan }: Entry): Surroundings {
    return {
      ...this.#power,
      zone: zoneOf(plan.schedule, this.#zone),
      computerZone: this.#zone,
      pause: this.#pause,
      isDestinationThere: plan.destinations.some((destination) => this.#isThere(destination)),
    };
  }

  #destinationOf({ destinations }: ScheduledPlan): string {
    return destinations.find((destination) => this.#isThere(destination)) ?? destinations[0] ?? '';
  }

  /** When nobody can tell, trying tells. */
  #isThere(destination: string): boolean {
    return this.#calls.guarded('isDestinationThere', () => this.#around.isDestinationThere(destination), true);
  }
}

/** How long a change waits for its run, in milliseconds; undefined: no run is started by changes. */
function changeDelayOf({ schedule }: ScheduledPlan): number | undefined {
  const trigger = schedule.triggers.find(({ kind }) => kind === 'change');
  return trigger?.kind === 'change' ? trigger.delaySeconds * 1000 : undefined;
}

const scheduleOf = ({ schedule, enabled }: ScheduledPlan): Schedule => (enabled ? schedule : { ...schedule, triggers: [] });

/** A plan that was disabled wants no run any more, except one that a person asked for. */
function dropUnwanted({ plan, state }: Entry): PlanState {
  if (plan.enabled || state.pending === undefined || state.pending.reason.kind === 'manual') return state;
  const { pending: _, ...rest } = state;
  return rest;
}
