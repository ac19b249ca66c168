/** HTTP/2 over the standard input and output of rclone; an rclone that has ended is started again by the next request. */
import http2 from 'node:http2';
import { PassThrough, pipeline } from 'node:stream';
import { fail, HoldfastError } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Paces } from '../pace.ts';
import { connectionError, SilenceError } from '../http/connection-errors.ts';
import { type HttpAnswer, type HttpClient, type HttpRequest, lengthOf, type Patience, usualPatience } from '../http/exchange.ts';
import { type AnswerHead, type Carrier, runExchange } from '../http/run-exchange.ts';
import { Silence, type Wait } from '../http/silence.ts';
import { RcloneProgram } from './program.ts';

/** Bytes that may be on their way to us: in one answer, and in all. */
const answerWindow = 4 << 20;
const sessionWindow = 16 << 20;

export interface RcloneClientOptions {
  readonly program: string;
  readonly remote: string;
  readonly env: NodeJS.ProcessEnv;
  readonly location: string;
  readonly clock: Clock;
  readonly patience?: Partial<Patience> | undefined;
  readonly paces?: Paces | undefined;
}

interface Session {
  readonly rclone: RcloneProgram;
  readonly http: http2.ClientHttp2Session;
  /** Resolves when rclone has said its first word in the protocol; never, when it ends before. */
  readonly ready: Promise<void>;
}

export class RcloneClient implements HttpClient {
  readonly server = 'rclone';
  readonly clockSkewMs = undefined;
  readonly #options: RcloneClientOptions;
  readonly #patience: Patience;
  readonly #silence: Silence;
  #session: Session | undefined;
  #opening: Promise<Session> | undefined;
  #closed = false;

  constructor(options: RcloneClientOptions) {
    this.#options = options;
    this.#patience = { ...usualPatience, ...options.patience };
    this.#silence = new Silence(options.clock);
  }

  /** What rclone has last said about something that went wrong. */
  get lastWords(): string {
    return this.#session?.rclone.lastWords ?? '';
  }

  async send(request: HttpRequest): Promise<HttpAnswer> {
    const { location, clock } = this.#options;
    const describe = (error: unknown): HoldfastError => connectionError(error, { location, server: this.server });
    const session = this.#closed ? undefined : await this.#open().catch((error: unknown) => Promise.reject(describe(error)));
    if (!session || this.#closed) return fail('internal', { cause: `${location} was used after it had been closed` });
    const { rclone } = session;
    let isConnected = false;
    void session.ready.then(() => (isConnected = true));
    let cut: (error: Error) => void = () => {};
    const wait = this.#silence.begin(() => cut(new SilenceError(isConnected)));
    try {
      const carrier = this.#start(session, request, wait);
      cut = carrier.cut;
      return await runExchange(carrier, request, wait, { patience: this.#patience, paces: this.#options.paces, clock, describe });
    } catch (error) {
      wait.end();
      throw await this.#explained(describe(error), rclone);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const session = (await this.#opening?.catch(() => undefined)) ?? this.#session;
    this.#session = undefined;
    session?.http.destroy();
    await session?.rclone.end();
  }

  async #open(): Promise<Session> {
    const held = this.#session;
    if (held && held.rclone.isRunning && !held.http.destroyed && !held.http.closed) return held;
    this.#opening ??= this.#begin(held).finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #begin(last: Session | undefined): Promise<Session> {
    // What is left of the last one ends with its input.
    if (last) void last.rclone.end();
    const rclone = await RcloneProgram.start(this.#options);
    const http = http2.connect('http://localhost', {
      createConnection: () => rclone.socket,
      settings: { enablePush: false, initialWindowSize: answerWindow },
    });
    http.on('error', () => {});
    // A request that waits for a program which is not there would wait for long.
    void rclone.ended.then(() => http.destroy(new Error('rclone has ended')));
    const ready = new Promise<void>((resolve) => {
      http.once('remoteSettings', () => {
        http.setLocalWindowSize(sessionWindow);
        resolve();
      });
    });
    this.#session = { rclone, http, ready };
    return this.#session;
  }

  #start({ http, ready }: Session, { method, path, headers, body }: HttpRequest, wait: Wait): Carrier {
    const stream = http.request({
      ':method': method,
      ':path': path,
      'user-agent': 'holdfast',
      ...headers,
      ...(body ? { 'content-length': String(lengthOf(body)) } : {}),
    });
    wait.expect(this.#patience.connectMs);
    const head = new Promise<AnswerHead>((resolve, reject) => {
      stream.on('error', reject);
      stream.once('close', () => reject(new Error('the stream was closed')));
      stream.once('response', (given) => {
        const header = (name: string): string | undefined => [given[name] ?? []].flat().join(', ') || undefined;
        // A stream that has come to its end closes by itself, whether or not somebody has begun to read it.
        const incoming = new PassThrough();
        pipeline(stream, incoming, () => {});
        resolve({ status: given[':status'] ?? 0, header, incoming });
      });
    });
    return {
      outgoing: stream,
      connected: ready,
      head,
      wanted: Promise.resolve(),
      closed: new Promise((resolve) => stream.once('close', resolve)),
      cut: (error) => void stream.destroy(error),
    };
  }

  /** A connection that broke because rclone ended is no news of the network: rclone's own words are. */
  async #explained(error: HoldfastError, rclone: RcloneProgram): Promise<HoldfastError> {
    if (error.code !== 'connection-lost' || this.#closed) return error;
    if (error.cause instanceof SilenceError) return error;
    const { location, program } = this.#options;
    // Its end may show a moment after that of its output.
    const { clock } = this.#options;
    const stop = new AbortController();
    await Promise.race([rclone.ended, clock.sleep(1000, stop.signal).catch(() => {})]);
    stop.abort();
    const { startError, isRunning, lastWords } = rclone;
    if (startError) {
      const context = { program, name: 'rclone', location, variables: 'HOLDFAST_RCLONE', cause: startError.message };
      return new HoldfastError('program-missing', context, { cause: startError });
    }
    if (isRunning) return error;
    return new HoldfastError('rclone-failed', { location, cause: lastWords === '' ? undefined : lastWords }, { cause: error });
  }
}
