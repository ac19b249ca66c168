/**
 * A fixed pool of worker threads for one run. The coordinator's thread only passes batches on and does the storage's
 * asynchronous work; everything that takes the processor's time happens in the workers.
 */
import { availableParallelism } from 'node:os';
import { MessageChannel, type MessagePort, type Transferable, type Worker } from 'node:worker_threads';
import { errorFromJSON, HoldfastError, toHoldfastError } from '../../contract/errors.ts';
import type { RunControl } from '../../platform/cancellation.ts';
import { youngGenerationMb } from '../../platform/memory.ts';
import { inOwnMemory } from '../../platform/spare-memory.ts';
import type { BlobIndex, BlobType } from '../../repository/blob-index.ts';
import { Kernel } from '../../repository/kernel/kernel.ts';
import type { FinishedPack } from '../../repository/packer.ts';
import type { Repository } from '../../repository/repository.ts';
import { localFolderOf } from '../../storage/local-folder.ts';
import type { jobs } from './jobs.ts';
import { type Counter, progressBytes, WorkerProgress } from './progress.ts';
import { PackBuffers } from './pack-buffers.ts';
import type { JobMessage, Reply, ToWorker, WorkerMessage, WorkerStart } from './protocol.ts';
import { giveThreadBack, takeThread } from './threads.ts';

type Jobs = typeof jobs;
export type JobName = keyof Jobs;
export type JobArgs<N extends JobName> = Parameters<Jobs[N]>[0];
export type JobResult<N extends JobName> = ReturnType<Jobs[N]>;

/** Where jobs run: a pool, or the part of it that works on its second repository. */
export interface JobRunner {
  readonly size: number;
  run<N extends JobName>(job: N, args: JobArgs<N>, transfer?: readonly Transferable[]): Promise<JobResult<N>>;
  setIdle(count: number): void;
}

interface QueuedJob {
  readonly job: JobName;
  readonly args: unknown;
  readonly onSource?: boolean | undefined;
  readonly transfer: readonly Transferable[];
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Through which a worker hears about one of the repositories. */
interface ReplyLine {
  readonly repository: Repository;
  readonly port: MessagePort;
  readonly count: Int32Array;
}

interface Thread {
  readonly worker: Worker;
  readonly line: ReplyLine;
  readonly sourceLine: ReplyLine | undefined;
  readonly progress: WorkerProgress;
  /** Jobs for this worker and no other; they come before the common ones. */
  readonly own: QueuedJob[];
  current: QueuedJob | undefined;
  /** It has neither begun the run yet nor died. */
  isStarting: boolean;
  /** It has gone wrong outside of any job, and is not to be used again. */
  isBroken: boolean;
  /** Nothing of the run is open in it any more. */
  hasEnded: boolean;
}

export interface PoolOptions {
  readonly control: RunControl;
  readonly index: BlobIndex;
  /** In bytes. */
  readonly packSize?: number | undefined;
  /** Default: one for each core that may be used, at least two. */
  readonly threads?: number | undefined;
  /** With so many of them it begins, until {@link WorkerPool.grow} is called; default: with all. */
  readonly firstThreads?: number | undefined;
  /** Of each worker's heap, in megabytes; more suits work that makes many small objects. */
  readonly youngGenerationMb?: number | undefined;
  /** Stores a pack; the buffer goes back to its worker when this resolves. A failure ends the run. */
  readonly storePack?: (pack: FinishedPack) => Promise<void>;
  /** Is given packs that could not be stored, and those that come after the run has failed; their memory is its own then. */
  readonly keepUnstored?: ((pack: FinishedPack) => void) | undefined;
  readonly onNote?: (note: unknown) => void;
  /** A second repository to read from, as {@link WorkerContext.source}. */
  readonly source?: { readonly repository: Repository; readonly index: BlobIndex } | undefined;
  /** Gives the plaintext of a blob that is damaged or missing in the pool's repository from elsewhere; see rescue.ts. */
  readonly rescue?: ((type: BlobType, id: Uint8Array) => Promise<Uint8Array | undefined>) | undefined;
  /** Only tests set it: the first worker damages the nth blob that it encodes. */
  readonly corruptBlob?: number | undefined;
}

/** Packs that may be on their way to a destination behind a network. */
const storingFar = 3;
/** The same of a disk: while one is brought onto it, another one is being written. */
const storingNear = (threads: number): number => Math.ceil(threads / 2) + 1;

export class WorkerPool {
  readonly #repository: Repository;
  readonly #options: PoolOptions;
  readonly #threads: Thread[] = [];
  readonly #mostThreads: number;
  readonly #queue: QueuedJob[] = [];
  readonly #idle = new SharedArrayBuffer(4);
  readonly #isClosed = new SharedArrayBuffer(4);
  readonly #buffers: PackBuffers;
  readonly #youngGenerationMb: number;
  #storing = 0;
  /** Those who wait until something more is done. */
  #waiting: (() => void)[] = [];
  #failure: HoldfastError | undefined;
  #closing = false;
  #closed: Promise<void> | undefined;

  constructor(repository: Repository, options: PoolOptions) {
    this.#repository = repository;
    this.#options = options;
    const threads = options.threads ?? Math.max(2, availableParallelism());
    this.#buffers = new PackBuffers(localFolderOf(repository.storage) === undefined ? storingFar : storingNear(threads));
    this.#youngGenerationMb = options.youngGenerationMb ?? youngGenerationMb;
    this.#mostThreads = threads;
    this.#startThreads(Math.min(threads, options.firstThreads ?? threads));
    options.control.signal.addEventListener('abort', this.#wakeAll);
  }

  get size(): number {
    return this.#threads.length;
  }

  /** There is more to do than was known at the beginning: all threads are to work at it. */
  grow(): void {
    if (this.#closing || this.#failure) return;
    this.#startThreads(this.#mostThreads);
    this.#dispatch();
  }

  /** Runs a job on the next free worker. */
  async run<N extends JobName>(job: N, args: JobArgs<N>, transfer: readonly Transferable[] = []): Promise<JobResult<N>> {
    return this.#run(job, args, transfer, false);
  }

  /** Runs jobs on the second repository. */
  get source(): JobRunner {
    return {
      size: this.size,
      run: (job, args, transfer = []) => this.#run(job, args, transfer, true),
      setIdle: (count) => this.setIdle(count),
    };
  }

  async #run<N extends JobName>(job: N, args: JobArgs<N>, transfer: readonly Transferable[], onSource: boolean): Promise<JobResult<N>> {
    const result = await new Promise<unknown>((resolve, reject) => {
      this.#queue.push({ job, args, onSource, transfer, resolve, reject });
      this.#dispatch();
    });
    return result as JobResult<N>;
  }

  /** Why the run cannot be finished, once that is known: what was cancelled because of it only says `cancelled`. */
  get failure(): HoldfastError | undefined {
    return this.#failure;
  }

  /** Resolves when no job runs or waits any more and nothing is being stored, however it ended. */
  async settled(): Promise<void> {
    while (this.#storing > 0 || this.#queue.length > 0 || this.#threads.some(({ current, own }) => current || own.length > 0))
      await this.#somethingDone();
  }

  /** Runs a job once on every worker, after the one that it is busy with. */
  async runOnEach<N extends JobName>(job: N, args: JobArgs<N>): Promise<JobResult<N>[]> {
    const results = await Promise.all(
      this.#threads.map(
        (thread) =>
          new Promise<unknown>((resolve, reject) => {
            thread.own.push({ job, args, transfer: [], resolve, reject });
            this.#dispatch();
          }),
      ),
    );
    return results as JobResult<N>[];
  }

  /**
   * As {@link runOnEach} after the run has failed and {@link settled}: for a job that saves what the workers have. Those that are broken
   * have nothing.
   */
  async runOnRemains<N extends JobName>(job: N, args: JobArgs<N>): Promise<JobResult<N>[]> {
    const results = await Promise.allSettled(
      this.#threads
        .filter(({ isBroken }) => !isBroken)
        .map(
          (thread) =>
            new Promise<unknown>((resolve, reject) => {
              this.#post(thread, { job, args, transfer: [], resolve, reject });
            }),
        ),
    );
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value as JobResult<N>] : []));
  }

  /** Runs a job on one certain worker, after the one that it is busy with: for jobs that keep something there between them. */
  async runOnFirst<N extends JobName>(job: N, args: JobArgs<N>): Promise<JobResult<N>> {
    const result = await new Promise<unknown>((resolve, reject) => {
      this.#threads[0].own.push({ job, args, transfer: [], resolve, reject });
      this.#dispatch();
    });
    return result as JobResult<N>;
  }

  /** Tells long jobs whether others wait for work: `count` workers do. */
  setIdle(count: number): void {
    Atomics.store(new Int32Array(this.#idle), 0, count);
  }

  /** Resolves when every pack handed over so far is stored. */
  async allStored(): Promise<void> {
    while (this.#storing > 0 && !this.#failure) await this.#somethingDone();
    if (this.#failure) throw this.#failure;
  }

  /** The sum of a counter over all workers. */
  total(counter: Counter): number {
    return this.#threads.reduce((sum, thread) => sum + thread.progress.get(counter), 0);
  }

  /** What the first worker that is busy works on. */
  get currentPath(): Buffer {
    return (this.#threads.find((thread) => thread.current) ?? this.#threads[0]).progress.path;
  }

  /**
   * Ends the run in the threads, which wait for another one then (threads.ts). Jobs that still run fail with `cancelled` at their next checkpoint, and are waited for: a thread that
   * is ended within a call into native code takes the whole process with it (koffi aborts when it cannot throw). Packs on
   * their way to the storage are waited for, too.
   */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#closing = true;
    this.#options.control.signal.removeEventListener('abort', this.#wakeAll);
    Atomics.store(new Int32Array(this.#isClosed), 0, 1);
    this.#options.control.wake();
    this.#wakeAll();
    this.#rejectWaiting(this.#failure ?? new HoldfastError('cancelled'));
    while (this.#storing > 0 || this.#threads.some(({ current, isStarting }) => current || isStarting)) await this.#somethingDone();
    for (const thread of this.#threads) if (!thread.isBroken) thread.worker.postMessage({ kind: 'end' } satisfies ToWorker);
    while (this.#threads.some(({ isBroken, hasEnded }) => !isBroken && !hasEnded)) await this.#somethingDone();
    await Promise.all(
      this.#threads.map(async ({ worker, line, sourceLine, isBroken }) => {
        line.port.close();
        sourceLine?.port.close();
        await (isBroken ? worker.terminate() : giveThreadBack(worker, this.#youngGenerationMb));
      }),
    );
  }

  #startThreads(count: number): void {
    while (this.#threads.length < count) this.#threads.push(this.#startThread(this.#threads.length));
  }

  #startThread(number: number): Thread {
    const { source } = this.#options;
    const progress = new SharedArrayBuffer(progressBytes);
    const own = openLine(this.#repository);
    const other = source && openLine(source.repository);
    const start: WorkerStart = {
      ...this.#startOn(own.line, this.#options.index, number, progress),
      canRescue: this.#options.rescue !== undefined,
      packSize: this.#options.packSize ?? this.#repository.packSize,
      corruptBlob: number === 0 ? this.#options.corruptBlob : undefined,
      source: source && other && this.#startOn(other.line, source.index, number, progress),
    };
    const worker = takeThread(this.#youngGenerationMb);
    const thread: Thread = {
      worker,
      line: own.line,
      sourceLine: other?.line,
      progress: new WorkerProgress(progress),
      own: [],
      current: undefined,
      isStarting: true,
      isBroken: false,
      hasEnded: false,
    };
    const broken = (error: Error): void => {
      thread.isBroken = true;
      this.#fail(toHoldfastError(error));
    };
    worker.on('message', (message: WorkerMessage) => this.#hear(thread, message));
    worker.on('error', broken);
    worker.on('messageerror', broken);
    worker.on('exit', (code) => {
      thread.isStarting = false;
      thread.isBroken = true;
      if (!this.#closing) this.#fail(new HoldfastError('internal', { cause: `a worker ended with code ${code}` }));
      // It answers nothing any more, also when the run has failed before for another reason.
      thread.current?.reject(this.#failure ?? new HoldfastError('cancelled'));
      thread.current = undefined;
      this.#tellWaiting();
    });
    const begin: ToWorker = { kind: 'begin', start, replies: own.end, sourceReplies: other?.end };
    worker.postMessage(begin, other ? [own.end, other.end] : [own.end]);
    return thread;
  }

  /** What a worker is told about one of the repositories. */
  #startOn({ repository, count }: ReplyLine, index: BlobIndex, number: number, progress: SharedArrayBuffer): WorkerStart {
    return {
      number,
      kernel: Kernel.module,
      key: repository.key,
      polynomial: repository.config.chunker_polynomial,
      packSize: repository.packSize,
      index: index.memory,
      control: this.#options.control.shared,
      replies: count.buffer as SharedArrayBuffer,
      progress,
      closed: this.#isClosed,
      idle: this.#idle,
      localFolder: localFolderOf(repository.storage),
      canRescue: false,
      corruptBlob: undefined,
      source: undefined,
    };
  }

  #dispatch(): void {
    if (this.#failure || this.#closing) {
      this.#rejectWaiting(this.#failure ?? new HoldfastError('cancelled'));
      return;
    }
    for (const thread of this.#threads) {
      for (let job: QueuedJob | undefined; !thread.current && (job = thread.own.shift() ?? this.#queue.shift()); ) this.#post(thread, job);
    }
  }

  #rejectWaiting(error: HoldfastError): void {
    for (const thread of this.#threads) for (const job of thread.own.splice(0)) job.reject(error);
    for (const job of this.#queue.splice(0)) job.reject(error);
  }

  #post(thread: Thread, job: QueuedJob): void {
    try {
      const message: JobMessage = { kind: 'job', job: job.job, args: job.args, onSource: job.onSource };
      thread.worker.postMessage(message, job.transfer as Transferable[]);
      thread.current = job;
    } catch (error) {
      // What cannot be sent is the caller's fault; the worker knows nothing of it.
      job.reject(toHoldfastError(error));
    }
  }

  #hear(thread: Thread, message: WorkerMessage): void {
    switch (message.kind) {
      case 'ready':
        thread.isStarting = false;
        this.#tellWaiting();
        break;
      case 'ended':
        thread.hasEnded = true;
        this.#tellWaiting();
        break;
      case 'done':
      case 'failed': {
        const job = thread.current;
        thread.current = undefined;
        if (message.kind === 'done') job?.resolve(message.result);
        else {
          const error = errorFromJSON(message.error);
          if (message.stack !== undefined) error.stack = message.stack;
          // A cancelled job says only that the run ended; why it ended is known here.
          job?.reject(error.code === 'cancelled' && this.#failure ? this.#failure : error);
        }
        this.#dispatch();
        this.#tellWaiting();
        break;
      }
      case 'pack':
        if (!this.#closing) void this.#storePack(message);
        break;
      case 'need-buffer':
        this.#buffers.ask(message.bytes, (buffer) => this.#reply(thread.line, { kind: 'buffer', buffer }, [buffer]));
        break;
      case 'read':
        void this.#answerRead(thread.line, message);
        break;
      case 'rescue':
        void this.#answerRescue(thread.line, message);
        break;
      case 'note':
        this.#options.onNote?.(message.note);
        break;
      case 'of-source':
        // Nothing is stored there, so only reads are of another repository.
        if (message.message.kind === 'read') void this.#answerRead(thread.sourceLine!, message.message);
        else this.#hear(thread, message.message);
    }
  }

  async #storePack(pack: Extract<WorkerMessage, { kind: 'pack' }>): Promise<void> {
    const { storePack, keepUnstored } = this.#options;
    const finished: FinishedPack = { id: Buffer.from(pack.id), bytes: pack.bytes, header: Buffer.from(pack.header) };
    let isKept = false;
    this.#storing += 1;
    this.#buffers.beginStoring();
    try {
      if (!storePack) throw new HoldfastError('internal', { cause: 'this run stores no packs' });
      // The place has failed: trying it again with each pack that is still on its way would only take time.
      if (this.#failure && keepUnstored) throw this.#failure;
      await storePack(finished);
    } catch (error) {
      isKept = keepUnstored !== undefined;
      keepUnstored?.(finished);
      this.#fail(toHoldfastError(error));
    } finally {
      this.#storing -= 1;
      this.#buffers.endStoring(isKept ? undefined : pack.bytes.buffer);
      this.#tellWaiting();
    }
  }

  async #answerRead(line: ReplyLine, { file, range }: Extract<WorkerMessage, { kind: 'read' }>): Promise<void> {
    try {
      const bytes = await line.repository.storage.load(file, range);
      const own = inOwnMemory(bytes);
      this.#reply(line, { kind: 'bytes', bytes: own }, [own.buffer]);
    } catch (error) {
      this.#reply(line, { kind: 'read-failed', error: toHoldfastError(error).toJSON() }, []);
    }
  }

  async #answerRescue(line: ReplyLine, { type, id }: Extract<WorkerMessage, { kind: 'rescue' }>): Promise<void> {
    try {
      const own = inOwnMemory((await this.#options.rescue?.(type, id)) ?? new Uint8Array(0));
      this.#reply(line, { kind: 'bytes', bytes: own }, [own.buffer]);
    } catch (error) {
      this.#reply(line, { kind: 'read-failed', error: toHoldfastError(error).toJSON() }, []);
    }
  }

  #reply(line: ReplyLine, reply: Reply, transfer: Transferable[]): void {
    if (this.#closing) return;
    line.port.postMessage(reply, transfer);
    wake(line);
  }

  readonly #wakeAll = (): void => {
    for (const { line, sourceLine } of this.#threads) {
      wake(line);
      if (sourceLine) wake(sourceLine);
    }
  };

  /** The run cannot be finished: whatever is still to do fails with this error. */
  #fail(error: HoldfastError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#options.control.cancel();
    this.#wakeAll();
    this.#rejectWaiting(error);
    this.#tellWaiting();
  }

  #somethingDone(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }

  #tellWaiting(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** A line, and the end of it that the worker gets. */
function openLine(repository: Repository): { line: ReplyLine; end: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  port1.unref();
  return { line: { repository, port: port1, count: new Int32Array(new SharedArrayBuffer(4)) }, end: port2 };
}

function wake({ count }: ReplyLine): void {
  Atomics.add(count, 0, 1);
  Atomics.notify(count, 0);
}
