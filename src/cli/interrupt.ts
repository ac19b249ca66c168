/** Ctrl-C, and the other ways in which a system asks a program to end. */
import type { RunControl } from '../platform/cancellation.ts';
import { exitAtOnce } from '../platform/exit.ts';
import { exitCodes } from './exit-codes.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Listening until `stop` is called. */
export interface Interrupts {
  /** Whether the person asked for the end; a run also cancels itself when a part of it fails. */
  readonly asked: boolean;
  stop(): void;
}

/**
 * The first signal cancels the run, which then ends by itself; the second ends the process at once. Whatever moment that
 * is, the repository is whole: the next run removes the lock and takes over what is stored.
 *
 * @param say called once, when the first signal came
 */
export function listenForInterrupts(control: RunControl, say: () => void): Interrupts {
  let asked = false;
  const listener = (): void => {
    if (asked) exitAtOnce(exitCodes.cancelled);
    asked = true;
    say();
    control.cancel();
  };
  for (const signal of signals) process.on(signal, listener);
  return {
    get asked() {
      return asked;
    },
    stop() {
      for (const signal of signals) process.off(signal, listener);
    },
  };
}
