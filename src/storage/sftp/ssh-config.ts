/**
 * What the person's `~/.ssh/config` says about a server (ssh_config(5)), since `sftp:nas:/backup` may name a server by what only that
 * file knows. Of each setting the first one counts. `Match` and `Include` are passed over.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fail } from '../../contract/errors.ts';
import { matchesHosts } from './known-hosts.ts';

/** The way to a server that is not connected to directly: a ProxyJump as it is written, or a program. */
export type SshWay = { readonly jumps: string } | { readonly command: string };

export interface SshSettings {
  readonly hostname: string | undefined;
  readonly port: number | undefined;
  readonly username: string | undefined;
  /** In place of those that usually lie in `~/.ssh`. */
  readonly keyFiles: readonly string[];
  readonly way: SshWay | undefined;
}

const nothing: SshSettings = { hostname: undefined, port: undefined, username: undefined, keyFiles: [], way: undefined };

export const sshConfigFile = (home: string): string => path.join(home, '.ssh', 'config');

/** `host` as the person has named it, in small letters. Throws `input-unreadable` for a file that is there and cannot be read. */
export function sshSettings(home: string, host: string): SshSettings {
  const file = sshConfigFile(home);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return nothing;
    return fail('input-unreadable', { path: file, purpose: 'the configuration of ssh', cause: message }, error);
  }
  const found = settingsFor(text, host);
  const first = (name: string): string | undefined => found.get(name)?.[0];
  const port = Number(first('port'));
  return {
    hostname: first('hostname')?.replaceAll('%h', host).toLowerCase(),
    port: Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined,
    username: first('user'),
    keyFiles: (found.get('identityfile') ?? []).filter((each) => each !== 'none').map((each) => inHome(each, home)),
    way: wayOf(found),
  };
}

/** Of ProxyJump and ProxyCommand, too, the first one counts, and `none` is one (ssh_config(5)). */
function wayOf(found: ReadonlyMap<string, string[]>): SshWay | undefined {
  const [name] = [...found.keys()].filter((each) => each === 'proxyjump' || each === 'proxycommand');
  const value = name === undefined ? 'none' : found.get(name)![0];
  if (value.toLowerCase() === 'none') return undefined;
  return name === 'proxyjump' ? { jumps: value } : { command: value };
}

/** All values of each setting, by its name in small letters, in their order; the settings in the order of their first ones. */
function settingsFor(text: string, host: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let isMeant = true;
  for (const written of text.split(/\r?\n/)) {
    const match = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(written);
    if (!match) continue;
    const name = match[1].toLowerCase();
    const value = match[2].replace(/^"(.*)"$/, '$1');
    if (name === 'host') isMeant = matchesHosts(value.split(/\s+/), host);
    else if (name === 'match') isMeant = false;
    else if (isMeant) found.set(name, [...(found.get(name) ?? []), value]);
  }
  return found;
}

function inHome(file: string, home: string): string {
  const whole = file.replaceAll('%d', home).replaceAll('%%', '%');
  return whole.startsWith('~/') ? path.join(home, whole.slice(2)) : path.resolve(home, '.ssh', whole);
}
