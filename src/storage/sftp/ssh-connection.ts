/**
 * One SSH connection to a server that lets one in, straight or through another one (ssh's ProxyJump): then it goes encrypted from
 * end to end through that one, which sees neither its data nor what opens it.
 *
 * What it promises: nothing waits for ever; when the connection ends, however, every call at work fails with the reason, as do the
 * calls after it, and those of the connections that go through it. It keeps the process alive only while a call is at work.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Client, type ServerHostKeyAlgorithm } from 'ssh2';
import { HoldfastError } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { connectionError, SilenceError } from '../http/connection-errors.ts';
import type { Call } from './channel.ts';
import type { HostKeys } from './host-keys.ts';
import { type SftpCredentials, SignIn } from './sign-in.ts';
import { StatusError, status } from './status.ts';

/** In milliseconds. */
export interface SftpPatience {
  /** Until one is let in. */
  readonly connectMs: number;
  /** Without a byte in either direction while something is waited for: a slow disk may take its time. */
  readonly silentMs: number;
  /** For the answer to one request, whatever else goes on: on a slow line it is one of many. */
  readonly answerMs: number;
  /** After so long without use something is asked, so that routers in between do not forget the connection. */
  readonly idleMs: number;
}

export const usualSftpPatience: SftpPatience = { connectMs: 30_000, silentMs: 120_000, answerMs: 15 * 60_000, idleMs: 30_000 };

/** A server that one signs in to. */
export interface Hop {
  readonly host: string;
  readonly port: number;
  /** As a person would recognise it. */
  readonly server: string;
  readonly credentials: SftpCredentials;
  readonly hostKeys: HostKeys;
}

export interface SshOptions extends Hop {
  /** Of the repository, which may be on a server behind this one. */
  readonly location: string;
  readonly clock: Clock;
  readonly patience: SftpPatience;
  /** Only a server on the way to the one that is meant. */
  readonly isJump: boolean;
}

const lookEveryMs = 1000;
/** Time to say good-bye. */
const endingMs = 2000;
/** Why a server opens no channel (RFC 4254, 5.1). */
const connectFailed = 2;

/** The types of host keys, the best first, and how a server proves that it has one. */
const hostKeyTypes: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'],
};

/** What ssh2 throws, before anything is sent, for an extension of the protocol that the server has not announced. */
const notAnnounced = /does not support this extended request/;

export class SshConnection {
  readonly client = new Client();
  readonly #options: SshOptions;
  readonly #through: SshConnection | undefined;
  /** The connection of this computer, which may carry others. */
  readonly #socket: Socket;
  readonly #closed = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<HoldfastError>();
  /** How to end the calls at work, and when they began; the oldest first. */
  readonly #atWork = new Map<(reason: unknown) => void, number>();
  #ending: HoldfastError | undefined;
  #phase: 'connecting' | 'greeting' | 'signing in' | 'in' = 'connecting';
  #seenBytes = 0;
  #seenAt: number;
  readonly #stopLooking: () => void;
  /** Called while nothing is at work, to keep the connection in use. */
  onIdle: () => void = () => {};

  /** Resolves when the server has let one in. Aborting the signal meanwhile ends it, and what it goes through. */
  static async open(options: SshOptions, signal: AbortSignal, through?: SshConnection): Promise<SshConnection> {
    const connection = new SshConnection(options, through);
    await connection.orEnd(signal, () => connection.#enter());
    return connection;
  }

  private constructor(options: SshOptions, through: SshConnection | undefined) {
    this.#options = options;
    this.#through = through;
    const { host, port, clock, patience } = options;
    this.#seenAt = clock.monotonic();
    this.#socket = through
      ? through.#socket
      : connectTcp({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: patience.idleMs });
    // Each session has listeners of its own.
    this.#socket.setMaxListeners(0);
    this.#stopLooking = clock.every(lookEveryMs, () => this.#look());
    if (!through) return;
    void through.#ended.promise.then((reason) => this.end(reason));
    void through.#closed.promise.then(() => this.#closed.resolve());
  }

  /** Why it is no more; undefined while it is open. */
  get ending(): HoldfastError | undefined {
    return this.#ending;
  }

  /** Makes a request of ssh2. */
  readonly call: Call = (start) =>
    new Promise((resolve, reject) => {
      if (this.#ending) return reject(this.#ending);
      const now = this.#options.clock.monotonic();
      if (this.#atWork.size === 0) {
        this.#seenAt = now;
        this.#socket.ref();
      }
      this.#atWork.set(reject, now);
      const done = (): void => {
        if (this.#atWork.delete(reject) && this.#atWork.size === 0) this.#socket.unref();
      };
      try {
        start((error, value) => {
          done();
          if (error) reject(this.#meaning(error));
          else resolve(value);
        });
      } catch (error) {
        done();
        reject(this.#meaning(error instanceof Error ? error : new Error(String(error))));
      }
    });

  /** Ends it when this fails, or when the signal is aborted meanwhile. */
  async orEnd<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const giveUp = (): void => this.end(this.#closedHere());
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    try {
      return await work();
    } catch (error) {
      this.end(error);
      throw this.#ending ?? error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** Ends it with what goes through it and what it goes through; what is at work fails with this reason, in words. */
  end(reason: unknown, how: 'at once' | 'kindly' = 'at once'): void {
    if (this.#ending) return;
    this.#ending = this.#described(reason);
    this.#stopLooking();
    for (const reject of this.#atWork.keys()) reject(this.#ending);
    this.#atWork.clear();
    this.#ended.resolve(this.#ending);
    if (how === 'kindly') return;
    this.#through?.end(this.#ending);
    this.#socket.destroy();
  }

  /** Says good-bye, also to the servers on the way. */
  async close(): Promise<void> {
    const { clock } = this.#options;
    if (!this.#ending) this.client.end();
    this.end(this.#closedHere(), 'kindly');
    if (this.#through) return this.#through.close();
    const stop = new AbortController();
    await Promise.race([this.#closed.promise, clock.sleep(endingMs, stop.signal).catch(() => {})]);
    stop.abort();
    this.#socket.destroy();
    await this.#closed.promise;
  }

  notUnderstood(cause: string, retryable = true): HoldfastError {
    const { location, server } = this.#options;
    const isFinal = !retryable || /no matching/.test(cause);
    return new HoldfastError(
      'server-not-understood',
      { location, server, cause: cause.slice(0, 200) },
      isFinal ? { retryable: false } : {},
    );
  }

  async #enter(): Promise<void> {
    const isIn = new Promise<void>((resolve, reject) => {
      if (this.#ending) return reject(this.#ending);
      this.#atWork.set(reject, Number.POSITIVE_INFINITY);
      this.client.once('ready', () => {
        this.#atWork.delete(reject);
        this.#phase = 'in';
        resolve();
      });
    });
    if (this.#through)
      this.#through.#forward(this.#options).then(
        (line) => {
          this.#phase = 'greeting';
          this.#greet(line);
        },
        (error: unknown) => this.end(error),
      );
    else {
      this.#socket.once('connect', () => (this.#phase = 'greeting'));
      this.#greet(this.#socket);
    }
    await isIn;
  }

  /** Asks the server to connect on to another one. */
  #forward({ host, port, server }: Hop): Promise<Duplex> {
    return this.call<Duplex>((done) =>
      this.client.forwardOut('127.0.0.1', 0, host, port, (error, channel) => done(error && this.#noWay(error, server), channel)),
    );
  }

  #noWay(error: Error, to: string): Error {
    if (!('reason' in error)) return error;
    const { location, server } = this.#options;
    if (error.reason !== connectFailed) return this.notUnderstood(`it lets nobody through to ${to}: ${error.message}`, false);
    return new HoldfastError('server-refused', { location, server: to, cause: `asked by ${server}: ${error.message}` });
  }

  #greet(line: Duplex): void {
    const { credentials, location, isJump, server, hostKeys } = this.#options;
    if (this.#ending) return void line.destroy();
    const signIn = new SignIn(credentials);
    const refusal = (cause?: string): HoldfastError =>
      isJump ? signIn.refusal(server, cause, 'a key that ssh uses there') : signIn.refusal(location, cause);
    const { client } = this;
    line.on('error', (error) => this.end(error));
    line.once('close', () => {
      this.end(new Error(this.#phase === 'greeting' ? 'it closed the connection without a greeting' : 'the server closed it'));
      this.#closed.resolve();
    });
    client.on('handshake', () => (this.#phase = 'signing in'));
    client.on('error', (error: Error & { readonly level?: string }) => {
      // An agent that is not there, or a key that cannot sign: the next one is tried.
      if (error.level === 'agent' || error.level === 'client-authentication') return;
      // OpenSSH says so when it has been shown too many keys.
      if (this.#phase === 'signing in' && 'code' in error && typeof error.code === 'number') this.end(refusal(error.message));
      else this.end(error);
    });
    client.on('change password', () => this.end(refusal('it wants the password to be changed')));
    client.connect({
      sock: line,
      username: credentials.username,
      // Time is looked after here.
      readyTimeout: 0,
      keepaliveInterval: 0,
      algorithms: { serverHostKey: algorithmsFor(hostKeys.knownTypes()) },
      hostVerifier: (blob: Buffer) => this.#accepts(blob),
      authHandler: (taken: readonly string[] | null, _partial, next) => {
        const method = signIn.next(taken);
        if (method) next(method);
        else this.end(refusal());
      },
    });
  }

  #accepts(blob: Buffer): boolean {
    try {
      const wrong = this.#options.hostKeys.judge(blob);
      if (wrong) this.end(wrong);
      return wrong === undefined;
    } catch (error) {
      this.end(error);
      return false;
    }
  }

  /** Called each second. */
  #look(): void {
    const { patience, clock } = this.#options;
    const now = clock.monotonic();
    const bytes = this.#socket.bytesRead + this.#socket.bytesWritten - this.#socket.writableLength;
    if (bytes !== this.#seenBytes) {
      this.#seenBytes = bytes;
      // Before one is let in, talk is no progress.
      if (this.#phase === 'in') this.#seenAt = now;
    }
    const silentMs = now - this.#seenAt;
    if (this.#phase !== 'in') {
      if (silentMs >= patience.connectMs) this.end(new SilenceError(this.#phase !== 'connecting'));
    } else if (this.#atWork.size > 0) {
      const [oldest] = this.#atWork.values();
      if (silentMs >= patience.silentMs || now - oldest >= patience.answerMs) this.end(new SilenceError(true));
    } else if (silentMs >= patience.idleMs) this.onIdle();
  }

  #closedHere(): HoldfastError {
    const { location, server } = this.#options;
    return new HoldfastError('connection-lost', { location, server, cause: 'it was closed on this side' });
  }

  /** What ssh2 calls back with, in words of our own. */
  #meaning(error: Error): unknown {
    if ('code' in error && typeof error.code === 'number') return new StatusError(error.code, error.message);
    if (notAnnounced.test(error.message)) return new StatusError(status.unsupported, error.message);
    return this.#ending ?? this.#described(error);
  }

  #described(reason: unknown): HoldfastError {
    const { location, server } = this.#options;
    if (!(reason instanceof Error) || reason instanceof HoldfastError || reason instanceof SilenceError)
      return connectionError(reason, { location, server });
    const level = 'level' in reason ? String(reason.level) : '';
    if (level === 'handshake' || level === 'protocol' || (this.#phase === 'greeting' && level !== 'client-socket' && !('code' in reason)))
      return this.notUnderstood(reason.message);
    // Of ssh2, when it could not open a session.
    if (/^(Unable to start subsystem|\(SSH\) Channel open failure|Received (exit code|signal|unexpected SFTP))/.test(reason.message))
      return this.notUnderstood(`it gives no SFTP session: ${reason.message}`, false);
    if (/Packet length|Malformed|Unknown packet|Expected VERSION|more data than requested/.test(reason.message))
      return this.notUnderstood(reason.message);
    return connectionError(reason, { location, server });
  }
}

/** What to ask for: the types by which the server is known first, since it shows one key only. */
function algorithmsFor(known: readonly string[]): ServerHostKeyAlgorithm[] {
  const types = Object.keys(hostKeyTypes).sort((a, b) => Number(known.includes(b)) - Number(known.includes(a)));
  return types.flatMap((type) => hostKeyTypes[type]);
}
