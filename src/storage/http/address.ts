/** Addresses of servers as people write them, taken apart so that nothing secret is left in what is shown. */
import { fail } from '../../contract/errors.ts';

export interface HttpAddress {
  readonly isSecure: boolean;
  /** Name or number, without brackets; '' with a socket. */
  readonly host: string;
  readonly port: number;
  /** The file of a local socket instead of a host. */
  readonly socketPath: string | undefined;
  /** Percent-encoded, begins and ends with `/`. */
  readonly path: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Name and port as a person would recognise them. */
  readonly server: string;
  /** The whole, without the password. */
  readonly shown: string;
}

/**
 * Takes an address of `http://`, `https://` or, as restic writes it, `http+unix:///SOCKET:/PATH/` apart. Throws `bad-usage`,
 * whose words hold nothing of what stands before an @.
 */
export function parseHttpAddress(kind: string, text: string): HttpAddress {
  const refuse = (problem: string): never =>
    fail('bad-usage', { problem, guidance: `Write it as ${kind}:https://server.example:8000/path/.` });
  const socket = /^http\+unix:\/\/(\/[^:]+)(?::(\/.*))?$/.exec(text);
  let url: URL;
  try {
    url = new URL(socket ? `http://localhost${socket[2] ?? '/'}` : text);
  } catch {
    return refuse(`The address of this ${kind} destination cannot be read.`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return refuse(`The address of this ${kind} destination does not begin with http:// or https://.`);
  // Before anything of it is shown: a password with such a sign in it would be cut in two there.
  if (url.search !== '' || url.hash !== '')
    return refuse(`The address of this ${kind} destination has a ? or # in it; in a user name or password they are written %3F and %23.`);
  const isSecure = url.protocol === 'https:';
  const path = url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`;
  const username = url.username === '' ? undefined : decoded(url.username, refuse);
  const password = url.password === '' ? undefined : decoded(url.password, refuse);
  if (socket) {
    const [, socketPath] = socket;
    const shown = `http+unix://${socketPath}:${path}`;
    return { isSecure, host: '', port: 0, socketPath, path, username, password, server: socketPath, shown };
  }
  const user = url.username === '' ? '' : `${url.username}@`;
  return {
    isSecure,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
    socketPath: undefined,
    path,
    username,
    password,
    server: url.host,
    shown: `${url.protocol}//${user}${url.host}${path}`,
  };
}

function decoded(text: string, refuse: (problem: string) => never): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return refuse('The user name or the password in the address has a % in it that belongs to nothing; it is written %25.');
  }
}
