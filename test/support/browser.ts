/** A service with a host for browsers, and clients that send what a browser would, or what it never would. */
import { readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { type BrowserAccess, openBrowserHosts } from '../../main/headless/hosts.ts';
import type { Patience } from '../../main/headless/browser-host.ts';
import { clientOver, type ServiceClient } from '../../src/service/rpc/client.ts';
import { Authority, type Certificate } from './authority.ts';
import { quickClock, type RunningService, type ServiceSetup, startService } from './service.ts';
import { scratch, sharedScratch } from './tree-literal.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
}

export interface BrowserService extends RunningService {
  readonly port: number;
  /** As it is printed. */
  readonly address: string;
  readonly defects: Error[];
  /** Sends one request on a connection of its own; `path` goes over the wire as it is. */
  ask(path: string, asking?: Asking): Promise<Answer>;
  /** The cookie of somebody who has opened the printed address. */
  visit(): Promise<string>;
  /** The cookie of a login, or the answer that refuses it. */
  logIn(name: string, password: string): Promise<Answer & { cookie: string | undefined }>;
  /** Opens a WebSocket; the status when it is refused. */
  connect(headers: Readonly<Record<string, string>>): Promise<number | Client>;
}

export interface Client {
  readonly client: ServiceClient;
  readonly socket: WebSocket;
  /** Resolves when it is closed, with the code. */
  readonly closed: Promise<number>;
}

export interface BrowserSetup extends ServiceSetup {
  readonly access?: BrowserAccess;
  /** The folder of the interface; default: none. */
  readonly files?: string;
  readonly patience?: Patience;
}

/** With a host for browsers of this computer, unless `access` says otherwise. */
export async function startForBrowsers({ access = { port: 0 }, files, patience, ...setup }: BrowserSetup = {}): Promise<BrowserService> {
  const defects: Error[] = [];
  let address = '';
  let port = 0;
  const service = await startService({
    ...setup,
    openHosts: async (parts) => {
      const opened = await openBrowserHosts(access, parts, {
        clock: setup.clock ?? quickClock,
        onDefect: (error) => void defects.push(error),
        files: files ?? join(scratch(), 'nothing'),
        ...(patience ? { patience } : {}),
      });
      [address] = opened.addresses;
      port = opened.hosts[0].port;
      return opened;
    },
  });
  const isTls = access.listen !== undefined;
  const host = `${isTls ? 'localhost' : '127.0.0.1'}:${port}`;
  const trust = isTls ? { ca: readFileSync(authority().certificate), servername: 'localhost' } : {};
  const ask = (path: string, { method = 'GET', headers = {}, body }: Asking = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const send = isTls ? httpsRequest : httpRequest;
      const request = send(
        { host: isTls ? 'localhost' : '127.0.0.1', family: 4, port, path, method, headers: { host, ...headers }, agent: false, ...trust },
        (response) => {
          const pieces: Buffer[] = [];
          response.on('data', (piece: Buffer) => pieces.push(piece));
          response.on('end', () => {
            resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(pieces).toString() });
          });
          response.on('error', reject);
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  const connect = (headers: Readonly<Record<string, string>>): Promise<number | Client> =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`${isTls ? 'wss' : 'ws'}://${host}/rpc`, { headers, family: 4, ...trust });
      const closed = new Promise<number>((settle) => socket.once('close', settle));
      socket.once('open', () => resolve({ client: clientOver(socket), socket, closed }));
      socket.once('unexpected-response', (request, response) => {
        request.destroy();
        resolve(response.statusCode!);
      });
      socket.on('error', reject);
    });
  return {
    ...service,
    port,
    address,
    defects,
    ask,
    connect,
    visit: async () => cookieOf(await ask(new URL(address).pathname + new URL(address).search))!,
    logIn: async (name, password) => {
      const body = JSON.stringify({ name, password });
      const answer = await ask('/login', {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: `https://${host}` },
        body,
      });
      return { ...answer, cookie: cookieOf(answer) };
    },
  };
}

/** What a browser would send back. */
const cookieOf = ({ headers }: Answer): string | undefined => headers['set-cookie']?.[0].split(';')[0];

const certificates = sharedScratch();
let made: { authority: Authority; certificate: Certificate } | undefined;
const ours = (): { authority: Authority; certificate: Certificate } => {
  if (!made) {
    const one = new Authority(certificates);
    made = { authority: one, certificate: one.sign('server') };
  }
  return made;
};

/** The one that clients trust. */
export const authority = (): Authority => ours().authority;
const certificate = (): Certificate => ours().certificate;

/** Listening for other computers, which here are this one. A login must be there already. */
export const overTls = (): BrowserAccess => ({
  listen: { address: '127.0.0.1', port: 0 },
  hostNames: ['localhost'],
  tlsCert: certificate().certificate,
  tlsKey: certificate().key,
});
