/**
 * The stream of events, and what makes it whole again after a broken connection.
 *
 * Events are numbered within an *epoch*, the life of one service. Whoever names the last one that it saw is given those that followed; when
 * they are not kept any more, or are of another epoch, the whole state instead. The same goes for a client that is too slow to take
 * what happens: nothing piles up for it. Progress is not numbered: only the newest of each run counts.
 */
import { randomUUID } from 'node:crypto';
import type { NumberedEvent, ServiceEvent, State } from '../contract/state.ts';

/** Events that are kept for those who come back. */
const keptEvents = 1000;
/** Events that wait for one client; above, it is given the whole state instead. */
const waitingEvents = 500;

type Numbered = Exclude<ServiceEvent, { type: 'progress' }>;

interface Subscriber {
  queue: NumberedEvent[];
  readonly progress: Map<number, ServiceEvent>;
  wake: () => void;
  /** The whole state is to be sent before anything else. */
  isBehind: boolean;
}

export class EventLog {
  readonly #epoch = randomUUID().slice(0, 8);
  readonly #state: () => State;
  readonly #kept: { readonly number: number; readonly event: Numbered }[] = [];
  readonly #subscribers = new Set<Subscriber>();
  #last = 0;

  /** `state` is asked whenever somebody needs the whole of it. */
  constructor(state: () => State) {
    this.#state = state;
  }

  publish(event: Numbered): void {
    const number = ++this.#last;
    this.#kept.push({ number, event });
    if (this.#kept.length > keptEvents) this.#kept.shift();
    for (const subscriber of this.#subscribers) {
      if (subscriber.isBehind) continue;
      if (subscriber.queue.length >= waitingEvents) {
        subscriber.queue = [];
        subscriber.isBehind = true;
      } else subscriber.queue.push({ id: this.#id(number), event });
      subscriber.wake();
    }
  }

  /** Replaces the progress of this run that a client has not taken yet. */
  publishProgress(event: Extract<ServiceEvent, { type: 'progress' }>): void {
    for (const subscriber of this.#subscribers) {
      subscriber.progress.set(event.progress.run, event);
      subscriber.wake();
    }
  }

  /** What happens from now on, or from behind the event `since`; ends when `signal` is aborted. */
  async *subscribe(since: string | undefined, signal: AbortSignal | undefined): AsyncGenerator<NumberedEvent, void, void> {
    const missed = since === undefined ? undefined : this.#after(since);
    const subscriber: Subscriber = { queue: missed ?? [], progress: new Map(), wake: () => {}, isBehind: missed === undefined };
    this.#subscribers.add(subscriber);
    const ended = (): void => subscriber.wake();
    signal?.addEventListener('abort', ended, { once: true });
    try {
      while (!signal?.aborted) {
        const next = this.#take(subscriber);
        if (next) yield next;
        else await new Promise<void>((resolve) => (subscriber.wake = resolve));
      }
    } finally {
      signal?.removeEventListener('abort', ended);
      this.#subscribers.delete(subscriber);
    }
  }

  #take(subscriber: Subscriber): NumberedEvent | undefined {
    const last = this.#id(this.#last);
    if (subscriber.isBehind) {
      subscriber.isBehind = false;
      subscriber.progress.clear();
      return { id: last, event: { type: 'state', state: this.#state() } };
    }
    const event = subscriber.queue.shift();
    if (event) return event;
    const [progress] = subscriber.progress;
    if (!progress) return undefined;
    subscriber.progress.delete(progress[0]);
    return { id: last, event: progress[1] };
  }

  /** Undefined when it is not known what followed. */
  #after(since: string): NumberedEvent[] | undefined {
    const [epoch, number] = since.split(':');
    const seen = Number(number);
    if (epoch !== this.#epoch || !Number.isInteger(seen) || seen < 0 || seen > this.#last) return undefined;
    const oldest = this.#kept[0]?.number ?? this.#last + 1;
    if (seen + 1 < oldest) return undefined;
    return this.#kept.filter((kept) => kept.number > seen).map((kept) => ({ id: this.#id(kept.number), event: kept.event }));
  }

  #id(number: number): string {
    return `${this.#epoch}:${number}`;
  }
}
