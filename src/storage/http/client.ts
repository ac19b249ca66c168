/** HTTP/1.1 over TCP, TLS or a local socket, also through a proxy, with connections that are kept. */
import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { fail, type HoldfastError, hasCode } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Paces } from '../pace.ts';
import type { HttpAddress } from './address.ts';
import { connectionError, proxyError, SilenceError } from './connection-errors.ts';
import { type HttpAnswer, type HttpClient, type HttpRequest, lengthOf, type Patience, usualPatience } from './exchange.ts';
import type { Proxy } from './proxy.ts';
import { type AnswerHead, type Carrier, runExchange } from './run-exchange.ts';
import { Silence, type Wait } from './silence.ts';
import type { TlsIdentity } from './tls-identity.ts';
import { TunnelAgent } from './tunnel-agent.ts';

/** Connections at the same time; more requests wait their turn. */
const usualConnections = 8;
/** A connection that nobody used for so long is not used again: routers in between forget it without a word. */
const keptMs = 30_000;
/** Methods that change nothing. */
const harmless = new Set(['GET', 'HEAD', 'PROPFIND']);

export interface HttpClientOptions {
  readonly address: HttpAddress;
  /** The place as a person would recognise it. */
  readonly location: string;
  readonly clock: Clock;
  readonly tls?: TlsIdentity | undefined;
  readonly patience?: Partial<Patience> | undefined;
  readonly connections?: number | undefined;
  readonly paces?: Paces | undefined;
  readonly proxy?: Proxy | undefined;
}

export class TcpHttpClient implements HttpClient {
  readonly server: string;
  readonly #options: HttpClientOptions;
  readonly #patience: Patience;
  readonly #silence: Silence;
  #agent: http.Agent;
  #trustsSystem = false;
  #clockSkewMs: number | undefined;
  /** The server, or a proxy before it, wants no request to ask first. */
  #refusesAsking = false;
  #closed = false;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#patience = { ...usualPatience, ...options.patience };
    this.#silence = new Silence(options.clock);
    this.server = options.address.server;
    this.#agent = this.#newAgent(options.tls?.ca);
  }

  get clockSkewMs(): number | undefined {
    return this.#clockSkewMs;
  }

  async send(request: HttpRequest): Promise<HttpAnswer> {
    // A connection that is used again may have been closed by the server meanwhile: that says nothing about the server.
    for (let left = this.#agent.maxSockets; ; left--) {
      if (this.#closed) return fail('internal', { cause: `${this.#options.location} was used after it had been closed` });
      let wasKept = false;
      const agent = this.#agent;
      try {
        const askFirst = request.askFirst === true && !this.#refusesAsking;
        const answer = await this.#sendOnce({ ...request, askFirst }, (kept) => (wasKept = kept));
        if (answer.status !== 417 || !askFirst) return answer;
        // Nothing was done then (RFC 9110, 15.5.18).
        this.#refusesAsking = true;
        answer.drop();
      } catch (error) {
        const isHarmless = harmless.has(request.method);
        if (hasCode(error, 'connection-lost') && wasKept && isHarmless && left > 0) continue;
        // Another request may have learned the same meanwhile.
        if (hasCode(error, 'certificate-untrusted') && (agent !== this.#agent || this.#trustSystem())) continue;
        throw error;
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#agent.destroy();
  }

  async #sendOnce(request: HttpRequest, onKept: (kept: boolean) => void): Promise<HttpAnswer> {
    let isConnected = false;
    let cut: (error: Error) => void = () => {};
    const wait = this.#silence.begin(() => cut(new SilenceError(isConnected)));
    const carrier = this.#start(request, wait, (kept) => {
      isConnected = true;
      onKept(kept);
    });
    cut = carrier.cut;
    const { clock, paces, location, proxy } = this.#options;
    const ends = { location, server: this.server, proxy: proxy?.shown };
    const describe = (error: unknown): HoldfastError => connectionError(error, ends);
    const answer = await runExchange(carrier, request, wait, { patience: this.#patience, paces, clock, describe });
    if (proxy && answer.status === 407) {
      answer.drop();
      throw proxyError(ends, answer.status, 'it wants a user name and a password');
    }
    const date = Date.parse(answer.header('date') ?? '');
    // It says whole seconds: on average half a one is missing.
    if (!Number.isNaN(date)) this.#clockSkewMs = date + 500 - clock.now();
    return answer;
  }

  #start({ method, path, headers, body, askFirst }: HttpRequest, wait: Wait, onConnected: (kept: boolean) => void): Carrier {
    const { address } = this.#options;
    const started = (address.isSecure ? https : http).request({
      ...(address.socketPath === undefined ? { host: address.host, port: address.port } : { socketPath: address.socketPath }),
      method,
      path,
      agent: this.#agent,
      headers: {
        'user-agent': 'holdfast',
        'accept-encoding': 'identity',
        ...headers,
        ...(body ? { 'content-length': lengthOf(body) } : {}),
        ...(body && askFirst ? { expect: '100-continue' } : {}),
      },
    });
    if (body && askFirst) started.flushHeaders();
    const connected = new Promise<void>((resolve) => {
      started.once('socket', (socket) => {
        const done = (): void => {
          onConnected(started.reusedSocket);
          resolve();
        };
        if (!socket.connecting) return done();
        wait.expect(this.#patience.connectMs);
        socket.once(address.isSecure ? 'secureConnect' : 'connect', done);
      });
    });
    const head = new Promise<AnswerHead>((resolve, reject) => {
      started.on('error', reject);
      started.once('response', (incoming) => {
        const { statusCode = 0, headers: given } = incoming;
        const header = (name: string): string | undefined => [given[name] ?? []].flat().join(', ') || undefined;
        resolve({ status: statusCode, header, incoming });
      });
    });
    return {
      outgoing: started,
      connected,
      head,
      wanted: new Promise((resolve) => started.once('continue', resolve)),
      closed: new Promise((resolve) => started.once('close', resolve)),
      cut: (error) => void started.destroy(error),
    };
  }

  #newAgent(ca: readonly string[] | undefined): http.Agent {
    const { address, tls: identity, connections = usualConnections, proxy, clock } = this.#options;
    const proxyEnv = proxy && { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url };
    const { connectMs } = this.#patience;
    // The agent's own patience with a proxy that has not opened the way yet.
    const timeout = proxy ? Math.min(keptMs, connectMs) : keptMs;
    const options = { keepAlive: true, maxSockets: connections, timeout, ...(proxyEnv ? { proxyEnv } : {}) };
    if (!address.isSecure) return new http.Agent(options);
    const secure = {
      ...options,
      ...(ca === undefined ? {} : { ca: [...ca] }),
      ...(identity?.certificate === undefined ? {} : { cert: identity.certificate, key: identity.certificate }),
    };
    return proxy ? new TunnelAgent(secure, clock, 2 * connectMs) : new https.Agent(secure);
  }

  /** Trusts also what the person has told the system to trust; false when that is so already, or is not wanted. */
  #trustSystem(): boolean {
    if (this.#trustsSystem || this.#options.tls?.ca !== undefined) return false;
    this.#trustsSystem = true;
    // Not every runtime that this may run in has it.
    if (typeof tls.getCACertificates !== 'function') return false;
    const known = new Set(tls.getCACertificates('default'));
    const more = tls.getCACertificates('system').filter((each) => !known.has(each));
    if (more.length === 0) return false;
    // Requests that are on their way with the old one fail by themselves, and come again.
    this.#agent = this.#newAgent([...known, ...more]);
    return true;
  }
}
