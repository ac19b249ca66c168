/** Asks for moves; see contract/moves.ts. */
import type { MoveRequest } from '../../contract/moves.ts';
import { fail } from '../../contract/errors.ts';
import type { Run } from '../../contract/run.ts';
import { placeOf } from '../destinations/destinations.ts';
import type { Common } from '../parts.ts';
import type { Desk } from '../runs/desk.ts';
import type { Secrets } from '../secrets.ts';

export interface MovesOptions extends Pick<Common, 'state'> {
  readonly desk: Pick<Desk, 'askTask' | 'unfinished'>;
  readonly secrets: Pick<Secrets, 'keepCredentials'>;
}

/** Under which the keychain has what opens the place that a destination moves to, and the one that it came from, as long as it moves. */
export const movingTo = (destination: string): string => `${destination} moving to`;
export const movingFrom = (destination: string): string => `${destination} moving from`;

export class Moves {
  readonly #options: MovesOptions;

  constructor(options: MovesOptions) {
    this.#options = options;
  }

  async destination(wish: {
    readonly destination: string;
    readonly place: string;
    readonly credentials: Readonly<Record<string, string>>;
    readonly removeOld: boolean;
  }): Promise<Run> {
    const { state, secrets } = this.#options;
    const { id, name, place: from } = state.destination(wish.destination);
    const to = placeOf(wish.place);
    if (to === from) fail('same-place', { location: to });
    this.#refuseSecond((run) => run.destination === id, name);
    await secrets.keepCredentials(movingTo(id), wish.credentials);
    return this.#ask(
      { destination: id, destinationName: name, plan: null, planName: '' },
      { what: 'destination', from, to, removeOld: wish.removeOld },
    );
  }

  plan(wish: { readonly plan: string; readonly to: string; readonly from?: string | undefined; readonly forgetOld: boolean }): Run {
    const { state } = this.#options;
    const plan = state.plan(wish.plan);
    const to = state.destination(wish.to);
    const from = state.destination(wish.from ?? plan.destinations.find(({ role }) => role === 'primary')!.destination);
    if (!plan.destinations.some(({ destination }) => destination === from.id))
      fail('request-invalid', { problem: `“${plan.name}” does not use “${from.name}”` });
    if (from.id === to.id) fail('same-place', { location: to.place });
    this.#refuseSecond((run) => run.plan === plan.id, plan.name);
    const about = { destination: from.id, destinationName: to.name, plan: plan.id, planName: plan.name };
    return this.#ask(about, { what: 'plan', from: from.id, to: to.id, forgetOld: wish.forgetOld });
  }

  #refuseSecond(isSame: (run: Run) => boolean, name: string): void {
    const other = this.#options.desk.unfinished().find((run) => run.kind === 'move' && isSame(run));
    if (other) fail('run-at-work', { plan: name, run: other.id });
  }

  #ask(about: Pick<Run, 'destination' | 'destinationName' | 'plan' | 'planName'>, request: MoveRequest): Run {
    return this.#options.desk.askTask({ kind: 'move', cause: 'person', ...about, request });
  }
}
