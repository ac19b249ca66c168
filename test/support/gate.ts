/**
 * A proxy that leads to one port of this computer, whatever server is asked for: so programs that insist on a server's name
 * reach one that only pretends to it, and has a certificate for it. It tunnels (CONNECT), and passes plain requests on.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface Gate {
  /** For the environment variables HTTPS_PROXY and HTTP_PROXY; with the user name and password, if they are wanted. */
  readonly url: string;
  /** What was asked for: `CONNECT host:port`, or `GET http://host/path`. */
  readonly asked: string[];
  close(): Promise<void>;
}

export interface GateOptions {
  /** `name:password` that it wants. */
  readonly user?: string | undefined;
  /** Meets every tunnel instead of opening it. */
  readonly meet?: ((incoming: Socket) => void) | undefined;
}

export async function openGate(port: number, { user, meet }: GateOptions = {}): Promise<Gate> {
  const sockets = new Set<Socket>();
  const asked: string[] = [];
  const kept = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const isLetIn = ({ headers }: IncomingMessage): boolean =>
    user === undefined || headers['proxy-authorization'] === `Basic ${Buffer.from(user).toString('base64')}`;
  const gate = createServer((incoming: IncomingMessage, answer: ServerResponse) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    if (!isLetIn(incoming)) return answer.writeHead(407, { 'proxy-authenticate': 'Basic realm="gate"' }).end();
    const { pathname, search } = new URL(incoming.url!);
    const onward = request({ host: '127.0.0.1', port, method: incoming.method, path: pathname + search, headers: incoming.headers });
    onward.on('response', (response) => {
      answer.writeHead(response.statusCode!, response.headers);
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    incoming.pipe(onward);
    return undefined;
  });
  gate.on('connection', kept);
  gate.on('connect', (head: IncomingMessage, incoming: Socket) => {
    asked.push(`CONNECT ${head.url}`);
    if (!isLetIn(head)) return incoming.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="gate"\r\n\r\n');
    if (meet) return meet(incoming);
    const outgoing = kept(connect(port, '127.0.0.1'));
    incoming.write('HTTP/1.1 200 OK\r\n\r\n');
    incoming.pipe(outgoing).pipe(incoming);
    return undefined;
  });
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://${user === undefined ? '' : `${user}@`}127.0.0.1:${(gate.address() as AddressInfo).port}`,
    asked,
    async close() {
      const closed = new Promise((resolve) => gate.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
