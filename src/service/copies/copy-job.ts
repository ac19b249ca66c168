/**
 * The work of a copy run: gives one destination what it is owed of a plan, from whatever destination can be read; then forgets there what
 * the plan does not keep there. What is owed is found out anew when it begins, so that a run which was cut off is simply begun again: blobs
 * that have arrived are not sent twice, and a snapshot counts as copied only when it is stored.
 */
import { z } from 'zod';
import { hasCode, type HoldfastError, isDestinationError, toHoldfastError } from '../../contract/errors.ts';
import { type Plan, retentionOn } from '../../contract/plan.ts';
import type { RunProblem } from '../../contract/run.ts';
import type { Finding } from '../../engine/check/finding.ts';
import { originalOf } from '../../engine/copy/copies.ts';
import { type CopyResult, executeCopy } from '../../engine/copy/copy.ts';
import type { RunControl } from '../../platform/cancellation.ts';
import { counted, formatBytes } from '../../platform/sizes.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import type { Destinations } from '../destinations/destinations.ts';
import { Notes, recallNotes } from '../library/notes.ts';
import type { Common } from '../parts.ts';
import { PruneTimes } from '../runs/prune-times.ts';
import { retain } from '../runs/retain.ts';
import type { TaskJob } from '../runs/task.ts';
import type { Outcome, WorkOptions } from '../runs/work.ts';
import { noteGiven } from './given.ts';
import { ofPlan } from './holdings-of.ts';
import { type OwedSnapshot, timeOf } from './owed.ts';

/** `all`: also what is not due yet, since a person wants it now. */
export const copyRequestSchema = z.strictObject({ all: z.boolean() });

/** What the engine does for a copy. */
export interface CopyEngine {
  readonly executeCopy: typeof executeCopy;
  readonly retain: typeof retain;
}

export const copyEngine: CopyEngine = { executeCopy, retain };

export interface CopyJobOptions extends Pick<Common, 'state' | 'clock'> {
  readonly destinations: Pick<Destinations, 'open' | 'failed'>;
  /** What the destination is owed, its list being `here`; sources among `without` are of no use. */
  readonly owed: (plan: Plan, target: string, here: readonly Snapshot[], without: Unusable) => OwedSnapshot[];
  readonly engine: CopyEngine;
  /** The order in which destinations are read from: the first comes first. */
  readonly rank: (destination: string) => number;
  readonly spare: WorkOptions['spare'];
  /** Aborted when a backup wants the destination: it comes first. */
  readonly gaveWay: (run: number) => AbortSignal;
  readonly onStored: (target: string, original: string) => void;
  /** A source does not hold any more what it was thought to. */
  readonly onGone: (source: string) => void;
  /** A snapshot cannot be read at a source. */
  readonly onDamaged: (source: string, original: string) => void;
}

/** What a run has learned of its sources. */
export interface Unusable {
  readonly sources: ReadonlySet<string>;
  /** `source original` */
  readonly snapshots: ReadonlySet<string>;
}

export async function workOnCopy(job: TaskJob, options: CopyJobOptions): Promise<Outcome> {
  const { run, log } = job;
  const { state, destinations } = options;
  const plan = state.plan(run.plan!);
  const target = run.destination!;
  const { all } = copyRequestSchema.parse(state.runDetails.request(run.id));
  const how = {
    signal: job.options.control.signal,
    onRetry: ({ error, waitMs }: { error: HoldfastError; waitMs: number }): void =>
      log('warning', `${error.message} It is tried again in ${Math.round(waitMs / 1000)} seconds.`),
    onNote: (text: string): void => log('info', text),
    // A backup may be waiting for the destination: one that does not answer is given up soon, and tried again later.
    hasStandby: true,
  };
  const repository = await destinations.open(target, how);
  try {
    const copying = new Copying(job, options, { plan, target, all, repository, open: (id) => destinations.open(id, how) });
    await copying.run();
    if (copying.isCutShort) log('info', 'A backup wants this destination and comes first; the copy goes on after it.');
    else await copying.forgetOld();
    return copying.outcome();
  } catch (error) {
    const known = toHoldfastError(error);
    if (isDestinationError(known)) destinations.failed(target, known);
    throw error;
  } finally {
    await repository.storage.close().catch(() => {});
  }
}

interface Ends {
  readonly plan: Plan;
  readonly target: string;
  readonly all: boolean;
  readonly repository: Repository;
  readonly open: (source: string) => Promise<Repository>;
}

class Copying {
  readonly #job: TaskJob;
  readonly #options: CopyJobOptions;
  readonly #ends: Ends;
  readonly #badSources = new Set<string>();
  readonly #badSnapshots = new Set<string>();
  readonly #problems = new Map<string, RunProblem>();
  readonly #done = new Set<string>();
  #failure: HoldfastError | undefined;
  #newest: Snapshot | undefined;
  #copyId: string | null = null;
  #bytes = 0;
  #storedBytes = 0;
  #hasWarnings = false;
  isCutShort = false;

  constructor(job: TaskJob, options: CopyJobOptions, ends: Ends) {
    this.#job = job;
    this.#options = options;
    this.#ends = ends;
  }

  /** One source after the other, until nothing is left that can be copied. */
  async run(): Promise<void> {
    const { plan, repository, all, target } = this.#ends;
    const { clock, owed, gaveWay } = this.#options;
    const way = gaveWay(this.#job.run.id);
    for (;;) {
      await this.#job.options.control.checkpointAsync();
      if (way.aborted) {
        this.isCutShort = true;
        return;
      }
      const here = ofPlan(plan, await repository.snapshots(() => {}));
      const wanted = owed(plan, target, here, { sources: this.#badSources, snapshots: this.#badSnapshots }).filter(
        ({ original, dueAt }) => !this.#done.has(original) && (all || dueAt <= clock.now()),
      );
      const source = this.#sourceFor(wanted);
      if (source === undefined) break;
      await this.#from(
        source,
        wanted.filter(({ sources }) => sources.includes(source)),
        way,
      );
    }
    // Somebody has it, and nobody could be read.
    if (this.#failure && this.#done.size === 0) throw this.#failure;
    if (this.#failure) this.#hasWarnings = true;
  }

  /** The one that is read best of those that hold the oldest. */
  #sourceFor([first]: readonly OwedSnapshot[]): string | undefined {
    return first?.sources.toSorted((a, b) => this.#options.rank(a) - this.#options.rank(b))[0];
  }

  async #from(source: string, wanted: readonly OwedSnapshot[], way: AbortSignal): Promise<void> {
    const { log, options: engine } = this.#job;
    const name = this.#nameOf(source);
    let repository: Repository;
    try {
      repository = await this.#ends.open(source);
    } catch (thrown) {
      return this.#giveUp(source, toHoldfastError(thrown));
    }
    // The engine cancels what it is given when its work fails, and a backup that comes first ends this part alone.
    const control = engine.control.part();
    const cancel = (): void => control.cancel();
    way.addEventListener('abort', cancel, { once: true });
    if (way.aborted) cancel();
    try {
      log('info', `Copying ${counted(wanted.length, 'snapshot')} from “${name}”.`);
      this.#note(await this.#copy(repository, wanted, control), source, wanted);
    } catch (thrown) {
      const error = toHoldfastError(thrown);
      if (hasCode(error, 'cancelled')) {
        await engine.control.checkpointAsync();
        if (way.aborted) return;
        throw error;
      }
      // Which of the two it was, each says for itself.
      if ((await repository.answers()) || !(await this.#ends.repository.answers())) throw error;
      this.#giveUp(source, error);
    } finally {
      way.removeEventListener('abort', cancel);
      control.release();
      await repository.storage.close().catch(() => {});
    }
  }

  async #copy(source: Repository, wanted: readonly OwedSnapshot[], control: RunControl): Promise<CopyResult> {
    const { repository: target, plan } = this.#ends;
    const originals = new Set(wanted.map(({ original }) => original));
    // Not by their names: what is gone there by now would be missed.
    const filter = (snapshot: Snapshot): boolean => originals.has(originalOf(snapshot)) && ofPlan(plan, [snapshot]).length === 1;
    return this.#options.engine.executeCopy(
      { source, target },
      { filter },
      { ...this.#job.options, control, onPlan: (found) => this.#tellPlan(found), onCopied: (copied) => this.#noteCopied(copied) },
    );
  }

  #tellPlan({ cutsAnew, bytes, blobs }: CopyResult['plan']): void {
    const { log } = this.#job;
    log('info', `${formatBytes(bytes)} in ${counted(blobs, 'blob')} are not there yet.`);
    this.#bytes += bytes;
    if (cutsAnew) log('info', 'This destination cuts files at other places, so that contents are stored anew there: more has to be moved.');
  }

  #noteCopied({ snapshot, copy }: CopyResult['copied'][number]): void {
    const { plan, target } = this.#ends;
    this.#done.add(originalOf(snapshot));
    if (!this.#newest || timeOf(snapshot) >= timeOf(this.#newest)) {
      this.#newest = snapshot;
      this.#copyId = copy;
    }
    this.#options.onStored(target, originalOf(snapshot));
    noteGiven(this.#options.state, plan.id, target, timeOf(snapshot));
    this.#job.log('info', `Snapshot ${copy.slice(0, 8)} of ${snapshot.time.slice(0, 16).replace('T', ' ')} is stored.`);
  }

  #note({ damaged, damage, storedBytes, copied, plan }: CopyResult, source: string, wanted: readonly OwedSnapshot[]): void {
    const { log } = this.#job;
    const name = this.#nameOf(source);
    this.#storedBytes += storedBytes;
    for (const { snapshot } of plan.snapshots.filter(({ action }) => action === 'present')) this.#done.add(originalOf(snapshot));
    for (const text of damage.map(damageText)) log('warning', `“${name}”: ${text}`);
    const bad = new Set(damaged.map(originalOf));
    for (const { original, snapshot, sources } of wanted) {
      if (this.#done.has(original)) {
        this.#problems.delete(original);
        continue;
      }
      // Damaged there, or gone since: another may have it.
      this.#badSnapshots.add(`${source} ${original}`);
      if (!bad.has(original)) {
        this.#options.onGone(source);
        continue;
      }
      this.#options.onDamaged(source, original);
      const path = `snapshot ${snapshot.id.slice(0, 8)}`;
      const message = `It is damaged on “${name}”${sources.length > 1 ? '' : ', and no other destination has it'}.`;
      this.#problems.set(original, { path, code: 'damaged', message });
    }
    if (copied.length > 0) log('info', `${counted(copied.length, 'snapshot')} copied; ${formatBytes(storedBytes)} moved.`);
  }

  #giveUp(source: string, error: HoldfastError): void {
    if (hasCode(error, 'cancelled')) throw error;
    this.#badSources.add(source);
    this.#failure = error;
    if (isDestinationError(error)) this.#options.destinations.failed(source, error);
    this.#job.log('warning', `“${this.#nameOf(source)}” cannot be read. ${error.message}`);
  }

  async forgetOld(): Promise<void> {
    const { plan, target, repository } = this.#ends;
    const { state, clock, spare } = this.#options;
    const pruneTimes = new PruneTimes(state, clock);
    const notes = new Notes(recallNotes(state));
    const retained = await this.#options.engine.retain(
      repository,
      {
        plan: plan.id,
        retention: retentionOn(plan, target),
        prune: pruneTimes.isDue(target),
        pinned: () => (snapshot) => notes.isPinned(snapshot),
        spare: (going, here) => spare(plan, target, going, here),
      },
      this.#job.options,
      this.#job.log,
    );
    if (!retained.isFine) this.#hasWarnings = true;
    try {
      pruneTimes.note(target, retained);
    } catch (error) {
      this.#job.log('warning', toHoldfastError(error).message);
    }
  }

  outcome(): Outcome {
    const problems = [...this.#problems.values()];
    const figures = { files: 0, bytes: 0, filesNew: 0, filesChanged: 0, filesUnchanged: 0 };
    return {
      change: {
        status: this.#hasWarnings || problems.length > 0 ? 'completed-with-warnings' : 'succeeded',
        snapshot: this.#copyId,
        figures: { ...figures, bytesAdded: this.#bytes, bytesStored: this.#storedBytes, copied: this.#done.size },
      },
      problems,
    };
  }

  #nameOf(id: string): string {
    return this.#options.state.destinations().find((each) => each.id === id)?.name ?? id;
  }
}

/** With the first of the files that it harms. */
const damageText = ({ message, paths }: Finding): string => (paths.length > 0 ? `${message} (${paths[0]})` : message);
