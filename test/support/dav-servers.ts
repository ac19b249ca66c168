/** Real WebDAV servers for tests: Apache with mod_dav, and rclone. */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { htpasswd, type RunningServer, type ServerOptions, type ServerUser, startServer } from './servers.ts';

const modules = ['mpm_event', 'dav', 'dav_fs', 'auth_basic', 'auth_digest', 'authn_core', 'authn_file', 'authz_core', 'authz_user', 'ssl'];
const realm = 'backups, "mine"';

export interface ApacheOptions extends Omit<ServerOptions, 'extra' | 'appendOnly'> {
  /** How users sign in; default basic. */
  readonly signIn?: 'basic' | 'digest';
  /** Of a digest's nonce, in seconds. */
  readonly nonceLifetime?: number;
  /** More lines for everything that it serves. */
  readonly rules?: readonly string[];
}

/** Apache with mod_dav, with a configuration of its own. Its error log is not in what it said, but beside its folder. */
export function startApache({ user, tls, signIn = 'basic', nonceLifetime, rules = [] }: ApacheOptions = {}): Promise<RunningServer> {
  return startServer({
    program: '/usr/sbin/apache2',
    secure: tls !== undefined,
    args: (port, folder) => {
      const scratch = join(folder, '..');
      const file = (name: string): string => join(scratch, name);
      mkdirSync(file('locks'));
      // Started by root it works as somebody else, who has to get at its folders.
      chmodSync(scratch, 0o755);
      for (const each of [folder, file('locks')]) chmodSync(each, 0o777);
      if (user) writeFileSync(file('users'), signIn === 'digest' ? digestLine(user) : htpasswd(user));
      const lines = [
        `ServerRoot ${scratch}`,
        'ServerName localhost',
        `Listen 127.0.0.1:${port}`,
        `PidFile ${file('pid')}`,
        `DefaultRuntimeDir ${scratch}`,
        `Mutex file:${scratch} default`,
        ...modules.map((each) => `LoadModule ${each}_module /usr/lib/apache2/modules/mod_${each}.so`),
        ...(process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : []),
        `ErrorLog ${file('errors')}`,
        `DavLockDB ${file('locks/db')}`,
        `DocumentRoot ${folder}`,
        ...(tls ? ['SSLEngine on', `SSLCertificateFile ${tls.certificate}`, `SSLCertificateKeyFile ${tls.key}`] : []),
        '<Location />',
        'Dav On',
        ...(user
          ? [
              `AuthType ${signIn === 'digest' ? 'Digest' : 'Basic'}`,
              `AuthName "${realm.replaceAll('"', '\\"')}"`,
              signIn === 'digest' ? 'AuthDigestProvider file' : 'AuthBasicProvider file',
              `AuthUserFile ${file('users')}`,
              'Require valid-user',
            ]
          : rules.some((each) => each.startsWith('Require'))
            ? []
            : ['Require all granted']),
        ...(nonceLifetime === undefined ? [] : [`AuthDigestNonceLifetime ${nonceLifetime}`]),
        ...rules,
        '</Location>',
        '',
      ];
      writeFileSync(file('httpd.conf'), lines.join('\n'));
      return ['-f', file('httpd.conf'), '-DFOREGROUND'];
    },
  });
}

const digestLine = ({ username, password }: ServerUser): string =>
  `${username}:${realm}:${createHash('md5').update(`${username}:${realm}:${password}`).digest('hex')}\n`;

/** rclone serving a folder: does not heed If-None-Match. */
export function startRcloneWebdav({ user, extra = [] }: Pick<ServerOptions, 'user' | 'extra'> = {}): Promise<RunningServer> {
  return startServer({
    program: 'rclone',
    args: (port, folder) => [
      'serve',
      'webdav',
      folder,
      `--config=${join(folder, '..', 'none')}`,
      `--addr=127.0.0.1:${port}`,
      ...(user ? ['--user', user.username, '--pass', user.password] : []),
      ...extra,
    ],
  });
}
