/**
 * The desk: where runs are asked for, wait, work and end.
 *
 * A destination serves one run at a time, in the order in which they were asked for (one that is paused lets others pass); a plan has one
 * run at a time on each of its destinations. Everything that happens to a run is stored before it is told to anybody; while the state cannot be
 * written (its disk is full) nothing begins, and how a run ended is kept until it can. A run that its process did not survive is found
 * unfinished by the next service: it is recorded as *interrupted*, and asked for again, unless somebody had cancelled it.
 */
import { fail, HoldfastError, toHoldfastError } from '../../contract/errors.ts';
import type { Plan } from '../../contract/plan.ts';
import { isFinal, type Run, type RunProgress, type Takeover } from '../../contract/run.ts';
import type { Strategy } from '../../contract/schedule.ts';
import type { Progress } from '../../engine/run.ts';
import { RunControl } from '../../platform/cancellation.ts';
import type { NewRun, RunChange } from '../state/runs.ts';
import { type Work, workOnTask } from './task.ts';
import { runProgress } from './run-progress.ts';
import { againMs, storeEnd } from './store-end.ts';
import { errorOf, failed, type Outcome, type WorkOptions, workOn } from './work.ts';

export interface DeskOptions extends WorkOptions {
  readonly onRun: (run: Run) => void;
  readonly onProgress: (progress: RunProgress) => void;
  /** After a run has ended in any way, and a waiting one may have begun. */
  readonly onEnded: (run: Run) => void;
  /** The work of runs that are no backups; undefined for those. */
  readonly otherWork: (kind: Run['kind']) => Work | undefined;
}

/** A run that is no backup: what it is about is data of its kind, kept with it (see state/run-details.ts). */
export interface TaskRequest extends Pick<Run, 'kind' | 'plan' | 'destination' | 'planName' | 'destinationName' | 'cause'> {
  readonly request: unknown;
}

export interface RunRequest {
  readonly plan: string;
  /** Default: the plan's primary. */
  readonly destination?: string | undefined;
  readonly cause: Run['cause'];
  readonly strategy: Strategy;
  /** Default: 1. */
  readonly attempt?: number | undefined;
}

/** Who wants a run to wait: a run goes on when nobody does. */
type Holder = 'person' | 'scheduler';

interface Active {
  /** Null: it takes no destination from others. */
  destination: string | null;
  readonly control: RunControl;
  /** False while it is paused, and then waits for its destination. */
  isWorking: boolean;
  /** Somebody has cancelled it. */
  isCancelled: boolean;
  progress: RunProgress | undefined;
  /** Resolves when the run has ended. */
  readonly done: Promise<void>;
}

export class Desk {
  readonly #options: DeskOptions;
  readonly #active = new Map<number, Active>();
  /** Those who wait for the end of a run. */
  readonly #waiting = new Map<number, ((run: Run) => void)[]>();
  readonly #holders = new Map<number, Set<Holder>>();
  readonly #closing = new AbortController();
  #isTryingAgain = false;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /**
   * Takes up what the last service left unfinished: it is recorded as interrupted and asked for anew, in one step, or recorded as cancelled
   * where that was wanted. The scheduler asks by itself for what it had started for the plans in `elsewhere`.
   */
  takeUp(elsewhere: ReadonlySet<string>): void {
    const { state, clock, onRun } = this.#options;
    const [plans, destinations] = [state.plans(), state.destinations()];
    for (const run of state.runs.unfinished()) {
      const { kind, plan, destination, planName, strategy, status } = run;
      if (wasCancelled(run)) {
        onRun(state.runs.change(run.id, { status: 'cancelled', ended: clock.now() }));
        continue;
      }
      const isBackup = kind === 'backup';
      const isGone =
        (isBackup && !plans.some(({ id }) => id === plan)) || (destination !== null && !destinations.some(({ id }) => id === destination));
      const isHeld = state.runs.isHeldByPerson(run.id);
      const isElsewhere = isBackup && run.cause !== 'person' && !isHeld && elsewhere.has(plan!);
      const next: NewRun = {
        kind,
        plan,
        ...placeAtFirst(run),
        planName,
        strategy,
        cause: 'resumed',
        attempt: 1,
        created: clock.now(),
      };
      // Of those that nobody else takes up only a person can have paused one.
      // Copies are held by windows and pauses, too, which are asked again.
      const isPaused = isHeld || (status === 'paused' && kind !== 'copy');
      const { ended, successor } = state.runs.interrupt(run.id, clock.now(), isGone || isElsewhere ? undefined : next, isPaused);
      onRun(ended);
      if (successor && isPaused) this.#holders.set(successor.id, new Set(['person']));
      if (successor) onRun(successor);
    }
    this.#beginWaiting();
  }

  /**
   * Asks for a run; it begins at once when its destination is free. Throws `plan-not-found`, `destination-not-found`, `run-at-work` when
   * the plan has one there already, `state-failed`.
   */
  ask({ plan: planId, destination: destinationId, cause, strategy, attempt = 1 }: RunRequest): Run {
    const { state, clock } = this.#options;
    const plan = state.plan(planId);
    const destination = state.destination(destinationId ?? primaryOf(plan));
    const other = this.unfinished().find((run) => run.kind === 'backup' && run.plan === plan.id && run.destination === destination.id);
    if (other) return fail('run-at-work', { plan: plan.name, run: other.id });
    const run = state.runs.add({
      kind: 'backup',
      plan: plan.id,
      destination: destination.id,
      planName: plan.name,
      destinationName: destination.name,
      cause,
      strategy,
      attempt,
      created: clock.now(),
    });
    this.#options.onRun(run);
    this.#beginWaiting();
    return state.runs.get(run.id);
  }

  /** Asks for a run that is no backup. Throws `state-failed`. */
  askTask({ request, ...facts }: TaskRequest): Run {
    const { state, clock } = this.#options;
    const run = state.addTask({ ...facts, strategy: null, attempt: 1, created: clock.now() }, request);
    this.#options.onRun(run);
    this.#beginWaiting();
    return state.runs.get(run.id);
  }

  /** Records that a run did not begin. */
  skip({ plan: planId, destination: destinationId, cause, strategy, attempt = 1 }: RunRequest, reason: NonNullable<Run['reason']>): Run {
    const { state, clock } = this.#options;
    const plan = state.plan(planId);
    const id = destinationId ?? primaryOf(plan);
    const destinationName = state.destinations().find((each) => each.id === id)?.name ?? '';
    const facts = {
      kind: 'backup',
      plan: plan.id,
      destination: id,
      planName: plan.name,
      destinationName,
      cause,
      strategy,
      attempt,
    } as const;
    const run = state.runs.add({ ...facts, created: clock.now() }, 'skipped', reason);
    this.#options.onRun(run);
    return run;
  }

  /** Those that wait or work, oldest first. */
  unfinished(): Run[] {
    return this.#options.state.runs.unfinished();
  }

  /** Destinations that serve a run now, or are waited for by one; runs among `except` do not count. A paused one leaves its destination to others, and a copy lets backups through. */
  busy(except: ReadonlySet<number>): Set<string> {
    const runs = this.unfinished().filter(({ id, kind, status }) => !except.has(id) && status !== 'paused' && kind !== 'copy');
    return new Set(runs.flatMap((run) => placeOf(run) ?? []));
  }

  /** The run once it has ended; that may be never when the desk is closed before. */
  async endOf(id: number): Promise<Run> {
    const { state } = this.#options;
    const run = state.runs.get(id);
    if (isFinal(run.status)) return run;
    return new Promise((resolve) => {
      this.#waiting.set(id, [...(this.#waiting.get(id) ?? []), resolve]);
    });
  }

  progress(): RunProgress[] {
    return [...this.#active.values()].flatMap(({ progress }) => progress ?? []);
  }

  /** Throws `run-not-found`, `run-ended`. */
  cancel(id: number): void {
    const run = this.#unfinished(id);
    const active = this.#active.get(id);
    const error = errorOf(new HoldfastError('cancelled'));
    if (!active) return this.#end(this.#change(id, { status: 'cancelled', error, ended: this.#options.clock.now() }));
    if (active.isCancelled) return;
    active.isCancelled = true;
    active.control.cancel();
    // A service that is killed before it has ended does not take it up again.
    this.#try(() => this.#change(run.id, { error }));
  }

  /** One that waits begins when it is resumed. Throws as {@link cancel}. */
  pause(id: number, by: Holder = 'person'): void {
    const { status } = this.#unfinished(id);
    const active = this.#active.get(id);
    if (active?.isCancelled) return;
    const holders = this.#holders.get(id) ?? new Set();
    this.#holders.set(id, holders.add(by));
    if (active) {
      active.isWorking = false;
      active.control.pause();
    }
    if (by === 'person') this.#options.state.runs.hold(id, true);
    if (status === 'paused') return;
    this.#change(id, { status: 'paused' });
    this.#beginWaiting();
  }

  /** Goes on as soon as its destination is free. A person's word counts for the scheduler's, but not the other way. Throws as {@link cancel}. */
  resume(id: number, by: Holder = 'person'): void {
    const { status } = this.#unfinished(id);
    const holders = this.#holders.get(id);
    holders?.delete(by);
    if (by === 'person') {
      holders?.clear();
      this.#options.state.runs.hold(id, false);
    }
    if (status !== 'paused' || holders?.size) return;
    this.#holders.delete(id);
    this.#change(id, { status: 'waiting' });
    this.#beginWaiting();
  }

  /** Ends what works and begins nothing any more. The runs stay unfinished in the state, so that the next service resumes them. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const { control } of this.#active.values()) control.cancel();
    await Promise.all([...this.#active.values()].map(({ done }) => done));
  }

  get #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Begins what can begin, and lets go on what can go on. */
  #beginWaiting(): void {
    if (this.#isClosing) return;
    this.#try(() => {
      const busy = new Set([...this.#active.values()].flatMap(({ isWorking, destination }) => (isWorking ? (destination ?? []) : [])));
      for (const run of this.unfinished()) {
        const active = this.#active.get(run.id);
        const place = placeOf(run);
        if (run.status !== 'waiting' || active?.isWorking || active?.isCancelled || (place !== null && busy.has(place))) continue;
        if (place !== null) busy.add(place);
        if (active) this.#continue(run.id, active);
        else this.#begin(run);
      }
    });
  }

  /** A run at work goes on elsewhere, as soon as no other run is there. Throws `cancelled`. */
  async #moveTo(id: number, active: Active, destination: string, takeovers: readonly Takeover[]): Promise<void> {
    const { state } = this.#options;
    active.destination = destination;
    active.isWorking = false;
    active.control.pause();
    const { name } = state.destination(destination);
    // One that somebody has paused meanwhile stays so.
    const isPaused = state.runs.get(id).status === 'paused';
    const status = isPaused ? {} : ({ status: 'waiting' } as const);
    this.#change(id, { destination, destinationName: name, takeovers: [...takeovers], ...status });
    this.#beginWaiting();
    await active.control.checkpointAsync();
  }

  #continue(id: number, active: Active): void {
    this.#change(id, { status: 'running' });
    active.isWorking = true;
    active.control.resume();
  }

  #begin(run: Run): void {
    const started = this.#change(run.id, { status: 'running', started: this.#options.clock.now() });
    const control = new RunControl();
    const { promise, resolve } = Promise.withResolvers<void>();
    const active: Active = {
      destination: placeOf(run),
      control,
      isWorking: true,
      isCancelled: false,
      progress: undefined,
      done: promise,
    };
    this.#active.set(run.id, active);
    const other = this.#options.otherWork(run.kind);
    const onProgress = (progress: Progress): void => this.#progress(run.id, progress);
    const work = other
      ? workOnTask(other, started, control, this.#options, onProgress)
      : workOn(started, control, this.#options, { moveTo: (to, takeovers) => this.#moveTo(run.id, active, to, takeovers) }, onProgress);
    void work
      .catch((error: unknown): Outcome => failed(toHoldfastError(error)))
      .then((outcome) => {
        control.release();
        // Stays unfinished: the next service takes it up.
        if (this.#isClosing && outcome.change.status === 'cancelled' && !active.isCancelled) return undefined;
        return this.#storeEnd(run.id, outcome);
      })
      .then((ended) => {
        this.#active.delete(run.id);
        if (ended) this.#end(ended);
      })
      .catch((error: unknown) => this.#options.onDefect(error))
      .finally(resolve);
  }

  async #storeEnd(id: number, outcome: Outcome): Promise<Run | undefined> {
    const run = await storeEnd(id, outcome, { ...this.#options, closing: this.#closing.signal });
    if (run) this.#options.onRun(run);
    return run;
  }

  /** What cannot be stored now is tried again a little later. */
  #try(work: () => void): void {
    const { clock, onDefect } = this.#options;
    try {
      work();
    } catch (error) {
      if (this.#isTryingAgain || this.#isClosing) return;
      this.#isTryingAgain = true;
      onDefect(error);
      const again = (): void => {
        this.#isTryingAgain = false;
        this.#beginWaiting();
      };
      void clock.sleep(againMs, this.#closing.signal).then(again, () => {});
    }
  }

  #progress(id: number, progress: Progress): void {
    const active = this.#active.get(id);
    if (!active) return;
    active.progress = runProgress(id, progress);
    this.#options.onProgress(active.progress);
  }

  #unfinished(id: number): Run {
    const run = this.#options.state.runs.get(id);
    return isFinal(run.status) ? fail('run-ended', { run: id }) : run;
  }

  #change(id: number, change: RunChange): Run {
    const run = this.#options.state.runs.change(id, change);
    this.#options.onRun(run);
    return run;
  }

  /** Of a run whose end is stored. */
  #end(run: Run): void {
    this.#holders.delete(run.id);
    this.#beginWaiting();
    this.#options.onEnded(run);
    for (const resolve of this.#waiting.get(run.id) ?? []) resolve(run);
    this.#waiting.delete(run.id);
  }
}

/** The destination that a run takes for itself. Who only reads leaves it to others: a file is wanted back now, whatever is being backed up. */
const placeOf = ({ kind, destination }: Run): string | null => (kind === 'restore' || kind === 'undo' ? null : destination);

/** Where a run was to go before others took it over. */
const placeAtFirst = ({ destination, destinationName, takeovers }: Run): Pick<Run, 'destination' | 'destinationName'> =>
  takeovers?.[0] ? { destination: takeovers[0].from, destinationName: takeovers[0].fromName } : { destination, destinationName };

/** An unfinished run that somebody wanted to end. */
export const wasCancelled = ({ error }: Run): boolean => error?.code === 'cancelled';

const primaryOf = ({ destinations }: Plan): string => destinations.find(({ role }) => role === 'primary')!.destination;
