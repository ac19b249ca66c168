/** A folder is healed from a server, and a server from a folder: whatever kinds the two are of. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { executeHeal } from '../../../src/engine/heal/heal.ts';
import { isAllHealed } from '../../../src/engine/heal/request.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { openPlace } from '../../../src/storage/place.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { pacesOf } from '../../../src/storage/rates.ts';
import { openRepository, resticOn, runOptions } from '../../support/engine.ts';
import { expectCleanCheck } from '../../support/judge.ts';
import { startRestServer } from '../../support/servers.ts';
import { scratch } from '../../support/tree-literal.ts';
import { writeToDisk } from '../check-fixture.ts';
import { pairOf } from './healing.ts';

test('a folder from a REST server, then the server from the folder', async () => {
  const folder = scratch('heal-servers');
  const pair = await pairOf(join(folder, 'files'));
  const server = await startRestServer();
  onTestFinished(() => server.stop());
  const near = await writeToDisk(pair.first, join(folder, 'near'));
  const far = await writeToDisk(pair.second, join(server.folder, 'far'));
  const open = async (): Promise<Repository> =>
    openRepository(
      await openPlace(`rest:${server.url}/far/`, {
        credentials: credentialsFrom({}, undefined),
        clock: systemClock,
        paces: pacesOf({}, systemClock),
      }),
    );
  const options = () => ({ ...runOptions(), packSize: 24 << 10, keepIn: join(folder, 'kept') });
  const empty = (place: string): void => {
    rmSync(join(place, 'data'), { recursive: true });
    mkdirSync(join(place, 'data'));
  };
  empty(near);
  expect(isAllHealed(await executeHeal(await openRepository(near), { others: [{ name: 'far', open }] }, options()))).toBe(true);
  await expectCleanCheck(resticOn(near));
  empty(far);
  for (let n = 0; n < 256; n++) mkdirSync(join(far, 'data', n.toString(16).padStart(2, '0')));
  const others = [{ name: 'near', open: () => openRepository(near) }];
  expect(isAllHealed(await executeHeal(await open(), { others }, options()))).toBe(true);
  await expectCleanCheck(resticOn(far));
});
