/**
 * The memory in which all workers of a run fill packs. A worker asks for a buffer when it begins a pack; the buffer of a
 * stored pack is used again. While too many packs are on their way to the storage whoever asks has to wait, so that a slow
 * destination slows the run down instead of filling the memory.
 */

interface Request {
  readonly bytes: number;
  give(buffer: ArrayBuffer): void;
}

export class PackBuffers {
  readonly #mostStoring: number;
  #storing = 0;
  #free: ArrayBuffer[] = [];
  readonly #requests: Request[] = [];

  /** `mostStoring`: packs that may be on their way to the storage before anybody has to wait. */
  constructor(mostStoring: number) {
    this.#mostStoring = mostStoring;
  }

  /** Calls `give` with a buffer of at least `bytes` bytes, now or later. */
  ask(bytes: number, give: (buffer: ArrayBuffer) => void): void {
    this.#requests.push({ bytes, give });
    this.#serve();
  }

  /** A pack is on its way to the storage. */
  beginStoring(): void {
    this.#storing += 1;
  }

  /** It has got there, or failed to; `buffer` was its memory, unless somebody keeps that. */
  endStoring(buffer?: ArrayBuffer): void {
    this.#storing -= 1;
    if (buffer) this.#free.push(buffer);
    this.#serve();
    // Enough for the next one who asks; two packs arriving together are rare enough to make a new buffer then.
    this.#free = this.#free.slice(0, 1);
  }

  #serve(): void {
    while (this.#requests.length > 0 && this.#storing <= this.#mostStoring) {
      const { bytes, give } = this.#requests.shift()!;
      const fit = this.#free.findIndex(({ byteLength }) => byteLength >= bytes);
      give(fit < 0 ? new ArrayBuffer(bytes) : this.#free.splice(fit, 1)[0]);
    }
  }
}
