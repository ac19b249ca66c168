/** Lets others work in between: what goes through folders must not hold up the service. */
import { type Clock, nextTurn } from '../../platform/clock.ts';
import type { RunControl } from '../../platform/cancellation.ts';

const sliceMs = 8;

/** To be awaited again and again; throws `cancelled`. */
export function makeTurns(clock: Pick<Clock, 'monotonic'>, control: Pick<RunControl, 'checkpointAsync'>): () => Promise<void> | undefined {
  let began = clock.monotonic();
  return () => {
    if (clock.monotonic() - began < sliceMs) return undefined;
    return nextTurn()
      .then(() => control.checkpointAsync())
      .then(() => void (began = clock.monotonic()));
  };
}
