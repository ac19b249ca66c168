/** Clients that talk to the service, wherever they come from: over WebSockets, or over a port between threads and processes. */
import { onError } from '@orpc/server';
import { RPCHandler as PortHandler } from '@orpc/server/message-port';
import { RPCHandler } from '@orpc/server/websocket';
import type { MessagePort } from 'node:worker_threads';
import type { WebSocket } from 'ws';
import { toWire } from '../../contract/crossing.ts';
import { hasCode, toHoldfastError } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Caller, ServiceRouter } from '../router.ts';

/** Bytes of one message; the longest lists of excludes are far below. */
export const longestMessage = 8 << 20;
/** Requests of one client at a time, with its streams of events. */
const mostAtWork = 100;
/** Between two looks whether a client is still there. */
const pingMs = 30_000;
const goodbyeMs = 1000;
/** RFC 6455, 7.4.1. */
const malformed = 1007;
const goingAway = 1001;

export interface ConnectionsOptions {
  readonly clock: Pick<Clock, 'every' | 'sleep'>;
  /** Told of defects: what a client did wrong is its own affair. */
  readonly onDefect: (error: Error) => void;
}

export class Connections {
  readonly #handler: RPCHandler<Caller>;
  readonly #portHandler: PortHandler<Caller>;
  readonly #open = new Set<WebSocket>();
  readonly #ports = new Set<MessagePort>();
  readonly #silent = new WeakSet<WebSocket>();
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #stopPings: () => void;

  constructor(router: ServiceRouter, { clock, onDefect }: ConnectionsOptions) {
    const tell = (thrown: unknown): never => {
      const error = toWire(thrown);
      if (hasCode(toHoldfastError(thrown), 'internal') && error.data.code === 'internal') onDefect(thrown as Error);
      throw error;
    };
    this.#handler = new RPCHandler(router, { clientInterceptors: [onError(tell)] });
    this.#portHandler = new PortHandler(router, { clientInterceptors: [onError(tell)] });
    this.#clock = clock;
    this.#stopPings = clock.every(pingMs, () => this.#ping());
  }

  /** Serves a client until one of both closes. */
  add(socket: WebSocket, caller: Caller): void {
    this.#open.add(socket);
    // What is awaited is that the bytes are on their way: nothing piles up here for a client that does not read.
    const peer = {
      addEventListener: () => {},
      send: (data: string | ArrayBufferLike | Blob | ArrayBufferView) =>
        new Promise<void>((resolve, reject) => {
          socket.send(data as string | Uint8Array, (error) => (error ? reject(error) : resolve()));
        }),
    };
    const asked: (string | ArrayBuffer)[] = [];
    let atWork = 0;
    // No answer is made for a client that does not take those that it has: it could ask for more than memory holds.
    const answer = (): void => {
      for (let message; atWork < mostAtWork && (message = asked.shift()) !== undefined; ) {
        atWork++;
        const done = this.#handler.message(peer, message, { context: caller }).catch(() => socket.close(malformed));
        void done.then(() => {
          atWork--;
          answer();
        });
      }
      if (asked.length > 0) socket.pause();
      else if (socket.isPaused) socket.resume();
    };
    socket.on('error', () => {});
    socket.on('pong', () => this.#silent.delete(socket));
    socket.on('message', (data: Buffer, isBinary) => {
      const message = isBinary ? (Uint8Array.from(data).buffer as ArrayBuffer) : data.toString();
      asked.push(message);
      answer();
    });
    socket.on('close', () => {
      this.#open.delete(socket);
      asked.length = 0;
      this.#handler.close(peer);
    });
  }

  /** Serves a client in another thread or process of this program, which is trusted, until the port closes. */
  addPort(port: MessagePort, caller: Caller): void {
    this.#ports.add(port);
    port.once('close', () => this.#ports.delete(port));
    this.#portHandler.upgrade(port, { context: caller });
    port.start();
  }

  /** Says goodbye to all; who does not answer in time is cut off. */
  async close(): Promise<void> {
    this.#stopPings();
    for (const port of this.#ports) port.close();
    const gone = [...this.#open].map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())));
    for (const socket of this.#open) socket.close(goingAway);
    const stop = new AbortController();
    await Promise.race([Promise.all(gone), this.#clock.sleep(goodbyeMs, stop.signal).catch(() => {})]);
    stop.abort();
    for (const socket of this.#open) socket.terminate();
  }

  #ping(): void {
    for (const socket of this.#open) {
      if (this.#silent.has(socket)) {
        socket.terminate();
        continue;
      }
      this.#silent.add(socket);
      socket.ping();
    }
  }
}
