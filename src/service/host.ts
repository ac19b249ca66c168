/** One service with its private socket: what every process that carries a service begins. */
import { randomBytes } from 'node:crypto';
import { toHoldfastError } from '../contract/errors.ts';
import { protocolVersion } from '../contract/procedures.ts';
import { removeAccess, writeAccess } from './access.ts';
import { type LoginCost, type LoginMemory, Logins } from './logins.ts';
import type { Downloads } from './restores/downloads.ts';
import { makeRouter } from './router.ts';
import { Connections } from './rpc/connections.ts';
import { LocalHost } from './rpc/local-host.ts';
import { Service, type ServiceOptions } from './service.ts';
import { takingOver } from './watchdog/take-over.ts';

export interface HostOptions extends ServiceOptions {
  readonly version: string;
  /** It is started because its person has logged in. */
  readonly atLogin?: boolean | undefined;
  /** A client wants the service to end. */
  readonly onStop: () => void;
  /** Opens further hosts, as the browser's, before anything runs by itself: where one cannot be opened, nothing has begun. */
  readonly openHosts?: ((parts: HostParts) => Promise<FurtherHosts>) | undefined;
  /** Of passwords of logins; default: the usual one. */
  readonly loginCost?: LoginCost | undefined;
}

/** What a host carries requests to. */
export interface HostParts {
  readonly connections: Connections;
  readonly logins: Logins;
  /** What a host keeps over its end. */
  readonly memory: LoginMemory;
  /** For browsers to fetch. */
  readonly downloads: Downloads;
}

export interface FurtherHosts {
  readonly hosts: readonly FurtherHost[];
  /** What a person opens in a browser, with the token where there is one: kept in the access file for as long as they are open. */
  readonly addresses: readonly string[];
}

export interface FurtherHost {
  /** Takes nobody in any more, and cuts off who is left when all clients have been told `goodbye`. */
  close(goodbye: Promise<void>): Promise<void>;
}

export interface Hosted {
  readonly service: Service;
  close(): Promise<void>;
}

/**
 * The process that carries this one, if one does, is told that it is ready, or why it cannot be; a service that has lost its host makes way.
 * Throws `service-running`, `state-newer`, `state-failed`, `service-not-started`, and what `openHosts` throws.
 */
export async function hostService(options: HostOptions): Promise<Hosted> {
  const { host } = options;
  try {
    const { service, close } = await (host ? takingOver(options, () => open(options)) : open(options));
    host?.ready();
    return {
      service,
      async close() {
        host?.stopping();
        await close();
        host?.close();
      },
    };
  } catch (error) {
    host?.failed(toHoldfastError(error));
    host?.close();
    throw error;
  }
}

async function open(options: HostOptions): Promise<Hosted> {
  const { profile, version, clock, onStop, onNote, atLogin = false, openHosts, loginCost } = options;
  const service = new Service(options);
  let local: LocalHost | undefined;
  let connections: Connections | undefined;
  let hosts: readonly FurtherHost[] = [];
  const close = async (): Promise<void> => {
    if (local) removeAccess(profile);
    const goodbye = connections?.close() ?? Promise.resolve();
    await Promise.all(hosts.map((host) => host.close(goodbye)));
    await goodbye;
    await local?.close();
    await service.close();
  };
  try {
    const logins = new Logins(service.state, { clock, cost: loginCost });
    const router = makeRouter(service, { version, logins, onStop });
    connections = new Connections(router, { clock, onDefect: (error) => onNote?.(error.stack ?? error.message) });
    const token = randomBytes(32).toString('base64url');
    local = await LocalHost.open(profile, token, connections);
    const opened = await openHosts?.({ connections, logins, memory: service.state, downloads: service.app.downloads });
    hosts = opened?.hosts ?? [];
    const addresses = [...(opened?.addresses ?? [])];
    writeAccess(profile, { pid: process.pid, version, protocol: protocolVersion, socket: profile.socket, token, addresses });
    await service.start({ atLogin });
    return { service, close };
  } catch (error) {
    await close();
    throw error;
  }
}
