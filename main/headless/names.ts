/**
 * By which names this host is called, and from which pages. A page of another site may let a name of its own lead to this computer (DNS
 * rebinding), and a browser would then take the two for one site: so only names that are ours are answered.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { TLSSocket } from 'node:tls';

export class Names {
  readonly #names: ReadonlySet<string>;
  readonly #isEverywhere: boolean;
  readonly #usualPort: number;
  #port = 0;

  /** `names` without a port. `isEverywhere`: it listens on all addresses of this computer. */
  constructor(names: readonly string[], { isEverywhere, isTls }: { isEverywhere: boolean; isTls: boolean }) {
    this.#names = new Set(names.map(written));
    this.#isEverywhere = isEverywhere;
    this.#usualPort = isTls ? 443 : 80;
  }

  opened(port: number): void {
    this.#port = port;
  }

  /** Whether the request calls this host by one of its names. */
  has({ headersDistinct: { host: hosts = [] } }: IncomingMessage): boolean {
    if (hosts.length !== 1) return false;
    const [, name, port] = /^(\[[0-9a-f:.]+\]|[^:[\]@/\s]+)(?::(\d{1,5}))?$/.exec(hosts[0].toLowerCase()) ?? [];
    if (name === undefined || Number(port ?? this.#usualPort) !== this.#port) return false;
    return this.#names.has(name) || (this.#isEverywhere && ownAddresses().has(name));
  }
}

/** As a browser writes it in an address. */
const written = (name: string): string => (isIP(name) === 6 ? new URL(`http://[${name}]`).hostname : name.toLowerCase());

const ownAddresses = (): ReadonlySet<string> =>
  new Set(
    Object.values(networkInterfaces())
      .flat()
      .flatMap((each) => (each ? [written(each.address)] : [])),
  );

/** By which another computer reaches this one; undefined when nothing leads anywhere. */
export const outerAddress = (): string | undefined =>
  Object.values(networkInterfaces())
    .flat()
    .find((each) => each && !each.internal && each.family === 'IPv4')?.address;

/** Whether the request comes from a page of this host, or from no page. Its Host must be known as right. */
export function isSameOrigin({ headersDistinct: { origin: origins = [] }, headers, socket }: IncomingMessage): boolean {
  if (origins.length === 0) return true;
  const scheme = (socket as Partial<TLSSocket>).encrypted === true ? 'https' : 'http';
  return origins.length === 1 && origins[0].toLowerCase() === `${scheme}://${headers.host?.toLowerCase()}`;
}
