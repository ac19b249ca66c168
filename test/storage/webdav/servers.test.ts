import { afterAll, beforeAll } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { openPlace } from '../../../src/storage/place.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { startApache, startRcloneWebdav } from '../../support/dav-servers.ts';
import type { RunningServer } from '../../support/servers.ts';
import { describeStorage } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';

refuseUnhandledRejections();

const user = { username: 'me', password: 'pa:ss "wörd"' };
const env = { HOLDFAST_WEBDAV_USERNAME: user.username, HOLDFAST_WEBDAV_PASSWORD: user.password };

const servers: Record<string, RunningServer> = {};
let count = 0;

beforeAll(async () => {
  servers['Apache by digest'] = await startApache({ user, signIn: 'digest' });
  servers['rclone by basic'] = await startRcloneWebdav({ user });
});

afterAll(async () => {
  for (const server of Object.values(servers)) await server.stop();
});

for (const name of ['Apache by digest', 'rclone by basic'])
  describeStorage(`webdav storage on ${name}`, async () => {
    const place = `webdav:${servers[name]!.url}/some%20folder/${count++}/`;
    const open = (): Promise<Storage> => openPlace(place, { clock: systemClock, credentials: credentialsFrom(env, undefined) });
    return { storage: await open(), reopen: open };
  });
