/**
 * The page's port to the service: what it says goes over the service's private socket as it is, and back. Neither end knows that the other
 * one speaks through something else, since both carry the same messages.
 */
import type { MessagePortMain } from 'electron';
import type { WebSocket } from 'ws';
import { longestMessage } from '../../src/service/rpc/connections.ts';

type Port = Pick<MessagePortMain, 'on' | 'postMessage' | 'start' | 'close'>;

/** Joins both until one of them closes; then the other is closed, too. */
export function joinPort(port: Port, socket: WebSocket): void {
  let isOpen = true;
  const end = (): void => {
    if (!isOpen) return;
    isOpen = false;
    socket.close();
    port.close();
  };
  port.on('message', ({ data }) => {
    if (typeof data === 'string' && data.length <= longestMessage) socket.send(data);
    else if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) socket.send(data as Uint8Array);
    // No client of ours says anything else.
    else end();
  });
  port.on('close', end);
  socket.on('message', (data: Buffer, isBinary) => port.postMessage(isBinary ? new Uint8Array(data) : data.toString()));
  socket.on('error', () => {});
  socket.on('close', end);
  port.start();
}
