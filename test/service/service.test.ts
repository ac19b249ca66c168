import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { usualSchedule } from '../../src/contract/schedule.ts';
import type { NumberedEvent } from '../../src/contract/state.ts';
import { Repository } from '../../src/repository/repository.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { hastyClock } from '../support/hasty-clock.ts';
import { expectSameTree } from '../support/judge.ts';
import { Restic } from '../support/restic.ts';
import type { PlanRequest } from '../../src/contract/plan.ts';
import type { Run } from '../../src/contract/run.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { inputOf } from '../../src/service/plans/plan-file.ts';
import type { Service } from '../../src/service/service.ts';
import { seededBytes, seededRandom } from '../support/seeded.ts';
import { StateStore } from '../../src/service/state/store.ts';
import { connectFolder, createPlan, ended, password, repositoryAt, startService } from '../support/service.ts';
import { tree } from '../support/tree-literal.ts';

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

const next = async (events: AsyncIterator<NumberedEvent>): Promise<NumberedEvent> => {
  const { value, done } = await events.next();
  if (done) throw new Error('the events have ended');
  return value;
};

describe('a plan', () => {
  test('is made, run, changed, and its backup restored by restic', async () => {
    const service = await startService();
    const { client, folder } = service;
    const source = tree(join(folder, 'src'), { a: 'a', 'x.tmp': 'no', b: { c: 'c'.repeat(100_000) } });
    const destination = await connectFolder(service);
    const plan = await createPlan(service, source, destination, { excludes: { patterns: ['*.tmp'] } });
    const run = await ended(service, (await client.runs.start({ plan: plan.id })).id);
    expect(run).toMatchObject({
      status: 'succeeded',
      strategy: 'full',
      cause: 'person',
      planName: 'Documents',
      destinationName: 'repo',
      problems: 0,
    });
    // With the copy of the settings.
    expect(run.figures).toMatchObject({ files: 3, filesNew: 3 });
    const restic = new Restic(join(folder, 'repo'), password);
    const [snapshot] = await restic.snapshots();
    expect(snapshot.id).toBe(run.snapshot);
    expect(snapshot.tags).toContain(`plan=${plan.id}`);
    await restic.must(['restore', `${run.snapshot}:${source}`, '--target', join(folder, 'back')]);
    await expectSameTree(join(source, 'b'), join(folder, 'back/b'));
    expect(readdirSync(join(folder, 'back')).sort()).toEqual(['a', 'b']);
    const { id: _, ...input } = plan;
    await client.plans.change({ id: plan.id, plan: { ...input, name: 'Renamed' } });
    const second = await ended(service, (await client.runs.start({ plan: plan.id })).id);
    expect(second).toMatchObject({ status: 'succeeded', strategy: 'incremental', planName: 'Renamed' });
    expect((await client.runs.list({})).runs.map(({ id }) => id)).toEqual([second.id, run.id]);
    expect((await client.state()).planStates).toEqual([
      { plan: plan.id, nextDue: null, waitsFor: null, watchNotes: [], lastSuccess: { [destination.id]: second.ended } },
    ]);
    expect((await client.runs.log({ id: run.id })).lines.map(({ text }) => text).join()).toContain('is stored: 3 files');
  });

  test('keeps what its retention says, of its own snapshots alone', async () => {
    const service = await startService();
    const { client, folder } = service;
    const source = tree(join(folder, 'src'), { a: 'a' });
    const destination = await connectFolder(service);
    const other = await createPlan(service, source, destination, { name: 'Other' });
    const plan = await createPlan(service, source, destination, { retention: { last: 2 } });
    await ended(service, (await client.runs.start({ plan: other.id })).id);
    const made: (string | null)[] = [];
    for (let i = 0; i < 4; i++) made.push((await ended(service, (await client.runs.start({ plan: plan.id })).id)).snapshot);
    const repository = await Repository.open(new LocalStorage(join(folder, 'repo')), password);
    const left = (await repository.snapshots()).filter(({ tags }) => tags?.includes(`plan=${plan.id}`)).map(({ id }) => id);
    expect(left).toEqual(made.slice(2));
    expect(await repository.names('snapshot')).toHaveLength(3);
  });

  test('gets its space back once a week has passed since something was forgotten', async () => {
    const clock = new FakeClock();
    const service = await startService({ clock });
    const { folder } = service;
    const source = tree(join(folder, 'src'), { a: seededBytes(seededRandom(1), 300_000) });
    const destination = await connectFolder(service);
    const plan = await createPlan(service, source, destination, { retention: { last: 1 } });
    const run = async (): Promise<string> => {
      const { id } = service.service.startRun(plan.id, undefined, undefined);
      while (service.service.state.runs.get(id).ended === null) {
        await clock.advance(250);
        await systemClock.sleep(2);
      }
      expect(service.service.state.runs.get(id).status).toBe('succeeded');
      return service.service.state.runs
        .logOf(id, 0, 100)
        .lines.map(({ text }) => text)
        .join(' ');
    };
    await run();
    writeFileSync(join(source, 'a'), seededBytes(seededRandom(2), 300_000));
    expect(await run()).toContain('1 old snapshot forgotten');
    clock.standby(6 * 86_400_000);
    expect(await run()).not.toContain('deleted');
    clock.standby(86_400_000);
    expect(await run()).toContain('that nobody needs any more were deleted');
    expect(await run()).not.toContain('deleted');
    await new Restic(join(folder, 'repo'), password).must(['check', '--read-data']);
    await service.close();
  });

  test('that is removed leaves its snapshots, or takes its own with it, as is said', async () => {
    const service = await startService();
    const { client, folder } = service;
    const source = tree(join(folder, 'src'), { a: 'a' });
    const destination = await connectFolder(service);
    const gone = await connectFolder(service, 'gone');
    const plans = [
      await createPlan(service, source, destination, { name: 'kept' }),
      await createPlan(service, source, destination, {
        name: 'forgotten',
        destinations: [
          { destination: destination.id, role: 'primary' },
          { destination: gone.id, role: 'copy' },
        ],
      }),
    ];
    for (const { id } of plans) await ended(service, (await client.runs.start({ plan: id })).id);
    rmSync(join(folder, 'gone'), { recursive: true });
    expect(await client.plans.remove({ id: plans[0].id, data: 'keep' })).toEqual({ snapshotsForgotten: 0, notReached: [], inUse: [] });
    expect(await client.plans.remove({ id: plans[1].id, data: 'forget' })).toEqual({
      snapshotsForgotten: 1,
      notReached: ['gone'],
      inUse: [],
    });
    const repository = await Repository.open(new LocalStorage(join(folder, 'repo')), password);
    expect((await repository.snapshots()).map(({ tags }) => tags?.[0])).toEqual([`plan=${plans[0].id}`]);
    expect((await client.state()).plans).toEqual([]);
  });

  test('that was removed with its snapshots loses them though the service was killed meanwhile', async () => {
    const service = await startService();
    const { client, folder, keeper, profile } = service;
    const source = tree(join(folder, 'src'), { a: 'a' });
    const destination = await connectFolder(service);
    const plans = [await createPlan(service, source, destination), await createPlan(service, source, destination, { name: 'Other' })];
    for (const { id } of plans) await ended(service, (await client.runs.start({ plan: id })).id);
    await service.close();
    const state = new StateStore(profile.stateFile, systemClock);
    // Of the other one the service was killed before it was removed.
    state.remember('plans whose snapshots are to be forgotten', Object.fromEntries(plans.map((plan) => [plan.id, plan])));
    state.removePlan(plans[0].id);
    state.close();
    const again = await startService({ folder, keeper });
    const snapshots = join(folder, 'repo/snapshots');
    while (readdirSync(snapshots).length > 1) await systemClock.sleep(10);
    expect((await again.client.state()).plans.map(({ name }) => name)).toEqual(['Other']);
    await again.close();
    expect(readdirSync(snapshots)).toHaveLength(1);
    expect(readdirSync(join(folder, 'repo/locks'))).toEqual([]);
  });

  test('that cannot be meant is refused in words, on both sides', async () => {
    const service = await startService();
    const { client, folder } = service;
    const destination = await connectFolder(service);
    const good = {
      name: 'x',
      sources: [{ kind: 'folder', path: folder }] as { kind: 'folder'; path: string }[],
      destinations: [{ destination: destination.id, role: 'primary' as const }],
      schedule: usualSchedule,
    };
    const tries: [object, RegExp][] = [
      [{ name: ' ' }, /name: must not be empty/],
      [{ name: 'a\nb' }, /name: must be one line of text/],
      [{ sources: [] }, /sources: must name at least one source/],
      [{ sources: [{ kind: 'folder', path: 'relative' }] }, /must be a path from the root/],
      [{ sources: [good.sources[0], good.sources[0]] }, /names one folder twice/],
      [{ destinations: [{ destination: destination.id, role: 'copy' }] }, /must name one primary destination/],
      [{ retention: { daily: 1.5 } }, /retention.daily/],
      [{ retention: { within: '1x' } }, /is no duration/],
      [{ surprise: 1 }, /surprise/],
    ];
    for (const [change, words] of tries) {
      const refused = client.plans.create({ ...good, ...change });
      await expect(refused).rejects.toMatchObject({ code: 'request-invalid', message: expect.stringMatching(words) });
    }
    const lost = client.plans.create({ ...good, destinations: [{ destination: 'nowhere', role: 'primary' }] });
    expect(await codeOf(lost)).toBe('destination-not-found');
    expect(await codeOf(client.plans.change({ id: 'none', plan: good }))).toBe('plan-not-found');
    expect((await client.state()).plans).toEqual([]);
  });

  test('goes to a file and comes back on another computer, with the destinations that hold the same repositories', async () => {
    const service = await startService();
    const destination = await connectFolder(service);
    await createPlan(service, service.folder, destination, { retention: { daily: 7 } });
    const file = await service.client.plans.export({});
    expect(JSON.stringify(file)).not.toContain(password);
    const elsewhere = await startService();
    await expect(elsewhere.client.plans.import({ file })).rejects.toMatchObject({
      code: 'plan-without-destination',
      message: expect.stringContaining('repo'),
    });
    renameSync(join(service.folder, 'repo'), join(elsewhere.folder, 'moved'));
    const there = await elsewhere.client.destinations.connect({ place: join(elsewhere.folder, 'moved'), password });
    const [plan] = await elsewhere.client.plans.import({ file });
    expect(plan).toMatchObject({ name: 'Documents', retention: { daily: 7 }, destinations: [{ destination: there.id, role: 'primary' }] });
  });
});

describe('a destination', () => {
  test('is made where nothing is, with the cutting rule of the first, so that both share what they hold', async () => {
    const { client, folder } = await startService();
    expect(await codeOf(client.destinations.connect({ place: join(folder, 'one'), password }))).toBe('repository-not-found');
    const one = await client.destinations.connect({ place: join(folder, 'one'), password, create: true, name: 'First' });
    const two = await client.destinations.connect({ place: join(folder, 'two'), password: 'another', create: true });
    expect(two.polynomial).toBe(one.polynomial);
    await repositoryAt(join(folder, 'other'));
    const other = await client.destinations.connect({ place: join(folder, 'other'), password });
    expect([one.sharesBlobs, two.sharesBlobs, other.sharesBlobs]).toEqual([true, true, false]);
    expect(await client.drives.list()).toEqual([]);
    expect([one.name, two.name, one.now.state]).toEqual(['First', 'two', 'connected']);
    expect(await codeOf(client.destinations.connect({ place: join(folder, 'one'), password }))).toBe('destination-known');
  });

  test('that is connected together with others is one, and cuts as they do', async () => {
    const { client, folder } = await startService();
    const made = await Promise.all(
      ['one', 'two'].map((name) => client.destinations.connect({ place: join(folder, name), password, create: true })),
    );
    expect(made[0].polynomial).toBe(made[1].polynomial);
    await repositoryAt(join(folder, 'three'));
    const connect = () => codeOf(client.destinations.connect({ place: join(folder, 'three'), password }));
    expect((await Promise.all([connect(), connect()])).sort()).toEqual(['destination-known', 'done']);
    expect((await client.state()).destinations).toHaveLength(3);
  });

  test('keeps no secret outside the keychain, and gives none back', async () => {
    const service = await startService();
    const { client, keeper, profile } = service;
    const view = await client.destinations.connect({
      place: join(service.folder, 'repo'),
      password: 'very-secret-word',
      credentials: { AWS_SECRET_ACCESS_KEY: 'other-secret-word' },
      create: true,
    });
    await createPlan(service, service.folder, view);
    expect([...keeper.kept.values()].join()).toContain('very-secret-word');
    const { execFileSync } = await import('node:child_process');
    const found = execFileSync('sh', ['-c', 'grep -rl "secret-word" "$1" || true', 'sh', profile.folder]).toString();
    expect(found).toBe('');
    expect(JSON.stringify([await client.state(), await client.plans.export({})])).not.toContain('secret-word');
    const place = 'rest:https://user:very-secret-word@server/path';
    await expect(client.destinations.connect({ place, password })).rejects.toMatchObject({ code: 'request-invalid' });
  });

  test('with another password or another repository in its place is not used', async () => {
    const service = await startService();
    const { client, folder } = service;
    const source = tree(join(folder, 'src'), { a: 'a' });
    const destination = await connectFolder(service);
    const plan = await createPlan(service, source, destination);
    renameSync(join(folder, 'repo'), join(folder, 'away'));
    await repositoryAt(join(folder, 'repo'));
    const run = await ended(service, (await client.runs.start({ plan: plan.id })).id);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'destination-swapped' } });
    const other = await Repository.open(new LocalStorage(join(folder, 'repo')), password);
    expect(await other.names('snapshot')).toEqual([]);
    rmSync(join(folder, 'repo'), { recursive: true });
    expect((await client.destinations.look({ id: destination.id })).now.state).toBe('not-plugged-in');
    const skipped = await ended(service, (await client.runs.start({ plan: plan.id })).id);
    expect(skipped).toMatchObject({ status: 'skipped', reason: 'not-plugged-in' });
    // The stub of a drive that is not mounted.
    mkdirSync(join(folder, 'repo'));
    const stub = await ended(service, (await client.runs.start({ plan: plan.id })).id);
    expect(stub.error?.code).toBe('repository-not-found');
    rmSync(join(folder, 'repo'), { recursive: true });
    renameSync(join(folder, 'away'), join(folder, 'repo'));
    expect(await ended(service, (await client.runs.start({ plan: plan.id })).id)).toMatchObject({ status: 'succeeded' });
  });

  test('is given a new password only when it fits', async () => {
    const service = await startService();
    const { client, keeper, folder } = service;
    const destination = await connectFolder(service);
    expect(await codeOf(client.destinations.renew({ id: destination.id, password: 'wrong' }))).toBe('wrong-password');
    expect([...keeper.kept.values()]).toEqual([password]);
    const repository = await Repository.open(new LocalStorage(join(folder, 'repo')), password);
    await repository.addKey('new one', { username: 'u', hostname: 'h' }, hastyClock, { N: 2, r: 8, p: 1 });
    expect((await client.destinations.renew({ id: destination.id, password: 'new one' })).now.state).toBe('connected');
    expect([...keeper.kept.values()]).toEqual(['new one']);
  });

  test('whose repository was moved is told its new place, where another repository is none', async () => {
    const service = await startService();
    const { client, folder } = service;
    const destination = await connectFolder(service);
    const plan = await createPlan(service, tree(join(folder, 'src'), { a: 'a' }), destination);
    renameSync(join(folder, 'repo'), join(folder, 'moved'));
    await repositoryAt(join(folder, 'other'));
    const renew = (name: string) => client.destinations.renew({ id: destination.id, place: join(folder, name) });
    expect(await codeOf(client.destinations.connect({ place: join(folder, 'moved'), password }))).toBe('destination-known');
    expect(await codeOf(renew('other'))).toBe('destination-swapped');
    expect(await codeOf(renew('nowhere'))).toBe('repository-not-found');
    expect((await renew('moved')).place).toBe(join(folder, 'moved'));
    expect((await client.state()).destinations.map(({ place }) => place)).toEqual([join(folder, 'moved')]);
    expect(await ended(service, (await client.runs.start({ plan: plan.id })).id)).toMatchObject({ status: 'succeeded' });
  });

  test('that a plan uses stays; a free one is forgotten with its secrets', async () => {
    const service = await startService();
    const { client, keeper } = service;
    const destination = await connectFolder(service);
    const plan = await createPlan(service, service.folder, destination);
    expect(await codeOf(client.destinations.remove({ id: destination.id }))).toBe('destination-in-use');
    await client.plans.remove({ id: plan.id, data: 'keep' });
    await client.destinations.remove({ id: destination.id });
    expect([(await client.state()).destinations, [...keeper.kept]]).toEqual([[], []]);
    expect(await codeOf(client.destinations.look({ id: destination.id }))).toBe('destination-not-found');
  });
});

test('two clients see the same, and each hears what the other does', async () => {
  const service = await startService();
  const heard: NumberedEvent[] = [];
  const stop = new AbortController();
  const events = await service.client.events({}, { signal: stop.signal });
  expect((await next(events)).event.type).toBe('state');
  const { attach } = await import('../../src/service/rpc/client.ts');
  const other = await attach(service.profile);
  const destination = await other.client.destinations.connect({ place: join(service.folder, 'repo'), password, create: true });
  await other.client.settings.change({ threads: 1 });
  await other.client.destinations.rename({ id: destination.id, name: 'New name' });
  while (heard.length < 3) heard.push(await next(events));
  expect(heard.map(({ event }) => event.type)).toEqual(['destination', 'settings', 'destination']);
  expect((await service.client.state()).destinations[0].name).toBe('New name');
  other.close();
  stop.abort();
});

test('events are not lost over a broken connection', async () => {
  const service = await startService();
  const { attach } = await import('../../src/service/rpc/client.ts');
  const first = await attach(service.profile);
  const events = await first.client.events({});
  let { id } = await next(events);
  await service.client.settings.change({ threads: 1 });
  ({ id } = await next(events));
  first.close();
  await first.closed;
  await expect(events.next()).rejects.toBeDefined();
  for (const threads of [2, 3, 4]) await service.client.settings.change({ threads });
  const second = await attach(service.profile);
  const again = await second.client.events({ since: id });
  const heard: unknown[] = [];
  while (heard.length < 3) {
    const { event } = await next(again);
    heard.push(event.type === 'settings' ? event.settings.threads : event.type);
  }
  expect(heard).toEqual([2, 3, 4]);
  second.close();
});

test('a pause ends by itself, at its time, also when that came while no service ran', async () => {
  const clock = new FakeClock();
  const first = await startService({ clock });
  const { folder, keeper } = first;
  const set = await first.client.pause.set({ for: { minutes: 60 } });
  expect(set.until).toBe(clock.now() + 3_600_000);
  await first.close();
  // Asked within the process: no connection lives as long as this clock goes.
  const { service, close } = await startService({ folder, keeper, clock });
  expect(service.scheduling.pause).toEqual(set);
  clock.standby(3_590_000);
  await clock.advance(70_000);
  expect(service.scheduling.pause).toBeNull();
  service.scheduling.pauseFor({ kind: 'until-resumed' });
  clock.standby(10 * 86_400_000);
  await clock.advance(120_000);
  expect(service.scheduling.pause).toMatchObject({ until: null });
  service.scheduling.resume();
  expect(service.scheduling.pause).toBeNull();
  const { until } = service.scheduling.pauseFor({ kind: 'tomorrow' });
  const midnight = new Date(until!);
  expect([midnight.getHours(), midnight.getMinutes(), until! > clock.now(), until! - clock.now() <= 25 * 3_600_000]).toEqual([
    0,
    0,
    true,
    true,
  ]);
  await close();
  clock.jumpWall(3 * 86_400_000);
  const last = await startService({ folder, keeper, clock });
  await clock.advance(0);
  expect(last.service.scheduling.pause).toBeNull();
});

describe('by its schedule', () => {
  /** A service whose plan runs daily at noon, at eleven in the morning. */
  const untilNoon = async (more: Partial<PlanRequest> = {}) => {
    const eleven = new Date(2026, 4, 5, 11).getTime();
    const clock = new FakeClock(eleven);
    const service = await startService({ clock });
    const source = tree(join(service.folder, 'src'), { a: 'a' });
    const destination = await connectFolder(service);
    const schedule = { ...usualSchedule, triggers: [{ kind: 'daily' as const, at: '12:00' }] };
    const plan = await createPlan(service, source, destination, { schedule, ...more });
    return { ...service, clock, plan, destination, source };
  };
  /** Lets the clock go on, and the engine work, until so many runs have ended. */
  const until = async ({ service, clock }: { service: Service; clock: FakeClock }, count: number): Promise<Run[]> => {
    for (;;) {
      const runs = service.state.runs.list({ limit: 100 }).filter(({ ended: at }) => at !== null);
      if (runs.length >= count) return runs;
      await clock.advance(1000);
      await systemClock.sleep(2);
    }
  };

  test('a plan runs at its time, once, and the next time a day later', async () => {
    const all = await untilNoon();
    const { service, clock, plan } = all;
    expect(new Date(service.overview.planState(service.state.plan(plan.id)).nextDue!).getHours()).toBe(12);
    clock.standby(50 * 60_000);
    await clock.advance(9 * 60_000);
    expect(service.state.runs.list({ limit: 10 })).toEqual([]);
    const [run] = await until(all, 1);
    expect(run).toMatchObject({ cause: 'schedule', status: 'succeeded', strategy: 'full' });
    expect(new Date(run.created).getHours()).toBe(12);
    clock.standby(23 * 3_600_000);
    await clock.advance(30 * 60_000);
    expect(service.state.runs.list({ limit: 10 })).toHaveLength(1);
    await clock.advance(28 * 60_000);
    const runs = await until(all, 2);
    expect(runs[0]).toMatchObject({ cause: 'schedule', status: 'succeeded', strategy: 'incremental' });
    await all.close();
  });

  test('a time that passed while no service ran, or the computer slept, is caught up once', async () => {
    const all = await untilNoon();
    const { clock, folder, keeper } = all;
    await all.close();
    clock.jumpWall(5 * 86_400_000);
    const second = await startService({ folder, keeper, clock });
    const [run, ...others] = await until({ ...second, clock }, 1);
    expect([run.cause, run.status, others]).toEqual(['caught-up', 'succeeded', []]);
    clock.standby(3 * 86_400_000);
    const runs = await until({ ...second, clock }, 2);
    expect(runs.map(({ cause }) => cause)).toEqual(['caught-up', 'caught-up']);
    await second.close();
  });

  test('a run that fails is tried again with growing pauses, and one that is switched off does not run', async () => {
    const all = await untilNoon();
    const { client, plan, folder, service } = all;
    writeFileSync(join(folder, 'repo/config'), 'damaged');
    all.clock.standby(3_590_000);
    await until(all, 1);
    expect(service.state.runs.list({ limit: 1 })[0]).toMatchObject({ status: 'failed', error: { code: 'config-invalid' } });
    await client.plans
      .setEnabled({ id: plan.id, enabled: false })
      .catch(() => service.plans.change(plan.id, { ...inputOf(plan), enabled: false }));
    all.clock.standby(3 * 86_400_000);
    await all.clock.advance(300_000);
    expect(service.state.runs.list({ limit: 10 })).toHaveLength(1);
    await all.close();
  });

  test('a change in a source starts a run after the plan’s delay, and one that the run saw starts no other', async () => {
    const all = await untilNoon({ schedule: { ...usualSchedule, triggers: [{ kind: 'change', delaySeconds: 900 }] } });
    const { clock, service, source, plan } = all;
    const outlook = () => service.overview.planState(service.state.plan(plan.id));
    const ticks = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        await clock.advance(500);
        await systemClock.sleep(2);
      }
    };
    const change = async (): Promise<void> => {
      for (let i = 0; outlook().waitsFor === null; i++) {
        writeFileSync(join(source, `new ${clock.now()} ${i}`), 'new');
        await ticks(1);
      }
    };
    await ticks(5);
    expect(outlook().waitsFor).toBeNull();
    await change();
    clock.standby(900_000);
    await until(all, 1);
    await ticks(10);
    expect(outlook().waitsFor).toBeNull();
    await change();
    expect(outlook().waitsFor).toMatchObject({ by: 'delay' });
    expect(service.state.runs.list({ limit: 10 })).toHaveLength(1);
    clock.standby(900_000);
    const [run] = await until(all, 2);
    expect(run).toMatchObject({ cause: 'changes', status: 'succeeded' });
    expect(run.figures!.filesNew).toBeGreaterThan(0);
    await all.close();
  });

  test('what a run itself writes into the sources, where profile and repository lie, starts no other', async () => {
    const all = await untilNoon();
    const { clock, service, folder, plan } = all;
    mkdirSync(join(folder, 'profile/cache'), { recursive: true });
    writeFileSync(join(folder, 'profile/cache/copy'), 'what a repository holds as well');
    const sources = [{ kind: 'folder' as const, path: folder }];
    const schedule = { ...usualSchedule, triggers: [{ kind: 'change' as const, delaySeconds: 900 }] };
    service.plans.change(plan.id, { ...inputOf(plan), sources, schedule });
    const ticks = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        await clock.advance(500);
        await systemClock.sleep(5);
      }
    };
    const waitsFor = () => service.overview.planState(service.state.plan(plan.id)).waitsFor;
    await ticks(10);
    service.startRun(plan.id, undefined, undefined);
    const [run] = await until(all, 1);
    await ticks(20);
    expect([run.status, waitsFor()]).toEqual(['succeeded', null]);
    const restic = new Restic(join(folder, 'repo'), password);
    const names = (await restic.must(['ls', run.snapshot!])).stdout.toString();
    expect(names).toContain(join(folder, 'profile/holdfast-settings/settings.json'));
    expect(names).not.toMatch(/profile\/(cache|state\.db|logs|service\.json)/);
    for (let i = 0; waitsFor() === null; i++) {
      writeFileSync(join(folder, `new ${i}`), 'new');
      await ticks(1);
    }
    await all.close();
  });

  test('a target that is missed is told once, again each day, and once more when it is met', async () => {
    const all = await untilNoon({ targets: { rpoMinutes: 60 }, schedule: { ...usualSchedule, triggers: [] } });
    const { clock, service, notices, plan } = all;
    for (let minute = 0; minute < 59; minute++) await clock.advance(60_000);
    expect([notices, service.overview.whole().alarms]).toEqual([[], []]);
    for (let minute = 0; minute < 120; minute++) await clock.advance(60_000);
    expect(notices).toEqual([expect.stringMatching(/^raised overdue: “Documents” has no backup on “repo” yet/)]);
    expect(service.overview.whole().alarms).toEqual([expect.objectContaining({ kind: 'overdue', plan: plan.id })]);
    clock.standby(86_400_000);
    await clock.advance(120_000);
    expect(notices.slice(1)).toEqual([expect.stringMatching(/^repeated overdue/)]);
    service.startRun(plan.id, undefined, undefined);
    await until(all, 1);
    expect(notices.slice(2)).toEqual([expect.stringMatching(/^solved overdue/)]);
    expect(service.overview.whole().alarms).toEqual([]);
    await all.close();
  });

  test('a drive that is not there is waited for in calm', async () => {
    const all = await untilNoon();
    const { clock, service, folder, plan } = all;
    renameSync(join(folder, 'repo'), join(folder, 'away'));
    clock.standby(3 * 86_400_000);
    await clock.advance(300_000);
    expect(service.state.runs.list({ limit: 10 })).toEqual([]);
    expect(service.overview.planState(service.state.plan(plan.id)).waitsFor).toEqual({ by: 'drive', until: null });
    renameSync(join(folder, 'away'), join(folder, 'repo'));
    const [run] = await until(all, 1);
    expect(run).toMatchObject({ status: 'succeeded' });
    await all.close();
  });
});

test('advice comes with reasons, for the destinations that are connected', async () => {
  const service = await startService();
  const destination = await connectFolder(service);
  const wishes = { sizeBytes: 200e9, changePerDayBytes: 1e9, rpoMinutes: 1440, rtoMinutes: 240 };
  const proposal = await service.client.advice(wishes);
  expect(proposal.schedule.triggers.length).toBeGreaterThan(0);
  expect(proposal.destinations.map(({ id }) => id)).toContain(destination.id);
  expect(proposal.destinations.some(({ id }) => id === null)).toBe(true);
  for (const { text } of [...proposal.reasons, ...proposal.destinations.flatMap(({ reasons }) => reasons)])
    expect(text).toMatch(/^[A-Z].*\.$/);
  await expect(service.client.advice({ ...wishes, rpoMinutes: 0 })).rejects.toMatchObject({ code: 'request-invalid' });
});

test('files that cannot be read are listed with the run, which is no plain success', async () => {
  const service = await startService();
  const { client, folder } = service;
  const source = tree(join(folder, 'src'), { a: 'a' });
  const destination = await connectFolder(service);
  const plan = await createPlan(service, source, destination, {
    sources: [
      { kind: 'folder', path: source },
      { kind: 'folder', path: join(folder, 'missing') },
    ],
  });
  const run = await ended(service, (await client.runs.start({ plan: plan.id })).id);
  expect(run).toMatchObject({ status: 'completed-with-warnings', problems: 1 });
  expect((await client.runs.problems({ id: run.id })).problems).toEqual([
    expect.objectContaining({ path: join(folder, 'missing'), code: 'vanished' }),
  ]);
  rmSync(source, { recursive: true });
  const none = await ended(service, (await client.runs.start({ plan: plan.id })).id);
  expect(none).toMatchObject({ status: 'failed', error: { code: 'source-missing' } });
  writeFileSync(join(folder, 'missing'), 'x');
});
