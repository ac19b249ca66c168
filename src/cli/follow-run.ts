/** Waits for the end of a run of the service, with its progress, and tells how it ended. */
import { fail } from '../contract/errors.ts';
import type { Run } from '../contract/run.ts';
import type { Phase } from '../engine/run.ts';
import type { ServiceClient } from '../service/rpc/client.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { Invocation } from './run-verb.ts';
import { runLines } from './run-text.ts';

/**
 * Starts a run with `begin` and, with `wait`, waits for its end. Throws what `begin` throws, `service-lost`, `cancelled`: the run itself
 * goes on.
 */
export async function startAndFollow(
  client: ServiceClient,
  { output, control }: Invocation,
  wait: boolean,
  begin: () => Promise<Run>,
): Promise<ExitCode> {
  // Before it starts, so that nothing of it is missed.
  const events = wait ? await client.events({}, { signal: control.signal }) : undefined;
  const begun = await begin();
  if (!events) {
    output.lines(`Run ${begun.id} was started.`);
    output.object('run', begun);
    return exitCodes.done;
  }
  const tell = (ended: Run): ExitCode => {
    output.endProgress();
    output.lines(...runLines(ended));
    output.object('run', ended);
    return codeOf(ended);
  };
  // One that was begun before somebody looked.
  const now = await client.runs.get({ id: begun.id });
  if (now.ended !== null) return tell(now);
  for await (const { event } of events) {
    if (event.type === 'progress' && event.progress.run === begun.id)
      output.progress?.({
        totalItems: undefined,
        totalBytes: undefined,
        secondsLeft: undefined,
        ...event.progress,
        path: event.progress.path ?? '',
        bytesPerSecond: event.progress.bytesPerSecond ?? 0,
        phase: phaseOf(begun.kind),
      });
    const ended = event.type === 'run' && event.run.id === begun.id && event.run.ended !== null ? event.run : undefined;
    if (ended) return tell(ended);
  }
  return fail('service-lost');
}

/** What the progress says that is done. */
function phaseOf(kind: Run['kind']): Phase {
  if (kind === 'backup') return 'backing-up';
  if (kind === 'move') return 'moving';
  return kind === 'heal' ? 'healing' : 'copying';
}

function codeOf({ status }: Run): ExitCode {
  if (status === 'succeeded') return exitCodes.done;
  if (status === 'completed-with-warnings') return exitCodes.incomplete;
  return status === 'cancelled' ? exitCodes.cancelled : exitCodes.failed;
}
