/**
 * A storage for which another place can be used: it is given up soon when it does not answer any more, instead of being waited for as
 * long as its network allows.
 *
 * - A call that takes long is no sign: a slow line takes a pack for minutes. So the place is asked a small question beside it; as long as it
 *   answers such questions it is waited for.
 * - Once a question is not answered in time, or the answer is that the place cannot be used, everything fails at once with the same error:
 *   calls at work and all that come after them. It is not used again.
 * - What was at work then goes on unseen until the storage is closed, and may still be stored: packs that no index names, and a lock, which
 *   a later run tidies up, or a whole snapshot.
 */
import { HoldfastError, isDestinationError } from '../contract/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { configFile, type FileKind, type ListedFile, type Range, type Storage, type StoredFile } from './storage.ts';

/** Together less than the half minute after which another place is to be in use. */
const askAfterMs = 8_000;
const answerWithinMs = 15_000;
const lookEveryMs = 1_000;

interface Call {
  /** Monotonic. */
  readonly since: number;
  readonly giveUp: (error: HoldfastError) => void;
}

export interface VigilantOptions {
  readonly clock: Pick<Clock, 'monotonic' | 'every' | 'sleep'>;
  /** The same place, for questions: calls to it are tried once. */
  readonly asked: Pick<Storage, 'size'>;
}

export class VigilantStorage implements Storage {
  readonly location: string;
  readonly localPath?: (file: StoredFile) => string;
  readonly removeLeftovers?: (before: number) => Promise<number>;
  readonly replaceConfig?: (parts: readonly Uint8Array[]) => Promise<void>;
  readonly refusesRemoval?: () => Promise<boolean>;
  readonly #inner: Storage;
  readonly #options: VigilantOptions;
  readonly #calls = new Set<Call>();
  #stopLooking: (() => void) | undefined;
  #isAsking = false;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #gone: HoldfastError | undefined;

  constructor(inner: Storage, options: VigilantOptions) {
    this.location = inner.location;
    this.#inner = inner;
    this.#options = options;
    if (inner.localPath) this.localPath = (file) => inner.localPath!(file);
    if (inner.removeLeftovers) this.removeLeftovers = (before) => this.#watch(() => inner.removeLeftovers!(before));
    if (inner.replaceConfig) this.replaceConfig = (parts) => this.#watch(() => inner.replaceConfig!(parts));
    if (inner.refusesRemoval) this.refusesRemoval = () => this.#watch(() => inner.refusesRemoval!());
  }

  create(): Promise<void> {
    return this.#watch(() => this.#inner.create());
  }

  save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    return this.#watch(() => this.#inner.save(file, parts));
  }

  load(file: StoredFile, range?: Range): Promise<Uint8Array> {
    return this.#watch(() => this.#inner.load(file, range));
  }

  size(file: StoredFile): Promise<number> {
    return this.#watch(() => this.#inner.size(file));
  }

  async *list(kind: FileKind): AsyncGenerator<ListedFile> {
    const listing = this.#inner.list(kind)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#watch(() => listing.next());
        if (next.done) return;
        yield next.value;
      }
    } finally {
      // One that hangs is not waited for.
      const ending = listing.return?.();
      if (this.#gone) ending?.catch(() => {});
      else await ending;
    }
  }

  remove(file: StoredFile): Promise<void> {
    return this.#watch(() => this.#inner.remove(file));
  }

  close(): Promise<void> {
    this.#stopLooking?.();
    return this.#inner.close();
  }

  async #watch<T>(work: () => Promise<T>): Promise<T> {
    if (this.#gone) throw this.#gone;
    const { promise, reject } = Promise.withResolvers<never>();
    const call: Call = { since: this.#options.clock.monotonic(), giveUp: reject };
    this.#calls.add(call);
    this.#stopLooking ??= this.#options.clock.every(lookEveryMs, () => void this.#look());
    const done = work();
    try {
      return await Promise.race([done, promise]);
    } finally {
      // Nobody hears of it any more when it was given up.
      done.catch(() => {});
      this.#calls.delete(call);
      if (this.#calls.size === 0) {
        this.#stopLooking?.();
        this.#stopLooking = undefined;
      }
    }
  }

  async #look(): Promise<void> {
    const now = this.#options.clock.monotonic();
    const isLong = [...this.#calls].some(({ since }) => now - Math.max(since, this.#answeredAt) >= askAfterMs);
    if (!isLong || this.#isAsking || this.#gone) return;
    this.#isAsking = true;
    const error = await this.#ask();
    this.#isAsking = false;
    this.#answeredAt = this.#options.clock.monotonic();
    if (!error) return;
    this.#gone = error;
    for (const { giveUp } of this.#calls) giveUp(error);
  }

  /** Why the place cannot be used; undefined when it answers, be it with a no. */
  async #ask(): Promise<HoldfastError | undefined> {
    const { clock, asked } = this.#options;
    const answered = new AbortController();
    const answer = asked.size(configFile).then(
      () => undefined,
      (error: unknown) => (isDestinationError(error) ? (error as HoldfastError) : undefined),
    );
    const silence = clock.sleep(answerWithinMs, answered.signal).then(
      () => new HoldfastError('storage-gone', { location: this.location, cause: 'it does not answer' }),
      () => undefined,
    );
    try {
      return await Promise.race([answer, silence]);
    } finally {
      answered.abort();
    }
  }
}
