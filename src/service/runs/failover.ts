/**
 * Which destination a run uses: the first in the plan's order that serves.
 *
 * - A *candidate* is a destination that a run may use: the plan's primary, then its standbys in their order, and at last this computer, if
 *   the plan allows it.
 * - A *takeover* is the step from one that cannot be used to the next.
 *
 * Those that have failed lately are passed over without being tried, unless nothing else is left.
 */
import { thisComputer } from '../../contract/destination.ts';
import { fail, hasCode, HoldfastError, isFaultOfPlace } from '../../contract/errors.ts';
import type { Plan } from '../../contract/plan.ts';
import type { Run } from '../../contract/run.ts';

/** A destination that a person has named is meant, and no other. */
export function candidatesOf(
  { cause, destination }: Pick<Run, 'cause' | 'destination'>,
  { destinations, onThisComputer }: Pick<Plan, 'destinations' | 'onThisComputer'>,
): string[] {
  const inOrder = (['primary', 'standby'] as const).flatMap((role) =>
    destinations.filter((each) => each.role === role).map((each) => each.destination),
  );
  const isNamed = destination !== null && (!inOrder.includes(destination) || (cause === 'person' && destination !== inOrder[0]));
  return isNamed ? [destination] : [...inOrder, ...(onThisComputer ? [thisComputer] : [])];
}

export interface Failover<T> {
  readonly plan: string;
  readonly candidates: readonly string[];
  readonly nameOf: (destination: string) => string;
  /** Why it is not even tried; undefined: it is. */
  readonly refusal: (destination: string) => HoldfastError | undefined;
  /** `hasStandby`: another one can take over. What it throws that is no fault of the place ends the run. */
  readonly work: (destination: string, hasStandby: boolean) => Promise<T>;
  readonly onTakeover: (from: string, to: string, error: HoldfastError) => void;
}

/**
 * What `work` returns on the first candidate that serves. Throws what it throws that is no fault of a place; when all fail, the error of the
 * only one, `destination-not-plugged-in` when nothing but drives is missing, or `destinations-all-fail`.
 */
export async function onFirstThatServes<T>({ plan, candidates, nameOf, refusal, work, onTakeover }: Failover<T>): Promise<T> {
  const errors = new Map<string, HoldfastError>();
  const order = [...candidates];
  for (let i = 0; i < order.length; i++) {
    const id = order[i];
    const refused = candidates.length > 1 && i < candidates.length ? refusal(id) : undefined;
    // To come back to when nothing else is left.
    if (refused) order.push(id);
    try {
      if (refused) throw refused;
      return await work(id, i < order.length - 1);
    } catch (error) {
      if (!(error instanceof HoldfastError) || !isFaultOfPlace(error)) throw error;
      errors.set(id, error);
      if (i < order.length - 1) onTakeover(id, order[i + 1], error);
    }
  }
  const all = [...errors];
  const [first] = all;
  if (!first) return fail('internal', { cause: 'a run without a destination' });
  if (all.length === 1 || all.every(([, error]) => hasCode(error, 'destination-not-plugged-in'))) throw first[1];
  const causes = all.map(([id, { message }]) => `“${nameOf(id)}”: ${message.replace(/[.]$/, '')}`);
  const retryable = all.some(([, error]) => error.retryable);
  throw new HoldfastError('destinations-all-fail', { plan, cause: causes.join('; ') }, { cause: first[1], retryable });
}
