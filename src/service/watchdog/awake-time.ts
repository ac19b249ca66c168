/**
 * Time in which this process was awake itself. It is counted in steps by a ticker; one that comes late (the computer slept, this process was
 * stopped, everything crawled) counts no more than a step that is on time, so that nobody is blamed for it. Which clocks stand still in
 * standby differs by system; this does not rely on it.
 */
import type { Clock } from '../../platform/clock.ts';

export class AwakeTime {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #longestStep: number;
  #last: number;

  /** @param longestStep milliseconds */
  constructor(clock: Pick<Clock, 'monotonic'>, longestStep: number) {
    this.#clock = clock;
    this.#longestStep = longestStep;
    this.#last = clock.monotonic();
  }

  /** Milliseconds since the last call. */
  pass(): number {
    const now = this.#clock.monotonic();
    const step = Math.min(now - this.#last, this.#longestStep);
    this.#last = now;
    return step;
  }
}
