/** Standard output and standard error as a program that ends properly needs them: nobody is left unheard, nothing throws. */
import { HoldfastError } from '../contract/errors.ts';

/** Whoever read our output has gone (`holdfast ls | head`): no failure, but there is nobody to go on for. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone';
}

export class Sink {
  readonly #stream: NodeJS.WriteStream;
  #error: NodeJS.ErrnoException | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    // Without a listener a broken pipe would end the process in the middle of a run.
    stream.on('error', (error: NodeJS.ErrnoException) => (this.#error ??= error));
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  get columns(): number | undefined {
    return this.#stream.columns;
  }

  /** For lines that a run can do without: what cannot be written is lost. */
  write(text: string): void {
    if (!this.#error) this.#stream.write(text);
  }

  /** Resolves when the bytes are on their way. Throws {@link ReaderGone}, or `output-failed`. */
  async send(data: string | Uint8Array): Promise<void> {
    this.#refuse();
    if (data.length > 0) await this.#write(data);
    this.#refuse();
  }

  /** Resolves when all that was written has left the process, or never will. */
  async flush(): Promise<void> {
    if (!this.#error) await this.#write('');
  }

  #write(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      // The callback hears of an error before the listener does.
      this.#stream.write(data, (error) => {
        if (error) this.#error ??= error;
        resolve();
      });
    });
  }

  #refuse(): void {
    if (!this.#error) return;
    if (this.#error.code === 'EPIPE' || this.#error.code === 'ECONNRESET') throw new ReaderGone();
    throw new HoldfastError('output-failed', { cause: this.#error.message }, { cause: this.#error });
  }
}
