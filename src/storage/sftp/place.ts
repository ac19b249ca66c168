/**
 * Where an SFTP destination is, written as restic writes it:
 * - `sftp:user@host:/path` — what stands behind the second colon is the path, absolute with a slash in front, else relative to
 *   where the server lets one in (mostly the home folder)
 * - `sftp://user@host:port/path` — the path stands behind the slash, so that an absolute one has two: `sftp://host:22//path`
 */
import { fail } from '../../contract/errors.ts';

export interface SftpPlace {
  /** Name or number, without brackets, in small letters. */
  readonly host: string;
  /** Undefined: not said. */
  readonly port: number | undefined;
  /** Undefined: as one is called on this computer. */
  readonly username: string | undefined;
  /** Only from the form with two slashes. */
  readonly password: string | undefined;
  /** Absolute, or relative to where the server lets one in (`.` for that itself); without a slash at the end. */
  readonly folder: string;
  /** As a person would recognise it, without the password. */
  readonly location: string;
}

/** `address` is what stands behind `sftp:`. Throws `bad-usage`, whose words hold nothing of what stands before an @. */
export const parseSftpPlace = (address: string): SftpPlace => (address.startsWith('//') ? fromUrl(address) : fromShortForm(address));

const refuse = (problem: string): never =>
  fail('bad-usage', { problem, guidance: 'Write it as sftp:user@server.example:/path or sftp://user@server.example:22//path.' });

function fromShortForm(address: string): SftpPlace {
  const match = /^((?:[^:]*@)?(?:\[[^\]]*\]|[^:]*)):(.*)$/s.exec(address);
  if (!match) return refuse('This SFTP address has no colon between server and path.');
  const [, who, path] = match;
  // Of several @ the last one counts: user names may hold one.
  const at = who.lastIndexOf('@');
  // It would be taken for a path, and be shown.
  if (at < 0 && /^[^/]*@[^/:]*:/.test(path))
    return refuse('This SFTP address holds a password; it belongs into the environment (HOLDFAST_SFTP_PASSWORD) or a file of credentials.');
  const username = at < 0 ? undefined : who.slice(0, at);
  return placeOf({ username, password: undefined, host: who.slice(at + 1), port: undefined, path });
}

function fromUrl(address: string): SftpPlace {
  let url: URL;
  try {
    url = new URL(`sftp:${address}`);
  } catch {
    return refuse('This SFTP address cannot be read.');
  }
  if (url.search !== '' || url.hash !== '') return refuse('This SFTP address has a ? or # in it; in a URL they are written %3F and %23.');
  if (url.pathname === '') return refuse('This SFTP address names no folder.');
  const password = url.password === '' ? undefined : decoded(url.password);
  return placeOf({
    username: decoded(url.username),
    password,
    host: decoded(url.hostname),
    port: url.port === '' ? undefined : Number(url.port),
    path: decoded(url.pathname).slice(1),
  });
}

interface Parts {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
  readonly path: string;
}

function placeOf({ username: given, password, host: written, port, path }: Parts): SftpPlace {
  const host = written.replace(/^\[(.*)\]$/s, '$1').toLowerCase();
  if (host === '') return refuse('This SFTP address names no server.');
  if (/[\s/,\p{Cc}]/u.test(host)) return refuse('The name of the server in this SFTP address has a sign in it that no name has.');
  if (port !== undefined && port < 1) return refuse('The port in this SFTP address is none.');
  if (path.includes('\0')) return refuse('The path in this SFTP address has a sign in it that no path has.');
  const folder = cleaned(path);
  if (folder.startsWith('~'))
    return refuse(
      'A path that begins with ~ is not understood by SFTP servers: without it, and without a slash in front, it is relative to the home folder.',
    );
  const username = given === '' ? undefined : given;
  const user = username === undefined ? '' : `${username}@`;
  const server = shownServer(host, port);
  const location = port === undefined ? `sftp:${user}${server}:${folder}` : `sftp://${user}${server}/${folder}`;
  return { host, port, username, password, folder, location };
}

/** As people write it: with the port, if it is said. */
export function shownServer(host: string, port: number | undefined): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return port === undefined ? shown : `${shown}:${port}`;
}

/** Without needless slashes and dots; what leads upwards is left to the server, on which a name in between may be a link. */
function cleaned(path: string): string {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  return path.startsWith('/') ? `/${names.join('/')}` : names.join('/') || '.';
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return refuse('This SFTP address has a % in it that belongs to nothing; it is written %25.');
  }
}
