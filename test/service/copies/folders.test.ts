/** The same as the model's sequences, a few of them, with the real service and real repositories in folders. */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { originalOf } from '../../../src/engine/copy/copies.ts';
import { hostIdentity } from '../../../src/platform/host.ts';
import { Repository } from '../../../src/repository/repository.ts';
import { LocalStorage } from '../../../src/storage/local.ts';
import { hastyClock } from '../../support/hasty-clock.ts';
import { noCost } from '../../support/no-cost-key.ts';
import { seededRandom } from '../../support/seeded.ts';
import { createPlan, ended, password, type RunningService, startService } from '../../support/service.ts';
import { tree } from '../../support/tree-literal.ts';

async function connected({ folder, client }: RunningService, name: string, polynomial: string | undefined) {
  const place = join(folder, name);
  await Repository.init(new LocalStorage(place), password, hostIdentity(), hastyClock, {
    cost: noCost,
    ...(polynomial ? { polynomial } : {}),
  });
  return client.destinations.connect({ place, password });
}

const away = (place: string): string => `${place} away`;

/** The originals that a repository holds, all of it checked to be readable. */
async function originalsIn(place: string): Promise<string[]> {
  const repository = await Repository.open(new LocalStorage(place), password);
  return (await repository.snapshots(() => expect.fail('a snapshot is damaged'))).map(originalOf).toSorted();
}

test('after random sequences of runs, outages, returns and restarts all destinations hold the same', async () => {
  const random = seededRandom(7);
  const below = (count: number): number => Math.floor(random() * count);
  let service = await startService();
  const source = tree(join(service.folder, 'src'), { a: 'as it was', docs: { b: 'b' } });
  const primary = await connected(service, 'repo0', undefined);
  const places = [primary, await connected(service, 'repo1', primary.polynomial), await connected(service, 'repo2', primary.polynomial)];
  const plan = await createPlan(service, source, primary, {
    destinations: places.map(({ id }, i) => ({ destination: id, role: i === 0 ? 'primary' : 'copy' })),
  });
  const comeBack = async (place: string, id: string): Promise<void> => {
    if (existsSync(away(place))) renameSync(away(place), place);
    await service.client.destinations.look({ id });
  };
  for (let sequence = 0; sequence < 30; sequence++) {
    const { place, id } = places[below(places.length)]!;
    const what = below(5);
    writeFileSync(join(source, 'a'), `${sequence}`);
    if (what === 0 && existsSync(place)) {
      renameSync(place, away(place));
      await service.client.destinations.look({ id });
    } else if (what === 1) await comeBack(place, id);
    else if (what === 2 && sequence % 3 === 0) {
      await service.close();
      service = await startService({ folder: service.folder, keeper: service.keeper });
    } else if (existsSync(primary.place)) await ended(service, (await service.client.runs.start({ plan: plan.id })).id);
  }
  for (const { place, id } of places) await comeBack(place, id);
  for (;;) {
    const states = await service.client.copies.states();
    if (states.every(({ owed, run }) => owed === 0 && run === null)) break;
    // Whoever waits for the pause after a failure asks for it.
    for (const run of await service.client.copies.start({ plan: plan.id }).catch(() => [])) await ended(service, run.id);
  }
  const [first, ...others] = await Promise.all(places.map(({ place }) => originalsIn(place)));
  expect(first!.length).toBeGreaterThan(5);
  for (const other of others) expect(other).toEqual(first);
});
