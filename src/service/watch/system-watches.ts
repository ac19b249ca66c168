/** What the operating system offers to watch folders with. */
import { readFileSync, watch as watchWhole } from 'node:fs';
import { systemClock, type Clock } from '../../platform/clock.ts';
import { Inotify, type InotifyReader } from '../../platform/inotify.ts';

export interface Watch {
  close(): void;
}

/** Who is told what happens in a folder. Not called any more once its watch is closed. */
export interface WatchListener {
  /** The entry `name` changed; `renamed`: it came, went or was replaced. Nothing: something in the folder, or the folder itself, changed. */
  event(renamed: boolean, name: Buffer | undefined): void;
  /** The folder itself was deleted, moved or unmounted. */
  gone(): void;
  /** The watch has ended by itself. */
  failed(): void;
}

export interface SystemWatches {
  /** Whether one watch covers all below its folder; names are then paths from there. */
  readonly isRecursive: boolean;

  /** @throws ENOSPC, EMFILE when the system allows no more; ENOENT, ENOTDIR, EACCES */
  open(path: Buffer, listener: WatchListener): Watch;

  /**
   * Calls `listener` when events were lost, of any watch, or (`isLost` false) came so fast that some soon might be. Returns the function that
   * ends that.
   */
  onLoss(listener: LossListener): () => void;

  /** Hands over what has happened until now, where the system lets that be asked for. */
  read?(): void;
}

export type LossListener = (isLost: boolean) => void;

/** A change is heard of after this many milliseconds at most. The kernel keeps 16,384 events meanwhile, if nobody has set it otherwise. */
const readPeriod = 200;
const usualQueueLimit = 16_384;

/** Linux: one watch a folder; all of a process share one queue. */
export class LinuxWatches implements SystemWatches, InotifyReader {
  readonly isRecursive = false;
  readonly #clock: Clock;
  /** Two plans may watch the same folder. */
  readonly #listeners = new Map<number, WatchListener | WatchListener[]>();
  readonly #lossListeners = new Set<LossListener>();
  /** So many at once are doubtful. */
  readonly #mostEvents = Math.ceil(queueLimit() / 2);
  #inotify: Inotify | undefined;
  #stop: (() => void) | undefined;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  open(path: Buffer, listener: WatchListener): Watch {
    const inotify = (this.#inotify ??= new Inotify());
    const number = inotify.add(path);
    const known = this.#listeners.get(number);
    this.#listeners.set(number, known === undefined ? listener : [...listenersOf(known), listener]);
    this.#stop ??= this.#clock.every(readPeriod, () => this.read());
    return new LinuxWatch(this, number, listener);
  }

  onLoss(listener: LossListener): () => void {
    this.#lossListeners.add(listener);
    return () => void this.#lossListeners.delete(listener);
  }

  read(): void {
    try {
      const events = this.#inotify?.read(this) ?? 0;
      if (events >= this.#mostEvents) this.#tellLoss(false);
    } catch {
      // Called by a timer, where nobody hears of it: whatever was to be told is lost.
      this.lost();
    }
  }

  end(number: number, listener: WatchListener): void {
    const known = this.#listeners.get(number);
    if (known === undefined) return;
    const others = listenersOf(known).filter((each) => each !== listener);
    if (others.length > 0) {
      this.#listeners.set(number, others.length === 1 ? others[0]! : others);
      return;
    }
    if (!this.#listeners.delete(number)) return;
    this.#inotify?.remove(number);
    if (this.#listeners.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
    this.#inotify?.close();
    this.#inotify = undefined;
  }

  entry(number: number, renamed: boolean, name: Buffer): void {
    const known = this.#listeners.get(number);
    if (known === undefined) return;
    for (const each of listenersOf(known)) each.event(renamed, name.length === 0 ? undefined : name);
  }

  gone(number: number): void {
    const known = this.#listeners.get(number);
    if (known !== undefined) for (const each of listenersOf(known)) each.gone();
  }

  ended(number: number): void {
    const known = this.#listeners.get(number);
    this.#listeners.delete(number);
    // Who has closed it is gone from the list already; the others have lost their folder.
    if (known !== undefined) for (const each of listenersOf(known)) each.failed();
  }

  lost(): void {
    this.#tellLoss(true);
  }

  #tellLoss(isLost: boolean): void {
    for (const each of this.#lossListeners) each(isLost);
  }
}

/** How many events the kernel keeps. */
function queueLimit(): number {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8')) || usualQueueLimit;
  } catch {
    return usualQueueLimit;
  }
}

const listenersOf = (known: WatchListener | WatchListener[]): WatchListener[] => (Array.isArray(known) ? known : [known]);

class LinuxWatch implements Watch {
  readonly #watches: LinuxWatches;
  readonly #number: number;
  readonly #listener: WatchListener;

  constructor(watches: LinuxWatches, number: number, listener: WatchListener) {
    this.#watches = watches;
    this.#number = number;
    this.#listener = listener;
  }

  close(): void {
    this.#watches.end(this.#number, this.#listener);
  }
}

/** macOS and Windows: one watch a source. */
export const wholeWatches: SystemWatches = {
  isRecursive: true,

  open(path, listener) {
    const options = { encoding: 'buffer', persistent: false, recursive: true } as const;
    const watcher = watchWhole(path.toString(), options, (type, name) => listener.event(type === 'rename', name ?? undefined));
    watcher.on('error', () => listener.failed());
    return watcher;
  },

  // Node does not tell.
  onLoss: () => () => {},
};

/** This process's. */
export const systemWatches: SystemWatches = process.platform === 'linux' ? new LinuxWatches() : wholeWatches;
