/**
 * What a watcher has learned: the folders in which something changed, and whether it may have missed anything.
 *
 * - A *dirty* folder is one whose own entries changed: their names, their contents or their metadata.
 * - A *doubt* is a reason why the dirty folders may not be all. A run that goes by a cut with a doubt has to look at everything.
 * - A *cut* hands all of it over and begins anew; its number says which came later.
 */

/**
 * - `restarted`: nothing is known of the time before.
 * - `burst`: so many events at once that the system has dropped some.
 * - `stalled`: this process did not look for over a second.
 * - `limit`: the system allows no more watches; some folders are only looked at now and then.
 * - `polled`: a folder cannot be watched at all and is only looked at now and then.
 * - `mount-changed`, `root-changed`: another file system, or another folder, is where a source is.
 * - `clock-changed`: times of files cannot be compared with those of the last run.
 * - `not-listed`: a folder was watched and could then not be listed.
 * - `watch-failed`: a watch ended by itself.
 * - `too-many`: more folders are dirty than are worth keeping.
 */
export type Doubt =
  | 'restarted'
  | 'burst'
  | 'stalled'
  | 'limit'
  | 'polled'
  | 'mount-changed'
  | 'root-changed'
  | 'clock-changed'
  | 'not-listed'
  | 'watch-failed'
  | 'too-many';

export interface Cut {
  /** From 1 on; each cut of a watcher has the next. */
  readonly sequence: number;
  /** Absolute paths. A folder may be gone by now. */
  readonly folders: readonly Buffer[];
  /** Empty: the folders are all in which anything changed since the last cut. */
  readonly doubts: readonly Doubt[];
}

/** About 20 MB. */
const mostFolders = 100_000;

export class DirtyFolders {
  #folders = new Set<string>();
  #doubts = new Set<Doubt>(['restarted']);
  #sequence = 1;
  /** Doubts that hold as long as their cause, also for the next cut. */
  readonly #lasting = new Set<Doubt>();
  readonly #tell: () => void;

  /** @param tell called after each new finding */
  constructor(tell: () => void) {
    this.#tell = tell;
  }

  /** The number of the next cut. Whoever marked a folder dirty under this number need not do so again. */
  get sequence(): number {
    return this.#sequence;
  }

  /** @param path absolute, its bytes as latin1. `quietly`: the change is worth no run */
  mark(path: string, quietly = false): void {
    if (!this.#doubts.has('too-many')) this.#folders.add(path);
    if (this.#folders.size > mostFolders) {
      this.#folders.clear();
      this.#doubts.add('too-many');
    }
    if (!quietly) this.#tell();
  }

  /** Something changed in a folder that is marked already. */
  changed(): void {
    this.#tell();
  }

  /** @param isChange something probably changed, so that it is worth a run of its own */
  doubt(reason: Doubt, isChange = true): void {
    this.#doubts.add(reason);
    if (isChange) this.#tell();
  }

  /** A doubt that is in every cut from now on, or no more. It alone is no change. */
  lastingDoubt(reason: Doubt, holds: boolean): void {
    if (holds) this.#lasting.add(reason);
    else if (this.#lasting.delete(reason)) this.#doubts.add(reason);
  }

  cut(): Cut {
    const cut = this.peek();
    this.#sequence += 1;
    this.#folders = new Set();
    this.#doubts = new Set();
    return cut;
  }

  /** What the next cut would hold by now. */
  peek(): Cut {
    return {
      sequence: this.#sequence,
      folders: [...this.#folders].map((path) => Buffer.from(path, 'latin1')),
      doubts: [...new Set([...this.#doubts, ...this.#lasting])],
    };
  }
}
