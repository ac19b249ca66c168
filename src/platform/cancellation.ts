/**
 * Pausing and cancelling one run across threads.
 *
 * The thread that starts a run creates a {@link RunControl}, hands `shared` to its workers (`workerData` or a message), and they attach
 * to it. Any of them may pause, resume or cancel; all of them see it at their next checkpoint. *Cancelled* is final: a paused run that
 * is cancelled wakes up and ends, and neither pause nor resume has any effect after it.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { fail, HoldfastError } from '../contract/errors.ts';

const running = 0;
const paused = 1;
const cancelled = 2;

/** Cells of the shared memory. */
const stateCell = 0;
const watchCell = 1;
const cellCount = 2;

/** Values of the watch cell: nobody is told twice, and a released watch ends without telling. */
const watching = 0;
const watchEnded = 1;

export class RunControl {
  /** The memory that all threads of the run share. */
  readonly shared: SharedArrayBuffer;
  readonly #cells: Int32Array<SharedArrayBuffer>;
  readonly #closed: Int32Array<SharedArrayBuffer> | undefined;
  #abort: AbortController | undefined;
  readonly #parts = new Set<RunControl>();
  #leaveWhole: () => void = () => {};

  /** A running control, or with `shared` another view of an existing one: see {@link RunControl.attach}. */
  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(cellCount * Int32Array.BYTES_PER_ELEMENT), closed?: SharedArrayBuffer) {
    this.shared = shared;
    this.#cells = new Int32Array(shared, 0, cellCount);
    this.#closed = closed && new Int32Array(closed);
  }

  /**
   * The same run's control in another thread. `closed` is one 32-bit word: once it is not 0, the checkpoints of this object
   * throw, though the run may go on elsewhere. Whoever sets it calls {@link wake} then.
   */
  static attach(shared: SharedArrayBuffer, closed?: SharedArrayBuffer): RunControl {
    return new RunControl(shared, closed);
  }

  /**
   * The control of a part of the run, which can be cancelled without the rest: what is said to this object is said to the part as well, but
   * not the other way round. {@link release} it when the part is over.
   */
  part(): RunControl {
    const part = new RunControl();
    this.#parts.add(part);
    part.#leaveWhole = () => void this.#parts.delete(part);
    if (this.isCancelled) part.cancel();
    else if (this.isPaused) part.pause();
    return part;
  }

  /** Lets paused threads look whether they are to end. */
  wake(): void {
    Atomics.notify(this.#cells, stateCell);
  }

  get #isClosed(): boolean {
    return this.#closed !== undefined && Atomics.load(this.#closed, 0) !== 0;
  }

  get isPaused(): boolean {
    return Atomics.load(this.#cells, stateCell) === paused;
  }

  get isCancelled(): boolean {
    return Atomics.load(this.#cells, stateCell) === cancelled;
  }

  /** Makes every thread wait at its next checkpoint. No effect when cancelled. */
  pause(): void {
    Atomics.compareExchange(this.#cells, stateCell, running, paused);
    for (const part of this.#parts) part.pause();
  }

  /** Lets the waiting threads go on. No effect when cancelled. */
  resume(): void {
    if (Atomics.compareExchange(this.#cells, stateCell, paused, running) === paused) Atomics.notify(this.#cells, stateCell);
    for (const part of this.#parts) part.resume();
  }

  /** Ends the run: waiting threads wake, every checkpoint from now on throws, `signal` is aborted. */
  cancel(): void {
    Atomics.store(this.#cells, stateCell, cancelled);
    Atomics.notify(this.#cells, stateCell);
    this.#endWatch();
    this.#abort?.abort(new HoldfastError('cancelled'));
    for (const part of this.#parts) part.cancel();
  }

  /**
   * For synchronous code in workers; cheap enough for every file and blob. Returns at once while running, blocks the thread while
   * paused. Never call it on a thread that must stay responsive while paused.
   * @throws cancelled
   */
  checkpoint(): void {
    if (Atomics.load(this.#cells, stateCell) !== running || this.#isClosed) this.#wait();
  }

  /**
   * For the coordinator: as {@link checkpoint}, without blocking the thread. The process stays alive while it waits.
   * @throws cancelled
   */
  async checkpointAsync(): Promise<void> {
    if (Atomics.load(this.#cells, stateCell) === paused) {
      const alive = keepAlive();
      try {
        while (Atomics.load(this.#cells, stateCell) === paused) await Atomics.waitAsync(this.#cells, stateCell, paused).value;
      } finally {
        alive.close();
      }
    }
    if (this.isCancelled) fail('cancelled');
  }

  /**
   * Aborted, with `cancelled` as its reason, when any thread cancels; at once when this object does. A thread that is busy with
   * synchronous code learns of it only at its next turn: use {@link checkpoint} there.
   */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.isCancelled) this.#abort.abort(new HoldfastError('cancelled'));
      else void this.#watch(this.#abort);
    }
    return this.#abort.signal;
  }

  /** To be called when the run is over: ends the watch behind `signal` in all threads, which otherwise holds the shared memory. */
  release(): void {
    this.#leaveWhole();
    this.#endWatch();
  }

  #wait(): void {
    while (Atomics.load(this.#cells, stateCell) === paused && !this.#isClosed) Atomics.wait(this.#cells, stateCell, paused);
    if (Atomics.load(this.#cells, stateCell) === cancelled || this.#isClosed) fail('cancelled');
  }

  async #watch(abort: AbortController): Promise<void> {
    await Atomics.waitAsync(this.#cells, watchCell, watching).value;
    if (this.isCancelled) abort.abort(new HoldfastError('cancelled'));
  }

  #endWatch(): void {
    Atomics.store(this.#cells, watchCell, watchEnded);
    Atomics.notify(this.#cells, watchCell);
  }
}

/** Atomics.waitAsync alone does not keep Node's event loop alive; an open port does. */
function keepAlive(): MessagePort {
  const { port1 } = new MessageChannel();
  port1.ref();
  return port1;
}

/**
 * What `promise` gives, or `cancelled` as soon as `signal` is aborted. What the promise stands for is not stopped: for work that
 * knows no signals.
 */
export async function unlessCancelled<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const cancelled = Promise.withResolvers<never>();
  const cancel = (): void => cancelled.reject(new HoldfastError('cancelled'));
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel, { once: true });
  // Nobody may be waiting for either any more.
  promise.catch(() => {});
  cancelled.promise.catch(() => {});
  try {
    return await Promise.race([promise, cancelled.promise]);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}
