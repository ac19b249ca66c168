import { unlessCancelled } from '../../src/platform/cancellation.ts';
import type { Clock } from '../../src/platform/clock.ts';

/**
 * A clock that holds runs at work, however fast the computer is: until `release` is called no lock settles, and before one has no run
 * ends. What is asked of a run meanwhile meets it alive.
 */
export function holdingClock(clock: Clock): { readonly clock: Clock; release(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const sleep: Clock['sleep'] = (ms, signal) => (ms <= 1000 ? unlessCancelled(promise, signal) : clock.sleep(ms, signal));
  return { clock: { ...clock, sleep }, release: resolve };
}
