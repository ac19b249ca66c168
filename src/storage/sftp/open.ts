/** Opens `sftp:user@host:/path`, a folder on a server that one can reach by SSH. */
import { homedir } from 'node:os';
import path from 'node:path';
import { fail } from '../../contract/errors.ts';
import { dataFolder, hostIdentity } from '../../platform/host.ts';
import type { Credentials } from '../credentials.ts';
import type { OpenKind } from '../kind.ts';
import { HostKeys } from './host-keys.ts';
import { type Jump, jumpsTo } from './jumps.ts';
import { readPrivateKey } from './keys.ts';
import { parseSftpPlace, type SftpPlace, shownServer } from './place.ts';
import type { SftpCredentials } from './sign-in.ts';
import { SftpStorage } from './sftp.ts';
import { type SshSettings, sshSettings } from './ssh-config.ts';
import { type Hop, usualSftpPatience } from './ssh-connection.ts';

const usualPort = 22;
const usualKeyNames = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

export const openSftp: OpenKind = (address, { credentials, clock, paces, onNote }) => {
  const place = parseSftpPlace(address);
  if (place.password !== undefined)
    onNote?.('The password in the address can be seen by every program of this computer: better name it in the environment or in a file.');
  const { location, folder } = place;
  const home = credentials.get('HOME', 'USERPROFILE') ?? homedir();
  const settings = sshSettings(home, place.host);
  const ownFile = credentials.get('HOLDFAST_SFTP_KNOWN_HOSTS') ?? path.join(dataFolder(), 'known_hosts');
  const lists = [...['known_hosts', 'known_hosts2'].map((name) => path.join(home, '.ssh', name)), '/etc/ssh/ssh_known_hosts', ownFile];
  const files = [...new Set(lists)];
  const hopTo = (host: string, port: number, pinned: readonly string[], own: SftpCredentials): Hop => {
    const server = shownServer(host, port === usualPort ? undefined : port);
    return {
      host,
      port,
      server,
      credentials: own,
      hostKeys: new HostKeys({ host, port, server, location, files, ownFile, pinned, onNote }),
    };
  };
  const said = credentials.get('HOLDFAST_SFTP_JUMP');
  const way = said === undefined ? settings.way : said === 'none' ? undefined : { jumps: said };
  const jumps = jumpsTo(place.host, way, home);
  return new SftpStorage({
    ...hopTo(
      settings.hostname ?? place.host,
      place.port ?? settings.port ?? usualPort,
      pinnedKeys(credentials),
      sftpCredentials(place, settings, credentials, home),
    ),
    jumps: jumps.map((jump) => hopTo(jump.host, jump.port ?? usualPort, [], jumpCredentials(jump, credentials, home))),
    location,
    folder,
    clock,
    paces,
    patience: usualSftpPatience,
  });
};

/** What stands in the address wins, since the credentials may be meant for another place. */
function sftpCredentials(
  { username, password }: SftpPlace,
  settings: SshSettings,
  credentials: Credentials,
  home: string,
): SftpCredentials {
  const file = credentials.get('HOLDFAST_SFTP_KEY_FILE');
  const passphrase = credentials.get('HOLDFAST_SFTP_KEY_PASSPHRASE');
  return {
    username: username ?? credentials.get('HOLDFAST_SFTP_USERNAME') ?? settings.username ?? hostIdentity().username,
    password: password ?? credentials.get('HOLDFAST_SFTP_PASSWORD'),
    key: file === undefined ? undefined : readPrivateKey(file, passphrase),
    passphrase,
    agent: credentials.get('SSH_AUTH_SOCK'),
    namedKeyFiles: settings.keyFiles,
    usualKeyFiles: settings.keyFiles.length > 0 ? [] : usualKeys(home),
  };
}

/** The password is not for a server in between, nor is the user name; the key is shown to it as well, since that gives nothing away. */
function jumpCredentials({ username, keyFiles }: Jump, credentials: Credentials, home: string): SftpCredentials {
  const file = credentials.get('HOLDFAST_SFTP_KEY_FILE');
  return {
    username: username ?? hostIdentity().username,
    password: undefined,
    key: undefined,
    passphrase: credentials.get('HOLDFAST_SFTP_KEY_PASSPHRASE'),
    agent: credentials.get('SSH_AUTH_SOCK'),
    namedKeyFiles: [...keyFiles, ...(file === undefined ? [] : [file])],
    usualKeyFiles: keyFiles.length > 0 ? [] : usualKeys(home),
  };
}

const usualKeys = (home: string): string[] => usualKeyNames.map((name) => path.join(home, '.ssh', name));

/** The fingerprints in HOLDFAST_SFTP_HOST_KEY, with spaces or commas in between. Throws `bad-usage`. */
function pinnedKeys(credentials: Credentials): string[] {
  const given = (credentials.get('HOLDFAST_SFTP_HOST_KEY') ?? '').split(/[\s,]+/).filter((each) => each !== '');
  const pinned = given.map((each) => each.replace(/=+$/, ''));
  const odd = pinned.find((each) => !/^SHA256:[A-Za-z0-9+/]{43}$/.test(each));
  if (odd === undefined) return pinned;
  const guidance = 'Write it as ssh-keygen -lf shows it: SHA256: and 43 letters, digits or signs.';
  return fail('bad-usage', { problem: `HOLDFAST_SFTP_HOST_KEY holds ${JSON.stringify(odd)}, which is no fingerprint of a key.`, guidance });
}
