/**
 * What a run says, in one of two languages:
 * - for people: results on standard output; progress, remarks and errors on standard error. Every text passes
 *   {@link printable}.
 * - with `--json`: one object a line on standard output, nothing else there. `type` says what it is: `progress`, `note`,
 *   `problem` (something is missing from the result), `summary` (the last line of a run that ended), `error` (the last line
 *   of one that did not), and what a verb lists (`snapshot`, `entry`, …).
 */
import { inspect } from 'node:util';
import type { HoldfastError } from '../contract/errors.ts';
import type { Progress } from '../engine/run.ts';
import { printable, printablePath } from './printable.ts';
import { ProgressBar } from './progress-bar.ts';
import { Sink } from './sink.ts';

export interface OutputOptions {
  readonly json: boolean;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
}

/** Something that is not, or not wholly, as it should be, while the run goes on. */
export interface ReportedProblem {
  readonly path: Uint8Array | undefined;
  readonly kind: string;
  readonly detail: string;
}

export class Output {
  readonly json: boolean;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly #bar: ProgressBar | undefined;
  readonly #debug: boolean;

  constructor({ json, stdout, stderr, env }: OutputOptions) {
    this.json = json;
    this.stdout = new Sink(stdout);
    this.stderr = new Sink(stderr);
    this.#debug = (env.HOLDFAST_DEBUG ?? '') !== '';
    const bar = !json && this.stderr.isTerminal && env.TERM !== 'dumb' ? new ProgressBar(this.stderr) : undefined;
    this.#bar = bar;
    if (json) this.progress = (progress) => this.object('progress', progress);
    else if (bar) this.progress = (progress) => bar.show(progress);
  }

  /** Lines of a result for people. */
  lines(...lines: readonly string[]): void {
    if (this.json) return;
    this.#bar?.clear();
    for (const line of lines) this.stdout.write(`${printable(line)}\n`);
  }

  /** Lines of a long list for people, which wait for a slow reader. Throws `ReaderGone`, `output-failed`. */
  async list(lines: readonly string[]): Promise<void> {
    this.#bar?.clear();
    await this.stdout.send(lines.map((line) => `${printable(line)}\n`).join(''));
  }

  /** One object of a result. */
  object(type: string, fields: object): void {
    if (this.json) this.stdout.write(jsonLine(type, fields));
  }

  /** Objects of a long list, which wait for a slow reader. Throws as `list` does. */
  async objects(type: string, list: readonly object[]): Promise<void> {
    await this.stdout.send(list.map((fields) => jsonLine(type, fields)).join(''));
  }

  /** A remark that changes nothing about the result. */
  note(text: string): void {
    if (this.json) this.object('note', { text });
    else this.#say(text);
  }

  problem({ path, kind, detail }: ReportedProblem): void {
    if (this.json) this.object('problem', { ...(path === undefined ? {} : pathFields(path)), kind, detail });
    else this.#say(`${path === undefined ? '' : `${printablePath(path)}: `}${detail}`);
  }

  /** Why the run ended. `words` replace the message, where a verb knows better what it means. */
  error(error: HoldfastError, words?: string): void {
    if (this.json) this.object('error', { ...error.toJSON(), ...(words === undefined ? {} : { message: words }) });
    else if (words === undefined) this.#say(`holdfast: ${error.message}`, error.guidance);
    else this.#say(words);
    if (this.#debug) this.stderr.write(`${inspect(error, { depth: 4 })}\n`);
  }

  /** Undefined when nobody looks, so that the engine need not find out how much there is to do. */
  readonly progress: ((progress: Progress) => void) | undefined;

  /** Takes the progress away; before the result. */
  endProgress(): void {
    this.#bar?.clear();
  }

  /** Resolves when everything has left the process. */
  async flush(): Promise<void> {
    this.#bar?.clear();
    await Promise.all([this.stdout.flush(), this.stderr.flush()]);
  }

  #say(...lines: readonly string[]): void {
    this.#bar?.clear();
    for (const line of lines) this.stderr.write(`${printable(line)}\n`);
  }
}

const jsonLine = (type: string, fields: object): string => `${JSON.stringify({ type, ...fields })}\n`;

/** A path for programs: as text, and when that is not all of it as the bytes themselves, in base64. */
export function pathFields(path: Uint8Array): { path: string; pathBytes?: string } {
  const bytes = Buffer.from(path.buffer, path.byteOffset, path.byteLength);
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? { path: text } : { path: text, pathBytes: bytes.toString('base64') };
}
