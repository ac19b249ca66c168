/** The work of one run, from opening its destination to how it ended; where one fails the next takes over (failover.ts). */
import { thisComputer } from '../../contract/destination.ts';
import { hasCode, HoldfastError, isDestinationError, isFaultOfPlace, toHoldfastError } from '../../contract/errors.ts';
import { type Plan, retentionOn } from '../../contract/plan.ts';
import type { LogLine, Run, RunError, RunProblem, Takeover } from '../../contract/run.ts';
import { HandOver } from '../../engine/backup/hand-over.ts';
import type { Progress, RunOptions } from '../../engine/run.ts';
import type { RunControl } from '../../platform/cancellation.ts';
import type { Clock } from '../../platform/clock.ts';
import type { HostIdentity } from '../../platform/host.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import type { Destinations } from '../destinations/destinations.ts';
import { Notes, recallNotes } from '../library/notes.ts';
import type { RunChange } from '../state/runs.ts';
import type { StateStore } from '../state/store.ts';
import type { RunJournal } from '../watch/run-journal.ts';
import { backUp, type Log } from './backup-job.ts';
import { candidatesOf, onFirstThatServes } from './failover.ts';
import type { ResidentIndexes } from './resident-indexes.ts';
import { PruneTimes } from './prune-times.ts';
import type { Spared } from './retain.ts';

export interface WorkOptions {
  readonly clock: Clock;
  readonly state: StateStore;
  readonly destinations: Destinations;
  readonly identity: HostIdentity;
  /** Where the copy of the settings is, which each backup takes along. */
  readonly settingsCopy: string;
  /** Folders and files of the service's own that go into no backup: they change all the time, and the copy of the settings has what counts. */
  readonly leftOut: readonly string[];
  /** What is known of changes in the sources of the run's plan; to be asked for before anything of them is read. */
  readonly takeJournal: (run: Run, besides: readonly string[]) => RunJournal;
  readonly indexes: ResidentIndexes;
  /** Writes the copy of the settings anew. What it throws costs no backup. */
  readonly writeSettingsCopy: () => void;
  /** What a destination holds turned out to be damaged. */
  readonly onDamage: (destination: string) => void;
  /** Which of the plan's old snapshots on this destination stay, since others have still to be given them. */
  readonly spare: (plan: Plan, destination: string, going: readonly Snapshot[], here: readonly Snapshot[]) => Spared;
  /** Told of what could not be stored. */
  readonly onDefect: (error: unknown) => void;
}

/** What the desk does for a run at work. */
export interface DeskSide {
  /** Resolves when the run may work on another destination, after `takeovers`. Throws `cancelled`. */
  moveTo(destination: string, takeovers: readonly Takeover[]): Promise<void>;
}

/** How a run ended. */
export interface Outcome {
  readonly change: RunChange;
  readonly problems: readonly RunProblem[];
}

/** Never throws but what the state does when it is read. */
export async function workOn(
  run: Run,
  control: RunControl,
  options: WorkOptions,
  desk: DeskSide,
  onProgress: (progress: Progress) => void,
): Promise<Outcome> {
  const { clock, state, destinations, writeSettingsCopy, onDefect } = options;
  const log = (level: LogLine['level'], text: string): void =>
    quietly(onDefect, () => state.runs.log(run.id, { at: clock.now(), level, text }));
  const takeovers: Takeover[] = [];
  const journals: RunJournal[] = [];
  const nameOf = (id: string): string =>
    state.destinations().find((each) => each.id === id)?.name ?? (id === thisComputer ? 'This computer' : id);
  try {
    const plan = state.plan(run.plan!);
    try {
      writeSettingsCopy();
    } catch (error) {
      log('warning', `Plans and history could not be copied for this backup (${(error as Error).message}); an older copy goes along.`);
    }
    let place = run.destination!;
    const candidates = candidatesOf(run, plan);
    const handOver = candidates.length > 1 ? new HandOver() : undefined;
    const outcome = await onFirstThatServes({
      plan: plan.name,
      candidates,
      nameOf,
      refusal: (id) => refusalOf(id, destinations),
      work: async (destination, hasStandby) => {
        await control.checkpointAsync();
        if (destination === thisComputer) await destinations.makeOnThisComputer();
        if (destination !== place) await desk.moveTo(destination, takeovers);
        place = destination;
        const attempt: Attempt = { handOver, run, plan, destination, hasStandby, control, journals, log, onProgress };
        return attemptOn(attempt, options);
      },
      onTakeover: (from, to, error) => {
        takeovers.push({ from, to, fromName: nameOf(from), toName: nameOf(to), at: clock.now(), error: errorOf(error) });
        log('warning', `${error.message} “${nameOf(to)}” takes over from “${nameOf(from)}”.`);
      },
    });
    // What changed is in the snapshot that was made, though not where it was to be: that starts no other run.
    for (const journal of journals) journal.failed(true);
    return outcome;
  } catch (thrown) {
    const error = toHoldfastError(thrown);
    const told = takeovers.length > 0 ? { takeovers } : {};
    if (control.isCancelled) return withoutProblems({ status: 'cancelled', error: errorOf(new HoldfastError('cancelled')), ...told });
    log('error', `${error.message} ${error.guidance}`);
    if (hasCode(error, 'destination-not-plugged-in'))
      return withoutProblems({ status: 'skipped', reason: 'not-plugged-in', error: errorOf(error), ...told });
    return withoutProblems({ status: 'failed', error: errorOf(error), ...told });
  } finally {
    for (const journal of journals) journal.failed();
  }
}

/** What is noted beside a backup costs no backup. */
function quietly(onDefect: WorkOptions['onDefect'], store: () => void): void {
  try {
    store();
  } catch (error) {
    onDefect(error);
  }
}

/** Of one that has failed lately. */
function refusalOf(id: string, destinations: Pick<Destinations, 'breaker' | 'views'>): HoldfastError | undefined {
  if (destinations.breaker.allows(id)) return undefined;
  const view = destinations.views().find((each) => each.id === id);
  const cause = view?.now.state === 'failing' ? view.now.message.replace(/[.]$/, '') : undefined;
  return new HoldfastError('destination-resting', { name: view?.name ?? id, ...(cause ? { cause } : {}) });
}

/** One destination's part of a run. */
interface Attempt {
  readonly run: Run;
  readonly plan: Plan;
  readonly destination: string;
  readonly hasStandby: boolean;
  readonly handOver: HandOver | undefined;
  readonly control: RunControl;
  /** Those that the run has taken. */
  readonly journals: RunJournal[];
  readonly log: Log;
  readonly onProgress: (progress: Progress) => void;
}

async function attemptOn(
  { run, plan, destination, hasStandby, handOver, control, journals, log, onProgress }: Attempt,
  options: WorkOptions,
): Promise<Outcome> {
  const { clock, state, destinations, identity, settingsCopy, leftOut, takeJournal, indexes, spare, onDefect } = options;
  const pruneTimes = new PruneTimes(state, clock);
  const threads = state.settings().threads ?? undefined;
  // What goes wrong with this destination ends its part alone.
  const part = control.part();
  const runOptions: RunOptions = { control: part, clock, holder: { ...identity, pid: process.pid }, onProgress, threads };
  const journal = takeJournal({ ...run, destination }, [settingsCopy]);
  journals.push(journal);
  try {
    const repository = await destinations.open(destination, {
      signal: part.signal,
      hasStandby,
      onRetry: ({ error, waitMs }) => log('warning', `${error.message} It is tried again in ${Math.round(waitMs / 1000)} seconds.`),
      onNote: (text) => log('info', text),
    });
    try {
      await part.checkpointAsync();
      const strategy = run.strategy ?? 'incremental';
      const pinned = (): ((snapshot: Snapshot) => boolean) => {
        const notes = new Notes(recallNotes(state));
        return (snapshot) => notes.isPinned(snapshot);
      };
      const resident = repository.storage.localPath ? indexes.of(destination) : undefined;
      const job = {
        plan,
        retention: retentionOn(plan, destination),
        strategy,
        settingsCopy,
        leftOut,
        identity,
        journal,
        resident,
        handOver,
        prune: pruneTimes.isDue(destination),
        pinned,
        spare: (going: readonly Snapshot[], here: readonly Snapshot[]) => spare(plan, destination, going, here),
      };
      const outcome = await backUp(repository, job, runOptions, log);
      quietly(onDefect, () => pruneTimes.note(destination, outcome.retention));
      if (outcome.isDamaged) options.onDamage(destination);
      const { snapshot, figures, problems, hasWarnings } = outcome;
      const status = hasWarnings ? 'completed-with-warnings' : 'succeeded';
      return { change: { status, snapshot, figures, strategy: outcome.strategy }, problems };
    } finally {
      await repository.storage.close().catch(() => {});
    }
  } catch (thrown) {
    const error = toHoldfastError(thrown);
    if (!control.isCancelled) {
      if (isDestinationError(error)) destinations.failed(destination, error);
      else if (isFaultOfPlace(error)) destinations.breaker.failed(destination);
    }
    throw error;
  } finally {
    part.release();
  }
}

const withoutProblems = (change: RunChange): Outcome => ({ change, problems: [] });
export const failed = (error: HoldfastError): Outcome => withoutProblems({ status: 'failed', error: errorOf(error) });

/** As it is stored. */
export function errorOf(error: HoldfastError): RunError {
  const { code, message, guidance, context, retryable } = error.toJSON();
  const plain = Object.fromEntries(Object.entries(context).filter(([, value]) => value !== undefined)) as RunError['context'];
  return { code, message, guidance, context: plain, retryable };
}
