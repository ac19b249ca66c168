/** The catalogue in a running service, beside real repositories. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { catalogued, catalogueOnce } from '../../support/catalogued.ts';
import { Restic } from '../../support/restic.ts';
import { connectFolder, createPlan, ended, password, repositoryAt, startService, type RunningService } from '../../support/service.ts';
import { tree } from '../../support/tree-literal.ts';

/** Backs a plan up; gives the ID of the snapshot. */
async function backUp(service: RunningService, plan: { readonly id: string }, destination?: string): Promise<string> {
  const run = await ended(service, (await service.client.runs.start({ plan: plan.id, ...(destination ? { destination } : {}) })).id);
  expect(run.error).toBe(null);
  return run.snapshot!;
}

test('after each run the catalogue knows what is in the snapshot, and answers about all of them', async () => {
  const service = await startService();
  const { client, folder } = service;
  const disk = await connectFolder(service);
  const source = tree(join(folder, 'docs'), { 'a.txt': 'one', sub: { '年度报告.txt': 'report' } });
  const plan = await createPlan(service, source, disk);
  const first = await backUp(service, plan);
  await catalogueOnce(service, ({ destinations }) => destinations[0]?.state === 'complete' && destinations[0].snapshots === 1);
  writeFileSync(join(source, 'a.txt'), 'two, longer');
  rmSync(join(source, 'sub'), { recursive: true });
  const second = await backUp(service, plan);
  const state = await catalogueOnce(
    service,
    ({ destinations }) => destinations[0]?.state === 'complete' && destinations[0].snapshots === 2,
  );
  expect(state.destinations).toEqual([
    expect.objectContaining({ destination: disk.id, snapshots: 2, totalSnapshots: 2, problem: null, checkedAt: expect.any(Number) }),
  ]);

  const { entries } = await client.catalogue.folder({ snapshot: first, path: source });
  expect(entries.map(({ name, size, type }) => [name, type, size])).toEqual([
    ['a.txt', 'file', 3],
    ['sub', 'dir', 0],
  ]);
  const { versions } = await client.catalogue.versions({ path: join(source, 'a.txt') });
  expect(versions.map(({ size, last, isCurrent, plan: of }) => [size, last.snapshot, isCurrent, of])).toEqual([
    [11, second, true, plan.id],
    [3, first, false, plan.id],
  ]);
  const { hits } = await client.catalogue.search({ text: '报告' });
  expect(hits.map(({ path, isCurrent, destinations }) => [path, isCurrent, destinations.map((each) => each.destination)])).toEqual([
    [join(source, 'sub/年度报告.txt'), false, [disk.id]],
  ]);
  const { changes } = await client.catalogue.changes({ before: first, after: second, path: source });
  expect(changes.map(({ kind, path }) => [kind, path])).toEqual([
    ['content', join(source, 'a.txt')],
    ['removed', join(source, 'sub')],
    ['removed', join(source, 'sub/年度报告.txt')],
  ]);
  const usage = await client.catalogue.usage({ snapshot: first, path: source });
  expect(usage.total).toEqual({ files: 2, folders: 1, bytes: 9 });
  expect(await client.catalogue.check({ destination: disk.id })).toEqual({ snapshots: 2, wrong: [] });

  const yes = await client.catalogue.protected({ path: join(source, 'a.txt') });
  expect([yes.answer, yes.plans[0]!.because]).toEqual(['yes', { rule: 'source', source }]);
  expect(yes.plans[0]!.copies).toEqual([
    expect.objectContaining({ destination: disk.id, isKnown: true, newest: expect.objectContaining({ snapshot: second, size: 11 }) }),
  ]);
  expect((await client.catalogue.protected({ path: '/nowhere/at-all' })).answer).toBe('no');
});

test('the same snapshot on two destinations is one; it goes when both have forgotten it', async () => {
  const service = await startService();
  const { client, folder } = service;
  const disk = await connectFolder(service, 'disk');
  // Made by the service, it cuts files as the first one does.
  const cloud = await client.destinations.connect({ place: join(folder, 'cloud'), password, create: true });
  const source = tree(join(folder, 'docs'), { 'a.txt': 'one' });
  const plan = await createPlan(service, source, disk);
  const first = await backUp(service, plan);
  const restic = new Restic(join(folder, 'disk'), password);
  const other = new Restic(join(folder, 'cloud'), password);
  await other.must(['copy', '--from-repo', join(folder, 'disk'), first], { env: { RESTIC_FROM_PASSWORD: password } });
  await catalogued(service, 1);
  const { snapshots } = await client.catalogue.snapshots({});
  expect(snapshots.map(({ snapshot, plan: of, total }) => [snapshot, of, total.files])).toEqual([[first, plan.id, expect.any(Number)]]);
  const holding = await client.catalogue.holding({ path: join(source, 'a.txt') });
  expect(holding.snapshots.flatMap(({ holders }) => holders.map(({ destination }) => destination)).sort()).toEqual(
    [disk.id, cloud.id].sort(),
  );
  await restic.must(['forget', first]);
  await client.catalogue.refresh({ destination: disk.id });
  await catalogueOnce(service, ({ destinations }) => destinations.find((each) => each.destination === disk.id)!.snapshots === 0);
  expect(
    (await client.catalogue.versions({ path: join(source, 'a.txt') })).versions.map((each) =>
      each.destinations.map((at) => at.destination),
    ),
  ).toEqual([[cloud.id]]);
  await client.destinations.remove({ id: cloud.id });
  await catalogueOnce(service, ({ destinations }) => destinations.length === 1);
  expect((await client.catalogue.versions({ path: join(source, 'a.txt') })).versions).toEqual([]);
});

test.each(['deleted', 'damaged', 'of a newer version'])('a catalogue that was %s is built anew', async (what) => {
  const one = await startService();
  const disk = await connectFolder(one);
  const source = tree(join(one.folder, 'docs'), { 'a.txt': 'one' });
  const plan = await createPlan(one, source, disk);
  const snapshot = await backUp(one, plan);
  await catalogued(one, 1);
  await one.close();
  const file = one.profile.catalogueFile;
  expect(existsSync(file)).toBe(true);
  if (what === 'deleted') rmSync(file);
  else if (what === 'damaged') writeFileSync(file, Buffer.alloc(100_000, 7));
  else {
    const database = new DatabaseSync(file);
    database.exec('PRAGMA user_version = 999');
    database.close();
  }
  const two = await startService({ folder: one.folder, keeper: one.keeper });
  await expect(two.client.catalogue.folder({ snapshot, path: '/' })).rejects.toMatchObject({ code: 'not-catalogued' });
  await catalogued(two, 1);
  const { entries } = await two.client.catalogue.folder({ snapshot, path: source });
  expect(entries.map(({ name }) => name)).toEqual(['a.txt']);
});

test('a repository that restic and other computers wrote to is known, with all of their snapshots, and nothing of it counts as a plan of ours', async () => {
  const service = await startService();
  const { client, folder } = service;
  const place = join(folder, 'theirs');
  await repositoryAt(place);
  const restic = new Restic(place, password);
  const source = tree(join(folder, 'docs'), { 'a.txt': 'one', 'b.txt': 'two' });
  const backUpAs = async (host: string, time: string): Promise<void> =>
    void (await restic.must(['backup', '--host', host, '--time', time, source]));
  await backUpAs('anna', '2026-01-03 10:00:00');
  writeFileSync(join(source, 'a.txt'), 'changed');
  await backUpAs('bert', '2026-01-02 10:00:00');
  // Older than the one before it, though it was made later.
  await backUpAs('anna', '2026-01-01 10:00:00');
  const disk = await client.destinations.connect({ place, password });
  await catalogueOnce(service, ({ destinations }) => destinations[0]?.state === 'complete' && destinations[0].snapshots === 3);
  const { snapshots } = await client.catalogue.snapshots({});
  expect(snapshots.map(({ host, plan }) => [host, plan])).toEqual([
    ['anna', null],
    ['bert', null],
    ['anna', null],
  ]);
  const { versions } = await client.catalogue.versions({ path: join(source, 'a.txt') });
  expect(versions.map(({ host, size, isCurrent }) => [host, size, isCurrent])).toEqual([
    ['anna', 3, true],
    ['bert', 7, true],
    ['anna', 7, false],
  ]);
  const found = await client.catalogue.protected({ path: join(source, 'a.txt') });
  expect([found.answer, found.plans, found.others.map(({ host }) => host).sort()]).toEqual(['no', [], ['anna', 'bert']]);
  expect(await client.catalogue.check({ destination: disk.id })).toEqual({ snapshots: 3, wrong: [] });
  // What others forget and prune is gone here with the next look.
  await restic.must(['forget', '--host', 'anna', '--keep-last', '1', '--prune']);
  await catalogued(service, 2);
  expect((await client.catalogue.versions({ path: join(source, 'a.txt') })).versions.map(({ host, size }) => [host, size])).toEqual([
    ['anna', 3],
    ['bert', 7],
  ]);
});

test('what a rule leaves out is told with the rule', async () => {
  const service = await startService();
  const { client, folder } = service;
  const disk = await connectFolder(service);
  const source = tree(join(folder, 'docs'), {
    'a.tmp': 'x',
    'large.bin': 'x'.repeat(5000),
    node_modules: { 'm.js': '' },
    tagged: { '.nobackup': '', 'in.txt': '' },
    Upper: { 'b.LOG': '' },
  });
  await createPlan(service, source, disk, {
    enabled: false,
    excludes: { patterns: ['*.tmp', 'node_modules/'], patternsIgnoringCase: ['*.log'], ifPresent: ['.nobackup'], largerThan: 4000 },
  });
  const ruleOf = async (path: string): Promise<unknown> =>
    (await client.catalogue.protected({ path: join(source, path) })).plans[0]!.because;
  expect(await ruleOf('a.tmp')).toEqual({ rule: 'excluded', source, by: '*.tmp', at: join(source, 'a.tmp') });
  expect(await ruleOf('node_modules/deep/x.js')).toEqual({
    rule: 'excluded',
    source,
    by: 'node_modules/',
    at: join(source, 'node_modules'),
  });
  expect(await ruleOf('Upper/b.LOG')).toMatchObject({ by: '*.log' });
  expect(await ruleOf('tagged/in.txt')).toMatchObject({ rule: 'excluded', by: '.nobackup' });
  expect(await ruleOf('tagged/.nobackup')).toEqual({ rule: 'source', source });
  expect(await ruleOf('large.bin')).toMatchObject({ rule: 'excluded', by: expect.stringContaining('larger than') });
  expect(await ruleOf('not there yet.txt')).toEqual({ rule: 'source', source });
  expect(await ruleOf('..')).toEqual({ rule: 'above', sources: [source] });
  // Switched off, and without a copy.
  expect((await client.catalogue.protected({ path: join(source, 'x') })).answer).toBe('no');
});
