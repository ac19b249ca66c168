/**
 * The kernel's queue of events, of which a process has one for all that it watches.
 *
 * When it is full, the kernel drops what comes and Node says nothing. But whatever was in the queue then comes in a single turn of the
 * event loop: so many events in one turn that the queue may have been half full mean that some may be lost, to anyone who watches.
 */
import { readFileSync } from 'node:fs';
import { nextTurn } from '../../platform/clock.ts';

/** What Linux has had since 2005, where it does not tell. */
const usualLimit = 16_384;

function systemLimit(): number {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8')) || usualLimit;
  } catch {
    return usualLimit;
  }
}

export class EventQueue {
  readonly #most: number;
  readonly #listeners = new Set<() => void>();
  #count = 0;

  /** @param limit how many events the kernel keeps */
  constructor(limit: number = systemLimit()) {
    this.#most = Math.max(1, Math.floor(limit / 2));
  }

  /** One event came. */
  count(): void {
    if (this.#count === 0) void nextTurn().then(() => void (this.#count = 0));
    this.#count += 1;
    if (this.#count === this.#most) for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` when events may have been lost. Returns the function that ends that. */
  onBurst(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** This process's. */
export const eventQueue = new EventQueue();
