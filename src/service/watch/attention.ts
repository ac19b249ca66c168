/** Notices when this process did not look for a while, and when somebody set the clock. */
import type { Clock } from '../../platform/clock.ts';
import type { DirtyFolders } from './dirty-folders.ts';

export const tickPeriod = 500;
/** Longer than this behind its time a tick shows that everything here was held up. */
const stalledAfter = 1000;
/** Time since boot is exact to 10 ms; a time server's corrections are no change of the clock. */
const clockTolerance = 2000;

export class Attention {
  readonly #clock: Clock;
  readonly #dirty: DirtyFolders;
  #lookedAt: number;
  #setBy: number;

  constructor(clock: Clock, dirty: DirtyFolders) {
    this.#clock = clock;
    this.#dirty = dirty;
    this.#lookedAt = clock.monotonic();
    this.#setBy = clock.now() - clock.sinceBoot();
  }

  /** To be called each {@link tickPeriod}. */
  look(): void {
    const now = this.#clock.monotonic();
    if (now - this.#lookedAt >= tickPeriod + stalledAfter) this.#dirty.doubt('stalled', false);
    this.#lookedAt = now;
  }

  lookAtClock(): void {
    const setBy = this.#clock.now() - this.#clock.sinceBoot();
    if (Math.abs(setBy - this.#setBy) > clockTolerance) this.#dirty.doubt('clock-changed', false);
    this.#setBy = setBy;
  }
}
