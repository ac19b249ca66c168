/** Two sockets that are connected with each other, for what needs a real one instead of any stream. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

const host = '127.0.0.1';
const passBytes = 32;

/**
 * What is written into one comes out of the other. They go over the computer's own network address, which other programs reach
 * as well: only the one that says the pass first, 32 random bytes that never leave this process, is the other end.
 */
export async function socketPair(): Promise<readonly [Socket, Socket]> {
  const pass = randomBytes(passBytes);
  const server = createServer({ noDelay: true });
  const strangers = new Set<Socket>();
  try {
    server.listen({ host, port: 0 });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const near = connect({ host, port, noDelay: true });
    const accepted = new Promise<Socket>((resolve) => {
      server.on('connection', (socket) => {
        strangers.add(socket);
        socket.on('error', () => {});
        const read = (): void => {
          const said = socket.read(passBytes) as Buffer | null;
          if (!said) return;
          socket.off('readable', read);
          if (said.length < passBytes || !timingSafeEqual(said, pass)) return;
          strangers.delete(socket);
          resolve(socket);
        };
        socket.on('readable', read);
      });
    });
    near.write(pass);
    const [far] = await Promise.all([accepted, once(near, 'connect')]);
    return [near, far];
  } finally {
    server.close();
    for (const socket of strangers) socket.destroy();
  }
}
