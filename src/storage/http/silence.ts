/** Notices that nothing happens any more. */
import type { Clock } from '../../platform/clock.ts';

const lookEveryMs = 1000;

/** What is waited for at this moment, and until when (monotonic). */
export class Wait {
  #due = Number.POSITIVE_INFINITY;
  #ended = false;
  readonly #now: () => number;
  readonly #onSilence: () => void;
  readonly #onEnd: () => void;

  constructor(now: () => number, onSilence: () => void, onEnd: () => void) {
    this.#now = now;
    this.#onSilence = onSilence;
    this.#onEnd = onEnd;
  }

  /** Something is to happen within `ms` from now; this replaces what was expected before. */
  expect(ms: number): void {
    this.#due = this.#now() + ms;
  }

  /** Nothing is expected: it is this side's turn. */
  rest(): void {
    this.#due = Number.POSITIVE_INFINITY;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd();
  }

  look(now: number): void {
    if (now < this.#due || this.#ended) return;
    this.end();
    this.#onSilence();
  }
}

/** All that one client waits for, looked at once a second. */
export class Silence {
  readonly #clock: Pick<Clock, 'monotonic' | 'every'>;
  readonly #waits = new Set<Wait>();
  #stop: (() => void) | undefined;

  constructor(clock: Pick<Clock, 'monotonic' | 'every'>) {
    this.#clock = clock;
  }

  /** `onSilence` is called once, when what was last expected did not happen in time. */
  begin(onSilence: () => void): Wait {
    const wait: Wait = new Wait(
      () => this.#clock.monotonic(),
      onSilence,
      () => {
        this.#waits.delete(wait);
        if (this.#waits.size > 0) return;
        this.#stop?.();
        this.#stop = undefined;
      },
    );
    this.#waits.add(wait);
    this.#stop ??= this.#clock.every(lookEveryMs, () => {
      const now = this.#clock.monotonic();
      for (const each of this.#waits) each.look(now);
    });
    return wait;
  }
}
