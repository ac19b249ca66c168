/**
 * Sharing a walk over trees among all workers. Work is a list of items of a fixed number of 32-bit words each; a job takes a part of it,
 * and gives back what it has not done when others have nothing to do.
 */
import type { WorkerContext } from '../workers/context.ts';
import type { JobRunner } from '../workers/pool.ts';

/** Keeps all workers busy with parts of `work`; what a part leaves over is shared out again. `words`: of one item. */
export async function shareOut<R extends { readonly rest: Uint32Array }>(
  pool: JobRunner,
  work: Uint32Array,
  run: (part: Uint32Array) => Promise<R>,
  take: (result: R) => void,
  words = 1,
): Promise<void> {
  const ready: Uint32Array[] = work.length > 0 ? [work] : [];
  let active = 0;
  await new Promise<void>((resolve, reject) => {
    const pump = (): void => {
      while (active < pool.size && ready.length > 0) {
        let part = ready.pop()!;
        const free = pool.size - active;
        if (ready.length === 0 && free > 1 && part.length > words) {
          const size = Math.ceil(part.length / words / free) * words;
          for (let at = size; at < part.length; at += size) ready.push(part.slice(at, at + size));
          part = part.slice(0, size);
        }
        active += 1;
        run(part)
          .then((result) => {
            active -= 1;
            take(result);
            if (result.rest.length > 0) ready.push(result.rest);
            pump();
          })
          .catch(reject);
      }
      pool.setIdle(pool.size - active);
      if (active === 0) resolve();
    };
    pump();
  });
}

/** A job gives back what is left after so many trees when others have nothing to do, and in any case after the second number. */
const fewTrees = 16;
const manyTrees = 4096;

/** Whether a job that has read `read` trees should give back the `left` items that it has. */
export const isEnough = (read: number, left: number, context: WorkerContext): boolean =>
  read >= manyTrees || (read >= fewTrees && left > 1 && context.othersIdle);

/** Work of two words an item: a stack, so that it stays as small as the trees are deep. */
export class PairStack {
  #words = new Uint32Array(512);
  #length = 0;
  /** The item that was popped last. */
  first = 0;
  second = 0;

  /** Puts work on top. */
  fill(work: Uint32Array): void {
    for (let at = 0; at < work.length; at += 2) this.push(work[at], work[at + 1]);
  }

  /** Items. */
  get length(): number {
    return this.#length / 2;
  }

  push(first: number, second: number): void {
    if (this.#length === this.#words.length) {
      const larger = new Uint32Array(this.#length * 2);
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words[this.#length++] = first;
    this.#words[this.#length++] = second;
  }

  /** Sets {@link first} and {@link second}. The stack must not be empty. */
  pop(): void {
    this.second = this.#words[--this.#length];
    this.first = this.#words[--this.#length];
  }

  /** What is on the stack, as work. */
  rest(): Uint32Array<ArrayBuffer> {
    return this.#words.slice(0, this.#length);
  }
}
