/** Every kind of place that a repository can be at, on a real server where there is one, as programs are told of it. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Authority } from './authority.ts';
import { startAzurite } from './azurite.ts';
import { startApache, startRcloneWebdav } from './dav-servers.ts';
import { openGate } from './gate.ts';
import { OddGcs } from './odd-gcs.ts';
import { OddSftp, oddUser } from './odd-sftp.ts';
import { type RunningServer, startRestServer } from './servers.ts';
import { startSshd } from './sshd.ts';
import { Swift, swiftKeys } from './swift.ts';

export interface StartedKind {
  /** The place of this name: a letter, then letters, digits and dashes. Nothing is there yet, not even a bucket. */
  place(name: string): string;
  /** What restic calls such a place, where that is something else; undefined where restic cannot use it at all. */
  readonly resticPlace: ((place: string) => string) | undefined;
  /** What opens it, for both programs. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** `folder` is a scratch folder of its own, there already. */
export type StartKind = (folder: string) => Promise<StartedKind>;

const same = (place: string): string => place;

async function startS3(): Promise<StartedKind> {
  const swift = await Swift.start();
  return {
    place: (name) => `s3:${swift.https}/${name}/path`,
    resticPlace: same,
    env: { ...swiftKeys, HOLDFAST_CACERT: swift.authority, RESTIC_CACERT: swift.authority },
    stop: () => swift.stop(),
  };
}

/** Debian's restic is built without Azure: it goes through rclone. */
async function startAzure(): Promise<StartedKind> {
  const azurite = await startAzurite();
  return {
    place: (name) => `azure:${name}:/path`,
    resticPlace: (place) => `rclone:${place.replace(/^azure:(.*):\//, 'azurite:$1/')}`,
    env: azurite.sharedEnv,
    stop: () => azurite.stop(),
  };
}

/** restic's client, Google's own, asks for Google's own server. */
async function startGoogle(folder: string): Promise<StartedKind> {
  const authority = new Authority(join(folder, 'authority'));
  const { certificate, key } = authority.sign('server', { names: 'DNS:storage.googleapis.com,IP:127.0.0.1' });
  const server = await OddGcs.start({ tls: { cert: readFileSync(certificate), key: readFileSync(key) } });
  const gate = await openGate(server.port);
  return {
    place: (name) => `gs:${name}:/path`,
    resticPlace: same,
    env: {
      GOOGLE_ACCESS_TOKEN: server.newToken(),
      GOOGLE_PROJECT_ID: 'a-project',
      HOLDFAST_GCS_ENDPOINT: server.url,
      HOLDFAST_CACERT: authority.certificate,
      RESTIC_CACERT: authority.certificate,
      HTTPS_PROXY: gate.url,
    },
    async stop() {
      await gate.close();
      await server.stop();
    },
  };
}

async function startOpenSsh(): Promise<StartedKind> {
  const sshd = await startSshd();
  return {
    place: (name) => sshd.place(name),
    resticPlace: same,
    // restic runs the ssh that it finds there.
    env: { PATH: `${sshd.bin}:${process.env.PATH}`, HOLDFAST_SFTP_KEY_FILE: sshd.keyFile, HOLDFAST_SFTP_KNOWN_HOSTS: sshd.knownHosts },
    stop: () => sshd.stop(),
  };
}

/** It asks for a password, which restic's ssh would want from a terminal. */
async function startBareSsh(folder: string): Promise<StartedKind> {
  const server = await OddSftp.start();
  return {
    place: (name) => `sftp://${oddUser.username}@127.0.0.1:${server.port}//${name}`,
    resticPlace: undefined,
    env: { HOLDFAST_SFTP_PASSWORD: oddUser.password, HOLDFAST_SFTP_KNOWN_HOSTS: join(folder, 'known_hosts') },
    stop: () => server.stop(),
  };
}

const webdavUser = { username: 'me', password: 'very?secret/wörd' };

/** restic goes through its rclone. */
async function webdav(starting: Promise<RunningServer>): Promise<StartedKind> {
  const server = await starting;
  return {
    place: (name) => `webdav:${server.url}/${name}/`,
    resticPlace: (place) => `rclone:dav:${new URL(place.replace('webdav:', '')).pathname.slice(1, -1)}`,
    env: {
      HOLDFAST_WEBDAV_USERNAME: webdavUser.username,
      HOLDFAST_WEBDAV_PASSWORD: webdavUser.password,
      RCLONE_CONFIG_DAV_TYPE: 'webdav',
      RCLONE_CONFIG_DAV_VENDOR: 'other',
      RCLONE_CONFIG_DAV_URL: server.url,
      RCLONE_CONFIG_DAV_USER: webdavUser.username,
      RCLONE_CONFIG_DAV_PASS: execFileSync('rclone', ['obscure', webdavUser.password], { encoding: 'utf8' }).trim(),
    },
    stop: () => server.stop(),
  };
}

async function startRest(): Promise<StartedKind> {
  const server = await startRestServer();
  return { place: (name) => `rest:${server.url}/${name}/`, resticPlace: same, env: {}, stop: () => server.stop() };
}

async function startRcloneRemote(folder: string): Promise<StartedKind> {
  const config = join(folder, 'rclone.conf');
  writeFileSync(config, `[disk]\ntype = alias\nremote = ${join(folder, 'remote')}\n`);
  return { place: (name) => `rclone:disk:${name}`, resticPlace: same, env: { RCLONE_CONFIG: config }, stop: async () => {} };
}

/** Where repositories are behind a network, by what a test calls the kind. */
export const remoteKinds: Readonly<Record<string, StartKind>> = {
  S3: startS3,
  Azure: startAzure,
  Google: startGoogle,
  OpenSSH: startOpenSsh,
  'an SSH server without extensions': startBareSsh,
  'WebDAV (Apache)': () => webdav(startApache({ user: webdavUser })),
  'WebDAV (rclone)': () => webdav(startRcloneWebdav({ user: webdavUser })),
  'restic’s rest-server': startRest,
  'a remote of rclone': startRcloneRemote,
};

export const allKinds: Readonly<Record<string, StartKind>> = {
  'a local folder': async (folder) => ({ place: (name) => join(folder, name), resticPlace: same, env: {}, stop: async () => {} }),
  ...remoteKinds,
};
