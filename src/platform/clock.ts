/**
 * The only module that touches real time. Everything else is given a {@link Clock}, so that tests decide what time it is.
 *
 * Three clocks, because they answer different questions:
 * - *wall time* (`now`) is what a person's clock shows. It can jump either way: standby, a changed clock, a time server.
 * - *monotonic time* (`monotonic`) measures durations. It never goes back, and on Linux and macOS it stands still in standby.
 * - *time since boot* (`sinceBoot`) goes on in standby. What wall time does that it does not, somebody has set.
 */
import { uptime } from 'node:os';
import { HoldfastError } from '../contract/errors.ts';

export interface Clock {
  /** Wall time in whole milliseconds since 1970 (UTC). May jump forward and backward. */
  now(): number;

  /** Milliseconds, with a fraction, since an arbitrary start. Never goes back. For durations only. */
  monotonic(): number;

  /** Milliseconds since the computer was started, standby included; to 10 ms. Begins anew with each boot. */
  sinceBoot(): number;

  /**
   * Resolves after at least `ms` milliseconds of monotonic time (zero or less: in the next turn; Infinity: never).
   * Keeps the process alive meanwhile. When `signal` is aborted, before or during the wait, it rejects with `cancelled`;
   * neither a timer nor a listener is left behind, however it ends.
   * Rejects with a RangeError when `ms` is not a number.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;

  /**
   * Calls `fn` every `ms` milliseconds of monotonic time, first after `ms`. Does not keep the process alive. What `fn` throws is an
   * uncaught exception; the calls go on. Returns the function that stops it (also from within `fn`, and more than once).
   * @throws RangeError when `ms` is not a positive number
   */
  every(ms: number, fn: () => void): () => void;
}

/** Node turns a longer delay into 1 ms, so longer ones are made of pieces. */
const longestTimerMs = 2 ** 31 - 1;

/** One call of `fn` after `ms`, of any length. Returns the function that cancels it. */
function after(ms: number, fn: () => void, keepAlive: boolean): () => void {
  let remaining = Math.max(0, ms);
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const piece = Math.min(remaining, longestTimerMs);
    remaining -= piece;
    timer = setTimeout(remaining > 0 ? arm : fn, piece);
    if (!keepAlive) timer.unref();
  };
  arm();
  return () => clearTimeout(timer);
}

/** Resolves in the event loop's next turn: what was ready before has run by then. No time is meant to pass. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

export const systemClock: Clock = {
  now: () => Date.now(),

  monotonic: () => performance.now(),

  sinceBoot: () => uptime() * 1000,

  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (Number.isNaN(ms)) throw new RangeError('sleep: ms is not a number');
      const cancelled = (): void => {
        cancelTimer();
        reject(new HoldfastError('cancelled'));
      };
      if (signal?.aborted) {
        reject(new HoldfastError('cancelled'));
        return;
      }
      const cancelTimer = after(
        ms,
        () => {
          signal?.removeEventListener('abort', cancelled);
          resolve();
        },
        true,
      );
      signal?.addEventListener('abort', cancelled, { once: true });
    });
  },

  every(ms, fn) {
    if (!(ms > 0)) throw new RangeError('every: ms is not a positive number');
    let cancelTimer: () => void;
    const tick = (): void => {
      cancelTimer = after(ms, tick, false);
      fn();
    };
    cancelTimer = after(ms, tick, false);
    return () => cancelTimer();
  },
};
