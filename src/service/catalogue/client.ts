/**
 * The catalogue as the service sees it. Its thread begins with the first question, and ends when nothing was asked for a while, so that one
 * that nobody needs costs nothing.
 */
import { Worker } from 'node:worker_threads';
import { errorFromJSON, HoldfastError, toHoldfastError } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { BuildOptions } from './build.ts';
import type { Answer, CatalogueStart, FromCatalogue, Question, QuestionName, TaskName, Tasks, ToCatalogue } from './protocol.ts';
import type { Destinations } from './queries/calendar.ts';

/** Run from source it is `worker.ts` beside this file; in the bundle every file lies flat in dist/. */
const workerLocation = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './catalogue-worker.js', import.meta.url);

/** After this time without a question the thread ends. */
const idleMs = 5 * 60_000;
/** Of its heap: what it makes is small, and short-lived. */
const youngGenerationMb = 4;

interface Pending {
  readonly source: BuildOptions | undefined;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export interface CatalogueOptions {
  readonly file: string;
  readonly clock: Pick<Clock, 'every' | 'monotonic'>;
  /** All was lost, and has to be built anew. */
  readonly onLost: () => void;
}

export class Catalogue {
  readonly #options: CatalogueOptions;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #generation = 0;
  #last = 0;
  #usedAt = 0;
  #stopLooking: () => void = () => {};
  #isClosed = false;

  constructor(options: CatalogueOptions) {
    this.#options = options;
  }

  /** Whether the thread is there. */
  get isAwake(): boolean {
    return this.#worker !== undefined;
  }

  /** Answers about the snapshots of these destinations. Throws `catalogue-failed`, and what the question throws. */
  async ask<N extends QuestionName>(name: N, request: Question<N>, destinations: Destinations): Promise<Answer<N>> {
    return (await this.run('ask', { name, request, destinations: [...destinations] })) as Answer<N>;
  }

  /** Throws `catalogue-failed`, and what the source throws. */
  async run<N extends TaskName>(task: N, args: Tasks[N]['args'], source?: BuildOptions): Promise<Tasks[N]['result']> {
    if (this.#isClosed) throw new HoldfastError('cancelled');
    const worker = this.#wake();
    const id = ++this.#last;
    const result = await new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { source, resolve, reject });
      worker.postMessage({ kind: 'task', id, task, args } satisfies ToCatalogue);
    });
    return result as Tasks[N]['result'];
  }

  /** Whatever is still being built is given up: its source has to fail first. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    const ending = this.#worker && this.run('close', undefined);
    this.#isClosed = true;
    await ending?.catch(() => {});
    await this.#sleep();
  }

  #wake(): Worker {
    this.#usedAt = this.#options.clock.monotonic();
    if (this.#worker) return this.#worker;
    const { file, clock } = this.#options;
    const start: CatalogueStart = { file };
    const worker = new Worker(workerLocation, { workerData: start, resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb } });
    worker.on('message', (message: FromCatalogue) => this.#hear(worker, message));
    const broken = (error: unknown): void => this.#broken(worker, error);
    worker.on('error', broken);
    worker.on('messageerror', broken);
    worker.on('exit', (code) => broken(new Error(`its thread ended with code ${code}`)));
    this.#worker = worker;
    this.#generation = 0;
    this.#stopLooking = clock.every(idleMs, () => {
      if (this.#pending.size === 0 && clock.monotonic() - this.#usedAt >= idleMs) void this.#sleep();
    });
    return worker;
  }

  async #sleep(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#stopLooking();
    await worker?.terminate();
  }

  #broken(worker: Worker, thrown: unknown): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#stopLooking();
    void worker.terminate();
    const error = new HoldfastError('catalogue-failed', { path: this.#options.file, cause: (thrown as Error).message }, { cause: thrown });
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  #hear(worker: Worker, message: FromCatalogue): void {
    const pending = this.#pending.get(message.id);
    if (message.kind === 'read') {
      void this.#read(worker, message, pending?.source);
      return;
    }
    if (message.kind === 'progress') {
      pending?.source?.onProgress?.(message.entries, 0);
      return;
    }
    this.#pending.delete(message.id);
    if (message.kind === 'done') pending?.resolve(message.result);
    else pending?.reject(errorFromJSON(message.error));
    if (message.generation === this.#generation) return;
    this.#generation = message.generation;
    this.#options.onLost();
  }

  async #read(worker: Worker, { read, trees }: Extract<FromCatalogue, { kind: 'read' }>, source: BuildOptions | undefined): Promise<void> {
    try {
      const listings = (await source?.source.read(trees)) ?? [];
      // They are views of one buffer, which is handed over whole.
      const buffers = new Set(listings.flatMap((listing) => (listing ? [listing.buffer as ArrayBuffer] : [])));
      worker.postMessage({ kind: 'trees', read, listings } satisfies ToCatalogue, [...buffers]);
    } catch (error) {
      worker.postMessage({ kind: 'no-trees', read, error: toHoldfastError(error).toJSON() } satisfies ToCatalogue);
    }
  }
}
