/**
 * A C library whose functions are written by the test: for systems that the tests do not run on, and for answers that the real one
 * cannot be made to give. Every call is recorded.
 */
import type { CFunction, CLibrary, CMemory } from '../../src/platform/c-library.ts';

type Args = Parameters<CFunction>;

/** What a function answers: a result, or an error number (the result is then -1). */
export type Answer = number | { readonly errno: number };

export class FakeCLibrary implements CLibrary {
  readonly calls: { readonly name: string; readonly args: Args }[] = [];
  readonly #answers: Record<string, (args: Args, library: FakeCLibrary) => Answer>;
  readonly #memories: CMemory[] = [];
  #errno = 0;

  constructor(answers: Record<string, (args: Args, library: FakeCLibrary) => Answer>) {
    this.#answers = answers;
  }

  func(name: string): CFunction {
    return (...args) => {
      this.calls.push({ name, args });
      const answer = this.#answers[name];
      if (!answer) throw new Error(`unexpected call of ${name}`);
      const result = answer(args, this);
      if (typeof result === 'number') return result;
      this.#errno = result.errno;
      return -1;
    };
  }

  errno(): number {
    return this.#errno;
  }

  memory(size: number): CMemory {
    const memory = { bytes: Buffer.from(new ArrayBuffer(size)), address: 0x1000 * (this.#memories.length + 1) };
    this.#memories.push(memory);
    return memory;
  }

  /** The memory that a function was given the address of. */
  at(address: unknown): Buffer {
    const memory = this.#memories.find((m) => m.address === address);
    if (!memory) throw new Error(`no memory at ${String(address)}`);
    return memory.bytes;
  }

  /** The NUL-terminated string at the address. */
  stringAt(address: unknown): string {
    const bytes = this.at(address);
    return bytes.toString('latin1', 0, bytes.indexOf(0));
  }
}
