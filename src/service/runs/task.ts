/** The work of a run that is no backup, and how its end is told. */
import { hasCode, toHoldfastError } from '../../contract/errors.ts';
import type { LogLine, Run } from '../../contract/run.ts';
import type { Progress, RunOptions } from '../../engine/run.ts';
import type { RunControl } from '../../platform/cancellation.ts';
import type { Log } from './backup-job.ts';
import { errorOf, failed, type Outcome, type WorkOptions } from './work.ts';

export interface TaskJob {
  readonly run: Run;
  /** For the engine. */
  readonly options: RunOptions;
  readonly log: Log;
}

/** What it throws is how the run ended. */
export type Work = (job: TaskJob) => Promise<Outcome>;

/** Never throws but what the state does when it is read. */
export async function workOnTask(
  work: Work,
  run: Run,
  control: RunControl,
  { clock, state, identity, onDefect }: Pick<WorkOptions, 'clock' | 'state' | 'identity' | 'onDefect'>,
  onProgress: (progress: Progress) => void,
): Promise<Outcome> {
  const log = (level: LogLine['level'], text: string): void => {
    try {
      state.runs.log(run.id, { at: clock.now(), level, text });
    } catch (error) {
      // What is noted beside the work costs no work.
      onDefect(error);
    }
  };
  const threads = state.settings().threads ?? undefined;
  try {
    return await work({ run, options: { control, clock, holder: { ...identity, pid: process.pid }, onProgress, threads }, log });
  } catch (thrown) {
    const error = toHoldfastError(thrown);
    if (hasCode(error, 'cancelled') && control.isCancelled) return { change: { status: 'cancelled', error: errorOf(error) }, problems: [] };
    log('error', `${error.message} ${error.guidance}`);
    return failed(error);
  }
}
