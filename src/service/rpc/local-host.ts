/** The private socket by which programs of the same person on the same computer reach the service. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { dirname } from 'node:path';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { fail } from '../../contract/errors.ts';
import type { Profile } from '../profile.ts';
import { type Connections, longestMessage } from './connections.ts';

/** Where clients ask for a WebSocket, on every host. */
export const rpcPath = '/rpc';

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
/** Takes the same time wherever they differ. */
export const sameSecret = (a: string, b: string): boolean => timingSafeEqual(sha256(a), sha256(b));

export class LocalHost {
  readonly #server: Server;
  readonly #profile: Profile;
  /** Those whose requests were refused, too. */
  readonly #open: ReadonlySet<Duplex>;

  private constructor(server: Server, profile: Profile, open: ReadonlySet<Duplex>) {
    this.#server = server;
    this.#profile = profile;
    this.#open = open;
  }

  /** `token` must be said by every client. Whoever calls holds the profile's lock. Throws `service-not-started`. */
  static async open(profile: Profile, token: string, connections: Connections): Promise<LocalHost> {
    const sockets = new WebSocketServer({ noServer: true, maxPayload: longestMessage });
    const server = createServer((_, response) => response.writeHead(404).end());
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const said = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
      if (request.url !== rpcPath || !sameSecret(said, token)) return refuse(socket);
      sockets.handleUpgrade(request, socket, head, (client) => connections.add(client, { via: 'local' }));
    });
    const open = new Set<Duplex>();
    server.on('connection', (socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
    });
    try {
      if (process.platform !== 'win32') prepare(profile.socket);
      server.listen(profile.socket);
      await once(server, 'listening');
      if (process.platform !== 'win32') chmodSync(profile.socket, 0o600);
    } catch (error) {
      server.close();
      return fail('service-not-started', { cause: (error as Error).message }, error);
    }
    return new LocalHost(server, profile, open);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
    if (process.platform !== 'win32') rmSync(this.#profile.socket, { force: true });
  }
}

/** Makes the folder of a socket, for its person alone, and removes what a killed service left. */
function prepare(socket: string): void {
  const folder = dirname(socket);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // In a folder that is open to everybody, somebody else may have made it.
  const { uid, mode } = lstatSync(folder);
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0) throw new Error(`${folder} is open to other people`);
  rmSync(socket, { force: true });
}

function refuse(socket: Duplex): void {
  socket.on('error', () => {});
  socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
}
