/**
 * A proxy that leads to one port of this computer, whatever server is asked for: so programs that insist on a server's name
 * reach one that only pretends to it, and has a certificate for it.
 */
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface Gate {
  /** For the environment variable HTTPS_PROXY. */
  readonly url: string;
  close(): Promise<void>;
}

export async function openGate(port: number): Promise<Gate> {
  const sockets = new Set<Socket>();
  const kept = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const gate = createServer();
  gate.on('connect', (_, incoming: Socket) => {
    const outgoing = kept(connect(port, '127.0.0.1'));
    kept(incoming).write('HTTP/1.1 200 OK\r\n\r\n');
    incoming.pipe(outgoing).pipe(incoming);
  });
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(gate.address() as AddressInfo).port}`,
    async close() {
      const closed = new Promise((resolve) => gate.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
