/**
 * Worker threads that wait for the next run. A thread takes longer to start (about 60 ms of a processor, most of it for its code)
 * than many a run takes to do its work, and one verb often makes several pools, one after the other.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../platform/clock.ts';
import { workerLocation } from './location.ts';

/** After this time without a run a thread ends, and gives back what memory it has; milliseconds. */
const longestWaitMs = 10_000;
/** More are not kept. */
const mostWaiting = Math.max(2, availableParallelism());

interface Waiting {
  readonly worker: Worker;
  readonly youngGenerationMb: number;
  readonly stopTimer: () => void;
}

const waiting: Waiting[] = [];

/** A thread that has no run and nobody listens to. The young generation of its heap is of that many megabytes. */
export function takeThread(youngGenerationMb: number): Worker {
  const at = waiting.findLastIndex((each) => each.youngGenerationMb === youngGenerationMb);
  if (at < 0) return new Worker(workerLocation, { resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb } });
  const [{ worker, stopTimer }] = waiting.splice(at, 1) as [Waiting];
  stopTimer();
  forget(worker);
  worker.ref();
  return worker;
}

/** Takes a thread whose run has ended, and keeps it for the next one; it does not keep the process alive. */
export async function giveThreadBack(worker: Worker, youngGenerationMb: number): Promise<void> {
  forget(worker);
  if (waiting.length >= mostWaiting) {
    await worker.terminate();
    return;
  }
  worker.unref();
  const stopTimer = systemClock.every(longestWaitMs, () => {
    leave();
    void worker.terminate();
  });
  const leave = (): void => {
    stopTimer();
    const at = waiting.findIndex((each) => each.worker === worker);
    if (at >= 0) waiting.splice(at, 1);
  };
  // One that fails while nothing is asked of it is nobody's loss.
  worker.on('error', leave);
  worker.on('exit', leave);
  waiting.push({ worker, youngGenerationMb, stopTimer });
}

/** Ends all listening but Node's own: a worker listens to itself, to learn whether its port is in use. */
function forget(worker: Worker): void {
  for (const event of ['message', 'messageerror', 'error', 'exit']) worker.removeAllListeners(event);
}
