/** Calls of what others have made, none of which may end the caller. */
export class GuardedCalls {
  readonly #tell: (error: unknown) => void;
  readonly #failing = new Set<string>();

  /** @param tell may throw as well */
  constructor(tell: (error: unknown) => void) {
    this.#tell = tell;
  }

  /** What `call` returns, or `otherwise` when it throws. The first of several failures under one name in a row is told. */
  guarded<T>(name: string, call: () => T, otherwise: T): T {
    try {
      const result = call();
      this.#failing.delete(name);
      return result;
    } catch (error) {
      if (!this.#failing.has(name)) this.report(error);
      this.#failing.add(name);
      return otherwise;
    }
  }

  report(error: unknown): void {
    try {
      this.#tell(error);
    } catch {
      // Nobody is left to be told.
    }
  }
}
