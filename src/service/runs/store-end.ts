/** Stores how a run ended, whatever it takes. */
import type { Run } from '../../contract/run.ts';
import { type Clock, nextTurn } from '../../platform/clock.ts';
import type { StateStore } from '../state/store.ts';
import type { Outcome } from './work.ts';

/** Between two tries to store something. */
export const againMs = 5000;

export interface StoreEndOptions {
  readonly state: Pick<StateStore, 'runs'>;
  readonly clock: Clock;
  /** Aborted when the desk closes. */
  readonly closing: AbortSignal;
  readonly onDefect: (error: unknown) => void;
}

/**
 * Tries until it is stored; others come to their turn meanwhile, however many problems there are. Undefined when the desk was closed before:
 * the next service finds the run unfinished.
 */
export async function storeEnd(
  id: number,
  { change, problems }: Outcome,
  { state, clock, closing, onDefect }: StoreEndOptions,
): Promise<Run | undefined> {
  const ended = clock.now();
  let stored = 0;
  for (let isTold = false; ; isTold = true) {
    try {
      while (stored < problems.length) {
        stored = state.runs.storeProblems(id, problems, stored);
        await nextTurn();
      }
      // Somebody may have wanted to cancel it meanwhile, too late.
      return state.runs.end(id, { error: null, ...change, ended }, problems.length);
    } catch (error) {
      if (!isTold) onDefect(error);
    }
    if (closing.aborted) return undefined;
    await clock.sleep(againMs, closing).catch(() => {});
  }
}
