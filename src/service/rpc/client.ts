/** Talks to the service that runs, from another process of the same person. */
import { connect } from 'node:net';
import { createORPCClient, onError } from '@orpc/client';
import { RPCLink as PortLink } from '@orpc/client/message-port';
import { RPCLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import { RequestValidationPlugin, ResponseValidationPlugin } from '@orpc/contract/plugins';
import type { MessagePort } from 'node:worker_threads';
import { WebSocket } from 'ws';
import { fromWire } from '../../contract/crossing.ts';
import { fail, HoldfastError } from '../../contract/errors.ts';
import { contract, protocolVersion } from '../../contract/procedures.ts';
import { systemClock } from '../../platform/clock.ts';
import { readAccess } from '../access.ts';
import type { Profile } from '../profile.ts';
import { longestMessage } from './connections.ts';
import { rpcPath } from './local-host.ts';

export type ServiceClient = ContractRouterClient<typeof contract>;

export interface Attached {
  /** Every call throws what the service throws, or `service-lost`. */
  readonly client: ServiceClient;
  readonly pid: number;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
  close(): void;
}

/** Throws `service-absent`, `service-other-version`, `access-refused`. */
export async function attach(profile: Profile): Promise<Attached> {
  const { socket, pid } = await openSocket(profile);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return { client: clientOver(socket), pid, closed, close: () => socket.close() };
}

/** A connection for messages as they are, of somebody who speaks for another client. Throws as {@link attach}. */
export async function openSocket(profile: Profile): Promise<{ socket: WebSocket; pid: number }> {
  const access = readAccess(profile);
  if (!access) return fail('service-absent');
  const { socket: address, token, pid, protocol, version } = access;
  const socket = await open(address, token);
  if (protocol !== protocolVersion) {
    socket.terminate();
    return fail('service-other-version', { version });
  }
  return { socket, pid };
}

/** A client over a socket that is open. */
export const clientOver = (socket: WebSocket): ServiceClient =>
  createORPCClient(new RPCLink({ websocket: socket as unknown as globalThis.WebSocket, plugins, interceptors: [onError(whole)] }));

/** A client in another thread or process of the program that carries the service. */
export function clientOverPort(port: MessagePort): ServiceClient {
  const client: ServiceClient = createORPCClient(new PortLink({ port, plugins, interceptors: [onError(whole)] }));
  port.start();
  return client;
}

/** What goes out and what comes in is validated here, too, … */
const plugins = [new RequestValidationPlugin(contract), new ResponseValidationPlugin(contract)];
/** … and errors are those that the service has thrown. */
const whole = (error: unknown): never => {
  throw fromWire(error);
};

/** A service answers at once; one that takes so long hangs, and its host ends it after some minutes. */
const patienceMs = 20_000;

function open(address: string, token: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://localhost${rpcPath}`, {
      createConnection: () => connect(address),
      headers: { authorization: `Bearer ${token}` },
      maxPayload: longestMessage,
      perMessageDeflate: false,
    });
    const settled = new AbortController();
    systemClock.sleep(patienceMs, settled.signal).then(
      () => {
        reject(new HoldfastError('service-lost', { cause: 'it does not answer' }));
        socket.terminate();
      },
      () => {},
    );
    socket.once('close', () => settled.abort());
    socket.once('open', () => {
      settled.abort();
      resolve(socket);
    });
    socket.once('unexpected-response', (_, { statusCode }) => {
      socket.terminate();
      reject(new HoldfastError('access-refused', { cause: `it answered ${statusCode}` }));
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const isAbsent = error.code === 'ENOENT' || error.code === 'ECONNREFUSED';
      reject(
        isAbsent
          ? new HoldfastError('service-absent', {}, { cause: error })
          : new HoldfastError('service-lost', { cause: error.message }, { cause: error }),
      );
    });
  });
}
