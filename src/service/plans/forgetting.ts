/** Plans that were removed together with their data: what a service that was killed had still to forget, is noted until it is done. */
import { z } from 'zod';
import { type Plan, planSchema } from '../../contract/plan.ts';
import type { StateStore } from '../state/store.ts';

const name = 'plans whose snapshots are to be forgotten';

export class Forgetting {
  readonly #state: Pick<StateStore, 'recall' | 'remember'>;

  constructor(state: Pick<StateStore, 'recall' | 'remember'>) {
    this.#state = state;
  }

  plans(): Plan[] {
    return Object.values(this.#noted());
  }

  /** To be called before the plan is removed. Throws `state-failed`. */
  note(plan: Plan): void {
    this.#state.remember(name, { ...this.#noted(), [plan.id]: plan });
  }

  /** Throws `state-failed`. */
  done(plan: string): void {
    const { [plan]: _, ...others } = this.#noted();
    this.#state.remember(name, others);
  }

  #noted(): Readonly<Record<string, Plan>> {
    return z.record(z.string(), planSchema).catch({}).parse(this.#state.recall(name));
  }
}
