import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { openPlace } from '../../../src/storage/place.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { describeStorage } from '../../support/storage-suite.ts';
import { removeTree } from '../../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';

refuseUnhandledRejections();

const open = (place: string, env: Record<string, string> = {}): Promise<Storage> =>
  openPlace(place, { clock: systemClock, credentials: credentialsFrom(env, undefined) });

describeStorage('rclone storage', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-rclone-'));
  const config = join(folder, 'rclone.conf');
  writeFileSync(config, `[disk]\ntype = alias\nremote = ${folder}\n`);
  const reopen = (): Promise<Storage> => open('rclone:disk:repo', { RCLONE_CONFIG: config });
  return { storage: await reopen(), reopen, showsGrowing: true, cleanUp: async () => removeTree(folder) };
});
