/** What a browser keeps to be known again, and other clients say in words. */
import type { IncomingMessage } from 'node:http';

export interface Cookie {
  readonly name: string;
  /** Only ever sent encrypted. */
  readonly isSecure: boolean;
}

/**
 * Cookies are shared by all ports of a name, hence the port in theirs. The prefix makes browsers refuse one that was set for more than
 * this name, or without encryption (RFC 6265bis, 4.1.3).
 */
export const cookieFor = (port: number, isSecure: boolean): Cookie => ({
  name: `${isSecure ? '__Host-' : ''}holdfast-${port}`,
  isSecure,
});

/** The header that sets it. `seconds`: how long it is kept; undefined: until the browser ends; 0: it is removed. */
export const setCookie = ({ name, isSecure }: Cookie, value: string, seconds?: number): string =>
  `${name}=${value}; Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}${seconds === undefined ? '' : `; Max-Age=${seconds}`}`;

/** What the client says it was given: in `Authorization: Bearer`, else in the cookie. */
export function saidSecret({ headers }: IncomingMessage, { name }: Cookie): string | undefined {
  const bearer = /^Bearer ([\w-]+)$/.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const found = (headers.cookie ?? '').split(';').find((each) => each.trim().startsWith(`${name}=`));
  return found?.trim().slice(name.length + 1);
}
