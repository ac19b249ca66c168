import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planSchema } from '../../../src/contract/plan.ts';
import { usualSchedule } from '../../../src/contract/schedule.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { hostIdentity } from '../../../src/platform/host.ts';
import { profileAt } from '../../../src/service/profile.ts';
import { copyFolderOf, copyOf, parseCopy, readCopy, writeCopy } from '../../../src/service/settings-copy/copy.ts';
import { movedHome, takeOver } from '../../../src/service/settings-copy/recover.ts';
import { StateStore } from '../../../src/service/state/store.ts';
import { canMountDisks, fillDisk, mountMemory } from '../../support/disk.ts';
import { connectFolder, createPlan, ended, MemoryKeeper, password, repositoryAt, startService } from '../../support/service.ts';
import { scratch, tree } from '../../support/tree-literal.ts';

test('an empty profile that is connected to a repository gets plans, destinations, settings and history back, with paths in the new home folder', async () => {
  const old = await startService({ home: '/home/old' });
  const source = tree(join(old.folder, 'src'), { a: 'a' });
  const destination = await connectFolder(old);
  const second = await connectFolder(old, 'second');
  await old.client.settings.change({ threads: 2, language: 'zh-CN' });
  const plan = await createPlan(old, source, destination, {
    name: '文档',
    sources: [
      { kind: 'folder', path: source },
      { kind: 'folder', path: '/home/old/Documents' },
    ],
    destinations: [
      { destination: destination.id, role: 'primary' },
      { destination: second.id, role: 'copy' },
    ],
    retention: { daily: 7 },
  });
  await ended(old, (await old.client.runs.start({ plan: plan.id })).id);
  const last = await ended(old, (await old.client.runs.start({ plan: plan.id })).id);
  await old.close();

  const fresh = await startService({ home: '/Users/new' });
  renameSync(join(old.folder, 'repo'), join(fresh.folder, 'moved'));
  const there = await fresh.client.destinations.connect({ place: join(fresh.folder, 'moved'), password });
  const [found, ...others] = await fresh.client.recovery.look({ destination: there.id });
  expect(others).toEqual([]);
  expect(found).toMatchObject({ snapshot: last.snapshot, plans: ['文档'], destinations: ['repo', 'second'] });
  const taken = await fresh.client.recovery.take({ destination: there.id, snapshot: found.snapshot });
  expect(taken.destinations.map(({ name }) => name)).toEqual(['second']);
  const state = await fresh.client.state();
  expect(state.settings).toMatchObject({ threads: 2, language: 'zh-CN' });
  expect(state.plans).toEqual([
    {
      ...plan,
      sources: [plan.sources[0], { kind: 'folder', path: '/Users/new/Documents' }],
      destinations: [
        { destination: there.id, role: 'primary' },
        { destination: second.id, role: 'copy' },
      ],
    },
  ]);
  const runs = (await fresh.client.runs.list({})).runs;
  expect(runs.map(({ status, destination: id }) => [status, id])).toEqual([['completed-with-warnings', there.id]]);
  // The next run is the same plan's, and the copy's secrets were not in it.
  expect(await ended(fresh, (await fresh.client.runs.start({ plan: plan.id })).id)).toMatchObject({ strategy: 'incremental' });
  expect((await fresh.client.destinations.look({ id: second.id })).now).toMatchObject({ state: 'failing', code: 'password-missing' });
  expect((await fresh.client.destinations.renew({ id: second.id, password })).now.state).toBe('connected');
  await expect(fresh.client.recovery.take({ destination: there.id, snapshot: found.snapshot })).rejects.toMatchObject({
    code: 'profile-in-use',
  });
});

test('a repository without settings, and one whose newest settings are damaged, say so or give older ones', async () => {
  const service = await startService();
  const { client, folder, profile } = service;
  const source = tree(join(folder, 'src'), { a: 'a' });
  const destination = await connectFolder(service);
  expect(await client.recovery.look({ destination: destination.id })).toEqual([]);
  const plan = await createPlan(service, source, destination);
  const good = await ended(service, (await client.runs.start({ plan: plan.id })).id);
  // What cannot be written costs the copy, not the backup; what another hand writes is not believed.
  const copy = join(profile.folder, 'holdfast-settings');
  rmSync(copy, { recursive: true });
  mkdirSync(join(copy, 'settings.json.tmp'), { recursive: true });
  writeFileSync(join(copy, 'settings.json'), '{"holdfast":"settings","version":1,"plans":7}');
  const bad = await ended(service, (await client.runs.start({ plan: plan.id })).id);
  expect(bad.status).toBe('succeeded');
  expect((await client.runs.log({ id: bad.id })).lines.some(({ text }) => text.includes('an older copy goes along'))).toBe(true);
  const found = await client.recovery.look({ destination: destination.id });
  expect(found.map(({ snapshot }) => snapshot)).toEqual([good.snapshot]);
});

test('a damaged state is rebuilt from the copy of the last change, and goes on', async () => {
  const keeper = new MemoryKeeper();
  const service = await startService({ keeper });
  const { folder, profile } = service;
  const source = tree(join(folder, 'src'), { a: 'a' });
  const destination = await connectFolder(service);
  const plan = await createPlan(service, source, destination);
  await ended(service, (await service.client.runs.start({ plan: plan.id })).id);
  await service.client.plans.setEnabled({ id: plan.id, enabled: false });
  await service.close();
  writeFileSync(profile.stateFile, 'garbage'.repeat(5000));
  const again = await startService({ folder, keeper });
  expect(again.notes.join()).toContain('The state was damaged');
  expect((await again.client.state()).plans).toEqual([{ ...plan, enabled: false }]);
  expect((await again.client.runs.list({})).runs).toHaveLength(1);
  expect(await ended(again, (await again.client.runs.start({ plan: plan.id })).id)).toMatchObject({ status: 'succeeded' });
  expect(readFileSync(join(profile.folder, 'holdfast-settings/settings.json'), 'utf8')).not.toContain(password);
});

test.each([
  ['deleted', (file: string) => rmSync(file)],
  ['empty', (file: string) => writeFileSync(file, '')],
])('a state that is %s is taken from the copy, whatever was changed last, with a word', async (_, lose) => {
  const keeper = new MemoryKeeper();
  const service = await startService({ keeper });
  const { folder, profile, client } = service;
  const source = tree(join(folder, 'src'), { a: 'a' });
  const destination = await connectFolder(service);
  const plan = await createPlan(service, source, destination);
  const other = await connectFolder(service, 'other');
  await client.destinations.rename({ id: destination.id, name: 'Black disk' });
  await client.settings.change({ threads: 1 });
  await service.close();
  lose(profile.stateFile);
  const again = await startService({ folder, keeper });
  expect(again.notes).toEqual(['The state was gone. Plans and history were taken from their copy.']);
  const { plans, destinations, settings } = await again.client.state();
  expect([plans, destinations.map(({ name }) => name), settings.threads]).toEqual([[plan], ['Black disk', 'other'], 1]);
  await again.client.destinations.remove({ id: other.id });
  expect(await ended(again, (await again.client.runs.start({ plan: plan.id })).id)).toMatchObject({ status: 'succeeded' });
  await again.close();
  const last = await startService({ folder, keeper });
  expect(last.notes).toEqual([]);
  expect((await last.client.state()).destinations).toHaveLength(1);
});

test('a run of which none of the folders is there fails, though the settings would', async () => {
  const service = await startService();
  const destination = await connectFolder(service);
  const plan = await createPlan(service, join(service.folder, 'nowhere'), destination);
  const run = await ended(service, (await service.client.runs.start({ plan: plan.id })).id);
  expect(run).toMatchObject({ status: 'failed', error: { code: 'source-missing' }, snapshot: null });
  await repositoryAt(join(scratch(), 'unused'));
});

test.each([
  ['/home/old', '/home/old', '/Users/new', '/Users/new'],
  ['/home/old/a/b', '/home/old', '/Users/new', '/Users/new/a/b'],
  ['/home/older/a', '/home/old', '/Users/new', '/home/older/a'],
  ['/data/a', '/home/old', '/Users/new', '/data/a'],
  ['C:\\Users\\me\\Documents', 'C:\\Users\\me', '/home/me', '/home/me/Documents'],
  ['/home/me/a', '/home/me', 'C:\\Users\\me', 'C:\\Users\\me\\a'],
  ['/home/me/a', '', '/x', '/home/me/a'],
])('%s, of the home folder %s, becomes in %s: %s', (path, from, to, expected) => {
  expect(movedHome(path, from, to)).toBe(expected);
});

test('settings that were tampered with give plans that can run, and no run that begins', () => {
  const there = new StateStore(join(scratch(), 'state.db'), systemClock);
  const destination = { place: '/mnt/a', polynomial: '3f', ejectAfterRun: false };
  const [one, two] = ['a', 'b'].map((id) => ({ ...destination, id, name: id, repository: id.repeat(64) }));
  for (const each of [one, two]) there.saveDestination(each);
  const plan = (id: string, used: [string, 'primary' | 'standby' | 'copy'][]) =>
    planSchema.parse({
      id,
      name: id,
      sources: [{ kind: 'folder', path: '/home/old/a' }],
      destinations: used.map(([each, role]) => ({ destination: each, role })),
      schedule: usualSchedule,
      excludes: { patterns: ['/home/old/a/b', '*.tmp'] },
    });
  const wrong = [
    plan('copy', [
      ['b', 'copy'],
      ['a', 'copy'],
    ]),
    plan('twice', [
      ['lost', 'primary'],
      ['b', 'standby'],
      ['b', 'primary'],
      ['a', 'primary'],
    ]),
    plan('none', [['lost', 'primary']]),
  ];
  const run = there.runs.add({
    kind: 'backup',
    plan: 'copy',
    destination: 'b',
    planName: '',
    destinationName: '',
    cause: 'person',
    strategy: 'full',
    attempt: 1,
    created: 1,
  });
  const copy = { ...copyOf(there, hostIdentity(), '/home/old', 1), plans: wrong, runs: [{ ...run, ended: 5 }] };
  const here = new StateStore(join(scratch(), 'state.db'), systemClock);
  takeOver(here, parseCopy(Buffer.from(JSON.stringify(copy)))!, '/home/new');
  const role = (each: string, as: string) => ({ destination: each, role: as });
  expect(here.plans().map(({ id, destinations }) => [id, destinations])).toEqual([
    ['copy', [role('b', 'primary'), role('a', 'copy')]],
    ['twice', [role('b', 'primary'), role('a', 'standby')]],
  ]);
  expect(here.plans()[0]).toMatchObject({ sources: [{ path: '/home/new/a' }], excludes: { patterns: ['/home/new/a/b', '*.tmp'] } });
  expect([here.runs.unfinished(), here.runs.list({ limit: 10 })]).toEqual([[], []]);
  for (const bomb of ['['.repeat(1 << 20), '{"holdfast":"settings"}', '[]', '"x"', JSON.stringify({ ...copy, version: 2 })])
    expect(parseCopy(Buffer.from(bomb))).toBeUndefined();
});

test.runIf(canMountDisks)('a disk that is full in the middle of writing leaves the copy as it was', async () => {
  const folder = mountMemory(1 << 20);
  const profile = profileAt(folder);
  const copy = copyOf(new StateStore(join(scratch(), 'state.db'), systemClock), hostIdentity(), '/home/me', 1);
  writeCopy(profile, copy);
  fillDisk(folder, 40_960);
  const plans = Array.from({ length: 1000 }, () => ({ ...copy, name: 'x'.repeat(100) }));
  expect(() => writeCopy(profile, { ...copy, plans: plans as never })).toThrow('ENOSPC');
  expect(readCopy(profile)).toEqual(copy);
  expect(readdirSync(copyFolderOf(profile))).toEqual(['settings.json']);
});
