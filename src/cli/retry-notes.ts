/** What a person is told while a destination does not answer as it should. */
import type { Clock } from '../platform/clock.ts';
import type { Retry } from '../storage/retrying.ts';
import type { Output } from './output.ts';
import { counted } from '../platform/sizes.ts';

/** Waits below this are nothing to talk about. */
const silentMs = 1500;
/** Many calls fail together when a network does: one remark for all of them. */
const quietMs = 10_000;

/** For RetryingStorage's `onRetry`. */
export function retryNotes(output: Pick<Output, 'note'>, clock: Pick<Clock, 'monotonic'>): (retry: Retry) => void {
  let told = Number.NEGATIVE_INFINITY;
  return ({ operation, file, error, waitMs }) => {
    const now = clock.monotonic();
    if (waitMs < silentMs || now - told < quietMs) return;
    told = now;
    const why = String(error.context.cause ?? error.message);
    output.note(`To ${operation} ${file} failed (${why}). It is tried again in ${counted(Math.round(waitMs / 1000), 'second')}.`);
  };
}
