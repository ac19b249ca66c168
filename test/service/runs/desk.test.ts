import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HoldfastError } from '../../../src/contract/errors.ts';
import type { Run } from '../../../src/contract/run.ts';
import { usualSchedule } from '../../../src/contract/schedule.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { profileAt } from '../../../src/service/profile.ts';
import { attach } from '../../../src/service/rpc/client.ts';
import { hostIdentity } from '../../../src/platform/host.ts';
import { Lock } from '../../../src/repository/locks.ts';
import { Repository } from '../../../src/repository/repository.ts';
import { errorOf } from '../../../src/service/runs/work.ts';
import type { PlanState } from '../../../src/service/schedule/plan-state.ts';
import { StateStore } from '../../../src/service/state/store.ts';
import { LocalStorage } from '../../../src/storage/local.ts';
import { canMountDisks, fillDisk, mountMemory } from '../../support/disk.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { holdingClock } from '../../support/holding-clock.ts';
import {
  connectFolder,
  createPlan,
  ended,
  password,
  quickClock,
  type RunningService,
  type ServiceSetup,
  startService,
} from '../../support/service.ts';
import { scratch, tree } from '../../support/tree-literal.ts';

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

const twoPlans = async (service: Pick<RunningService, 'folder' | 'client'>) => {
  const source = tree(join(service.folder, 'src'), { a: 'a'.repeat(1000) });
  const destination = await connectFolder(service);
  const plans = [await createPlan(service, source, destination), await createPlan(service, source, destination, { name: 'Other' })];
  return { destination, plans, start: (i: number): Promise<Run> => service.client.runs.start({ plan: plans[i].id }) };
};

/** A service whose runs end only after `release`. */
const startHeld = async (more: ServiceSetup = {}) => {
  const { clock, release } = holdingClock(more.clock ?? quickClock);
  const service = await startService({ ...more, clock });
  onTestFinished(release);
  return { ...service, release };
};

test('of five that start one plan at the same moment one does', async () => {
  const service = await startHeld();
  const { start } = await twoPlans(service);
  const answers = await Promise.all(Array.from({ length: 5 }, () => codeOf(start(0))));
  expect(answers.toSorted()).toEqual(['done', ...Array.from({ length: 4 }, () => 'run-at-work')]);
});

test('a run that waits can be paused, begins when it is resumed, and one that is cancelled never begins', async () => {
  const service = await startHeld();
  const { client, release } = service;
  const { start } = await twoPlans(service);
  const first = await start(0);
  await client.runs.pause({ id: first.id });
  expect((await client.runs.get({ id: first.id })).status).toBe('paused');
  const second = await start(1);
  expect(second.status).toBe('running');
  await client.runs.pause({ id: second.id });
  await client.runs.resume({ id: first.id });
  await client.runs.pause({ id: first.id });
  await client.runs.pause({ id: first.id });
  await client.runs.cancel({ id: second.id });
  // It may have ended by now.
  expect(['done', 'run-ended']).toContain(await codeOf(client.runs.cancel({ id: second.id })));
  release();
  expect(await ended(service, second.id)).toMatchObject({ status: 'cancelled', error: { code: 'cancelled' } });
  expect(await codeOf(client.runs.cancel({ id: second.id }))).toBe('run-ended');
  await client.runs.resume({ id: first.id });
  expect(await ended(service, first.id)).toMatchObject({ status: 'succeeded' });
});

test('a run that is resumed while its destination serves another waits for it', async () => {
  const service = await startHeld();
  const { client, release } = service;
  const { start } = await twoPlans(service);
  const first = await start(0);
  await client.runs.pause({ id: first.id });
  const second = await start(1);
  await Promise.all([client.runs.resume({ id: first.id }), client.runs.get({ id: first.id })]);
  const working: number[] = [];
  const stop = new AbortController();
  const events = await client.events({}, { signal: stop.signal });
  release();
  const all = Promise.all([ended(service, first.id), ended(service, second.id)]).then((runs) => {
    stop.abort();
    return runs;
  });
  for await (const { event } of events) {
    if (event.type === 'state') working.push(...event.state.runs.filter(({ status }) => status === 'running').map(({ id }) => id));
    else if (event.type === 'run' && event.run.status === 'running') working.push(event.run.id);
    else if (event.type === 'run' && event.run.ended !== null) working.splice(working.indexOf(event.run.id), 1);
    expect(working.length).toBeLessThan(2);
    if (event.type === 'run' && event.run.id === first.id && event.run.ended !== null) break;
  }
  expect((await all).map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
});

test('a pause of everything ends without letting go on what a person has paused', async () => {
  const service = await startHeld();
  const { client, release, service: inner } = service;
  const { start } = await twoPlans(service);
  const { id } = await start(0);
  inner.desk.pause(id, 'scheduler');
  await client.runs.pause({ id });
  inner.desk.resume(id, 'scheduler');
  expect((await client.runs.get({ id })).status).toBe('paused');
  release();
  await client.runs.resume({ id });
  expect((await ended(service, id)).status).toBe('succeeded');
});

test.runIf(canMountDisks)('while the disk of the state is full a run ends well, which is stored when there is space again', async () => {
  const [folder, elsewhere] = [mountMemory(16 << 20), scratch()];
  const sleep = (ms: number, signal?: AbortSignal) => systemClock.sleep(Math.min(ms, 50), signal);
  const service = await startHeld({ folder, clock: { ...quickClock, sleep } });
  const { client, release } = service;
  const { start, destination } = await twoPlans({ ...service, folder: elsewhere });
  const [{ id }, { id: waiting }] = [await start(0), await start(1)];
  fillDisk(folder, 0);
  release();
  while (readdirSync(join(destination.place, 'snapshots')).length === 0) await systemClock.sleep(10);
  while (!service.notes.join().includes('could not be read or written')) await systemClock.sleep(10);
  expect((await client.state()).runs.map(({ status }) => status)).toEqual(['running', 'waiting']);
  rmSync(join(folder, 'filling'));
  expect(await ended(service, id)).toMatchObject({ status: 'succeeded', attempt: 1 });
  expect(await ended(service, waiting)).toMatchObject({ status: 'succeeded' });
});

/** A service in a process of its own. One that is held ends no run. */
const begin = async (folder: string, isHeld = false) => {
  const program = join(import.meta.dirname, '../../support/service-process.ts');
  const child = spawn(process.execPath, [program, folder, ...(isHeld ? ['held'] : [])], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  onTestFinished(kill);
  await once(child.stdout, 'data');
  return { client: (await attach(profileAt(join(folder, 'profile')))).client, folder, kill };
};

test('what a person has said of runs holds when the service is killed', async () => {
  const folder = scratch();
  const before = await begin(folder, true);
  const source = tree(join(folder, 'src'), { a: 'a'.repeat(1000) });
  const ids: number[] = [];
  for (const name of ['paused', 'cancelled', 'other']) {
    const plan = await createPlan(before, source, await connectFolder(before, name), { name });
    ids.push((await before.client.runs.start({ plan: plan.id })).id);
  }
  await before.client.runs.pause({ id: ids[0] });
  await before.client.runs.cancel({ id: ids[1] });
  await before.kill();
  const { client } = await begin(folder);
  const { runs } = await client.runs.list({});
  const statuses = (name: string) => runs.filter(({ planName }) => planName === name).map(({ status }) => status);
  expect(statuses('cancelled')).toEqual(['cancelled']);
  expect(statuses('paused')).toEqual(['paused', 'interrupted']);
  const [paused] = runs.filter(({ planName }) => planName === 'paused');
  await client.runs.resume({ id: paused.id });
  expect(await ended({ client }, paused.id)).toMatchObject({ status: 'succeeded', cause: 'resumed' });
});

test('a run that the schedule began and a person has paused waits for a person, also when the service is killed, twice', async () => {
  const folder = scratch();
  const before = await begin(folder, true);
  const source = tree(join(folder, 'src'), { a: 'a'.repeat(1000) });
  const schedule = { ...usualSchedule, triggers: [{ kind: 'change' as const, delaySeconds: 5 }] };
  const { id: plan } = await createPlan(before, source, await connectFolder(before), { schedule });
  let runs: Run[] = [];
  while (runs[0]?.status !== 'running') {
    writeFileSync(join(source, 'b'), `${runs.length}`);
    await systemClock.sleep(50);
    ({ runs } = await before.client.runs.list({}));
  }
  const [{ id, cause }] = runs;
  expect(cause).toBe('changes');
  await before.client.runs.pause({ id });
  await before.kill();
  for (const expected of [
    ['paused', 'interrupted'],
    ['paused', 'interrupted', 'interrupted'],
  ]) {
    const after = await begin(folder);
    // What changes meanwhile is for the one that waits.
    const now = (await after.client.runs.list({ plan })).runs.filter(({ status }) => status !== 'skipped');
    expect(now.map(({ status }) => status)).toEqual(expected);
    if (expected.length === 2) await after.kill();
    else {
      await after.client.runs.resume({ id: now[0].id });
      expect(await ended(after, now[0].id)).toMatchObject({ status: 'succeeded', cause: 'resumed' });
    }
  }
});

test('snapshots of a removed plan on a destination that another program uses are told as such, not as out of reach', async () => {
  const service = await startService();
  const { start, plans } = await twoPlans(service);
  await ended(service, (await start(0)).id);
  const repository = await Repository.open(new LocalStorage(join(service.folder, 'repo')), password);
  const lock = await Lock.acquire(repository, { ...hostIdentity(), pid: process.pid }, false, quickClock);
  const removed = await service.client.plans.remove({ id: plans[0].id, data: 'forget' });
  expect(removed).toEqual({ snapshotsForgotten: 0, notReached: [], inUse: ['repo'] });
  await lock.release();
});

describe('when the service was killed between the end of a run and what its schedule noted of it', () => {
  /** A plan whose schedule says that its run works, and a run that has ended so. */
  const killedAfter = async (status: 'succeeded' | 'failed') => {
    const clock = new FakeClock(new Date(2026, 4, 5, 12, 0, 1).getTime());
    const first = await startService({ clock });
    const { folder, keeper, service } = first;
    const source = tree(join(folder, 'src'), { a: 'a' });
    const schedule = { ...usualSchedule, triggers: [{ kind: 'daily' as const, at: '12:00' }] };
    const plan = await createPlan(first, source, await connectFolder(first), { schedule });
    await clock.advance(1000);
    const name = `schedule ${plan.id}`;
    const state = service.state.recall(name) as PlanState;
    await first.close();
    const store = new StateStore(first.profile.stateFile, clock);
    store.remember(name, { ...state, running: { since: clock.now(), reason: { kind: 'change' }, strategy: 'full' } });
    const { id, name: planName, destinations } = plan;
    const facts = { kind: 'backup', planName, destinationName: 'repo', cause: 'changes', strategy: 'full', attempt: 1 } as const;
    const run = store.runs.add({ ...facts, plan: id, destination: destinations[0].destination, created: clock.now() });
    const error = status === 'failed' ? { error: errorOf(new HoldfastError('storage-gone', { location: folder })) } : {};
    store.runs.end(run.id, { status, started: clock.now(), ended: clock.now(), ...error }, 0);
    store.close();
    const second = await startService({ folder, keeper, clock });
    return { ...second, clock, plan, run };
  };

  test('one that succeeded is not run again', async () => {
    const { clock, service, close } = await killedAfter('succeeded');
    await clock.advance(3_600_000);
    expect(service.state.runs.list({ limit: 10 })).toHaveLength(1);
    await close();
  });

  test('one that failed is tried again after its pause, as a second try', async () => {
    const { clock, service, run, close } = await killedAfter('failed');
    await clock.advance(110_000);
    expect(service.state.runs.list({ limit: 10 })).toHaveLength(1);
    let runs: Run[] = [];
    while (runs.length < 2 || runs[0].ended === null) {
      await clock.advance(1000);
      await systemClock.sleep(2);
      runs = service.state.runs.list({ limit: 10 });
    }
    expect(runs[0]).toMatchObject({ cause: 'retry', attempt: 2, status: 'succeeded' });
    expect(runs[0].created - run.created).toBeGreaterThanOrEqual(120_000);
    await close();
  });
});
