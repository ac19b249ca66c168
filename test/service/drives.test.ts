import { randomUUID } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { usualSchedule } from '../../src/contract/schedule.ts';
import type { DestinationView } from '../../src/contract/destination.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { systemDrives } from '../../src/platform/drives/drives.ts';
import type { Drives } from '../../src/platform/drives/volume.ts';
import { catalogued } from '../support/catalogued.ts';
import { canMountDisks } from '../support/disk.ts';
import { seededBytes, seededRandom } from '../support/seeded.ts';
import { createPlan, ended, password, quickClock, repositoryAt, type RunningService, startService } from '../support/service.ts';
import { tree } from '../support/tree-literal.ts';
import { makeDrive, mountPoints, must } from '../support/volumes.ts';

/** Drives are looked at every 2 seconds: here nobody waits as long. */
const hurried = {
  ...quickClock,
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms === 2000 ? 20 : ms <= 1000 ? 0 : ms, signal),
};

const stateOf = async ({ client }: RunningService, id: string): Promise<DestinationView['now']> =>
  (await client.state()).destinations.find((each) => each.id === id)!.now;

describe.runIf(canMountDisks)('a destination on a drive', () => {
  test('is found again at another mount point, waited for in calm while away, and never written to as a stub', async () => {
    const service = await startService({ clock: hurried, drives: systemDrives() });
    const { client } = service;
    const uuid = randomUUID();
    const drive = makeDrive('ext4', { uuid, megabytes: 64 });
    const points = mountPoints();
    const [first, second] = [join(points, 'first'), join(points, 'second')];
    drive.mount(first);
    await repositoryAt(join(first, 'backup'));
    const destination = await client.destinations.connect({ place: join(first, 'backup'), password });
    expect(destination.volume).toEqual({ uuid, pathWithin: 'backup' });
    const source = tree(join(service.folder, 'src'), { a: seededBytes(seededRandom(1), 100_000) });
    const plan = await createPlan(service, source, destination, { schedule: { ...usualSchedule, triggers: [{ kind: 'drive' }] } });
    expect(await ended(service, (await client.runs.start({ plan: plan.id })).id)).toMatchObject({ status: 'succeeded' });

    // The catalogue reads what the run has stored, and lets go of the drive then.
    await catalogued(service, 1);
    must('umount', first);
    while ((await stateOf(service, destination.id)).state !== 'not-plugged-in') await systemClock.sleep(10);
    const skipped = await ended(service, (await client.runs.start({ plan: plan.id })).id);
    expect(skipped).toMatchObject({ status: 'skipped', reason: 'not-plugged-in' });
    expect(readdirSync(first)).toEqual([]);

    // Another drive in its place is not taken for it.
    const other = makeDrive('ext4', { megabytes: 64 });
    other.mount(first);
    await repositoryAt(join(first, 'backup'));
    expect(await ended(service, (await client.runs.start({ plan: plan.id })).id)).toMatchObject({ status: 'skipped' });

    // Plugged in elsewhere: what waits for it runs by itself.
    const before = (await client.runs.list({})).runs[0].id;
    drive.mount(second);
    for (;;) {
      const [newest] = (await client.runs.list({})).runs;
      if (newest.id > before && newest.ended !== null) {
        expect(newest).toMatchObject({ status: 'succeeded', cause: 'drive-arrived' });
        break;
      }
      await systemClock.sleep(10);
    }
    expect((await stateOf(service, destination.id)).state).toBe('connected');
    await service.close();
  });

  test('that is pulled out in the middle of a run costs that run, and nothing that was finished', async () => {
    const service = await startService({ clock: hurried, drives: systemDrives() });
    const { client } = service;
    const drive = makeDrive('ext4', { megabytes: 300 });
    const place = drive.mount(join(mountPoints(), 'place'));
    await repositoryAt(join(place, 'backup'));
    const destination = await client.destinations.connect({ place: join(place, 'backup'), password });
    const source = join(service.folder, 'src');
    tree(source, { small: 'small' });
    const plan = await createPlan(service, source, destination);
    const good = await ended(service, (await client.runs.start({ plan: plan.id })).id);
    for (let i = 0; i < 12; i++) writeFileSync(join(source, `big${i}`), seededBytes(seededRandom(i), 6_000_000));
    const { id } = await client.runs.start({ plan: plan.id });
    const packs = (): number => readdirSync(join(place, 'backup/data'), { recursive: true }).length;
    const before = packs();
    while (packs() === before && service.service.state.runs.get(id).ended === null) await systemClock.sleep(1);
    must('umount', '-l', place);
    const cut = await ended(service, id);
    // Whoever has files open on it may still write them; what matters is that nothing is said to be there that is not.
    expect(['failed', 'skipped', 'succeeded']).toContain(cut.status);
    drive.mount(place);
    const again = await ended(service, (await client.runs.start({ plan: plan.id })).id);
    expect(again).toMatchObject({ status: 'succeeded' });
    const { runs } = await client.runs.list({ statuses: ['succeeded'] });
    expect(runs.map(({ snapshot }) => snapshot)).toContain(good.snapshot);
    await service.close();
  });

  test('is ejected after the run when that is wished', async () => {
    const ejected: string[] = [];
    const drives = systemDrives();
    const watched: Drives = {
      list: () => drives.list(),
      fingerprint: () => drives.fingerprint(),
      identify: (path) => drives.identify(path),
      locate: (place) => drives.locate(place),
      space: (path) => drives.space(path),
      emptyMountPoint: (path) => drives.emptyMountPoint(path),
      // A loop device is nothing that could be unplugged; what is unmounted is tested with the drives themselves.
      eject: async ({ mountPoint }) => void ejected.push(mountPoint),
    };
    const service = await startService({ clock: hurried, drives: watched });
    const drive = makeDrive('ext4', { megabytes: 64 });
    const place = drive.mount(join(mountPoints(), 'place'));
    await repositoryAt(join(place, 'backup'));
    const destination = await service.client.destinations.connect({ place: join(place, 'backup'), password, ejectAfterRun: true });
    const plan = await createPlan(service, tree(join(service.folder, 'src'), { a: 'a' }), destination);
    const { id } = await ended(service, (await service.client.runs.start({ plan: plan.id })).id);
    while (ejected.length === 0) await systemClock.sleep(10);
    expect(ejected).toEqual([place]);
    expect((await service.client.runs.log({ id })).lines.at(-1)?.text).toContain('can be unplugged');
    await service.close();
  });
});
