/** When a destination is pruned: a week after the first snapshot was forgotten there since the last time, for a prune rewrites packs. */
import type { Clock } from '../../platform/clock.ts';
import type { StateStore } from '../state/store.ts';
import type { Retained } from './retain.ts';

const everyMs = 7 * 24 * 60 * 60_000;
const nameOf = (destination: string): string => `pruned ${destination}`;

interface Known {
  /** When it was pruned last, or the week began; ms since 1970. */
  readonly at: number;
  /** Snapshots were forgotten since. */
  readonly isWorthIt: boolean;
}

export class PruneTimes {
  readonly #state: Pick<StateStore, 'recall' | 'remember'>;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(state: Pick<StateStore, 'recall' | 'remember'>, clock: Pick<Clock, 'now'>) {
    this.#state = state;
    this.#clock = clock;
  }

  isDue(destination: string): boolean {
    const known = this.#known(destination);
    const now = this.#clock.now();
    // A clock that was set back must not put it off for years.
    return known?.isWorthIt === true && (now - known.at >= everyMs || now < known.at);
  }

  /** Throws `state-failed`. */
  note(destination: string, { forgotten, isPruned }: Retained): void {
    const now = this.#clock.now();
    if (isPruned) this.#remember(destination, { at: now, isWorthIt: false });
    else if (forgotten > 0) this.#remember(destination, { at: this.#known(destination)?.at ?? now, isWorthIt: true });
  }

  #known(destination: string): Known | undefined {
    return this.#state.recall(nameOf(destination)) as Known | undefined;
  }

  #remember(destination: string, known: Known): void {
    this.#state.remember(nameOf(destination), known);
  }
}
