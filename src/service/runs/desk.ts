/**
 * The desk: where runs are asked for, wait, work and end.
 *
 * A destination serves one run at a time, in the order in which they were asked for (one that is paused lets others pass); a plan has one
 * run at a time on each of its destinations. Everything that happens to a run is stored before it is told to anybody. A run that its process did not survive is found
 * unfinished by the next service: it is recorded as *interrupted*, and asked for again.
 */
import { fail, HoldfastError, hasCode, isDestinationError, toHoldfastError } from '../../contract/errors.ts';
import type { Plan } from '../../contract/plan.ts';
import { isFinal, type LogLine, type Run, type RunError, type RunProgress } from '../../contract/run.ts';
import type { Strategy } from '../../contract/schedule.ts';
import type { Progress, RunOptions } from '../../engine/run.ts';
import { RunControl } from '../../platform/cancellation.ts';
import type { Clock } from '../../platform/clock.ts';
import type { HostIdentity } from '../../platform/host.ts';
import type { Destinations } from '../destinations/destinations.ts';
import type { RunChange } from '../state/runs.ts';
import type { StateStore } from '../state/store.ts';
import { backUp, type Retained } from './backup-job.ts';

/** A prune rewrites packs: space comes back soon enough. */
const pruneEveryMs = 7 * 24 * 60 * 60_000;
const pruneName = (destination: string): string => `pruned ${destination}`;

interface PruneMemory {
  /** When it was pruned last, ms since 1970. */
  readonly at: number;
  /** Snapshots were forgotten since. */
  readonly isWorthIt: boolean;
}

export interface DeskOptions {
  readonly clock: Clock;
  readonly state: StateStore;
  readonly destinations: Destinations;
  readonly identity: HostIdentity;
  /** Where the copy of the settings is, which each backup takes along. */
  readonly settingsCopy: string;
  /** Writes it anew. What it throws costs no backup. */
  readonly writeSettingsCopy: () => void;
  readonly onRun: (run: Run) => void;
  readonly onProgress: (progress: RunProgress) => void;
  /** After a run has ended in any way, and a waiting one may have begun. */
  readonly onEnded: (run: Run) => void;
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

interface Active {
  readonly destination: string;
  readonly control: RunControl;
  isPaused: boolean;
  progress: RunProgress | undefined;
  /** Resolves when the run has ended. */
  readonly done: Promise<void>;
}

export class Desk {
  readonly #options: DeskOptions;
  readonly #active = new Map<number, Active>();
  /** Those who wait for the end of a run. */
  readonly #waiting = new Map<number, ((run: Run) => void)[]>();
  #isClosing = false;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /** What the last service left unfinished, recorded as interrupted; the caller asks for those that are to go on. */
  findInterrupted(): Run[] {
    const { state, clock } = this.#options;
    return state.runs.unfinished().map((run) => state.runs.change(run.id, { status: 'interrupted', ended: clock.now() }));
  }

  /**
   * Asks for a run; it begins at once when its destination is free. Throws `plan-not-found`, `destination-not-found`, `run-at-work` when
   * the plan has one there already, `state-failed`.
   */
  ask({ plan: planId, destination: destinationId, cause, strategy, attempt = 1 }: RunRequest): Run {
    const { state, clock } = this.#options;
    const plan = state.plan(planId);
    const destination = state.destination(destinationId ?? primaryOf(plan));
    const other = this.unfinished().find((run) => run.plan === plan.id && run.destination === destination.id);
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

  /** Destinations that serve a run now, or are waited for by one; runs among `except` do not count. A paused one leaves its destination to others. */
  busy(except: ReadonlySet<number>): Set<string> {
    const runs = this.unfinished().filter(({ id, status }) => !except.has(id) && status !== 'paused');
    return new Set(runs.flatMap(({ destination }) => destination ?? []));
  }

  /** The run once it has ended; at the close of the desk that may be before. */
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
    if (active) active.control.cancel();
    else this.#end(run, { status: 'cancelled', error: errorOf(new HoldfastError('cancelled')) });
  }

  /** Throws as {@link cancel}. */
  pause(id: number): void {
    this.#unfinished(id);
    const active = this.#active.get(id);
    if (!active || active.isPaused) return;
    active.isPaused = true;
    active.control.pause();
    this.#change(id, { status: 'paused' });
    this.#beginWaiting();
  }

  /** Throws as {@link cancel}. */
  resume(id: number): void {
    this.#unfinished(id);
    const active = this.#active.get(id);
    if (!active?.isPaused) return;
    active.isPaused = false;
    active.control.resume();
    this.#change(id, { status: 'running' });
  }

  /** Ends what works and begins nothing any more. The runs stay unfinished in the state, so that the next service resumes them. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const { control } of this.#active.values()) control.cancel();
    await Promise.all([...this.#active.values()].map(({ done }) => done));
  }

  #beginWaiting(): void {
    if (this.#isClosing) return;
    const busy = new Set<string | null>([...this.#active.values()].flatMap(({ isPaused, destination }) => (isPaused ? [] : [destination])));
    for (const run of this.unfinished()) {
      if (this.#active.has(run.id) || busy.has(run.destination)) continue;
      busy.add(run.destination);
      this.#begin(run);
    }
  }

  #begin(run: Run): void {
    const control = new RunControl();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#active.set(run.id, { destination: run.destination!, control, isPaused: false, progress: undefined, done: promise });
    const started = this.#change(run.id, { status: 'running', started: this.#options.clock.now() });
    void this.#work(started, control)
      .catch((error: unknown) => ({ status: 'failed', error: errorOf(toHoldfastError(error)) }) as const)
      .then((change) => {
        control.release();
        this.#active.delete(run.id);
        // Stays unfinished: the next service takes it up.
        if (!this.#isClosing || change.status !== 'cancelled') this.#end(run, change);
      })
      .catch((error: unknown) => {
        // The state itself cannot be written: the run is found unfinished by the next service.
        this.#active.delete(run.id);
        console.error(toHoldfastError(error).message);
      })
      .finally(resolve);
  }

  /** Never throws but what the state does. */
  async #work(run: Run, control: RunControl): Promise<RunChange> {
    const { state, clock, destinations, identity, settingsCopy, writeSettingsCopy } = this.#options;
    const log = (level: LogLine['level'], text: string): void => state.runs.log(run.id, { at: clock.now(), level, text });
    const threads = state.settings().threads ?? undefined;
    const onProgress = (progress: Progress): void => this.#progress(run.id, progress);
    const options: RunOptions = { control, clock, holder: { ...identity, pid: process.pid }, onProgress, threads };
    try {
      const plan = state.plan(run.plan!);
      try {
        writeSettingsCopy();
      } catch (error) {
        log('warning', `Plans and history could not be copied for this backup (${(error as Error).message}); an older copy goes along.`);
      }
      const repository = await destinations.open(run.destination!, {
        signal: control.signal,
        onRetry: ({ error, waitMs }) => log('warning', `${error.message} It is tried again in ${Math.round(waitMs / 1000)} seconds.`),
        onNote: (text) => log('info', text),
      });
      try {
        await control.checkpointAsync();
        const job = {
          plan,
          strategy: run.strategy ?? 'incremental',
          settingsCopy,
          identity,
          prune: this.#isPruneDue(run.destination!),
        } as const;
        const outcome = await backUp(repository, job, options, log);
        this.#notePrune(run.destination!, outcome.retention);
        if (outcome.problems.length > 0) state.runs.addProblems(run.id, outcome.problems);
        const { snapshot, figures, strategy, hasWarnings } = outcome;
        return { status: hasWarnings ? 'completed-with-warnings' : 'succeeded', snapshot, figures, strategy };
      } finally {
        await repository.storage.close().catch(() => {});
      }
    } catch (thrown) {
      const error = toHoldfastError(thrown);
      if (hasCode(error, 'state-failed')) throw error;
      if (hasCode(error, 'cancelled') && control.isCancelled) return { status: 'cancelled', error: errorOf(error) };
      log('error', `${error.message} ${error.guidance}`);
      if (isDestinationError(error)) destinations.failed(run.destination!, error);
      if (hasCode(error, 'destination-not-plugged-in')) return { status: 'skipped', reason: 'not-plugged-in', error: errorOf(error) };
      return { status: 'failed', error: errorOf(error) };
    }
  }

  /** Whether snapshots were forgotten on the destination since it was pruned, and that is long enough ago. */
  #isPruneDue(destination: string): boolean {
    const { state, clock } = this.#options;
    const known = state.recall(pruneName(destination)) as PruneMemory | undefined;
    return known?.isWorthIt === true && (clock.now() - known.at >= pruneEveryMs || clock.now() < known.at);
  }

  #notePrune(destination: string, { forgotten, isPruned }: Retained): void {
    const { state, clock } = this.#options;
    const known = state.recall(pruneName(destination)) as PruneMemory | undefined;
    if (isPruned) state.remember(pruneName(destination), { at: clock.now(), isWorthIt: false } satisfies PruneMemory);
    // The first week begins with the first snapshot that is forgotten.
    else if (forgotten > 0) state.remember(pruneName(destination), { at: known?.at ?? clock.now(), isWorthIt: true } satisfies PruneMemory);
  }

  #progress(id: number, { phase, items, bytes, totalItems, totalBytes, bytesPerSecond, secondsLeft }: Progress): void {
    const active = this.#active.get(id);
    if (!active) return;
    active.progress = {
      run: id,
      phase,
      items,
      bytes,
      bytesPerSecond,
      ...(totalItems === undefined ? {} : { totalItems }),
      ...(totalBytes === undefined ? {} : { totalBytes }),
      ...(secondsLeft === undefined ? {} : { secondsLeft }),
    };
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

  #end(run: Run, change: RunChange): void {
    const ended = this.#change(run.id, { ...change, ended: this.#options.clock.now() });
    this.#beginWaiting();
    this.#options.onEnded(ended);
    for (const resolve of this.#waiting.get(run.id) ?? []) resolve(ended);
    this.#waiting.delete(run.id);
  }
}

const primaryOf = ({ destinations }: Plan): string => destinations.find(({ role }) => role === 'primary')!.destination;

function errorOf(error: HoldfastError): RunError {
  const { code, message, guidance, context, retryable } = error.toJSON();
  const plain = Object.fromEntries(Object.entries(context).filter(([, value]) => value !== undefined)) as RunError['context'];
  return { code, message, guidance, context: plain, retryable };
}
