/** The work of one run, from opening its destination to how it ended. */
import { type HoldfastError, hasCode, isDestinationError, toHoldfastError } from '../../contract/errors.ts';
import { retentionOn } from '../../contract/plan.ts';
import type { LogLine, Run, RunError, RunProblem } from '../../contract/run.ts';
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
import { backUp } from './backup-job.ts';
import type { ResidentIndexes } from './resident-indexes.ts';
import { PruneTimes } from './prune-times.ts';

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
  /** Told of what could not be stored. */
  readonly onDefect: (error: unknown) => void;
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
  { clock, state, destinations, identity, settingsCopy, leftOut, takeJournal, indexes, writeSettingsCopy, onDefect }: WorkOptions,
  onProgress: (progress: Progress) => void,
): Promise<Outcome> {
  /** What is noted beside a backup costs no backup. */
  const quietly = (store: () => void): void => {
    try {
      store();
    } catch (error) {
      onDefect(error);
    }
  };
  const log = (level: LogLine['level'], text: string): void => quietly(() => state.runs.log(run.id, { at: clock.now(), level, text }));
  const pruneTimes = new PruneTimes(state, clock);
  const threads = state.settings().threads ?? undefined;
  const options: RunOptions = { control, clock, holder: { ...identity, pid: process.pid }, onProgress, threads };
  const destination = run.destination!;
  const journal = takeJournal(run, [settingsCopy]);
  try {
    const plan = state.plan(run.plan!);
    try {
      writeSettingsCopy();
    } catch (error) {
      log('warning', `Plans and history could not be copied for this backup (${(error as Error).message}); an older copy goes along.`);
    }
    const repository = await destinations.open(destination, {
      signal: control.signal,
      onRetry: ({ error, waitMs }) => log('warning', `${error.message} It is tried again in ${Math.round(waitMs / 1000)} seconds.`),
      onNote: (text) => log('info', text),
    });
    try {
      await control.checkpointAsync();
      const strategy = run.strategy ?? 'incremental';
      const pinned = (): ((snapshot: Snapshot) => boolean) => {
        const notes = new Notes(recallNotes(state));
        return (snapshot) => notes.isPinned(snapshot);
      };
      const resident = repository.storage.localPath ? indexes.of(destination) : undefined;
      const retention = retentionOn(plan, destination);
      const job = {
        plan,
        retention,
        strategy,
        settingsCopy,
        leftOut,
        identity,
        journal,
        resident,
        prune: pruneTimes.isDue(destination),
        pinned,
      };
      const outcome = await backUp(repository, job, options, log);
      quietly(() => pruneTimes.note(destination, outcome.retention));
      const { snapshot, figures, problems, hasWarnings } = outcome;
      const status = hasWarnings ? 'completed-with-warnings' : 'succeeded';
      return { change: { status, snapshot, figures, strategy: outcome.strategy }, problems };
    } finally {
      await repository.storage.close().catch(() => {});
    }
  } catch (thrown) {
    const error = toHoldfastError(thrown);
    if (hasCode(error, 'cancelled') && control.isCancelled) return withoutProblems({ status: 'cancelled', error: errorOf(error) });
    log('error', `${error.message} ${error.guidance}`);
    if (isDestinationError(error)) destinations.failed(destination, error);
    if (hasCode(error, 'destination-not-plugged-in'))
      return withoutProblems({ status: 'skipped', reason: 'not-plugged-in', error: errorOf(error) });
    return failed(error);
  } finally {
    journal.failed();
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
