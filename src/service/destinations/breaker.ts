/**
 * A circuit breaker for each destination: what acts by itself (runs that choose a destination, copies that are owed) leaves one that has
 * failed alone for a while, longer each time, so that one which comes and goes causes no storm. A person who asks is never refused.
 *
 * - *closed*: it may be used. *Open*: it failed, and its pause is not over. *Half-open*: the pause is over, and one try may tell whether it
 *   works again; while that goes on nobody else tries.
 * - What answers is closed at once, but its failures are forgotten only once it has worked for as long as its last pause: the pauses of
 *   one that flaps grow nevertheless.
 *
 * Without chance, so that what it does can be told beforehand. What it knows survives a restart.
 */
import { z } from 'zod';
import type { Clock } from '../../platform/clock.ts';

/** After the first failure in a row, the second, and so on; milliseconds. A destination is missed for a quarter of an hour at most. */
const pauses = [15_000, 30_000, 60_000, 2 * 60_000, 5 * 60_000, 10 * 60_000, 15 * 60_000];
const pauseAfter = (failures: number): number => pauses[Math.min(Math.max(failures, 1), pauses.length) - 1]!;

/** A try of which nobody has heard for so long is none any more. */
const longestTryMs = 2 * 60_000;

const circuitSchema = z.object({
  /** In a row, but for answers too short to count. */
  failures: z.int().positive(),
  /** When it failed last; milliseconds since 1970. */
  failedAt: z.number(),
  /** Since when it answers again; null: it is open. */
  answeredAt: z.number().nullable(),
});
type Circuit = z.infer<typeof circuitSchema>;
const storedSchema = z.record(z.string(), circuitSchema);

const memoryName = 'destination circuits';

export interface BreakerOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Where it is kept over a restart. What it throws is told and costs nothing else. */
  readonly memory: { recall(name: string): unknown; remember(name: string, value: unknown): void };
  readonly onDefect?: ((error: unknown) => void) | undefined;
}

export class CircuitBreaker {
  readonly #options: BreakerOptions;
  readonly #circuits: Map<string, Circuit>;
  /** Tries that go on, by destination: when the newest began. */
  readonly #trying = new Map<string, number>();

  constructor(options: BreakerOptions) {
    this.#options = options;
    const { data } = storedSchema.safeParse(options.memory.recall(memoryName));
    this.#circuits = new Map(Object.entries(data ?? {}));
  }

  /** Whether what acts by itself may open it now. */
  allows(id: string): boolean {
    const circuit = this.#circuits.get(id);
    if (!circuit || circuit.answeredAt !== null) return true;
    const since = this.#trying.get(id);
    const isTried = since !== undefined && this.#passed(since) < longestTryMs;
    return !isTried && this.#passed(circuit.failedAt) >= pauseAfter(circuit.failures);
  }

  /** From when on it may be tried again, in milliseconds since 1970; undefined when it may be used now, or is being tried. */
  closedUntil(id: string): number | undefined {
    const circuit = this.#circuits.get(id);
    if (!circuit || circuit.answeredAt !== null) return undefined;
    const now = this.#options.clock.now();
    const left = pauseAfter(circuit.failures) - this.#passed(circuit.failedAt);
    return left > 0 ? now + left : undefined;
  }

  /** Somebody opens it now; {@link answered}, {@link failed} or {@link leftAlone} follows. */
  tries(id: string): void {
    this.#trying.set(id, this.#options.clock.now());
  }

  /** The try was given up before it told anything. */
  leftAlone(id: string): void {
    this.#trying.delete(id);
  }

  answered(id: string): void {
    this.#trying.delete(id);
    const circuit = this.#circuits.get(id);
    if (!circuit) return;
    const answeredAt = circuit.answeredAt ?? this.#options.clock.now();
    if (this.#passed(answeredAt) >= pauseAfter(circuit.failures)) this.#circuits.delete(id);
    else if (circuit.answeredAt !== null) return;
    else this.#circuits.set(id, { ...circuit, answeredAt });
    this.#keep();
  }

  failed(id: string): void {
    this.#trying.delete(id);
    const before = this.#circuits.get(id);
    const hasWorked = before !== undefined && before.answeredAt !== null && this.#passed(before.answeredAt) >= pauseAfter(before.failures);
    // Several that fail at once tell of one failure.
    const isKnown = before !== undefined && before.answeredAt === null && this.#passed(before.failedAt) < pauseAfter(before.failures);
    const failures = before === undefined || hasWorked ? 1 : isKnown ? before.failures : before.failures + 1;
    const failedAt = isKnown ? before.failedAt : this.#options.clock.now();
    this.#circuits.set(id, { failures, failedAt, answeredAt: null });
    this.#keep();
  }

  /** Nothing is known of it any more: it was removed, its drive has come, or a person has given it another place or password. */
  reset(id: string): void {
    this.#trying.delete(id);
    if (this.#circuits.delete(id)) this.#keep();
  }

  /** A clock that was set back makes no pause longer than it was. */
  #passed(since: number): number {
    const passed = this.#options.clock.now() - since;
    return passed < 0 ? Infinity : passed;
  }

  #keep(): void {
    try {
      this.#options.memory.remember(memoryName, Object.fromEntries(this.#circuits));
    } catch (error) {
      this.#options.onDefect?.(error);
    }
  }
}
