/**
 * What storages behind HTTP need of a client, whatever carries the requests.
 *
 * Words: an *exchange* is one request and its answer; a *piece* is a part of a body as it arrives.
 *
 * What every client promises:
 * - **send** resolves when the answer's head is there, whatever its status. It never follows a redirection and never sends a
 *   request twice on its own account, but for one that changes nothing and met a connection which the server had just closed, and for
 *   one that asked first and was told that this server knows no asking (417).
 * - The body is sent with its length; nothing keeps the caller's bytes once `send` or the answer has ended or failed.
 * - An answer is read to its end, or dropped: until then it holds a connection.
 * - Nothing waits for ever: who is silent for too long is cut off.
 * - Every error is a HoldfastError that tells of the connection; none holds a password.
 */

export interface HttpRequest {
  readonly method: string;
  /** Path and query, percent-encoded, from the server's root. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: readonly Uint8Array[] | undefined;
  /** The body is sent only after the server has said that it wants it: for servers that cut the connection instead of answering. */
  readonly askFirst?: boolean | undefined;
  /** The server may have much to do before it answers. It is always so where there is a body. */
  readonly isSlow?: boolean | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  /** A header by its lower-case name; several of one name are joined by commas. */
  header(name: string): string | undefined;
  /** The body, once. Fails with `connection-lost` when it ends before the length that was announced. */
  pieces(): AsyncIterable<Uint8Array>;
  /** Ends the exchange and its connection; the rest of the body is not wanted. */
  drop(): void;
}

export interface HttpClient {
  /** The server as a person would recognise it: its name and port. */
  readonly server: string;
  /** How far the server's clock is ahead of this computer's, in milliseconds, by its last answer; undefined before one. */
  readonly clockSkewMs: number | undefined;
  /** What the program behind it has last said about something that went wrong; '' for nothing. */
  readonly lastWords?: string;
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Cuts off what is still open. */
  close(): Promise<void>;
}

/** How long, in milliseconds, a server may be silent. */
export interface Patience {
  /** Until it has accepted a connection, with TLS. */
  readonly connectMs: number;
  /** While it takes a body or gives one, and before the answer to a request that costs it no work. */
  readonly idleMs: number;
  /** From the end of a request to the answer when it has to do something first, such as storing a pack elsewhere. */
  readonly answerMs: number;
  /** After asking whether a body is wanted: then it is sent in any case. */
  readonly askMs: number;
}

export const usualPatience: Patience = { connectMs: 30_000, idleMs: 60_000, answerMs: 5 * 60_000, askMs: 3_000 };

export const lengthOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, part) => sum + part.byteLength, 0);
