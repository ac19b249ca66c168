/** How fast bytes may go over the network: one pace for each direction, shared by all connections of a run. */
import type { Clock } from '../platform/clock.ts';

/** Bytes a second at a moment (ms since 1970); undefined: as fast as they can. */
export type Rate = (now: number) => number | undefined;

/** Longest step in which a wait is made, so that a rate that changes meanwhile is soon noticed; ms. */
const longestStepMs = 1000;

export class Pace {
  readonly #rate: Rate;
  readonly #clock: Pick<Clock, 'now' | 'monotonic' | 'sleep'>;
  /** Bytes that went further than the rate allowed by now. */
  #ahead = 0;
  #last: number;

  constructor(rate: Rate, clock: Pick<Clock, 'now' | 'monotonic' | 'sleep'>) {
    this.#rate = rate;
    this.#clock = clock;
    this.#last = clock.monotonic();
  }

  /**
   * To be awaited after so many bytes: resolves when the next ones may follow. Whoever uses it at the same time shares the rate.
   * Ends early, without an error, when `isOver` says that nothing is to follow.
   */
  async passed(bytes: number, isOver: () => boolean = () => false): Promise<void> {
    // What is allowed by now was allowed to those before.
    this.#catchUp();
    this.#ahead += bytes;
    for (;;) {
      const rate = this.#catchUp();
      if (rate === undefined || this.#ahead === 0 || isOver()) return;
      await this.#clock.sleep(Math.min(longestStepMs, Math.max(1, (this.#ahead / rate) * 1000)));
    }
  }

  /** Takes off what the rate has allowed since the last call; returns the rate. */
  #catchUp(): number | undefined {
    const rate = this.#rate(this.#clock.now());
    const now = this.#clock.monotonic();
    this.#ahead = rate === undefined ? 0 : Math.max(0, this.#ahead - ((now - this.#last) / 1000) * rate);
    this.#last = now;
    return rate;
  }
}

/** Those of the two directions that are limited. */
export interface Paces {
  readonly upload?: Pace | undefined;
  readonly download?: Pace | undefined;
}

/** Pieces in which bytes are sent where their pace is limited, so that they go evenly; bytes. */
export const pacedPieceBytes = 16 << 10;
