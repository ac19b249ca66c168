/**
 * Live figures of a run. Each worker writes its own block of shared memory and the coordinator adds them up, so that
 * counting costs a store and no message. A block holds the numbers of {@link counters} as 64-bit floats, then the
 * length (u32) and the bytes of the path being worked on.
 */
export const counters = ['files', 'dirs', 'bytes', 'stored', 'packed'] as const;
export type Counter = (typeof counters)[number];

const pathAt = counters.length * 8;
const maxPath = 4096;

export const progressBytes = pathAt + 8 + maxPath;

export class WorkerProgress {
  readonly #numbers: Float64Array;
  readonly #pathLength: Uint32Array;
  readonly #path: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.#numbers = new Float64Array(memory, 0, counters.length);
    this.#pathLength = new Uint32Array(memory, pathAt, 1);
    this.#path = new Uint8Array(memory, pathAt + 8, maxPath);
  }

  add(counter: Counter, amount: number): void {
    this.#numbers[counters.indexOf(counter)] += amount;
  }

  get(counter: Counter): number {
    return this.#numbers[counters.indexOf(counter)];
  }

  /** What is being worked on. */
  set path(path: Uint8Array) {
    const length = Math.min(path.length, maxPath);
    // A reader in between sees no path rather than half of one.
    this.#pathLength[0] = 0;
    this.#path.set(length === path.length ? path : path.subarray(0, length));
    this.#pathLength[0] = length;
  }

  get path(): Buffer {
    return Buffer.from(this.#path.slice(0, this.#pathLength[0]));
  }

  reset(): void {
    this.#numbers.fill(0);
    this.#pathLength[0] = 0;
  }
}
