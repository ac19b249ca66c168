/** Keeps the few largest of many parts, and the sum of the others. */

interface Part {
  readonly files: number;
  readonly bytes: number;
}

export class Largest<P extends Part> {
  readonly #most: number;
  #parts: P[] = [];
  readonly #rest = { parts: 0, files: 0, bytes: 0 };

  constructor(most: number) {
    this.#most = most;
  }

  add(part: P): void {
    this.#parts.push(part);
    // Sorting now and then costs less than keeping order.
    if (this.#parts.length >= 2 * this.#most + 64) this.#cut();
  }

  /** The largest first; of the same size, the one with more files. */
  list(): readonly P[] {
    this.#cut();
    return this.#parts;
  }

  rest(): { readonly parts: number; readonly files: number; readonly bytes: number } {
    this.#cut();
    return this.#rest;
  }

  #cut(): void {
    this.#parts.sort((a, b) => b.bytes - a.bytes || b.files - a.files);
    for (const { files, bytes } of this.#parts.splice(this.#most)) {
      this.#rest.parts += 1;
      this.#rest.files += files;
      this.#rest.bytes += bytes;
    }
  }
}
