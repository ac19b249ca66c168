/** OpenSSH's own server on a loopback port, with keys of its own; whoever signs in is who runs the tests. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { type RunningServer, startServer } from './servers.ts';

export interface Sshd extends RunningServer {
  readonly username: string;
  /** The private key that is let in. */
  readonly keyFile: string;
  /** The same, under {@link passphrase}. */
  readonly lockedKeyFile: string;
  /** A key that is not let in. */
  readonly strangerFile: string;
  /** A file by which the server is known. */
  readonly knownHosts: string;
  /** `SHA256:…` of the host key by its type. */
  fingerprint(type: string): string;
  /** A folder with a program `ssh` for restic, which signs in by the key. */
  readonly bin: string;
  /** `sftp://user@127.0.0.1:port/NAME`, below the folder that it serves. */
  place(name: string): string;
}

export const passphrase = 'a pass phrase';
const hostKeyTypes = ['ed25519', 'ecdsa', 'rsa'];

function makeKey(file: string, type: string, phrase = ''): void {
  execFileSync('ssh-keygen', ['-q', '-t', type, ...(type === 'rsa' ? ['-b', '2048'] : []), '-N', phrase, '-C', 'test', '-f', file]);
}

/** `lines` are added to its configuration. */
export async function startSshd(lines: readonly string[] = []): Promise<Sshd> {
  // Where sshd, started by root, keeps its unprivileged half.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const { username } = userInfo();
  let scratch = '';
  const server = await startServer({
    program: '/usr/sbin/sshd',
    args: (port, folder) => {
      scratch = join(folder, '..');
      for (const type of hostKeyTypes) makeKey(join(scratch, `host_${type}`), type);
      makeKey(join(scratch, 'me'), 'ed25519');
      makeKey(join(scratch, 'stranger'), 'ed25519');
      writeFileSync(join(scratch, 'locked'), readFileSync(join(scratch, 'me')));
      chmodSync(join(scratch, 'locked'), 0o600);
      execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', passphrase, '-f', join(scratch, 'locked')]);
      writeFileSync(join(scratch, 'authorized'), readFileSync(join(scratch, 'me.pub')));
      const known = hostKeyTypes.map((type) => `[127.0.0.1]:${port} ${readFileSync(join(scratch, `host_${type}.pub`), 'utf8')}`);
      writeFileSync(join(scratch, 'known_hosts'), known.join(''));
      mkdirSync(join(scratch, 'bin'));
      const options = ['IdentitiesOnly yes', `IdentityFile ${join(scratch, 'me')}`, `UserKnownHostsFile ${join(scratch, 'known_hosts')}`];
      writeFileSync(join(scratch, 'ssh_config'), `${options.join('\n')}\n`);
      writeFileSync(join(scratch, 'bin', 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F ${join(scratch, 'ssh_config')} "$@"\n`, { mode: 0o755 });
      const config = [
        `ListenAddress 127.0.0.1:${port}`,
        ...hostKeyTypes.map((type) => `HostKey ${join(scratch, `host_${type}`)}`),
        `AuthorizedKeysFile ${join(scratch, 'authorized')}`,
        `PidFile ${join(scratch, 'pid')}`,
        'StrictModes no',
        'UsePAM no',
        'PermitRootLogin yes',
        'PasswordAuthentication no',
        'MaxStartups 100',
        // Relative paths begin there, not in the home of whoever tests.
        `Subsystem sftp internal-sftp -d ${folder}`,
        ...lines,
      ];
      writeFileSync(join(scratch, 'sshd_config'), `${config.join('\n')}\n`);
      return ['-D', '-e', '-f', join(scratch, 'sshd_config')];
    },
  });
  const fingerprint = (type: string): string =>
    execFileSync('ssh-keygen', ['-l', '-f', join(scratch, `host_${type}.pub`)], { encoding: 'utf8' }).split(' ')[1]!;
  return {
    ...server,
    username,
    keyFile: join(scratch, 'me'),
    lockedKeyFile: join(scratch, 'locked'),
    strangerFile: join(scratch, 'stranger'),
    knownHosts: join(scratch, 'known_hosts'),
    bin: join(scratch, 'bin'),
    fingerprint,
    place: (name) => `sftp://${username}@127.0.0.1:${server.port}/${server.folder}/${name}`,
  };
}

/** A new home below `folder`, with these files in its `.ssh`. */
export function makeSshHome(folder: string, files: Readonly<Record<string, string>>): string {
  const home = mkdtempSync(join(folder, 'home-'));
  mkdirSync(join(home, '.ssh'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, '.ssh', name), text, { mode: 0o600 });
  return home;
}
