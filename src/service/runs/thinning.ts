/** Removes runs that are older than the person wants, some at a time, so that nobody waits for it. */
import { toHoldfastError } from '../../contract/errors.ts';
import type { Common, Part } from '../parts.ts';

const everyMs = 10 * 60_000;
const atOnce = 500;
const dayMs = 24 * 60 * 60_000;

export class Thinning implements Part {
  readonly #common: Pick<Common, 'state' | 'clock' | 'onNote'>;
  #stop: () => void = () => {};

  constructor(common: Pick<Common, 'state' | 'clock' | 'onNote'>) {
    this.#common = common;
  }

  begin(): void {
    this.#stop = this.#common.clock.every(everyMs, () => this.#thin());
  }

  close(): void {
    this.#stop();
  }

  #thin(): void {
    const { state, clock, onNote } = this.#common;
    try {
      state.runs.sweep();
      state.runs.thin(clock.now() - state.settings().keepRunsDays * dayMs, atOnce);
    } catch (error) {
      onNote(toHoldfastError(error).message);
    }
  }
}
