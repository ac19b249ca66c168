/** Asking for a password on a terminal, without showing it. */
import { StringDecoder } from 'node:string_decoder';
import type { ReadStream } from 'node:tty';
import { HoldfastError } from '../contract/errors.ts';

/** What the terminal sends for keys, in raw mode. */
const ctrlC = '\x03';
const ctrlD = '\x04';
const ctrlU = '\x15';
const enter = new Set(['\r', '\n']);
const backspace = new Set(['\x7f', '\b']);

export interface Asking {
  readonly input: ReadStream;
  readonly output: { write(text: string): unknown };
  /** Aborted when the run is cancelled. */
  readonly signal: AbortSignal;
}

/** Whether somebody is there to be asked. */
export const canAsk = (stdin: { readonly isTTY?: boolean }, stderr: { readonly isTTY?: boolean }): boolean =>
  stdin.isTTY === true && stderr.isTTY === true;

/** The line that is typed. Throws `cancelled` for Ctrl-C, and for Ctrl-D or the input's end on an empty line. */
export async function askPassword(question: string, { input, output, signal }: Asking): Promise<string> {
  const decoder = new StringDecoder('utf8');
  let typed: string[] = [];
  // Before the question: what is typed from then on must not show.
  input.setRawMode(true);
  try {
    output.write(question);
    return await new Promise<string>((resolve, reject) => {
      const cancel = (): void => done(() => reject(new HoldfastError('cancelled')));
      const done = (settle: () => void): void => {
        input.off('data', take);
        input.off('end', cancel);
        signal.removeEventListener('abort', cancel);
        settle();
      };
      const take = (bytes: Buffer): void => {
        const text = decoder.write(bytes);
        // Keys without a character (arrows …) come as sequences of their own.
        if (text.startsWith('\x1b')) return;
        for (const key of text) {
          if (enter.has(key)) return done(() => resolve(typed.join('')));
          if (key === ctrlC || (key === ctrlD && typed.length === 0)) return cancel();
          if (backspace.has(key)) typed.pop();
          else if (key === ctrlU) typed = [];
          else if (key >= ' ') typed.push(key);
        }
      };
      if (signal.aborted) return cancel();
      signal.addEventListener('abort', cancel, { once: true });
      input.on('data', take);
      input.on('end', cancel);
      input.resume();
    });
  } finally {
    input.setRawMode(false);
    // An open terminal would keep the process alive.
    input.pause();
    output.write('\n');
  }
}
