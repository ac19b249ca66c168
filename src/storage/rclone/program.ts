/** The person's own rclone, started as a server of restic's protocol on its standard input and output. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { pipeline, type Readable, type Writable } from 'node:stream';
import type { Clock } from '../../platform/clock.ts';
import { socketPair } from '../../platform/socket-pair.ts';

export interface RcloneOptions {
  /** Path, or a name to be found in PATH. */
  readonly program: string;
  /** As rclone writes it: `remote:path`. */
  readonly remote: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** Time that it is given to end by itself, in milliseconds. */
const endingMs = 5_000;
/** What is kept of its words; characters. */
const keptWords = 4_000;
/** What it puts before each line of its log. */
const logPrefix = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d (?:(?:DEBUG|INFO|NOTICE|ERROR|CRITICAL) *: )?/;

export class RcloneProgram {
  /**
   * What goes to it and comes from it. A real socket: HTTP/2 over any other stream ends the whole process now and then, when
   * that stream breaks under several requests (an assertion in Node 24's JSStreamSocket.doWrite).
   */
  readonly socket: Socket;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #clock: Pick<Clock, 'sleep'>;
  #words = '';
  #startError: Error | undefined;
  /** Resolves when it has ended, or was never there. */
  readonly ended: Promise<void>;
  #isRunning = true;

  static async start(options: RcloneOptions): Promise<RcloneProgram> {
    const [near, far] = await socketPair();
    return new RcloneProgram(options, near, far);
  }

  private constructor({ program, remote, env, clock }: RcloneOptions, near: Socket, far: Socket) {
    this.#clock = clock;
    this.socket = near;
    near.on('error', () => {});
    const args = ['serve', 'restic', '--stdio', '--b2-hard-delete', '--ask-password=false', '--', remote];
    this.#child = spawn(program, args, {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      // Ctrl-C at a terminal is for Holdfast, which still needs rclone to tidy up. It ends when its input does.
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    const { stdin, stdout, stderr } = this.#child;
    stderr.on('data', (piece: Buffer) => (this.#words = (this.#words + piece.toString()).slice(-keptWords)));
    // Its end shows in many ways at the same time; one is enough.
    for (const stream of [stdin, stdout, stderr]) stream.on('error', () => {});
    this.#child.once('error', (error) => (this.#startError = error));
    this.ended = Promise.race([once(this.#child, 'close'), once(this.#child, 'error')]).then(
      () => void (this.#isRunning = false),
      () => void (this.#isRunning = false),
    );
    pipeline(far, stdin, () => {});
    pipeline(stdout, far, () => {});
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Why it could not be started, if it could not. */
  get startError(): Error | undefined {
    return this.#startError;
  }

  /** The last line that it wrote to its log, without the time; '' when there is none. */
  get lastWords(): string {
    const line = this.#words.trim().split('\n').at(-1) ?? '';
    return line
      .replace(logPrefix, '')
      .trim()
      .slice(0, 300)
      .replace(/[.!]+$/, '');
  }

  /** Forgets what it has said so far. */
  forgetWords(): void {
    this.#words = '';
  }

  /** Lets it end by itself, or makes it. */
  async end(): Promise<void> {
    this.#child.stdin.end();
    const stop = new AbortController();
    await Promise.race([this.ended, this.#clock.sleep(endingMs, stop.signal).catch(() => {})]);
    stop.abort();
    if (this.#isRunning) this.#child.kill('SIGKILL');
    await this.ended;
  }
}
