/**
 * Empties the repository on this computer: a snapshot that went there since nothing else could be used is deleted, with its data, once
 * another destination of its plan holds it.
 */
import { thisComputer } from '../../contract/destination.ts';
import { toHoldfastError } from '../../contract/errors.ts';
import type { Run } from '../../contract/run.ts';
import { originalOf } from '../../engine/copy/copies.ts';
import { ofPlan } from '../copies/holdings-of.ts';
import type { Library } from '../library/library.ts';
import type { Common, Part } from '../parts.ts';
import type { Desk } from '../runs/desk.ts';

export interface EmptyingOptions extends Pick<Common, 'state' | 'onNote'> {
  readonly library: Pick<Library, 'holdings' | 'onChanged'>;
  readonly desk: Pick<Desk, 'askTask' | 'unfinished'>;
}

export class Emptying implements Part {
  readonly #options: EmptyingOptions;
  #isClosing = false;

  constructor(options: EmptyingOptions) {
    this.#options = options;
    options.library.onChanged(() => this.#look());
  }

  runEnded({ kind }: Run): void {
    if (kind === 'copy' || kind === 'backup') this.#look();
  }

  close(): void {
    this.#isClosing = true;
  }

  #look(): void {
    if (this.#isClosing) return;
    try {
      this.#empty();
    } catch (error) {
      this.#options.onNote(toHoldfastError(error).message);
    }
  }

  #empty(): void {
    const { state, library, desk } = this.#options;
    const holdings = library.holdings();
    const here = holdings.find(({ destination }) => destination.id === thisComputer);
    // One run at a time; the next look sees what is left.
    if (!here || here.snapshots.length === 0 || desk.unfinished().some(({ destination }) => destination === thisComputer)) return;
    for (const plan of state.plans()) {
      const wanted = new Set(plan.destinations.map(({ destination }) => destination));
      const elsewhere = holdings.filter(({ destination, readAt, error }) => wanted.has(destination.id) && readAt !== null && !error);
      const held = new Set(elsewhere.flatMap(({ snapshots }) => snapshots.map(originalOf)));
      const moved = ofPlan(plan, here.snapshots).filter((snapshot) => held.has(originalOf(snapshot)));
      if (moved.length === 0) continue;
      desk.askTask({
        kind: 'forget',
        plan: plan.id,
        destination: thisComputer,
        planName: plan.name,
        destinationName: here.destination.name,
        cause: 'schedule',
        request: { snapshots: moved.map(({ id }) => id) },
      });
      return;
    }
  }
}
