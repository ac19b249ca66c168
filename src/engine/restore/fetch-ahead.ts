/**
 * Reads what write tasks need from a destination behind a network before a worker is free for them: several requests are on
 * their way at a time, so that a long way to the destination costs little. What cannot be read here is left to the worker, which
 * reads it again and says what is wrong.
 */
import { dropSpareMemory, giveMemoryBack, inOwnMemory } from '../../platform/spare-memory.ts';
import type { Storage } from '../../storage/storage.ts';
import { type FetchedRun, runsOf, type WriteTask } from './write-job.ts';

/** Bytes that may be on their way or wait for a worker, unless one task alone needs more; and requests. */
const mostBytes = 108 << 20;
const mostTasks = 8;

export class FetchAhead {
  readonly #storage: Storage;
  readonly #signal: AbortSignal;
  #bytes = 0;
  #tasks = 0;
  readonly #waiting: (() => void)[] = [];

  /** Nothing is read any more once `signal` is aborted. */
  constructor(storage: Storage, signal: AbortSignal) {
    this.#storage = storage;
    this.#signal = signal;
  }

  /**
   * Calls `work` for each of the tasks with what was read for it, in their order as far as reading takes equally long. It resolves to
   * the memory of what was read, which is used again.
   */
  async run(
    tasks: readonly WriteTask[],
    work: (task: WriteTask, transfer: ArrayBuffer[]) => Promise<readonly ArrayBuffer[]>,
  ): Promise<void> {
    const running: Promise<void>[] = [];
    for (const task of tasks) {
      const runs = runsOf(task.blobs);
      const bytes = runs.reduce((sum, { from, to }) => sum + to - from, 0);
      while (this.#tasks > 0 && (this.#tasks >= mostTasks || this.#bytes + bytes > mostBytes))
        await new Promise<void>((resolve) => void this.#waiting.push(resolve));
      this.#bytes += bytes;
      this.#tasks += 1;
      running.push(
        this.#fetch(task, runs)
          .then((fetched) =>
            work(
              { ...task, fetched },
              fetched.map(({ bytes: { buffer } }) => buffer),
            ),
          )
          .then((memory) => memory.forEach(giveMemoryBack))
          .finally(() => {
            this.#bytes -= bytes;
            this.#tasks -= 1;
            for (const resume of this.#waiting.splice(0)) resume();
          }),
      );
    }
    await Promise.all(running).finally(dropSpareMemory);
  }

  async #fetch({ pack }: WriteTask, runs: ReturnType<typeof runsOf>): Promise<FetchedRun[]> {
    const fetched = await Promise.all(
      runs.map(async ({ from, to }) => {
        if (this.#signal.aborted) return [];
        try {
          const bytes = await this.#storage.load({ kind: 'pack', name: pack }, { offset: from, length: to - from });
          return [{ from, bytes: inOwnMemory(bytes) }];
        } catch {
          return [];
        }
      }),
    );
    return fetched.flat();
  }
}
