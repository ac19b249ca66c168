/**
 * Proxies, as other programs are told of them: HTTPS_PROXY leads to addresses of https, HTTP_PROXY to those of http, and NO_PROXY
 * names what is reached without one. Node's agents speak to them.
 *
 * NO_PROXY is read as Go's programs do, restic among them (https://pkg.go.dev/golang.org/x/net/http/httpproxy): names, which stand for
 * all below them too; addresses and ranges such as 10.0.0.0/8; each with a port or without; or * for all. This computer itself is
 * always reached without.
 */
import { BlockList, isIP } from 'node:net';
import { fail } from '../../contract/errors.ts';
import type { Credentials } from '../credentials.ts';
import type { HttpAddress } from './address.ts';

export interface Proxy {
  /** With the user name and password, if there are any. */
  readonly url: string;
  /** Without them. */
  readonly shown: string;
}

/** The proxy between this computer and an address; undefined for none. Throws `bad-usage` for one that cannot be meant. */
export function proxyFor(address: HttpAddress, credentials: Credentials): Proxy | undefined {
  const name = address.isSecure ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const given = credentials.get(name, name.toLowerCase());
  if (given === undefined || address.socketPath !== undefined || isReachedWithout(address, credentials.get('NO_PROXY', 'no_proxy') ?? ''))
    return undefined;
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : `http://${given}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // What it says may be a password.
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === '')
    return fail('bad-usage', {
      problem: `${name} is no address of a proxy that Holdfast can use.`,
      guidance: 'Write it like http://proxy.example:3128, with http or https; a user name and a password may stand before an @.',
    });
  return { url: url.href, shown: `${url.protocol}//${url.host}` };
}

function isReachedWithout({ host, port }: HttpAddress, exceptions: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  const version = isIP(name);
  if (name === 'localhost' || isIn(name, version, '127.0.0.0/8') || isIn(name, version, '::1/128')) return true;
  for (const each of exceptions.toLowerCase().split(/[\s,]+/)) {
    if (each === '') continue;
    if (each === '*') return true;
    const [, bracketed, plain, wantedPort] = /^(?:\[(.*)\]|(.*?))(?::(\d+))?$/.exec(isIP(each) === 6 ? `[${each}]` : each) ?? [];
    if (wantedPort !== undefined && Number(wantedPort) !== port) continue;
    const wanted = bracketed ?? plain;
    if (wanted.includes('/') || isIP(wanted) !== 0) {
      if (isIn(name, version, wanted)) return true;
      continue;
    }
    const domain = wanted.replace(/^\*?\./, '');
    if (version === 0 && (name.endsWith(`.${domain}`) || (name === domain && domain === wanted))) return true;
  }
  return false;
}

/** Whether an address (of this version of IP; 0 for a name) lies in a range, or is the one that is written without one. */
function isIn(address: string, version: number, range: string): boolean {
  const [net, bits = isIP(net) === 6 ? '128' : '32'] = range.split('/');
  if (version === 0 || isIP(net) !== version || !/^\d+$/.test(bits) || Number(bits) > (version === 6 ? 128 : 32)) return false;
  const family = version === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(net, Number(bits), family);
  return list.check(address, family);
}
