import { afterAll, beforeAll } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { openPlace } from '../../../src/storage/place.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { type RunningServer, startRcloneRestic, startRestServer } from '../../support/servers.ts';
import { describeStorage } from '../../support/storage-suite.ts';
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
