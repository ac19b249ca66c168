/**
 * Keeps every destination of the plans at what it is owed: looks when a run has ended, a destination comes or has another list, a time has
 * come, and when the service begins, and asks the desk for copies. At most one for each destination; a backup that wants the destination
 * is let through, and the copy goes on after it.
 */
import { type DestinationView, thisComputer } from '../../contract/destination.ts';
import { fail, toHoldfastError } from '../../contract/errors.ts';
import type { Plan } from '../../contract/plan.ts';
import type { Run } from '../../contract/run.ts';
import type { CopyState } from '../../contract/copies.ts';
import { originalOf } from '../../engine/copy/copies.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { kindOf } from '../../storage/place.ts';
import type { Destinations } from '../destinations/destinations.ts';
import type { Holding } from '../library/holdings.ts';
import type { Library } from '../library/library.ts';
import { Notes, recallNotes } from '../library/notes.ts';
import type { Common, Part } from '../parts.ts';
import type { Desk } from '../runs/desk.ts';
import type { Spared } from '../runs/retain.ts';
import type { Work } from '../runs/task.ts';
import type { Blocker } from '../schedule/due.ts';
import { retryPause } from '../schedule/retry.ts';
import { type CopyEngine, copyEngine, type Unusable, workOnCopy } from './copy-job.ts';
import { type Debt, decideCopies } from './decide.ts';
import { unwantedOn } from './given.ts';
import { shelvesOf, withShelf } from './holdings-of.ts';
import { type OwedContext, owedTo, timeOf } from './owed.ts';
import { sparedOf } from './spared.ts';

export interface CopyKeeperOptions extends Pick<Common, 'state' | 'clock' | 'onNote'> {
  readonly library: Pick<Library, 'holdings' | 'askStale' | 'onChanged' | 'changed'>;
  readonly destinations: Pick<Destinations, 'open' | 'failed' | 'breaker'>;
  readonly desk: Pick<Desk, 'askTask' | 'unfinished' | 'pause' | 'resume'>;
  readonly isThere: (destination: string) => boolean;
  /** Why runs of a plan must not start by themselves now, or go on. */
  readonly blocker: (plan: Plan) => Blocker | undefined;
  readonly zoneOf: (plan: Plan) => string;
  /** Default: the engine's own. */
  readonly engine?: CopyEngine | undefined;
}

const everyMs = 60_000;
/** A snapshot that was damaged at a source is asked for there again after so long, or once something has mended there. */
const damagedMs = 24 * 60 * 60_000;
/** Runs that store or mend something. */
const changing: ReadonlySet<Run['kind']> = new Set(['backup', 'copy', 'check', 'prune', 'forget']);

interface Failures {
  readonly count: number;
  readonly retryAt: number;
}

export class CopyKeeper implements Part {
  readonly #options: CopyKeeperOptions;
  /** By plan and target. */
  readonly #failures = new Map<string, Failures>();
  /** `source original` and when it was found so. */
  readonly #damaged = new Map<string, number>();
  /** `target original` and when it was stored there. */
  readonly #given = new Map<string, number>();
  /** Of copies at work: tells them to let a backup through. */
  readonly #ways = new Map<number, AbortController>();
  /** Runs that wait for a window, power or a pause. */
  readonly #held = new Set<number>();
  /** Of destinations, as they were told last. */
  readonly #states = new Map<string, DestinationView['now']['state']>();
  #looking: Promise<void> | undefined;
  #isWanted = false;
  #isClosing = false;
  #stopTicking: () => void = () => {};
  #stopTimer = new AbortController();
  /** What the timer is set to. */
  #wakesAt: number | undefined;

  constructor(options: CopyKeeperOptions) {
    this.#options = options;
    options.library.onChanged(() => this.look());
  }

  begin(): void {
    this.#stopTicking = this.#options.clock.every(everyMs, () => this.look());
    this.look();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#stopTicking();
    this.#stopTimer.abort();
    await this.#looking;
  }

  runEnded(run: Run): void {
    this.#ways.delete(run.id);
    this.#held.delete(run.id);
    const { kind, plan, destination } = run;
    if (kind === 'copy' && plan !== null && destination !== null) this.#noteEnd(keyOf(plan, destination), run);
    // What mends a destination mends its snapshots.
    if (kind !== 'backup' && kind !== 'copy' && destination !== null && changing.has(kind)) this.#forgetDamage(destination);
    if (changing.has(kind)) this.look();
  }

  /** A run was asked for, has begun, or waits: a backup goes before a copy. */
  runsChanged(run: Run): void {
    if (!isWaitingBackup(run) || this.#ways.size === 0) return;
    for (const other of this.#options.desk.unfinished())
      if (other.kind === 'copy' && other.destination === run.destination) this.#ways.get(other.id)?.abort();
  }

  /** How a destination is was learned: one that has come back is looked at. */
  destinationTold({ id, now: { state } }: Pick<DestinationView, 'id' | 'now'>): void {
    const was = this.#states.get(id);
    this.#states.set(id, state);
    if (state !== 'connected' || was === undefined || was === 'connected') return;
    this.#options.library.changed(id);
    this.look();
  }

  /** Something may be owed, or may be given, that could not before. */
  look(): void {
    if (this.#isClosing) return;
    this.#isWanted = true;
    this.#looking ??= this.#lookOn().finally(() => (this.#looking = undefined));
  }

  /** Whether a copy wants to read or write there, once what the last run has left is known: its drive is not to be ejected before. */
  async isWanted(destination: string): Promise<boolean> {
    await this.#looking;
    const { state, desk } = this.#options;
    const users = state.plans().filter((plan) => plan.destinations.some((each) => each.destination === destination));
    return desk.unfinished().some(({ kind, plan }) => kind === 'copy' && users.some(({ id }) => id === plan));
  }

  /** A person wants a plan's copies made now: due or not. Throws `plan-not-found`, `destination-not-found`, `run-at-work`. */
  async start(planId: string, destination: string | undefined): Promise<Run[]> {
    const { state, desk } = this.#options;
    const plan = state.plan(planId);
    if (destination !== undefined && !plan.destinations.some((each) => each.destination === destination))
      return fail('destination-not-found', { destination });
    await this.#askStale([plan], true);
    const debts = this.#debts([plan]).filter(({ target }) => destination === undefined || target === destination);
    const asked = debts.filter(({ owed }) => owed.length > 0);
    const busy = desk.unfinished().find((run) => run.kind === 'copy' && asked.some(({ target }) => target === run.destination));
    if (busy) return fail('run-at-work', { plan: busy.planName, run: busy.id });
    return asked.map(({ target }) => this.#ask(plan, target, 'person'));
  }

  /** How far behind each destination of the plans is. */
  async states(): Promise<CopyState[]> {
    const { state, desk, library, clock } = this.#options;
    await this.#askStale(state.plans(), false);
    const runs = desk.unfinished();
    const readAt = new Map(library.holdings().map((holding) => [holding.destination.id, holding.readAt]));
    return state.plans().flatMap((plan) =>
      !isShared(plan)
        ? []
        : this.#debts([plan], () => true).map(({ target, owed }): CopyState => {
            const due = owed.filter(({ dueAt }) => dueAt <= clock.now());
            const later = owed.map(({ dueAt }) => dueAt).filter((at) => at > clock.now() && at < Infinity);
            return {
              plan: plan.id,
              destination: target,
              role: plan.destinations.find((each) => each.destination === target)!.role,
              isKnown: (readAt.get(target) ?? null) !== null,
              owed: owed.length,
              due: due.length,
              oldest: owed[0] ? timeOf(owed[0].snapshot) : null,
              dueAt: due.length > 0 || later.length === 0 ? null : Math.min(...later),
              run: runs.find((run) => run.kind === 'copy' && run.plan === plan.id && run.destination === target)?.id ?? null,
              retryAt: this.#failures.get(keyOf(plan.id, target))?.retryAt ?? null,
            };
          }),
    );
  }

  /** Which old snapshots of a plan stay on a destination, since others have still to be given them. */
  readonly spare = (plan: Plan, destination: string, going: readonly Snapshot[], here: readonly Snapshot[]): Spared => {
    const { state, library } = this.#options;
    const names = new Map(state.destinations().map(({ id, name }) => [id, name]));
    const shelves = shelvesOf(plan, library.holdings());
    const context = this.#context(plan, () => true);
    return sparedOf({ plan, here: { destination, snapshots: here }, going, shelves, context, nameOf: (id) => names.get(id) ?? id });
  };

  /** The work of copy runs. */
  readonly work: Work = (job) => {
    const { state, library } = this.#options;
    const local = new Map(state.destinations().map(({ id, place }) => [id, kindOf(place)?.kind ?? 'local']));
    return workOnCopy(job, {
      ...this.#options,
      engine: this.#options.engine ?? copyEngine,
      spare: this.spare,
      rank: (id) => (this.#canTry(id) ? 0 : 2) + (local.get(id) === 'local' ? 0 : 1),
      owed: (plan, target, here, without) => {
        const canRead = this.#canRead(without);
        const shelves = withShelf(shelvesOf(plan, library.holdings()), { destination: target, snapshots: here });
        return owedTo(target, plan, shelves, this.#context(plan, canRead));
      },
      gaveWay: (run) => {
        const way = new AbortController();
        this.#ways.set(run, way);
        // It may have come before this run could be told.
        const { destination } = state.runs.get(run);
        if (this.#options.desk.unfinished().some((other) => isWaitingBackup(other) && other.destination === destination)) way.abort();
        return way.signal;
      },
      onStored: (target, original) => this.#given.set(`${target} ${original}`, this.#options.clock.now()),
      onGone: (source) => library.changed(source),
      onDamaged: (source, original) => this.#damaged.set(`${source} ${original}`, this.#options.clock.now()),
    });
  };

  async #lookOn(): Promise<void> {
    while (this.#isWanted && !this.#isClosing) {
      this.#isWanted = false;
      try {
        await this.#lookOnce();
      } catch (error) {
        this.#options.onNote(toHoldfastError(error).message);
      }
    }
  }

  async #lookOnce(): Promise<void> {
    const { state, clock, desk, isThere, destinations, blocker } = this.#options;
    const plans = state.plans().filter((plan) => isShared(plan) && plan.enabled);
    this.#holdOrRelease();
    if (plans.length === 0) return;
    await this.#askStale(plans, true);
    if (this.#isClosing) return;
    const debts = this.#debts(plans);
    for (const { plan, target, owed } of debts) if (owed.length === 0) this.#failures.delete(keyOf(plan.id, target));
    const { ask, lookAt } = decideCopies({
      now: clock.now(),
      debts,
      unfinished: desk.unfinished(),
      blocker,
      isThere,
      closedUntil: (id) => destinations.breaker.closedUntil(id),
      retryAt: (plan, target) => this.#failures.get(keyOf(plan, target))?.retryAt,
    });
    for (const { plan, target } of ask) this.#ask(plan, target, 'schedule');
    this.#wakeAt(lookAt);
  }

  /** So that what is known of the destinations of these plans is what they hold. */
  async #askStale(plans: readonly Plan[], hasPatience: boolean): Promise<void> {
    const { library, isThere, destinations } = this.#options;
    const used = new Set(
      plans.filter(isShared).flatMap((plan) => [...plan.destinations.map(({ destination }) => destination), thisComputer]),
    );
    await library.askStale((id) => used.has(id) && isThere(id) && destinations.breaker.allows(id), hasPatience);
  }

  /** What each destination of these plans is owed; by default of what can be read now. */
  #debts(plans: readonly Plan[], canRead: OwedContext['canRead'] = this.#canRead()): Debt[] {
    const { library } = this.#options;
    const holdings = library.holdings();
    return plans.flatMap((plan) => {
      const shelves = shelvesOf(plan, holdings);
      const context = this.#context(plan, canRead);
      return plan.destinations.map(({ destination }) => ({ plan, target: destination, owed: owedTo(destination, plan, shelves, context) }));
    });
  }

  #context(plan: Plan, canRead: OwedContext['canRead']): OwedContext {
    const { state, clock, zoneOf } = this.#options;
    const notes = new Notes(recallNotes(state));
    const isUnwanted = unwantedOn(state);
    return {
      now: clock.now(),
      zone: zoneOf(plan),
      isPinned: (snapshot) => notes.isPinned(snapshot),
      canRead,
      isThere: (id) => this.#canTry(id),
      isUnwanted: (target, original) => isUnwanted(target, original) || this.#isGiven(target, original),
    };
  }

  /** It was copied there since what it holds was read. */
  #isGiven(target: string, original: string): boolean {
    const at = this.#given.get(`${target} ${original}`);
    if (at === undefined) return false;
    const { readAt } = this.#options.library.holdings().find(({ destination }) => destination.id === target) ?? { readAt: null };
    if (readAt !== null && readAt > at) this.#given.delete(`${target} ${original}`);
    return this.#given.has(`${target} ${original}`);
  }

  #canTry(id: string): boolean {
    const { isThere, destinations } = this.#options;
    return isThere(id) && destinations.breaker.closedUntil(id) === undefined;
  }

  #canRead(without?: Unusable): OwedContext['canRead'] {
    const now = this.#options.clock.now();
    for (const [key, at] of this.#damaged) if (Math.abs(now - at) > damagedMs) this.#damaged.delete(key);
    const known = new Map(this.#options.library.holdings().map((holding: Holding) => [holding.destination.id, holding]));
    return (id, snapshot) => {
      const key = `${id} ${originalOf(snapshot)}`;
      if (without ? without.sources.has(id) || without.snapshots.has(key) : this.#damaged.has(key)) return false;
      return known.has(id) && this.#options.isThere(id);
    };
  }

  #ask(plan: Plan, target: string, cause: 'person' | 'schedule'): Run {
    const { desk, state } = this.#options;
    return desk.askTask({
      kind: 'copy',
      plan: plan.id,
      destination: target,
      planName: plan.name,
      destinationName: state.destination(target).name,
      cause,
      request: { all: cause === 'person' },
    });
  }

  /** What a window, power or a pause holds back goes on when they let it; what a person has asked for always may. */
  #holdOrRelease(): void {
    const { state, desk, blocker } = this.#options;
    const plans = new Map(state.plans().map((plan) => [plan.id, plan]));
    for (const { id, kind, plan: planId, cause, status } of desk.unfinished()) {
      const plan = plans.get(planId ?? '');
      if (kind !== 'copy' || !plan || cause === 'person') continue;
      const isBlocked = blocker(plan) !== undefined;
      if (isBlocked && status !== 'paused') {
        this.#held.add(id);
        desk.pause(id, 'scheduler');
      } else if (!isBlocked && this.#held.delete(id)) desk.resume(id, 'scheduler');
    }
  }

  #noteEnd(key: string, { status, figures }: Run): void {
    // One that found nothing to do, though something was owed, is not asked for again at once.
    if (status === 'failed' || figures?.copied === 0) {
      const count = (this.#failures.get(key)?.count ?? 0) + 1;
      this.#failures.set(key, { count, retryAt: this.#options.clock.now() + retryPause(count) });
    } else if (status === 'cancelled') {
      // A person does not want it now; it is asked for again with the next snapshot's, or some hours later.
      this.#failures.set(key, { count: 0, retryAt: this.#options.clock.now() + cancelledMs });
    } else this.#failures.delete(key);
  }

  #forgetDamage(destination: string): void {
    for (const key of this.#damaged.keys()) if (key.startsWith(`${destination} `)) this.#damaged.delete(key);
  }

  #wakeAt(at: number): void {
    const left = at - this.#options.clock.now();
    // Else the next tick looks anyway.
    if (!(left < everyMs) || at === this.#wakesAt) return;
    this.#stopTimer.abort();
    this.#wakesAt = at;
    this.#stopTimer = new AbortController();
    void this.#options.clock.sleep(Math.max(left, 0), this.#stopTimer.signal).then(
      () => {
        this.#wakesAt = undefined;
        this.look();
      },
      () => {},
    );
  }
}

const isShared = ({ destinations, onThisComputer }: Plan): boolean => destinations.length > 1 || onThisComputer === true;
const isWaitingBackup = ({ kind, status }: Run): boolean => kind === 'backup' && status === 'waiting';
const cancelledMs = 4 * 60 * 60_000;
const keyOf = (plan: string, target: string): string => `${plan} ${target}`;
