/**
 * A clock that stands still until a test moves it. What is due runs in the order of its time, then of its registration; between two
 * of them everything that was woken runs on (a turn of the event loop), so that a loop of sleeps behaves as with real time.
 */
import { HoldfastError } from '../../src/contract/errors.ts';
import { type Clock, nextTurn } from '../../src/platform/clock.ts';

interface Waiting {
  due: number;
  readonly order: number;
  readonly fire: () => void;
  /** Set for a ticker: it is due again after this time. */
  readonly period?: number;
}

/** 2026-01-02T03:04:05.678Z: no round number, so that a truncated one shows. */
const defaultStart = 1_767_323_045_678;

export class FakeClock implements Clock {
  #wall: number;
  #monotonic = 1000;
  #sinceBoot = 3_600_000;
  #order = 0;
  readonly #waiting = new Set<Waiting>();

  constructor(startMs: number = defaultStart) {
    this.#wall = startMs;
  }

  now(): number {
    return Math.floor(this.#wall);
  }

  monotonic(): number {
    return this.#monotonic;
  }

  sinceBoot(): number {
    return this.#sinceBoot;
  }

  /** Sleepers and tickers that have neither ended nor been stopped. */
  get pending(): number {
    return this.#waiting.size;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (Number.isNaN(ms)) throw new RangeError('sleep: ms is not a number');
      if (signal?.aborted) {
        reject(new HoldfastError('cancelled'));
        return;
      }
      const cancelled = (): void => {
        this.#waiting.delete(sleeper);
        reject(new HoldfastError('cancelled'));
      };
      const sleeper: Waiting = {
        due: this.#monotonic + Math.max(0, ms),
        order: this.#order++,
        fire: () => {
          signal?.removeEventListener('abort', cancelled);
          resolve();
        },
      };
      this.#waiting.add(sleeper);
      signal?.addEventListener('abort', cancelled, { once: true });
    });
  }

  every(ms: number, fn: () => void): () => void {
    if (!(ms > 0)) throw new RangeError('every: ms is not a positive number');
    const ticker: Waiting = { due: this.#monotonic + ms, order: this.#order++, fire: fn, period: ms };
    this.#waiting.add(ticker);
    return () => void this.#waiting.delete(ticker);
  }

  /** Moves both clocks by `ms` and runs what falls due, sleeps that began meanwhile included. What a ticker throws is thrown here. */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0 && ms < Infinity)) throw new RangeError('advance: ms must be zero or more; see jumpWall for going back');
    const end = this.#monotonic + ms;
    await nextTurn();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#moveTo(next.due);
      if (next.period === undefined) this.#waiting.delete(next);
      else next.due += next.period;
      next.fire();
      await nextTurn();
    }
    this.#moveTo(end);
  }

  /** Advances exactly to what falls due next. Returns the milliseconds moved, or undefined (nothing moved) when nothing waits. */
  async advanceToNext(): Promise<number | undefined> {
    await nextTurn();
    const next = this.#next(Number.MAX_VALUE);
    if (!next) return undefined;
    const ms = Math.max(0, next.due - this.#monotonic);
    await this.advance(ms);
    return ms;
  }

  /** Somebody sets the clock: wall time moves by `ms`, forward or (negative) backward. Nothing falls due. */
  jumpWall(ms: number): void {
    this.#wall += ms;
  }

  /** The machine sleeps for `ms`: wall time and time since boot go on, monotonic time and every timer stand still. */
  standby(ms: number): void {
    this.jumpWall(ms);
    this.#sinceBoot += ms;
  }

  #moveTo(monotonic: number): void {
    const step = Math.max(0, monotonic - this.#monotonic);
    this.#monotonic += step;
    this.#wall += step;
    this.#sinceBoot += step;
  }

  #next(until: number): Waiting | undefined {
    let first: Waiting | undefined;
    for (const w of this.#waiting) {
      if (w.due > until) continue;
      if (!first || w.due < first.due || (w.due === first.due && w.order < first.order)) first = w;
    }
    return first;
  }
}
