/** Repositories that stay open for a while after somebody has looked into them: a few at most, and none for long. */
import { HoldfastError, hasCode, isDestinationError } from '../../contract/errors.ts';
import { Book } from '../../engine/browse/book.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Destinations } from '../destinations/destinations.ts';

export interface BooksOptions {
  readonly destinations: Pick<Destinations, 'open' | 'failed'>;
  readonly clock: Pick<Clock, 'monotonic' | 'every'>;
}

interface OpenBook {
  readonly opening: Promise<Book>;
  users: number;
  /** Of the monotonic clock. */
  usedAt: number;
  /** It takes no more readers, and is closed after the last. */
  isLeaving: boolean;
}

const mostOpen = 3;
const idleMs = 120_000;
const lookMs = 15_000;

/** What a prune by somebody else may be behind: opened anew, the repository may know better. */
const perhapsMoved = ['blob-missing', 'file-not-found', 'item-tampered'] as const;

export class Books {
  readonly #options: BooksOptions;
  readonly #open = new Map<string, OpenBook>();
  readonly #closing = new Set<Promise<void>>();
  #stopLooking: (() => void) | undefined;
  #isClosed = false;

  constructor(options: BooksOptions) {
    this.#options = options;
  }

  /** Reads in the repository of a destination. Throws what opening throws, `cancelled` when the service ends, and what `work` throws. */
  async use<T>(destination: string, work: (book: Book) => Promise<T>): Promise<T> {
    try {
      return await this.#once(destination, work);
    } catch (error) {
      if (!perhapsMoved.some((code) => hasCode(error, code))) throw error;
      this.drop(destination);
      return this.#once(destination, work);
    }
  }

  /** Something was stored there, or deleted. */
  changed(destination: string): void {
    void this.#open.get(destination)?.opening.then(
      (book) => book.refresh(),
      () => {},
    );
  }

  /** Its book is closed once nobody reads in it any more. */
  drop(destination: string): void {
    const open = this.#open.get(destination);
    if (!open) return;
    this.#open.delete(destination);
    open.isLeaving = true;
    if (open.users === 0) this.#shut(open);
  }

  /** Closes it now, since its drive is about to be ejected: who reads in it hears `cancelled`. */
  async release(destination: string): Promise<void> {
    const open = this.#open.get(destination);
    if (open) {
      this.#open.delete(destination);
      open.isLeaving = true;
      this.#shut(open);
    }
    await Promise.all(this.#closing);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const destination of this.#open.keys()) await this.release(destination);
    this.#stopLooking?.();
    await Promise.all(this.#closing);
  }

  async #once<T>(destination: string, work: (book: Book) => Promise<T>): Promise<T> {
    const open = this.#bookOf(destination);
    open.users += 1;
    try {
      return await work(await open.opening);
    } catch (error) {
      const isOurs = error instanceof HoldfastError;
      if (isOurs && isDestinationError(error)) this.#options.destinations.failed(destination, error);
      // A worker that has died, or a place that does not answer: the next one begins anew.
      if (!isOurs || isDestinationError(error) || hasCode(error, 'internal')) this.#leave(destination, open);
      throw error;
    } finally {
      open.users -= 1;
      open.usedAt = this.#options.clock.monotonic();
      if (open.isLeaving && open.users === 0) this.#shut(open);
    }
  }

  #bookOf(destination: string): OpenBook {
    if (this.#isClosed) throw new HoldfastError('cancelled');
    const known = this.#open.get(destination);
    if (known) return known;
    const { clock, destinations } = this.#options;
    const opening = destinations.open(destination).then((repository) => new Book(repository));
    const open: OpenBook = { opening, users: 0, usedAt: clock.monotonic(), isLeaving: false };
    opening.catch(() => this.#leave(destination, open));
    this.#open.set(destination, open);
    this.#stopLooking ??= clock.every(lookMs, () => this.#closeIdle());
    this.#closeMost();
    return open;
  }

  #leave(destination: string, open: OpenBook): void {
    open.isLeaving = true;
    if (this.#open.get(destination) === open) this.#open.delete(destination);
  }

  #closeMost(): void {
    const idle = [...this.#open].filter(([, { users }]) => users === 0).sort(([, a], [, b]) => a.usedAt - b.usedAt);
    // The newest has not begun yet.
    for (const [destination] of idle.slice(0, -1)) {
      if (this.#open.size <= mostOpen) return;
      this.drop(destination);
    }
  }

  #closeIdle(): void {
    const now = this.#options.clock.monotonic();
    for (const [destination, { users, usedAt }] of this.#open) if (users === 0 && now - usedAt >= idleMs) this.drop(destination);
    if (this.#open.size > 0) return;
    this.#stopLooking?.();
    this.#stopLooking = undefined;
  }

  #shut({ opening }: OpenBook): void {
    const closing = opening.then(
      (book) => book.close(),
      () => {},
    );
    this.#closing.add(closing);
    void closing.finally(() => this.#closing.delete(closing));
  }
}
