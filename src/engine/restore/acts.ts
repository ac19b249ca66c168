/** Changes of a walk: done at once, or, where an undo must know of them, when that is on the disk. */
import { HoldfastError } from '../../contract/errors.ts';
import type { RunControl } from '../../platform/cancellation.ts';
import type { UndoLog } from '../undo/log.ts';
import { throwIfFatal } from './failures.ts';
import type { FolderKeeper } from './keeping.ts';

/** So much is put off at most. */
const deferredAtOnce = 4000;

interface Deferred {
  readonly place: Buffer;
  readonly act: () => void;
  readonly failed: (error: Error) => void;
}

export class Acts {
  readonly #log: UndoLog | undefined;
  readonly #control: RunControl;
  #deferred: Deferred[] = [];

  constructor(log: UndoLog | undefined, control: RunControl) {
    this.#log = log;
    this.#control = control;
  }

  /** Does something in the keeper's folder, now or at the next flush; what fails then and affects only `place` is told to `failed`. */
  do(keeper: FolderKeeper, place: Buffer, failed: (error: Error) => void, act: () => void): void {
    if (!keeper.defers) {
      act();
      return;
    }
    this.#deferred.push({ place, act, failed });
    if (this.#deferred.length >= deferredAtOnce) this.flush();
  }

  /** Does what was put off, in its order. */
  flush(): void {
    this.#log?.sync();
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const { place, act, failed } of deferred) {
      this.#control.checkpoint();
      try {
        act();
      } catch (error) {
        if (error instanceof HoldfastError) throw error;
        throwIfFatal(error, place);
        failed(error as Error);
      }
    }
  }
}
