/**
 * A storage that tries again after errors that may pass (`retryable`), waiting longer each time.
 *
 * - The waits double from `firstWaitMs` to `longestWaitMs`; each is shortened by up to half at random, so that many
 *   clients do not come back at the same moment. A server that says how long it wants to be left alone (`retryAfterMs` in the
 *   error's context) is given that time at least, and up to a tenth more. When the next wait would pass `totalWaitMs`, the error is
 *   thrown as it is.
 * - A place that has never answered is more likely mistyped than broken: until it does, `unansweredWaitMs` is all. And once one call
 *   has waited in vain for a destination that is away as a whole, the calls after it are tried only once each, until one succeeds:
 *   a run of a million calls does not wait a million times.
 * - A save or remove that failed may have succeeded nevertheless. A file that is found at the second try counts as saved
 *   if it has the right size (its name is the hash of its content) and, for config and small files, the right content; one that is not
 *   found any more counts as removed.
 * - A file that is shorter than asked for, and by its size will remain so, is not read again.
 * - A listing that breaks off starts again and leaves out what was already given; each new file makes the waits start anew.
 * - Aborting the signal ends waiting, with `cancelled`, and further tries. First tries still go through, so that what is left
 *   can be tidied up (locks removed); and a call at work is not abandoned, so that nothing is stored after its caller is told.
 * - close is not retried. `localPath` is passed on: what is read past the storage is not retried.
 */

import type { Clock } from '../platform/clock.ts';
import { fail, hasCode, HoldfastError, isDestinationError } from '../contract/errors.ts';
import { describeFile, type FileKind, type ListedFile, type Range, type Storage, type StoredFile } from './storage.ts';

export interface RetryLimits {
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** All waits of one call (of a listing: since its last new file) stay below this. */
  readonly totalWaitMs: number;
  /** The same before the place has answered for the first time; default: as long as always. */
  readonly unansweredWaitMs?: number | undefined;
}

export const defaultRetryLimits: RetryLimits = { firstWaitMs: 500, longestWaitMs: 60_000, totalWaitMs: 15 * 60_000 };

/** For destinations behind a network. */
export const networkRetryLimits: RetryLimits = { ...defaultRetryLimits, unansweredWaitMs: 5_000 };

/** What is about to be tried again, for the log and the person who waits. */
export interface Retry {
  readonly operation: string;
  readonly file: string;
  readonly error: HoldfastError;
  /** How many tries have failed so far. */
  readonly failures: number;
  readonly waitMs: number;
}

export interface RetryOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly limits?: Partial<RetryLimits>;
  readonly signal?: AbortSignal;
  /** Told before each wait. What it throws ends the call. */
  readonly onRetry?: (retry: Retry) => void;
  /** In [0, 1). */
  readonly random?: () => number;
}

/** Up to this size (in bytes) a file found after a failed save is compared byte by byte: most files but packs. */
const comparedWhole = 64 * 1024;

/** The waits of one call. */
interface Patience {
  failures: number;
  waitedMs: number;
}

export class RetryingStorage implements Storage {
  readonly location: string;
  readonly localPath?: (file: StoredFile) => string;
  readonly removeLeftovers?: (before: number) => Promise<number>;
  readonly refusesRemoval?: () => Promise<boolean>;
  readonly #inner: Storage;
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #limits: RetryLimits;
  readonly #signal: AbortSignal | undefined;
  readonly #onRetry: (retry: Retry) => void;
  readonly #random: () => number;
  /** Whether the place has ever answered, be it with a no. */
  #hasAnswered = false;
  /** A call has waited for the destination as long as any may, in vain. */
  #isGivenUp = false;

  constructor(inner: Storage, options: RetryOptions) {
    this.location = inner.location;
    this.#inner = inner;
    this.#clock = options.clock;
    this.#limits = { ...defaultRetryLimits, ...options.limits };
    this.#signal = options.signal;
    this.#onRetry = options.onRetry ?? (() => undefined);
    this.#random = options.random ?? Math.random;
    if (inner.localPath) this.localPath = (file) => inner.localPath!(file);
    // Tidying is not worth waiting for: the next run does it too.
    if (inner.removeLeftovers) this.removeLeftovers = (before) => inner.removeLeftovers!(before);
    if (inner.refusesRemoval) this.refusesRemoval = () => this.#try('look at', 'its rules', () => inner.refusesRemoval!());
  }

  create(): Promise<void> {
    return this.#try('create', 'the folders', () => this.#inner.create());
  }

  save(file: StoredFile, parts: readonly Uint8Array[]): Promise<void> {
    return this.#try('save', describeFile(file), async (failures) => {
      try {
        await this.#inner.save(file, parts);
      } catch (error) {
        if (failures === 0 || !hasCode(error, 'file-exists') || !(await this.#holds(file, parts))) throw error;
      }
    });
  }

  load(file: StoredFile, range?: Range): Promise<Uint8Array> {
    return this.#try('read', describeFile(file), async () => {
      try {
        return await this.#inner.load(file, range);
      } catch (error) {
        if (range === undefined || !hasCode(error, 'file-short')) throw error;
        if ((await this.#inner.size(file)) >= range.offset + range.length) throw error;
        throw new HoldfastError('file-short', error.context, { cause: error, retryable: false });
      }
    });
  }

  size(file: StoredFile): Promise<number> {
    return this.#try('look at', describeFile(file), () => this.#inner.size(file));
  }

  async *list(kind: FileKind): AsyncGenerator<ListedFile> {
    const given = new Set<string>();
    let patience: Patience = { failures: 0, waitedMs: 0 };
    for (;;) {
      try {
        for await (const listed of this.#inner.list(kind)) {
          if (given.has(listed.name)) continue;
          given.add(listed.name);
          this.#answered();
          if (patience.failures > 0) patience = { failures: 0, waitedMs: 0 };
          yield listed;
        }
        this.#answered();
        return;
      } catch (error) {
        await this.#wait('list', `its ${kind} files`, error, patience);
      }
    }
  }

  remove(file: StoredFile): Promise<void> {
    return this.#try('remove', describeFile(file), async (failures) => {
      try {
        await this.#inner.remove(file);
      } catch (error) {
        if (failures === 0 || !hasCode(error, 'file-not-found')) throw error;
      }
    });
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #try<T>(operation: string, file: string, call: (failures: number) => Promise<T>): Promise<T> {
    const patience: Patience = { failures: 0, waitedMs: 0 };
    for (;;) {
      try {
        const result = await call(patience.failures);
        this.#answered();
        return result;
      } catch (error) {
        await this.#wait(operation, file, error, patience);
      }
    }
  }

  #answered(): void {
    this.#hasAnswered = true;
    this.#isGivenUp = false;
  }

  /** Waits before the next try, or throws: the error if another try makes no sense, `cancelled` if the wait was aborted. */
  async #wait(operation: string, file: string, error: unknown, patience: Patience): Promise<void> {
    if (!(error instanceof HoldfastError)) throw error;
    const isAway = isDestinationError(error);
    if (!isAway) this.#answered();
    if (!error.retryable || this.#signal?.aborted || this.#isGivenUp) throw error;
    const { unansweredWaitMs, totalWaitMs } = this.#limits;
    const waitMs = this.#waitAfter(error, patience);
    if (patience.waitedMs + waitMs > (this.#hasAnswered ? totalWaitMs : (unansweredWaitMs ?? totalWaitMs))) {
      this.#isGivenUp = isAway;
      throw error;
    }
    patience.failures++;
    patience.waitedMs += waitMs;
    this.#onRetry({ operation, file, error, failures: patience.failures, waitMs });
    await this.#clock.sleep(waitMs, this.#signal);
    if (this.#signal?.aborted) fail('cancelled', {}, error);
  }

  #waitAfter(error: HoldfastError, { failures }: Patience): number {
    const { firstWaitMs, longestWaitMs } = this.#limits;
    const longest = Math.min(longestWaitMs, firstWaitMs * 2 ** failures);
    const own = Math.round(longest * (1 - this.#random() / 2));
    const { retryAfterMs } = error.context;
    if (typeof retryAfterMs !== 'number') return own;
    return Math.max(own, Math.round(retryAfterMs * (1 + this.#random() / 10)));
  }

  /** Whether the stored file is what a failed save should have stored. */
  async #holds(file: StoredFile, parts: readonly Uint8Array[]): Promise<boolean> {
    const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
    if ((await this.#inner.size(file)) !== length) return false;
    if (file.kind !== 'config' && length > comparedWhole) return true;
    return Buffer.concat(parts).equals(await this.#inner.load(file));
  }
}
