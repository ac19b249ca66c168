/** The hosts for browsers that a person asks for: one for this computer, one for others. */
import { isIPv6 } from 'node:net';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { fail, hasCode } from '../../src/contract/errors.ts';
import type { Clock } from '../../src/platform/clock.ts';
import type { HostParts } from '../../src/service/host.ts';
import type { LoginMemory } from '../../src/service/logins.ts';
import { BrowserHost, type BrowserHostOptions } from './browser-host.ts';
import { KnownBrowsers } from './known-browsers.ts';
import { LoginDoor } from './login-door.ts';
import { Names, outerAddress } from './names.ts';
import { StaticFiles } from './static-files.ts';
import { readTlsFiles, type TlsFiles } from './tls-files.ts';
import { TokenDoor } from './token-door.ts';

export interface BrowserAccess {
  /** On this computer alone; 0: any that is free. Undefined: not at all. */
  readonly port?: number | undefined;
  /** For other computers. */
  readonly listen?: ListenPlace | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  /** Further names by which other computers call this one. */
  readonly hostNames?: readonly string[] | undefined;
}

export interface ListenPlace {
  /** An IP address, or the name of one. */
  readonly address: string;
  readonly port: number;
}

export interface HostSurroundings extends Pick<BrowserHostOptions, 'onDefect' | 'patience'> {
  readonly clock: Clock;
  /** The folder of the interface. */
  readonly files?: string;
}

export interface OpenHosts {
  readonly hosts: readonly BrowserHost[];
  /** What a person opens in a browser; that of this computer holds the token. */
  readonly addresses: readonly string[];
}

/**
 * Opens what is asked for, or nothing.
 * Throws `listen-without-tls`, `listen-without-login`, `tls-unusable`, `port-unusable`.
 */
export async function openBrowserHosts(
  { port, listen, tlsCert, tlsKey, hostNames = [] }: BrowserAccess,
  { connections, logins, memory, downloads }: HostParts,
  { clock, onDefect, files = interfaceFolder(), patience }: HostSurroundings,
): Promise<OpenHosts> {
  const common = { connections, downloads, clock, onDefect, files: new StaticFiles(files), ...(patience ? { patience } : {}) };
  const hosts: BrowserHost[] = [];
  const addresses: string[] = [];
  let tls: TlsFiles | undefined;
  if (listen) {
    const address = `${listen.address}:${listen.port}`;
    if (tlsCert === undefined || tlsKey === undefined) return fail('listen-without-tls', { address });
    tls = readTlsFiles(tlsCert, tlsKey);
    if (logins.list().length === 0) fail('listen-without-login', { address });
  }
  try {
    if (port !== undefined) {
      const door = new TokenDoor(new KnownBrowsers(memory, clock));
      const names = new Names(['127.0.0.1', 'localhost', '::1'], { isEverywhere: false, isTls: false });
      const openAt = (wanted: number): Promise<BrowserHost> =>
        BrowserHost.open({ ...common, address: '127.0.0.1', port: wanted, names, door });
      const host = port === 0 ? await openAnywhere(openAt, memory) : await openAt(port);
      hosts.push(host);
      addresses.push(door.address(host.port));
    }
    if (listen) {
      const isEverywhere = listen.address === '0.0.0.0' || /^[0:]+$/.test(listen.address);
      const names = new Names([...hostNames, ...(isEverywhere ? ['localhost'] : [listen.address])], { isEverywhere, isTls: true });
      const host = await BrowserHost.open({ ...common, ...listen, tls, names, door: new LoginDoor(logins) });
      hosts.push(host);
      const shown = hostNames[0] ?? (isEverywhere ? outerAddress() : undefined) ?? listen.address;
      addresses.push(`https://${isIPv6(shown) ? `[${shown}]` : shown}:${host.port}/`);
    }
    return { hosts, addresses };
  } catch (error) {
    await Promise.all(hosts.map((host) => host.close(Promise.resolve())));
    throw error;
  }
}

const lastPort = 'browser-port';

/**
 * Any port will do, but the one that it had the last time is the one at which open pages look for a service that was started anew.
 */
async function openAnywhere(openAt: (port: number) => Promise<BrowserHost>, memory: LoginMemory): Promise<BrowserHost> {
  const known = z.int().min(1024).max(65_535).safeParse(memory.recall(lastPort)).data;
  const again =
    known === undefined
      ? undefined
      : await openAt(known).catch((error: unknown) => {
          if (!hasCode(error, 'port-unusable')) throw error;
        });
  const host = again ?? (await openAt(0));
  if (host.port !== known) memory.remember(lastPort, host.port);
  return host;
}

/** Beside the bundle, or where the bundle is made. */
const interfaceFolder = (): string =>
  fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../../dist/renderer' : './renderer', import.meta.url));
