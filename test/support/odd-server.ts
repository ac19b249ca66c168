/**
 * A server of restic's REST protocol that misbehaves as a test tells it: every request passes {@link OddServer.meet}, which
 * may answer it in any way, or let the usual happen. What is usual is right: version 2, atomic, ranges, refused overwriting.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions as TlsOptions } from 'node:https';
import { type AddressInfo, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

export type Usual = () => Promise<void>;
export type Odd = (request: IncomingMessage, response: ServerResponse) => unknown;
export type Meeting = (request: IncomingMessage, response: ServerResponse, usual: Usual) => unknown;

const isList = /^\/(data|index|keys|locks|snapshots)\/$/;
const isFile = /^\/(config|(data|index|keys|locks|snapshots)\/[0-9a-f]{64})$/;

export class OddServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Content by path, such as `/data/0a1b…`. */
  readonly files = new Map<string, Buffer>();
  /** `GET /config`, as they came. */
  readonly requests: string[] = [];
  readonly #secure: boolean;
  meet: Meeting = (_, __, usual) => usual();

  /** Use {@link OddServer.start}. */
  constructor(tls: TlsOptions | undefined) {
    const listener: RequestListener = (request, response) => {
      this.requests.push(`${request.method} ${request.url}`);
      void this.#answer(request, response);
    };
    this.#secure = tls !== undefined;
    this.#server = tls ? createSecureServer(tls, listener) : createServer(listener);
    // Whether a body is wanted is decided by whoever answers.
    this.#server.on('checkContinue', listener);
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('tlsClientError', () => {});
    this.#server.keepAliveTimeout = 0;
  }

  static async start<T extends OddServer>(
    this: new (
      tls: TlsOptions | undefined,
    ) => T,
    options: { readonly tls?: TlsOptions; readonly socketPath?: string } = {},
  ): Promise<T> {
    const odd = new this(options.tls);
    await odd.listen(options.socketPath);
    return odd;
  }

  /** Lets the first `times` requests of a method, or that `which` is true of, meet something else than the usual. */
  meetFirst(which: string | ((request: IncomingMessage) => boolean), times: number, odd: Odd): void {
    let left = times;
    const isMeant = typeof which === 'string' ? ({ method }: IncomingMessage): boolean => method === which : which;
    this.meet = (request, response, usual) => (isMeant(request) && left-- > 0 ? odd(request, response) : usual());
  }

  listen(socketPath: string | undefined): Promise<void> {
    return new Promise((resolve) => {
      if (socketPath === undefined) this.#server.listen(0, '127.0.0.1', resolve);
      else this.#server.listen(socketPath, resolve);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#secure ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  /** Connections that are open at this moment. */
  get connections(): number {
    return this.#sockets.size;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => {});
    try {
      await this.meet(request, response, () => this.usual(request, response));
    } catch {
      // A client that went away in the middle of its request has nobody to tell.
      response.destroy();
    }
  }

  protected async usual(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers.expect === '100-continue') response.writeContinue();
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://odd');
    const body = await buffer(request);
    const end = (status: number, content: string | Buffer = '', headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-length': String(Buffer.byteLength(content)), ...headers });
      response.end(request.method === 'HEAD' ? undefined : content);
    };
    if (pathname === '/' && request.method === 'POST') return end(searchParams.get('create') === 'true' ? 200 : 400);
    if (isList.test(pathname)) {
      const listed = Array.from(this.files, ([path, { length }]) => ({ name: path.slice(pathname.length), size: length, path }))
        .filter(({ path }) => path.startsWith(pathname))
        .map(({ name, size }) => ({ name, size }));
      return end(200, JSON.stringify(listed), { 'content-type': 'application/vnd.x.restic.rest.v2' });
    }
    const held = this.files.get(pathname);
    if (!isFile.test(pathname)) return end(404);
    if (request.method === 'POST') {
      if (held) return end(403);
      this.files.set(pathname, body);
      return end(200);
    }
    if (!held) return end(404);
    if (request.method === 'DELETE') {
      this.files.delete(pathname);
      return end(200);
    }
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (!range) return end(200, held);
    const [begin, last] = [Number(range[1]), Math.min(Number(range[2]), held.length - 1)];
    if (begin >= held.length) return end(416);
    return end(206, held.subarray(begin, last + 1), { 'content-range': `bytes ${begin}-${last}/${held.length}` });
  }
}

/** Answers with these bytes on the wire, then cuts the connection. */
export function answerRaw(response: ServerResponse, text: string): void {
  const { socket } = response;
  socket?.write(text, () => socket.destroy());
}
