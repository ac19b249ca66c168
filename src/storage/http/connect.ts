/** The client for an address, with all that a person has said about the way there. */
import type { OpenContext } from '../kind.ts';
import type { HttpAddress } from './address.ts';
import { TcpHttpClient } from './client.ts';
import { proxyFor } from './proxy.ts';
import { tlsIdentity } from './tls-identity.ts';

export interface Way {
  /** The place as a person would recognise it. */
  readonly location: string;
  /** At the same time; default few. */
  readonly connections?: number | undefined;
  /** Past any proxy: the address means something on this computer alone. */
  readonly isDirect?: boolean;
}

/** Throws `input-unreadable` and `bad-usage` for certificates and proxies that cannot be used. Nothing is connected yet. */
export function connectTo(address: HttpAddress, { credentials, clock, paces }: OpenContext, { isDirect, ...way }: Way): TcpHttpClient {
  const tls = address.isSecure ? tlsIdentity(credentials) : undefined;
  return new TcpHttpClient({ ...way, address, clock, paces, tls, proxy: isDirect ? undefined : proxyFor(address, credentials) });
}
