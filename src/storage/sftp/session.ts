/** A folder on an SSH server, to which a connection is made when it is needed, and made anew after it broke. */
import { fail, HoldfastError } from '../../contract/errors.ts';
import type { SftpChannel } from './channel.ts';
import { type ConnectionOptions, SftpConnection } from './connection.ts';
import { isMissing, StatusError, status, statusError } from './status.ts';

export interface Task {
  /** A verb. */
  readonly operation: string;
  readonly file: string;
  /** Bytes that are to be stored. */
  readonly needed?: number;
}

export interface SessionOptions extends ConnectionOptions {
  /** Where the repository is. */
  readonly folder: string;
}

export class SftpSession {
  readonly #options: SessionOptions;
  readonly #closing = new AbortController();
  #connection: Promise<SftpConnection> | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** The path on the server of one below the repository's folder; '' is that itself. */
  path(below: string): string {
    const { folder } = this.#options;
    if (below === '') return folder;
    if (folder === '.') return below;
    return folder === '/' ? `/${below}` : `${folder}/${below}`;
  }

  /** Calls `work` with a session of the connection, which is made first if there is none, and tells its errors in words. */
  async use<T>(task: Task, work: (channel: SftpChannel) => Promise<T>): Promise<T> {
    this.checkOpen();
    const connection = await this.#connect();
    // It may have been closed meanwhile.
    this.checkOpen();
    return connection.use(async (channel) => {
      try {
        return await work(channel);
      } catch (error) {
        throw await this.#inWords(error, task, channel);
      }
    });
  }

  /** Ends the connection and what is at work; calls after it fail. */
  async close(): Promise<void> {
    this.#closing.abort();
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.then(
      (open) => open.close(),
      () => {},
    );
  }

  checkOpen(): void {
    if (this.#closing.signal.aborted) fail('internal', { cause: `${this.#options.location} was used after it had been closed` });
  }

  async #connect(): Promise<SftpConnection> {
    const held = this.#connection;
    if (held) {
      const connection = await held.catch(() => undefined);
      if (connection?.isOpen) return connection;
      // Whoever waited for the same one has begun another meanwhile.
      if (this.#connection !== held && this.#connection) return this.#connection;
      this.checkOpen();
    }
    const opening = SftpConnection.open(this.#options, this.#closing.signal);
    this.#connection = opening;
    return opening;
  }

  async #inWords(error: unknown, { operation, file, needed }: Task, channel: SftpChannel): Promise<HoldfastError> {
    if (error instanceof HoldfastError) return error;
    const { location } = this.#options;
    if (isMissing(error)) return new HoldfastError('storage-gone', { location, cause: (error as Error).message }, { cause: error });
    const isVague = needed !== undefined && error instanceof StatusError && error.code === status.failure;
    const space = isVague ? await channel.spaceAt(this.path('')).catch(() => undefined) : undefined;
    return statusError(error, { location, operation, file }, space, needed);
  }
}
