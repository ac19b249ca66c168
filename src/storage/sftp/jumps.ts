/**
 * The servers that one goes through to reach another, as ssh's ProxyJump names them: `user@first:22,second`. The first of them may
 * itself be reached through others, by what ssh's configuration says about it (ssh_config(5), `ssh -J` in ssh(1)).
 */
import { fail } from '../../contract/errors.ts';
import { type SshWay, sshConfigFile, sshSettings } from './ssh-config.ts';

export interface Jump {
  /** Name or number, in small letters. */
  readonly host: string;
  /** Undefined: the usual one. */
  readonly port: number | undefined;
  /** Undefined: as one is called on this computer. */
  readonly username: string | undefined;
  readonly keyFiles: readonly string[];
}

/** Nobody has so many on the way: they lead in a circle. */
const most = 8;

/**
 * The servers on the way to `host`, the first one being connected to from here. Throws `bad-usage` for one that is reached by a
 * program, for what cannot be read, and for servers that lead to each other.
 */
export function jumpsTo(host: string, way: SshWay | undefined, home: string): Jump[] {
  if (way === undefined) return [];
  if ('command' in way)
    return fail('bad-usage', {
      problem: `By ${sshConfigFile(home)}, ${host} is reached by a program (ProxyCommand), which Holdfast does not start.`,
      guidance: 'Name the server in between by ProxyJump there, or in HOLDFAST_SFTP_JUMP.',
    });
  const jumps: Jump[] = [];
  let first = host;
  let next: SshWay | undefined = way;
  while (next) {
    if ('command' in next) return jumpsTo(first, next, home);
    const read: Read[] = next.jumps.split(',').map((each) => jumpOf(each.trim(), host, home));
    jumps.unshift(...read.map(({ jump }) => jump));
    if (jumps.length > most)
      return fail('bad-usage', {
        problem: `The servers that lead to ${host} lead to each other in a circle.`,
        guidance: `Correct what ${sshConfigFile(home)} says by ProxyJump.`,
      });
    first = read[0].named;
    next = read[0].way;
  }
  return jumps;
}

interface Read {
  /** As it is written, without user and port. */
  readonly named: string;
  readonly jump: Jump;
  readonly way: SshWay | undefined;
}

function jumpOf(written: string, host: string, home: string): Read {
  const match = /^(?:ssh:\/\/)?(?:([^/\s]+)@)?(?:\[([^\]\s]+)\]|([^\s/@:%[\]]+))(?::(\d{1,5}))?\/?$/.exec(written);
  const port = match?.[4] === undefined ? undefined : Number(match[4]);
  if (!match || (port !== undefined && (port < 1 || port > 65_535)))
    return fail('bad-usage', {
      problem: `The server on the way to ${host} is not written as one: ${JSON.stringify(written)}.`,
      guidance: 'Write it as user@server:22; several with commas in between.',
    });
  const named = (match[2] ?? match[3]).toLowerCase();
  const settings = sshSettings(home, named);
  const { hostname = named, keyFiles, way } = settings;
  return { named, jump: { host: hostname, port: port ?? settings.port, username: match[1] ?? settings.username, keyFiles }, way };
}
