/** Repositories, destinations, a desk and a clock as a model in memory, driven by the real keeper of copies and its work. */
import { HoldfastError } from '../../../src/contract/errors.ts';
import { type Plan, type PlanDestination, planSchema, retentionOn } from '../../../src/contract/plan.ts';
import type { Run } from '../../../src/contract/run.ts';
import { usualSchedule } from '../../../src/contract/schedule.ts';
import { originalOf } from '../../../src/engine/copy/copies.ts';
import { tagOfPlan } from '../../../src/engine/own-tags.ts';
import { planRetention } from '../../../src/engine/retention.ts';
import { RunControl } from '../../../src/platform/cancellation.ts';
import { type Clock, nextTurn } from '../../../src/platform/clock.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import type { Snapshot } from '../../../src/repository/snapshot.ts';
import { noteUnwanted } from '../../../src/service/copies/given.ts';
import { CopyKeeper, type CopyKeeperOptions } from '../../../src/service/copies/keeper.ts';
import { CircuitBreaker } from '../../../src/service/destinations/breaker.ts';
import { policyOf } from '../../../src/service/runs/retain.ts';

const planId = '11111111-2222-3333-4444-555555555555';

/** One destination: what it holds, and what is known of it. */
export interface Place {
  readonly id: string;
  held: Snapshot[];
  isUp: boolean;
  known: readonly Snapshot[];
  readAt: number | null;
  isStale: boolean;
  hasFailed: boolean;
}

/** Begins at a full hour in UTC. */
const start = Date.UTC(2026, 0, 5, 8);

export class World {
  now = start;
  readonly places: Place[];
  readonly plan: Plan;
  readonly runs: Run[] = [];
  /** Those that wait or work. */
  unfinished: Run[] = [];
  readonly requests = new Map<number, unknown>();
  readonly made: Snapshot[] = [];
  /** Two copies to one destination at once, and whatever else must never be. */
  readonly wrong: string[] = [];
  /** The next copy is cut off after so many snapshots. */
  cutAfter = Infinity;
  /** Seen damaged when they are copied from there: `place original`. */
  readonly damaged = new Set<string>();
  readonly #memory = new Map<string, unknown>();
  #tickers: (() => void)[] = [];
  #sleepers: { at: number; wake: () => void }[] = [];
  #listeners: (() => void)[] = [];
  #breaker: CircuitBreaker;
  keeper: CopyKeeper;

  constructor(destinations: readonly Omit<PlanDestination, 'destination'>[], retention: Partial<Plan['retention']>) {
    this.places = destinations.map((_, i) => ({
      id: `d${i}`,
      held: [],
      isUp: true,
      known: [],
      readAt: null,
      isStale: true,
      hasFailed: false,
    }));
    this.plan = planSchema.parse({
      id: planId,
      name: 'Documents',
      sources: [{ kind: 'folder', path: '/home/me' }],
      destinations: destinations.map((each, i) => ({ ...each, destination: `d${i}` })),
      schedule: { ...usualSchedule, conditions: { onBattery: 'always', onMetered: true }, zone: 'UTC' },
      retention,
    });
    this.#breaker = this.#newBreaker();
    this.keeper = this.#newKeeper();
    this.keeper.begin();
  }

  place(id: string): Place {
    return this.places.find((each) => each.id === id)!;
  }

  /** On the first that can be reached, as runs choose; nothing when there is none. */
  async backUp(): Promise<void> {
    const order = (['primary', 'standby'] as const).flatMap((role) => this.plan.destinations.filter((each) => each.role === role));
    const place = order.map(({ destination }) => this.place(destination)).find(({ isUp }) => isUp);
    this.now += 60_000;
    if (!place) return;
    const number = this.made.length;
    const id = number.toString(16).padStart(8, '0').repeat(8);
    const snapshot: Snapshot = {
      id,
      time: new Date(this.now).toISOString(),
      tree: id,
      paths: ['/home/me'],
      hostname: 'h',
      username: 'u',
      tags: [tagOfPlan(planId)],
    };
    this.made.push(snapshot);
    place.held.push(snapshot);
    this.retain(place);
    this.#breaker.answered(place.id);
    this.#ended({ ...this.#newRun('backup', place.id), status: 'succeeded' });
    await this.settle();
  }

  /** Comes back where its drive is plugged in, or a person looks; else it is found by trying. */
  async comeBack(place: Place, isTold: boolean): Promise<void> {
    place.isUp = true;
    if (isTold) {
      this.#breaker.reset(place.id);
      this.keeper.destinationTold({ id: place.id, now: { state: 'failing', since: 0, code: 'x', message: '', guidance: '' } });
      this.keeper.destinationTold({ id: place.id, now: { state: 'connected', at: this.now } });
    }
    await this.settle();
  }

  /** A person deletes a snapshot there through the service; or, not `isTold`, with another program. */
  async forget(place: Place, snapshot: Snapshot, isTold: boolean): Promise<void> {
    if (!place.isUp) return;
    place.held = place.held.filter((each) => each !== snapshot);
    if (!isTold) return;
    noteUnwanted(this.#state, place.id, [originalOf(snapshot)]);
    this.#ended({ ...this.#newRun('forget', place.id), status: 'succeeded' });
    await this.settle();
  }

  async pass(ms: number): Promise<void> {
    this.now += ms;
    const due = this.#sleepers.filter(({ at }) => at <= this.now);
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.now);
    for (const { wake } of due) wake();
    for (const tick of this.#tickers) tick();
    await this.settle();
  }

  /** The service is killed: what it knew is what was stored; runs that were unfinished are asked for anew. */
  async restart(): Promise<void> {
    this.#tickers = [];
    this.#sleepers = [];
    this.#listeners = [];
    this.#breaker = this.#newBreaker();
    for (const place of this.places) place.isStale = true;
    this.keeper = this.#newKeeper();
    this.keeper.begin();
    await this.settle();
  }

  /** Until nothing is at work any more. */
  async settle(): Promise<void> {
    for (let turns = 0; ; turns++) {
      await nextTurn();
      const run = this.unfinished[0];
      if (!run) return;
      if (turns > 200) throw new Error('runs are asked for without end');
      await this.#work(run);
    }
  }

  retain(place: Place): void {
    const policy = policyOf(retentionOn(this.plan, place.id));
    if (!policy) return;
    const groupBy = { host: false, paths: false, tags: false };
    const going = planRetention(place.held, policy, { now: this.now, groupBy }).flatMap(({ remove }) => remove);
    if (going.length === 0) return;
    const { ids } = this.keeper.spare(this.plan, place.id, going, place.held);
    const gone = new Set(going.filter(({ id }) => !ids.has(id)));
    place.held = place.held.filter((each) => !gone.has(each));
  }

  async #work(run: Run): Promise<void> {
    const control = new RunControl();
    const clock = this.#clock;
    const options = { control, clock, holder: { hostname: 'h', username: 'u', pid: 1 }, onProgress: () => {} } as never;
    let status: Run['status'] = 'failed';
    let figures: Run['figures'] = null;
    try {
      const { change } = await this.keeper.work({ run: { ...run, status: 'running' }, options, log: () => {} });
      status = change.status ?? 'failed';
      figures = change.figures ?? null;
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
    } finally {
      control.release();
    }
    this.unfinished = this.unfinished.filter((each) => each.id !== run.id);
    this.#ended({ ...run, status, figures });
  }

  #ended(run: Run): void {
    const place = this.place(run.destination!);
    place.isStale = true;
    for (const listener of this.#listeners) listener();
    this.keeper.runEnded(run);
  }

  #newRun(kind: Run['kind'], destination: string, cause: Run['cause'] = 'schedule'): Run {
    const run = {
      id: this.runs.length + 1,
      kind,
      destination,
      plan: planId,
      planName: 'Documents',
      cause,
      status: 'waiting',
      figures: null,
    };
    this.runs.push(run as never);
    return run as never;
  }

  #open(id: string): Repository {
    const place = this.place(id);
    if (!place.isUp) {
      this.#breaker.failed(id);
      throw new HoldfastError('storage-gone', { location: id, cause: 'away' });
    }
    this.#breaker.answered(id);
    return {
      place,
      snapshots: async () => [...place.held],
      answers: async () => place.isUp,
      storage: { close: async () => {} },
    } as never;
  }

  readonly #copy = async (ends: { source: Repository; target: Repository }, wanted: never, told: never): Promise<never> => {
    const { filter } = wanted as { filter: (snapshot: Snapshot) => boolean };
    const { onCopied } = told as { onCopied: (copied: { snapshot: Snapshot; copy: string }) => void };
    const [source, target] = [(ends.source as never as { place: Place }).place, (ends.target as never as { place: Place }).place];
    const copied = [];
    const damaged: Snapshot[] = [];
    for (const snapshot of source.held.filter(filter)) {
      if (this.cutAfter-- <= 0) {
        this.cutAfter = Infinity;
        throw new HoldfastError('storage-full', { location: target.id } as never);
      }
      if (this.damaged.has(`${source.id} ${originalOf(snapshot)}`)) {
        damaged.push(snapshot);
        continue;
      }
      if (target.held.some((each) => originalOf(each) === originalOf(snapshot))) this.wrong.push('a snapshot was copied twice');
      const copy = { ...snapshot, id: `${target.id.slice(1)}${originalOf(snapshot).slice(1)}`, original: originalOf(snapshot) };
      target.held.push(copy);
      target.held.sort((a, b) => (a.time < b.time ? -1 : 1));
      copied.push({ snapshot, copy: copy.id });
      onCopied({ snapshot, copy: copy.id });
    }
    return { plan: { snapshots: [] }, copied, damaged, damage: [], storedBytes: 0, adoptedPacks: 0 } as never;
  };

  readonly #clock: Clock = {
    now: () => this.now,
    monotonic: () => this.now,
    sinceBoot: () => this.now,
    every: (_, tick) => {
      this.#tickers.push(tick);
      return () => (this.#tickers = this.#tickers.filter((each) => each !== tick));
    },
    sleep: (ms, signal) =>
      new Promise((wake, fail) => {
        this.#sleepers.push({ at: this.now + ms, wake });
        signal?.addEventListener('abort', () => fail(new HoldfastError('cancelled')), { once: true });
      }),
  } as Clock;

  readonly #state = {
    recall: (name: string) => this.#memory.get(name),
    remember: (name: string, value: unknown) => void this.#memory.set(name, value),
    plans: () => [this.plan],
    plan: () => this.plan,
    destinations: () => this.places.map(({ id }) => ({ id, name: id, place: `/${id}`, repository: id, polynomial: 'p' })),
    destination: (id: string) => ({ id, name: id }),
    runs: { get: (id: number) => this.runs[id - 1]! },
    runDetails: { request: (id: number) => this.requests.get(id) },
  } as never as CopyKeeperOptions['state'];

  #newBreaker(): CircuitBreaker {
    return new CircuitBreaker({ clock: this.#clock, memory: this.#state });
  }

  #newKeeper(): CopyKeeper {
    const breaker = this.#breaker;
    return new CopyKeeper({
      state: this.#state,
      clock: this.#clock,
      onNote: (text) => void this.wrong.push(text),
      library: {
        holdings: () =>
          this.places.map(({ id, known, readAt }) => ({
            destination: { id },
            snapshots: known,
            readAt,
            error: undefined,
            damaged: 0,
          })) as never,
        askStale: async (which) => this.#askStale(which),
        onChanged: (listener) => void this.#listeners.push(listener),
        changed: (id) => void (this.place(id).isStale = true),
      },
      destinations: { breaker, open: async (id) => this.#open(id), failed: (id) => breaker.failed(id) },
      desk: {
        unfinished: () => this.unfinished,
        pause: () => {},
        resume: () => {},
        askTask: ({ destination, cause, request }) => {
          if (this.unfinished.some((run) => run.kind === 'copy' && run.destination === destination))
            this.wrong.push('two copies to one destination');
          const run = this.#newRun('copy', destination!, cause);
          this.requests.set(run.id, request);
          this.unfinished.push(run);
          return run;
        },
      },
      isThere: () => true,
      blocker: () => undefined,
      zoneOf: () => 'UTC',
      engine: {
        executeCopy: this.#copy as never,
        retain: async (repository) => {
          this.retain((repository as never as { place: Place }).place);
          return { forgotten: 0, isPruned: false, isFine: true };
        },
      },
    });
  }

  async #askStale(which: (id: string) => boolean): Promise<void> {
    let isOther = false;
    for (const place of this.places) {
      if (!which(place.id) || !(place.isStale || place.readAt === null || place.hasFailed)) continue;
      place.hasFailed = !place.isUp;
      if (!place.isUp) this.#breaker.failed(place.id);
      else {
        this.#breaker.answered(place.id);
        isOther = true;
        Object.assign(place, { known: [...place.held], readAt: this.now, isStale: false });
      }
    }
    if (isOther) for (const listener of this.#listeners) listener();
  }
}
