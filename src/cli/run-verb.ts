/**
 * What all verbs have in common: how a run begins, how it is cancelled, how it ends. A verb is a function that returns an
 * exit code or throws; it never ends the process.
 */
import { HoldfastError, hasCode, toHoldfastError } from '../contract/errors.ts';
import { RunControl } from '../platform/cancellation.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import type { RunOptions } from '../engine/run.ts';
import { type HostIdentity, hostIdentity } from '../platform/host.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.ts';
import { listenForInterrupts } from './interrupt.ts';
import { Output } from './output.ts';
import { ReaderGone } from './sink.ts';

/** Options that stand before or behind the verb. */
export interface GlobalOptions {
  readonly repo?: string;
  readonly passwordFile?: string;
  readonly credentialsFile?: string;
  readonly json?: boolean;
  readonly limitUpload?: string;
  readonly limitDownload?: string;
  /** False when it was refused. */
  readonly cache?: boolean;
}

/** One run of a verb. */
export interface Invocation {
  readonly globals: GlobalOptions;
  readonly output: Output;
  readonly control: RunControl;
  readonly clock: Clock;
  readonly identity: HostIdentity;
  readonly env: NodeJS.ProcessEnv;
  /** For the engine. */
  readonly options: RunOptions;
}

export type Verb = (invocation: Invocation) => Promise<ExitCode>;

export interface VerbFacts {
  /** What a cancelled run leaves behind, for the person who cancelled it. */
  readonly whenCancelled: string;
}

export const cancelledReading: VerbFacts = { whenCancelled: 'Cancelled. Nothing was changed.' };

/** Runs a verb to its end and tells how it ended. Never throws. */
export async function runVerb(globals: GlobalOptions, { whenCancelled }: VerbFacts, verb: Verb): Promise<ExitCode> {
  const { env } = process;
  const output = new Output({ json: globals.json === true, stdout: process.stdout, stderr: process.stderr, env });
  const control = new RunControl();
  const clock = systemClock;
  let isInterrupted = false;
  const interrupts = listenForInterrupts(control, () => {
    isInterrupted = true;
    if (!output.json) output.note('Stopping… (again to stop at once)');
  });
  try {
    const identity = hostIdentity();
    const options: RunOptions = { control, clock, holder: { ...identity, pid: process.pid }, onProgress: output.progress };
    return await verb({ globals, output, control, clock, identity, env, options });
  } catch (thrown) {
    if (thrown instanceof ReaderGone) return exitCodes.done;
    const error = toHoldfastError(thrown);
    // What fails because a person stops everything is no news. (The engine cancels the control by itself when a run fails.)
    const ended = isInterrupted && error.code === 'internal' ? new HoldfastError('cancelled', {}, { cause: error }) : error;
    output.error(ended, hasCode(ended, 'cancelled') ? whenCancelled : undefined);
    return exitCodeOf(ended.code);
  } finally {
    control.release();
    await output.flush();
    interrupts.stop();
  }
}
