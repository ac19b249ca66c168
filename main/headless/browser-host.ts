/**
 * The host for browsers: HTTP(S) for the files of the interface, a WebSocket for requests.
 *
 * Words: a *door* decides who may come in, by a token or by a login; a *guest* is who has.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { fail, toHoldfastError } from '../../src/contract/errors.ts';
import type { Clock } from '../../src/platform/clock.ts';
import type { FurtherHost } from '../../src/service/host.ts';
import { type Connections, longestMessage } from '../../src/service/rpc/connections.ts';
import { rpcPath } from '../../src/service/rpc/local-host.ts';
import { answerDownload } from './downloads.ts';
import { type Downloads, downloadPath } from '../../src/service/restores/downloads.ts';
import { answerError, answerText, refuseUpgrade } from './answers.ts';
import { isSameOrigin, type Names } from './names.ts';
import type { StaticFiles } from './static-files.ts';
import type { TlsFiles } from './tls-files.ts';

/** Who has come in. */
export interface Guest {
  /** Whose end is the end of the connection; undefined for the token, which lasts as long as the service. */
  readonly session: string | undefined;
}

export interface Door {
  /** Called when the port is known. */
  opened(port: number): void;
  /** Undefined: not let in. Throws `state-failed`. */
  admit(request: IncomingMessage): Guest | undefined;
  /** Whether the interface itself, which holds nothing of anybody, is for everybody: else nobody could be asked for a password. */
  readonly showsInterface: boolean;
  /** Answers what is the door's own affair, such as a login; false when this is not. */
  answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean>;
  /** Whether a guest who is connected may stay. */
  mayStay(guest: Guest): boolean;
  /** Told of sessions that are ended. Returns the function that stops it. */
  onEnded(listener: (session: string) => void): () => void;
}

/** How long a client may take, in milliseconds. */
export interface Patience {
  readonly headers: number;
  /** For a whole request. */
  readonly request: number;
  /** Between two looks at who is too slow. */
  readonly look: number;
}

const usualPatience: Patience = { headers: 10_000, request: 20_000, look: 2000 };
const longestHeaders = 16 << 10;
const mostConnections = 500;
/** Between two looks whether those who are connected may stay. */
const stayMs = 60_000;
/** RFC 6455, 7.4.1: the policy does not allow it any more. */
const notAllowed = 1008;

export interface BrowserHostOptions {
  readonly address: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly tls?: TlsFiles | undefined;
  readonly names: Names;
  readonly door: Door;
  readonly files: StaticFiles;
  readonly connections: Connections;
  readonly downloads: Pick<Downloads, 'take'>;
  readonly clock: Pick<Clock, 'every'>;
  /** Told of what could not be answered and is not the client's fault. */
  readonly onDefect: (error: Error) => void;
  readonly patience?: Patience;
}

export class BrowserHost implements FurtherHost {
  readonly port: number;
  readonly #server: Server;
  readonly #open: ReadonlySet<Duplex>;
  readonly #stop: () => void;

  private constructor(server: Server, open: ReadonlySet<Duplex>, stop: () => void) {
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    this.#open = open;
    this.#stop = stop;
  }

  /** Throws `port-unusable`, `tls-unusable`. */
  static async open(options: BrowserHostOptions): Promise<BrowserHost> {
    const { address, port, tls, door, clock, patience = usualPatience } = options;
    const guests = new Guests(door, clock);
    const limits = {
      maxHeaderSize: longestHeaders,
      headersTimeout: patience.headers,
      requestTimeout: patience.request,
      connectionsCheckingInterval: patience.look,
    };
    const listener: RequestListener = (request, response) => void answer(options, request, response);
    const server = tls
      ? createTlsServer({ ...limits, ...tls, handshakeTimeout: patience.headers, minVersion: 'TLSv1.2' }, listener)
      : createServer(limits, listener);
    server.maxConnections = mostConnections;
    const sockets = new WebSocketServer({ noServer: true, maxPayload: longestMessage, perMessageDeflate: false });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const guest = guestOrRefusal(options, request);
      if (typeof guest === 'number') return refuseUpgrade(socket, guest);
      sockets.handleUpgrade(request, socket, head, (client) => {
        guests.add(guest, client);
        options.connections.add(client, { via: 'browser' });
      });
    });
    const open = new Set<Duplex>();
    server.on('connection', (socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
    });
    try {
      server.listen(port, address);
      await once(server, 'listening');
    } catch (error) {
      guests.stop();
      return fail('port-unusable', { address: `${address}:${port}`, cause: (error as Error).message }, error);
    }
    const host = new BrowserHost(server, open, () => guests.stop());
    options.names.opened(host.port);
    door.opened(host.port);
    return host;
  }

  async close(goodbye: Promise<void>): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#stop();
    await goodbye.catch(() => {});
    for (const socket of this.#open) socket.destroy();
    await closed;
  }
}

/** Those whose stay has an end. */
class Guests {
  readonly #connected = new Map<WebSocket, Guest>();
  readonly #stops: readonly (() => void)[];

  constructor(door: Door, clock: Pick<Clock, 'every'>) {
    this.#stops = [
      door.onEnded((session) => this.#leave((guest) => guest.session === session)),
      clock.every(stayMs, () => this.#leave((guest) => !mayStay(door, guest))),
    ];
  }

  add(guest: Guest, socket: WebSocket): void {
    this.#connected.set(socket, guest);
    socket.once('close', () => this.#connected.delete(socket));
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  #leave(who: (guest: Guest) => boolean): void {
    for (const [socket, guest] of this.#connected) {
      if (!who(guest)) continue;
      // Requests that are under way are not carried out any more, whether or not it answers the goodbye.
      socket.close(notAllowed);
      socket.terminate();
    }
  }
}

function mayStay(door: Door, guest: Guest): boolean {
  try {
    return door.mayStay(guest);
  } catch {
    // The state cannot be read, so nobody knows.
    return false;
  }
}

/** The guest who wants a WebSocket, or the status with which it is refused. */
function guestOrRefusal({ names, door }: BrowserHostOptions, request: IncomingMessage): Guest | number {
  if (!names.has(request)) return 421;
  if (!isSameOrigin(request)) return 403;
  if (request.url !== rpcPath || request.headers.upgrade?.toLowerCase() !== 'websocket') return 404;
  try {
    return door.admit(request) ?? 401;
  } catch {
    return 503;
  }
}

async function answer(options: BrowserHostOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { names, door, files } = options;
  // Whoever leaves in the middle is no trouble.
  request.on('error', () => {});
  response.on('error', () => {});
  try {
    if (!names.has(request)) return answerText(response, 421, 'Holdfast is not called by this name here. Open it by its own address.');
    if (!isSameOrigin(request)) return answerText(response, 403, 'Another page has sent this request. Nothing was done.');
    const url = requestedUrl(request);
    if (!url) return answerText(response, 400, 'This address cannot be read.');
    if (await door.answer(request, response, url)) return;
    if (!door.showsInterface && !door.admit(request)) {
      return answerText(response, 401, 'Open Holdfast by the address that "holdfast serve" prints when it starts.');
    }
    if (url.pathname.startsWith(downloadPath)) {
      if (!door.admit(request)) return answerText(response, 401, 'This needs a login.');
      await answerDownload(options.downloads, request, response, url);
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return answerText(response, 405, 'There is nothing to send here.');
    await files.answer(request, response, url.pathname);
  } catch (error) {
    const known = toHoldfastError(error);
    if (!request.aborted && (known.code === 'internal' || known.code === 'state-failed')) options.onDefect(error as Error);
    if (response.headersSent) response.destroy();
    else answerError(response, known);
  }
}

/** Undefined for a target that is no path, such as `*` or the address of another server. */
function requestedUrl({ url = '' }: IncomingMessage): URL | undefined {
  return url.startsWith('/') && !url.startsWith('//') && URL.canParse(url, 'http://here') ? new URL(url, 'http://here') : undefined;
}
