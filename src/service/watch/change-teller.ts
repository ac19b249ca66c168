/** Tells of changes at most once a second, and of the last one surely. */
import type { Clock } from '../../platform/clock.ts';

const tellPeriod = 1000;

export class ChangeTeller {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  #isUntold = false;
  #toldAt: number;

  constructor(clock: Clock, onChange: () => void) {
    this.#clock = clock;
    this.#onChange = onChange;
    // The first telling waits for the first tick: whoever makes a watcher does not expect it to call already.
    this.#toldAt = clock.monotonic();
  }

  /** Something changed. */
  tell(): void {
    this.#isUntold = true;
    this.tick();
  }

  /** Tells what had to wait. */
  tick(): void {
    const now = this.#clock.monotonic();
    if (!this.#isUntold || now - this.#toldAt < tellPeriod) return;
    this.#isUntold = false;
    this.#toldAt = now;
    this.#onChange();
  }

  /** All that has changed until now is known to whoever is told; the next change is told at once. */
  reset(): void {
    this.#isUntold = false;
    this.#toldAt = -Infinity;
  }
}
