/**
 * How fast destinations give what they hold, as far as it was measured: by restores, and by a small probe where nothing is known. Whoever
 * reads from the one that is best saves the person's time.
 */
import type { Clock } from '../../platform/clock.ts';
import type { Destinations } from '../destinations/destinations.ts';
import type { StateStore } from '../state/store.ts';

/** What was measured longer ago says nothing about today's network. */
const staleMs = 30 * 24 * 60 * 60_000;
/** Less says more about the beginning of a transfer than about its speed. */
const leastBytes = 1 << 20;
const probeBytes = 1 << 20;
/** Nobody waits longer for a probe. */
const probeMs = 3_000;
/** Of the newest measurement. */
const weight = 0.5;

interface Measured {
  readonly bytesPerSecond: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface ThroughputOptions {
  readonly state: Pick<StateStore, 'recall' | 'remember'>;
  readonly clock: Clock;
  readonly destinations: Pick<Destinations, 'open' | 'views'>;
}

const nameOf = (destination: string): string => `throughput of ${destination}`;

export class Throughput {
  readonly #options: ThroughputOptions;

  constructor(options: ThroughputOptions) {
    this.#options = options;
  }

  /** So many bytes came in so many milliseconds. Throws `state-failed`. */
  note(destination: string, bytes: number, ms: number): void {
    if (bytes >= leastBytes) this.#remember(destination, bytes, ms);
  }

  /** In bytes per second; undefined when it was not measured lately. */
  of(destination: string): number | undefined {
    const known = this.#options.state.recall(nameOf(destination)) as Measured | undefined;
    const age = known ? this.#options.clock.now() - known.at : staleMs;
    return age < staleMs && age >= 0 ? known!.bytesPerSecond : undefined;
  }

  /**
   * The holders with the fastest first; those that cannot be measured stay in their order behind the others, and those that are known to
   * fail last. Throws `cancelled`.
   */
  async fastestFirst<T extends { readonly destination: string }>(holders: readonly T[], signal: AbortSignal): Promise<T[]> {
    if (holders.length < 2) return [...holders];
    const views = new Map(this.#options.destinations.views().map((view) => [view.id, view]));
    const mayAnswer = ({ destination }: T): boolean => {
      const state = views.get(destination)?.now.state;
      return state === 'connected' || state === 'unknown';
    };
    const there = holders.filter(mayAnswer);
    await this.#probe(
      there.map(({ destination }) => destination).filter((id) => this.of(id) === undefined),
      signal,
    );
    const speed = new Map(there.map(({ destination }) => [destination, this.of(destination) ?? 0]));
    return holders.toSorted((a, b) => (speed.get(b.destination) ?? -1) - (speed.get(a.destination) ?? -1));
  }

  /** Reads a little of each at the same time. One that does not answer soon stays unmeasured. */
  async #probe(destinations: readonly string[], signal: AbortSignal): Promise<void> {
    if (destinations.length === 0) return;
    const ends = new AbortController();
    const all = AbortSignal.any([signal, ends.signal]);
    const probes = Promise.allSettled(destinations.map((id) => this.#probeOne(id, all)));
    await Promise.race([probes, this.#options.clock.sleep(probeMs, all).catch(() => {})]);
    // What is still on its way is nobody's any more.
    ends.abort();
  }

  async #probeOne(destination: string, signal: AbortSignal): Promise<void> {
    const { clock, destinations } = this.#options;
    const { storage } = await destinations.open(destination, { signal, itself: true, hasStandby: true });
    try {
      for await (const { name, size } of storage.list('pack')) {
        const length = Math.min(size, probeBytes);
        const begin = clock.monotonic();
        await storage.load({ kind: 'pack', name }, { offset: 0, length });
        if (!signal.aborted) this.#remember(destination, length, clock.monotonic() - begin);
        return;
      }
    } finally {
      await storage.close().catch(() => {});
    }
  }

  #remember(destination: string, bytes: number, ms: number): void {
    const now = (bytes * 1000) / Math.max(ms, 1);
    const before = this.of(destination);
    const bytesPerSecond = before === undefined ? now : before * (1 - weight) + now * weight;
    this.#options.state.remember(nameOf(destination), { bytesPerSecond, at: this.#options.clock.now() } satisfies Measured);
  }
}
