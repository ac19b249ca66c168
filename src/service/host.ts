/** One service with its private socket: what every process that carries a service begins. */
import { randomBytes } from 'node:crypto';
import { protocolVersion } from '../contract/procedures.ts';
import { removeAccess, writeAccess } from './access.ts';
import { makeRouter } from './router.ts';
import { Connections } from './rpc/connections.ts';
import { LocalHost } from './rpc/local-host.ts';
import { Service, type ServiceOptions } from './service.ts';

export interface HostOptions extends ServiceOptions {
  readonly version: string;
  /** It is started because its person has logged in. */
  readonly atLogin?: boolean | undefined;
  /** A client wants the service to end. */
  readonly onStop: () => void;
}

export interface Hosted {
  readonly service: Service;
  /** For further hosts, as the browser's. */
  readonly connections: Connections;
  close(): Promise<void>;
}

/** Throws `service-running`, `state-newer`, `state-failed`, `service-not-started`. */
export async function hostService(options: HostOptions): Promise<Hosted> {
  const { profile, version, clock, onStop, onNote, atLogin = false } = options;
  const service = new Service(options);
  let local: LocalHost | undefined;
  let connections: Connections | undefined;
  const close = async (): Promise<void> => {
    removeAccess(profile);
    await connections?.close();
    await local?.close();
    await service.close();
  };
  try {
    const router = makeRouter(service, { version, onStop });
    connections = new Connections(router, { clock, onDefect: (error) => onNote?.(error.stack ?? error.message) });
    const token = randomBytes(32).toString('base64url');
    local = await LocalHost.open(profile, token, connections);
    writeAccess(profile, { pid: process.pid, version, protocol: protocolVersion, socket: profile.socket, token });
    await service.start({ atLogin });
    return { service, connections, close };
  } catch (error) {
    await close();
    throw error;
  }
}
