/**
 * One SSH connection with up to four SFTP sessions in it: each is a program of its own on the server, so that one writes to its
 * disk while another takes data, and each has a window of its own.
 *
 * What it promises: nothing waits for ever; when the connection ends, however, every call at work fails with the reason, as do the
 * calls after it. It keeps the process alive only while a call is at work.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { Client, type ServerHostKeyAlgorithm, type SFTPWrapper } from 'ssh2';
import { HoldfastError } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { connectionError, SilenceError } from '../http/connection-errors.ts';
import { type Call, SftpChannel } from './channel.ts';
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

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly server: string;
  readonly location: string;
  readonly clock: Clock;
  readonly credentials: SftpCredentials;
  readonly hostKeys: HostKeys;
  readonly patience: SftpPatience;
}

const mostChannels = 4;
const lookEveryMs = 1000;
/** Time to say good-bye. */
const endingMs = 2000;

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

export class SftpConnection {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #client = new Client();
  readonly #channels: SftpChannel[] = [];
  readonly #closed = Promise.withResolvers<void>();
  /** How to end the calls at work, and when they began; the oldest first. */
  readonly #atWork = new Map<(reason: unknown) => void, number>();
  #ending: HoldfastError | undefined;
  #phase: 'connecting' | 'greeting' | 'signing in' | 'in' = 'connecting';
  #isOpening = false;
  #mostChannels = mostChannels;
  #seenBytes = 0;
  #seenAt: number;
  readonly #stopLooking: () => void;

  /** Resolves when the server has let one in and has an SFTP session ready. Aborting the signal meanwhile ends it. */
  static async open(options: ConnectionOptions, signal: AbortSignal): Promise<SftpConnection> {
    const connection = new SftpConnection(options);
    const giveUp = (): void => connection.#end(connection.#closedHere());
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      await connection.#enter();
      return connection;
    } catch (error) {
      connection.#end(error);
      throw connection.#ending ?? error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  private constructor(options: ConnectionOptions) {
    this.#options = options;
    const { host, port, clock } = options;
    this.#seenAt = clock.monotonic();
    this.#socket = connectTcp({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: options.patience.idleMs });
    // Each session has listeners of its own.
    this.#socket.setMaxListeners(0);
    this.#stopLooking = clock.every(lookEveryMs, () => this.#look());
  }

  get isOpen(): boolean {
    return this.#ending === undefined;
  }

  /** Calls `work` with the session that has the least to do. */
  async use<T>(work: (channel: SftpChannel) => Promise<T>): Promise<T> {
    if (this.#ending) throw this.#ending;
    const channel = this.#channels.reduce((least, each) => (each.users < least.users ? each : least));
    if (channel.users > 0) this.#openAnother();
    channel.users++;
    try {
      return await work(channel);
    } finally {
      channel.users--;
    }
  }

  async close(): Promise<void> {
    const { clock } = this.#options;
    if (this.isOpen) this.#client.end();
    this.#end(this.#closedHere(), 'kindly');
    const stop = new AbortController();
    await Promise.race([this.#closed.promise, clock.sleep(endingMs, stop.signal).catch(() => {})]);
    stop.abort();
    this.#socket.destroy();
    await this.#closed.promise;
  }

  /** Makes a request of ssh2. */
  readonly #call: Call = (start) =>
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

  async #enter(): Promise<void> {
    const { credentials, location } = this.#options;
    const signIn = new SignIn(credentials);
    const client = this.#client;
    const isIn = new Promise<void>((resolve, reject) => {
      this.#atWork.set(reject, Number.POSITIVE_INFINITY);
      client.once('ready', () => {
        this.#atWork.delete(reject);
        this.#phase = 'in';
        resolve();
      });
    });
    this.#socket.once('connect', () => (this.#phase = 'greeting'));
    this.#socket.on('error', (error) => this.#end(error));
    this.#socket.once('close', () => {
      this.#end(new Error(this.#phase === 'greeting' ? 'it closed the connection without a greeting' : 'the server closed it'));
      this.#closed.resolve();
    });
    client.on('handshake', () => (this.#phase = 'signing in'));
    client.on('error', (error: Error & { readonly level?: string }) => {
      // An agent that is not there, or a key that cannot sign: the next one is tried.
      if (error.level === 'agent' || error.level === 'client-authentication') return;
      // OpenSSH says so when it has been shown too many keys.
      if (this.#phase === 'signing in' && 'code' in error && typeof error.code === 'number')
        this.#end(signIn.refusal(location, error.message));
      else this.#end(error);
    });
    client.on('change password', () => this.#end(signIn.refusal(location, 'it wants the password to be changed')));
    const known = this.#options.hostKeys.knownTypes();
    client.connect({
      sock: this.#socket,
      username: credentials.username,
      // Time is looked after here.
      readyTimeout: 0,
      keepaliveInterval: 0,
      algorithms: { serverHostKey: algorithmsFor(known) },
      hostVerifier: (blob: Buffer) => this.#accepts(blob),
      authHandler: (taken: readonly string[] | null, _partial, next) => {
        const method = signIn.next(taken);
        if (method) next(method);
        else this.#end(signIn.refusal(location));
      },
    });
    await isIn;
    this.#channels.push(await this.#openChannel());
  }

  #accepts(blob: Buffer): boolean {
    try {
      const wrong = this.#options.hostKeys.judge(blob);
      if (wrong) this.#end(wrong);
      return wrong === undefined;
    } catch (error) {
      this.#end(error);
      return false;
    }
  }

  async #openChannel(): Promise<SftpChannel> {
    const sftp = await this.#call<SFTPWrapper>((done) => this.#client.sftp((error, opened) => done(error, opened)));
    // A session that ends takes what was asked of it with it, and says nothing: the connection is begun anew.
    sftp.on('error', (error: Error) => this.#end(this.#notUnderstood(error.message)));
    sftp.on('close', () => this.#end(new Error('the server ended the SFTP session')));
    return new SftpChannel(sftp, this.#call);
  }

  /** Beside what goes on; a server that allows no more sessions is not asked again. */
  #openAnother(): void {
    if (this.#isOpening || this.#channels.length >= this.#mostChannels) return;
    this.#isOpening = true;
    this.#openChannel().then(
      (channel) => {
        this.#channels.push(channel);
        this.#isOpening = false;
      },
      () => (this.#mostChannels = this.#channels.length),
    );
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
      if (silentMs >= patience.connectMs) this.#end(new SilenceError(this.#phase !== 'connecting'));
    } else if (this.#atWork.size > 0) {
      const [oldest] = this.#atWork.values();
      if (silentMs >= patience.silentMs || now - oldest >= patience.answerMs) this.#end(new SilenceError(true));
    } else if (silentMs >= patience.idleMs) {
      this.#channels[0]?.ping().catch(() => {});
    }
  }

  #closedHere(): HoldfastError {
    const { location, server } = this.#options;
    return new HoldfastError('connection-lost', { location, server, cause: 'it was closed on this side' });
  }

  #end(reason: unknown, how: 'at once' | 'kindly' = 'at once'): void {
    if (this.#ending) return;
    this.#ending = this.#described(reason);
    this.#stopLooking();
    for (const reject of this.#atWork.keys()) reject(this.#ending);
    this.#atWork.clear();
    if (how === 'at once') this.#socket.destroy();
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
      return this.#notUnderstood(reason.message);
    // Of ssh2, when it could not open a session.
    if (/^(Unable to start subsystem|\(SSH\) Channel open failure|Received (exit code|signal|unexpected SFTP))/.test(reason.message))
      return this.#notUnderstood(`it gives no SFTP session: ${reason.message}`, false);
    if (/Packet length|Malformed|Unknown packet|Expected VERSION|more data than requested/.test(reason.message))
      return this.#notUnderstood(reason.message);
    return connectionError(reason, { location, server });
  }

  #notUnderstood(cause: string, retryable = true): HoldfastError {
    const { location, server } = this.#options;
    const isFinal = !retryable || /no matching/.test(cause);
    return new HoldfastError(
      'server-not-understood',
      { location, server, cause: cause.slice(0, 200) },
      isFinal ? { retryable: false } : {},
    );
  }
}

/** What to ask for: the types by which the server is known first, since it shows one key only. */
function algorithmsFor(known: readonly string[]): ServerHostKeyAlgorithm[] {
  const types = Object.keys(hostKeyTypes).sort((a, b) => Number(known.includes(b)) - Number(known.includes(a)));
  return types.flatMap((type) => hostKeyTypes[type]);
}
