/**
 * Care for what the destinations hold: checks and healings that a person asks for, and those that begin by themselves:
 *
 * - after damage was met by a check, a backup or a restore, its destination is healed, at most once a day;
 * - after a backup, when nothing was read there for a week, a part of its data is read (rolling.ts), unless the computer runs on battery
 *   or a metered network, or everything is paused.
 */
import type { CheckFacts, HealFacts } from '../../contract/care.ts';
import { toHoldfastError } from '../../contract/errors.ts';
import type { Run } from '../../contract/run.ts';
import type { CheckResult } from '../../engine/check/check.ts';
import type { Destinations } from '../destinations/destinations.ts';
import type { Common, Part } from '../parts.ts';
import type { Desk } from '../runs/desk.ts';
import type { TaskJob, Work } from '../runs/task.ts';
import type { Power } from '../schedule/due.ts';
import { type CheckRequest, checkRequestSchema, workOnCheck } from './check-job.ts';
import { healRequestSchema, workOnHealing } from './heal-job.ts';
import { Rolling } from './rolling.ts';

export interface CareOptions extends Pick<Common, 'state' | 'clock' | 'profile' | 'onNote'> {
  readonly destinations: Destinations;
  readonly desk: Pick<Desk, 'askTask' | 'unfinished'>;
  readonly power: () => Power;
  /** Everything that begins by itself waits. */
  readonly isPaused: () => boolean;
}

const dayMs = 24 * 60 * 60_000;
const checkedName = (destination: string): string => `last check of ${destination}`;
const healedName = (destination: string): string => `last healing of ${destination}`;

export interface LastCare {
  readonly check: CheckFacts | null;
  readonly heal: HealFacts | null;
  readonly allReadSince: number | null;
}

export class Care implements Part {
  readonly #options: CareOptions;
  readonly #rolling: Rolling;
  /** Destinations where damage was met since their last healing, with the packs that are known to be damaged. */
  readonly #damaged = new Map<string, 'all' | Set<string>>();
  readonly #works: { readonly check: Work; readonly heal: Work };

  constructor(options: CareOptions) {
    this.#options = options;
    this.#rolling = new Rolling(options.state);
    this.#works = { check: (job) => this.#check(job), heal: (job) => this.#heal(job) };
  }

  workOf(kind: Run['kind']): Work | undefined {
    return kind === 'check' || kind === 'heal' ? this.#works[kind] : undefined;
  }

  /** Throws `destination-not-found`. */
  check(destination: string, depth: 'quick' | 'all'): Run {
    return this.#ask('check', destination, 'person', { depth } satisfies CheckRequest);
  }

  /** Throws `destination-not-found`. */
  heal(destination: string): Run {
    return this.#ask('heal', destination, 'person', { packs: 'all' });
  }

  /** Throws `destination-not-found`. */
  last(destination: string): LastCare {
    const { state } = this.#options;
    state.destination(destination);
    return {
      check: (state.recall(checkedName(destination)) as CheckFacts | undefined) ?? null,
      heal: (state.recall(healedName(destination)) as HealFacts | undefined) ?? null,
      allReadSince: this.#rolling.allReadSince(destination),
    };
  }

  /** Somebody has come upon damage there. `packs`: those that are known to be damaged; `all`: it is not known which. */
  damageMet(destination: string, packs: 'all' | readonly string[]): void {
    const known = this.#damaged.get(destination);
    if (packs === 'all' || known === 'all') this.#damaged.set(destination, 'all');
    else this.#damaged.set(destination, new Set([...(known ?? []), ...packs]));
  }

  /** A destination is forgotten. */
  removed(destination: string): void {
    this.#damaged.delete(destination);
    for (const name of [checkedName(destination), healedName(destination)]) this.#options.state.forget(name);
    this.#rolling.forget(destination);
  }

  runEnded(run: Run): void {
    try {
      for (const destination of this.#damaged.keys()) this.#healByItself(destination);
      if (run.kind === 'backup' && run.destination !== null && (run.status === 'succeeded' || run.status === 'completed-with-warnings'))
        this.#checkByItself(run.destination);
    } catch (error) {
      this.#options.onNote(toHoldfastError(error).message);
    }
  }

  #healByItself(destination: string): void {
    const { state, clock } = this.#options;
    const packs = this.#damaged.get(destination)!;
    if (!state.destinations().some(({ id }) => id === destination)) return void this.#damaged.delete(destination);
    const last = this.last(destination).heal;
    const isTooSoon = last !== null && clock.now() >= last.at && clock.now() - last.at < dayMs;
    this.#damaged.delete(destination);
    if (isTooSoon || this.#isAsked('heal', destination)) return;
    this.#ask('heal', destination, 'damage', { packs: packs === 'all' ? 'all' : [...packs] });
  }

  #checkByItself(destination: string): void {
    const { clock, power, isPaused } = this.#options;
    const { onBattery, onMetered } = power();
    const isNear = this.#isNear(destination);
    if (isPaused() || onBattery || (onMetered && !isNear) || this.#isAsked('check', destination)) return;
    const due = this.#rolling.due(destination, isNear, clock.now());
    if (due) this.#ask('check', destination, 'schedule', { depth: 'part', ...due } satisfies CheckRequest);
  }

  #isAsked(kind: Run['kind'], destination: string): boolean {
    return this.#options.desk.unfinished().some((run) => run.kind === kind && run.destination === destination);
  }

  #isNear(destination: string): boolean {
    const { place } = this.#options.state.destination(destination);
    return place.startsWith('/') || /^[A-Za-z]:[\\/]/.test(place);
  }

  #ask(kind: 'check' | 'heal', destination: string, cause: Run['cause'], request: unknown): Run {
    const { state, desk } = this.#options;
    const { id, name } = state.destination(destination);
    return desk.askTask({ kind, plan: null, destination: id, planName: name, destinationName: name, cause, request });
  }

  #check(job: TaskJob): ReturnType<Work> {
    const { state, clock, destinations } = this.#options;
    const id = job.run.destination!;
    const request = checkRequestSchema.parse(state.runDetails.request(job.run.id));
    const onChecked = (result: CheckResult, facts: Pick<CheckFacts, 'depth' | 'errors' | 'bytesRead'>): void => {
      const at = clock.now();
      state.remember(checkedName(id), { at, run: job.run.id, ...facts } satisfies CheckFacts);
      if (request.depth === 'all') this.#rolling.noteAll(id, this.#isNear(id), at);
      else if (request.depth === 'part') this.#rolling.note(id, request.part, request.of, at);
      if (result.errors > 0) this.damageMet(id, packsOf(result));
    };
    return workOnCheck(job, { destinations, request, onChecked });
  }

  #heal(job: TaskJob): ReturnType<Work> {
    const { state, clock, profile, destinations } = this.#options;
    const id = job.run.destination!;
    const { packs } = healRequestSchema.parse(state.runDetails.request(job.run.id));
    const onHealed = (facts: Pick<HealFacts, 'healed' | 'unhealed'>): void => {
      state.remember(healedName(id), { at: clock.now(), run: job.run.id, ...facts } satisfies HealFacts);
      this.#damaged.delete(id);
    };
    return workOnHealing(job, { state, profile, destinations, packs, onHealed });
  }
}

/** The packs that a check has found damaged; `all` when it names more than it lists. */
function packsOf({ findings, errors }: CheckResult): 'all' | string[] {
  const bad = findings.filter(({ severity }) => severity === 'error');
  if (bad.length < errors) return 'all';
  return [...new Set(bad.flatMap(({ pack, code }) => (pack === undefined || code === 'pack-missing' ? [] : pack)))];
}
