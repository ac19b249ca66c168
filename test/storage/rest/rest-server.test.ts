import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { Pace, type Paces } from '../../../src/storage/pace.ts';
import { openPlace } from '../../../src/storage/place.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { type RunningServer, startRcloneRestic, startRestServer } from '../../support/servers.ts';
import { describeStorage, fileFor } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';

refuseUnhandledRejections();

const user = { username: 'me', password: 'pa:ss wörd' };
const env = { RESTIC_REST_USERNAME: user.username, RESTIC_REST_PASSWORD: user.password };

const started: RunningServer[] = [];
let restServer: RunningServer;
let rclone: RunningServer;

beforeAll(async () => {
  restServer = await startRestServer({ user });
  started.push(restServer);
  rclone = await startRcloneRestic({ user });
  started.push(rclone);
});

afterAll(async () => {
  for (const server of started) await server.stop();
});

let count = 0;

/** A place of its own on a server, for each test. */
function placeOn(server: RunningServer): { storage: Promise<Storage>; reopen: () => Promise<Storage> } {
  const place = `rest:${server.url}/place${count++}/`;
  const open = (): Promise<Storage> => openPlace(place, { clock: systemClock, credentials: credentialsFrom(env, undefined) });
  return { storage: open(), reopen: open };
}

for (const [name, server, showsGrowing] of [
  ['rest-server', () => restServer, false],
  ['rclone serve restic', () => rclone, true],
] as const)
  describeStorage(`rest storage on ${name}`, async () => {
    const { storage, reopen } = placeOn(server());
    return { storage: await storage, reopen, showsGrowing };
  });

test('bytes go no faster than they may, in each direction by itself', async () => {
  const rate = 500_000;
  const pace = (): Pace => new Pace(() => rate, systemClock);
  const content = randomBytes(1_000_000);
  const seconds = async (work: (storage: Storage) => Promise<unknown>, paces: Paces): Promise<number> => {
    const place = `rest:${restServer.url}/paced/`;
    const storage = await openPlace(place, { clock: systemClock, credentials: credentialsFrom(env, undefined), paces });
    const began = systemClock.monotonic();
    await work(storage);
    await storage.close();
    return (systemClock.monotonic() - began) / 1000;
  };
  const file = fileFor(content);
  const save = (storage: Storage): Promise<unknown> => storage.create().then(() => storage.save(file, [content]));
  const load = async (storage: Storage): Promise<void> => expect(Buffer.from(await storage.load(file)).equals(content)).toBe(true);
  expect(await seconds(save, { upload: pace() })).toBeGreaterThan(1.9);
  expect(await seconds(load, { download: pace() })).toBeGreaterThan(1.8);
  const noWait: Clock = { ...systemClock, sleep: () => Promise.reject(new Error('a wait for the other direction')) };
  await seconds(load, { upload: new Pace(() => rate, noWait) });
});
