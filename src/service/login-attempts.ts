/** How often somebody may guess: after some failures each further one makes the next wait longer. */
import type { Clock } from '../platform/clock.ts';

/** Failures without a pause, for those who mistype. */
const free = 5;
const firstPauseMs = 1000;
/** Without a failure for so long, all is forgotten. */
const forgetMs = 24 * 60 * 60_000;

interface Tally {
  readonly failures: number;
  /** In monotonic time. */
  readonly last: number;
}

export interface AttemptsOptions {
  readonly longestPauseMs: number;
  /** Of those that are remembered; when there are more, those who have failed longest ago are forgotten. */
  readonly most?: number;
}

export class LoginAttempts {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #longestPauseMs: number;
  readonly #most: number;
  /** Who failed last stands last. */
  readonly #tallies = new Map<string, Tally>();

  constructor(clock: Pick<Clock, 'monotonic'>, { longestPauseMs, most = 10_000 }: AttemptsOptions) {
    this.#clock = clock;
    this.#longestPauseMs = longestPauseMs;
    this.#most = most;
  }

  /** Milliseconds until `who` may try; 0: now. */
  pause(who: string): number {
    const tally = this.#tally(who);
    if (!tally || tally.failures < free) return 0;
    const pause = Math.min(this.#longestPauseMs, firstPauseMs * 2 ** (tally.failures - free));
    return Math.max(0, tally.last + pause - this.#clock.monotonic());
  }

  /** Counts an attempt as failed, before it is known: those that come at the same time count as well. */
  begin(who: string): void {
    const failures = (this.#tally(who)?.failures ?? 0) + 1;
    this.#tallies.delete(who);
    this.#tallies.set(who, { failures, last: this.#clock.monotonic() });
    if (this.#tallies.size > this.#most) this.#tallies.delete(this.#tallies.keys().next().value!);
  }

  succeeded(who: string): void {
    this.#tallies.delete(who);
  }

  get size(): number {
    return this.#tallies.size;
  }

  #tally(who: string): Tally | undefined {
    const tally = this.#tallies.get(who);
    return tally && this.#clock.monotonic() - tally.last < forgetMs ? tally : undefined;
  }
}
