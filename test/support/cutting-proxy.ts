/** Stands between a program and any server of this computer, byte for byte, and does to connections what a test wants. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What becomes of a connection: it passes so many bytes in one direction and is reset then; undefined for one that lives. */
export type Fate = { readonly after: number; readonly direction: 'up' | 'down' } | undefined;

export interface CuttingProxy {
  readonly port: number;
  /** Decides over each new connection. */
  fate: () => Fate;
  /** How many were cut so far. */
  readonly cut: number;
  close(): Promise<void>;
}

export async function openCuttingProxy(port: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  const kept = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const state = { fate: (): Fate => undefined, cut: 0 };
  const server = createServer((incoming) => {
    const fate = state.fate();
    const outgoing = kept(connect(port, '127.0.0.1'));
    kept(incoming);
    incoming.on('close', () => outgoing.destroy());
    outgoing.on('close', () => incoming.destroy());
    let left = fate?.after ?? Number.POSITIVE_INFINITY;
    const pass = (from: Socket, to: Socket, isCounted: boolean): void => {
      from.on('data', (piece: Buffer) => {
        const part = isCounted ? piece.subarray(0, left) : piece;
        if (isCounted) left -= part.length;
        // The other end is slower: nothing is kept for it.
        if (!to.write(part)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
        if (left > 0) return;
        state.cut += 1;
        for (const each of [incoming, outgoing]) each.resetAndDestroy();
      });
    };
    pass(incoming, outgoing, fate?.direction === 'up');
    pass(outgoing, incoming, fate?.direction === 'down');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get fate() {
      return state.fate;
    },
    set fate(fate) {
      state.fate = fate;
    },
    get cut() {
      return state.cut;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const each of sockets) each.destroy();
      await closed;
    },
  };
}
