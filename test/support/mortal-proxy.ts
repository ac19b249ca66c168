/** Stands before any server of this computer; the server can be made to die and to come back, as seen from outside. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface MortalProxy {
  readonly port: number;
  /** Bytes that went to the server so far, and connections that were tried. */
  readonly sent: number;
  readonly tried: number;
  /** Dies when so many bytes have gone to the server altogether. */
  dieAfter: number;
  /** Connections are reset, those that are there and all new ones; with `silent` they stay, and nobody answers. */
  die(how?: 'silent'): void;
  revive(): void;
  close(): Promise<void>;
}

export async function openMortalProxy(port: number): Promise<MortalProxy> {
  const sockets = new Set<Socket>();
  let state: 'alive' | 'dead' | 'silent' = 'alive';
  const counts = { sent: 0, tried: 0, dieAfter: Number.POSITIVE_INFINITY };
  const kept = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const die = (how?: 'silent'): void => {
    state = how ?? 'dead';
    if (!how) for (const each of sockets) each.resetAndDestroy();
  };
  const server = createServer((incoming) => {
    counts.tried += 1;
    kept(incoming);
    if (state === 'dead') return void incoming.resetAndDestroy();
    const outgoing = kept(connect(port, '127.0.0.1'));
    incoming.on('close', () => outgoing.destroy());
    outgoing.on('close', () => incoming.destroy());
    incoming.on('data', (piece: Buffer) => {
      if (state !== 'alive') return;
      const part = piece.subarray(0, counts.dieAfter - counts.sent);
      counts.sent += part.length;
      if (!outgoing.write(part)) {
        incoming.pause();
        outgoing.once('drain', () => incoming.resume());
      }
      if (counts.sent >= counts.dieAfter) die();
    });
    outgoing.on('data', (piece: Buffer) => {
      if (state === 'alive') incoming.write(piece);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get sent() {
      return counts.sent;
    },
    get tried() {
      return counts.tried;
    },
    get dieAfter() {
      return counts.dieAfter;
    },
    set dieAfter(bytes) {
      counts.dieAfter = bytes;
    },
    die,
    revive() {
      state = 'alive';
      counts.dieAfter = Number.POSITIVE_INFINITY;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const each of sockets) each.destroy();
      await closed;
    },
  };
}
