/** A token that expires: asked for when it is needed, shared by all requests, and renewed some minutes before its end. */
import type { Clock } from '../../platform/clock.ts';

export interface FreshToken {
  readonly value: string;
  /** How long it is good for, from when it was asked for. */
  readonly seconds: number;
}

export interface TokenSource {
  /** `now`: wall time in milliseconds. */
  ask(now: number): Promise<FreshToken>;
  close(): Promise<void>;
}

/** No service gives longer ones; a wrong figure must not make a token last for ever. */
const longestMs = 24 * 3_600_000;
/** Services that keep tokens themselves give the same one until so long before its end. */
const renewedBeforeMs = 5 * 60_000;

interface Held {
  readonly value: string;
  /** Wall time, in milliseconds. */
  readonly askedAt: number;
  readonly renewAt: number;
}

const nothing: Held = { value: '', askedAt: 0, renewAt: 0 };

export class RenewedToken {
  readonly #source: TokenSource;
  readonly #clock: Pick<Clock, 'now'>;
  #current = nothing;
  /** What is on its way is newer than anything that was given out. */
  #asked: Promise<Held> | undefined;

  constructor(source: TokenSource, clock: Pick<Clock, 'now'>) {
    this.#source = source;
    this.#clock = clock;
  }

  /** A token that is good for some minutes at least, if the service gives such. `refused`: one that was not accepted, so that another is wanted. */
  async get(refused?: string): Promise<string> {
    if (!this.#asked) {
      const now = this.#clock.now();
      const { value, askedAt, renewAt } = this.#current;
      // A clock that was set back must not make a token last for ever.
      if (value !== refused && askedAt <= now && now < renewAt) return value;
      this.#asked = this.#ask(now).finally(() => (this.#asked = undefined));
    }
    this.#current = await this.#asked;
    return this.#current.value;
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  async #ask(now: number): Promise<Held> {
    const { value, seconds } = await this.#source.ask(now);
    const lifetimeMs = Math.min(seconds * 1000, longestMs);
    // One that ends soon is used up to its last minute rather than asked for again with each request.
    const usableMs = Math.max(lifetimeMs - renewedBeforeMs, Math.min(lifetimeMs, renewedBeforeMs) / 5);
    return { value, askedAt: now, renewAt: now + Math.max(0, usableMs) };
  }
}
