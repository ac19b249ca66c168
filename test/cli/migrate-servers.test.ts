/** An upgrade of the repository's format on every kind of server: those that replace a file in one step, and those that do not. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { credentialsFrom } from '../../src/storage/credentials.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { openPlace } from '../../src/storage/place.ts';
import { fileKinds } from '../../src/storage/storage.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { Cli } from '../support/cli.ts';
import { startApache, startRcloneWebdav } from '../support/dav-servers.ts';
import { password } from '../support/engine.ts';
import { OddGcs } from '../support/odd-gcs.ts';
import { OddSftp, oddUser } from '../support/odd-sftp.ts';
import { jsonLines } from '../support/restic.ts';
import { startRestServer } from '../support/servers.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { Swift, swiftKeys } from '../support/swift.ts';
import { sharedScratch, tree } from '../support/tree-literal.ts';
import { makeVersion1 } from '../support/version-1.ts';
import { expectWhole } from '../support/whole-repository.ts';

const folder = join(sharedScratch('migrate-servers'), 'repository');
let swift: Swift;
let azurite: Azurite;
let sshd: Sshd;
const stops: (() => Promise<void>)[] = [];
const started = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
  const server = await starting;
  stops.push(() => server.stop());
  return server;
};

beforeAll(async () => {
  await makeVersion1(folder, [tree(join(folder, '..', 'source'), { 'a.txt': 'alpha', docs: { 'b.txt': 'beta' } })]);
  [swift, azurite, sshd] = await Promise.all([started(Swift.start()), started(startAzurite()), started(startSshd())]);
});
afterAll(() => Promise.all(stops.map((stop) => stop())));

interface Where {
  readonly place: string;
  readonly env: Readonly<Record<string, string>>;
}

test.each<[string, () => Promise<Where>]>([
  ['S3', async () => ({ place: `s3:${swift.https}/migrated/path`, env: { ...swiftKeys, HOLDFAST_CACERT: swift.authority } })],
  ['Azure', async () => ({ place: 'azure:migrated:/path', env: azurite.env })],
  [
    'Google',
    async () => {
      const server = await started(OddGcs.start());
      return {
        place: 'gs:migrated:/path',
        env: { GOOGLE_ACCESS_TOKEN: server.newToken(), GOOGLE_PROJECT_ID: 'a-project', HOLDFAST_GCS_ENDPOINT: server.url },
      };
    },
  ],
  ['WebDAV (Apache)', async () => ({ place: `webdav:${(await started(startApache())).url}/migrated/`, env: {} })],
  ['WebDAV (rclone)', async () => ({ place: `webdav:${(await started(startRcloneWebdav())).url}/migrated/`, env: {} })],
  ['restic’s rest-server', async () => ({ place: `rest:${(await started(startRestServer())).url}/migrated/`, env: {} })],
  [
    'OpenSSH',
    async () => ({
      place: sshd.place('migrated'),
      env: { HOLDFAST_SFTP_KEY_FILE: sshd.keyFile, HOLDFAST_SFTP_KNOWN_HOSTS: sshd.knownHosts },
    }),
  ],
  [
    'an SSH server without extensions',
    async () => {
      const server = await started(OddSftp.start());
      return {
        place: `sftp://${oddUser.username}@127.0.0.1:${server.port}//migrated`,
        env: { HOLDFAST_SFTP_PASSWORD: oddUser.password, HOLDFAST_SFTP_KNOWN_HOSTS: join(folder, '..', 'known_hosts') },
      };
    },
  ],
])('a repository of version 1 on %s becomes one of version 2, with all that it holds', async (_, where) => {
  const { place, env } = await where();
  const storage = await openPlace(place, { clock: systemClock, credentials: credentialsFrom(env, undefined) });
  const local = new LocalStorage(folder);
  await storage.create();
  for (const kind of fileKinds)
    for await (const { name } of local.list(kind))
      if (kind !== 'lock') await storage.save({ kind, name }, [await local.load({ kind, name })]);
  const before = await expectWhole(storage, password);
  const cli = new Cli(place, password);
  const own = { ...env, XDG_DATA_HOME: join(folder, '..', 'data') };
  const { stdout } = await cli.must(['--json', 'migrate'], { env: own });
  expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'summary', version: 1, target: 2 });
  expect((await cli.must(['migrate'], { env: own })).stdout).toContain('has format version 2 already');
  const after = await expectWhole(storage, password);
  expect(after.snapshots).toEqual(before.snapshots);
  expect(after.locks).toBe(0);
  expect(Buffer.from(await storage.load({ kind: 'config', name: '' })).equals(readFileSync(join(folder, 'config')))).toBe(false);
  await storage.close();
});
