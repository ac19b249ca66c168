/** What an undo has done, as it comes together, or what it would do. */
import type { RestoreProblem } from '../restore/walk-task.ts';

/** One line of what an undo does. */
export interface UndoneEntry {
  readonly path: Uint8Array;
  /**
   * `put-back`: what was there before is there again. `remove`: it was made by the restore. `set`: only properties are set back.
   * `keep`: it was changed since, and stays, or gets the name `other`.
   */
  readonly action: 'put-back' | 'remove' | 'set' | 'keep';
  readonly other: Uint8Array | undefined;
}

export interface UndoFigures {
  putBack: number;
  removed: number;
  set: number;
  kept: number;
}

const counters = { 'put-back': 'putBack', remove: 'removed', set: 'set', keep: 'kept' } as const;

export class UndoReport {
  readonly figures: UndoFigures = { putBack: 0, removed: 0, set: 0, kept: 0 };
  readonly kept: UndoneEntry[] = [];
  readonly problems: RestoreProblem[] = [];
  readonly #onEntry: ((entry: UndoneEntry) => void) | undefined;

  constructor(onEntry: ((entry: UndoneEntry) => void) | undefined) {
    this.#onEntry = onEntry;
  }

  tell(path: Buffer, action: 'put-back' | 'remove' | 'set'): void {
    this.#add({ path: new Uint8Array(path), action, other: undefined });
  }

  /** What is at `path` was changed since the restore: it stays, or it has got the name `other`. */
  keep(path: Buffer, other?: Buffer): void {
    const entry: UndoneEntry = { path: new Uint8Array(path), action: 'keep', other: other && new Uint8Array(other) };
    this.kept.push(entry);
    this.#add(entry);
  }

  problem(path: Buffer, detail: string, kind: RestoreProblem['kind'] = 'failed'): void {
    this.problems.push({ path: new Uint8Array(path), kind, detail });
  }

  #add(entry: UndoneEntry): void {
    this.figures[counters[entry.action]] += 1;
    this.#onEntry?.(entry);
  }
}
