/** Counts checkpoints in shared memory until the run is cancelled; may cancel the run itself. */
import { parentPort, workerData } from 'node:worker_threads';
import { RunControl } from '../../src/platform/cancellation.ts';
import { hasCode } from '../../src/contract/errors.ts';

const { shared, counters, index, cancelAt } = workerData as {
  shared: SharedArrayBuffer;
  counters: SharedArrayBuffer;
  index: number;
  cancelAt?: number;
};
const control = RunControl.attach(shared);
const counts = new Int32Array(counters);
try {
  for (;;) {
    control.checkpoint();
    const count = Atomics.add(counts, index, 1) + 1;
    Atomics.notify(counts, index);
    if (count === cancelAt) control.cancel();
  }
} catch (thrown) {
  parentPort?.postMessage(hasCode(thrown, 'cancelled') ? 'cancelled' : String(thrown));
}
