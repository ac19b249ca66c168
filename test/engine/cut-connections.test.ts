/** Whole backups and restores over connections that break at any byte, to real servers of each kind. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { credentialsFrom } from '../../src/storage/credentials.ts';
import { openPlace } from '../../src/storage/place.ts';
import { RetryingStorage } from '../../src/storage/retrying.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { type CuttingProxy, openCuttingProxy } from '../support/cutting-proxy.ts';
import { startApache } from '../support/dav-servers.ts';
import { backup, makeRepository, openRepository, restore } from '../support/engine.ts';
import { expectSameTree } from '../support/judge.ts';
import { seededBytes, seededRandom } from '../support/seeded.ts';
import { type RunningServer, startRestServer } from '../support/servers.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { Swift, swiftKeys } from '../support/swift.ts';
import { scratch, tree } from '../support/tree-literal.ts';
import { expectWhole } from '../support/whole-repository.ts';

/** Each kind's repository is worked on so often. */
const rounds = process.env['HOLDFAST_LONG'] === '1' ? 20 : 1;
const random = seededRandom(23);

let swift: Swift;
let azurite: Azurite;
let sshd: Sshd;
let apache: RunningServer;
let rest: RunningServer;
beforeAll(async () => {
  [swift, azurite, sshd, apache, rest] = await Promise.all([Swift.start(), startAzurite(), startSshd(), startApache(), startRestServer()]);
});
afterAll(() => Promise.all([swift, azurite, sshd, apache, rest].map((each) => each.stop())));

interface Way {
  readonly port: number;
  readonly placeAt: (port: number) => string;
  readonly env: Readonly<Record<string, string>>;
}

/** Waits a twentieth of what it should: a server may need a moment after a connection broke. */
const patient = (storage: Storage): Storage => new RetryingStorage(storage, { clock: { sleep: (ms) => systemClock.sleep(ms / 20) } });

const known = (): string => join(scratch('known'), 'known_hosts');

test.each<[string, () => Way]>([
  [
    // Not by TLS: a connection that breaks while that is agreed on stops its server from accepting others.
    'S3 (Swift)',
    () => ({ port: Number(new URL(swift.http).port), placeAt: (port) => `s3:http://127.0.0.1:${port}/cut/path`, env: swiftKeys }),
  ],
  [
    'Azure (azurite, by TLS)',
    () => ({
      port: azurite.port,
      placeAt: () => 'azure:cut:/path',
      env: azurite.env,
    }),
  ],
  ['WebDAV (Apache)', () => ({ port: apache.port, placeAt: (port) => `webdav:http://127.0.0.1:${port}/cut/`, env: {} })],
  ['REST (rest-server)', () => ({ port: rest.port, placeAt: (port) => `rest:http://127.0.0.1:${port}/cut/`, env: {} })],
  [
    'SFTP (OpenSSH)',
    () => ({
      port: sshd.port,
      placeAt: (port) => sshd.place('cut').replace(`:${sshd.port}/`, `:${port}/`),
      env: { HOLDFAST_SFTP_KEY_FILE: sshd.keyFile, HOLDFAST_SFTP_KNOWN_HOSTS: known() },
    }),
  ],
])('a backup to %s and its restore come to their end though connections break at any byte', async (_, where) => {
  const { port, placeAt, env } = where();
  const proxy = await openCuttingProxy(port);
  onTestFinished(() => proxy.close());
  const open = (at: number): Promise<Storage> => {
    const own = env['HOLDFAST_AZURE_ENDPOINT'];
    const given = own === undefined ? env : { ...env, HOLDFAST_AZURE_ENDPOINT: own.replace(`:${port}/`, `:${at}/`) };
    return openPlace(placeAt(at), { clock: systemClock, credentials: credentialsFrom(given, undefined) });
  };
  const direct = await open(port);
  await makeRepository(direct);
  const source = join(scratch('cut'), 'source');

  /** Of each two connections one is cut, until there were so many; in the direction in which most bytes go. */
  const cutSome = (cutting: CuttingProxy, most: number, direction: 'up' | 'down'): void => {
    let made = 0;
    cutting.fate = () =>
      made++ % 2 === 1 || made > most * 2 ? undefined : { after: Math.floor(200 + random() ** 3 * 600_000), direction };
  };
  for (let round = 0; round < rounds; round++) {
    tree(source, { [`large ${round}.bin`]: seededBytes(random, 6_000_000), few: { [`${round}.txt`]: `round ${round}` } });
    cutSome(proxy, 8, 'up');
    const storing = patient(await open(proxy.port));
    const { problems } = await backup(await openRepository(storing), source, { packSize: 1 << 20 });
    expect(problems).toEqual([]);
    await storing.close();
    expect((await expectWhole(direct)).snapshots.size).toBe(round + 1);
    cutSome(proxy, 8, 'down');
    const reading = patient(await open(proxy.port));
    const target = scratch('cut-target');
    expect((await restore(await openRepository(reading), target, { path: Buffer.from(source) })).problems).toEqual([]);
    await reading.close();
    await expectSameTree(source, target);
  }
  expect(proxy.cut).toBeGreaterThanOrEqual(2 * rounds);
  await direct.close();
});
