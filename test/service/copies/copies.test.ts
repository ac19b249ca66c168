import { chmodSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { expect, onTestFinished, test } from 'vitest';
import type { DestinationView } from '../../../src/contract/destination.ts';
import type { CopyState } from '../../../src/contract/copies.ts';
import type { Plan, PlanDestination } from '../../../src/contract/plan.ts';
import type { Run } from '../../../src/contract/run.ts';
import { nextTurn } from '../../../src/platform/clock.ts';
import { hostIdentity } from '../../../src/platform/host.ts';
import { profileAt } from '../../../src/service/profile.ts';
import { attach } from '../../../src/service/rpc/client.ts';
import { Repository } from '../../../src/repository/repository.ts';
import { LocalStorage } from '../../../src/storage/local.ts';
import { hastyClock } from '../../support/hasty-clock.ts';
import { expectCleanCheck, expectSnapshotRestores } from '../../support/judge.ts';
import { noCost } from '../../support/no-cost-key.ts';
import { Restic } from '../../support/restic.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { connectFolder, createPlan, ended, password, type RunningService, startService } from '../../support/service.ts';
import { scratch, tree } from '../../support/tree-literal.ts';

/** Connects an empty repository that cuts files as the first does. */
async function connectAlike({ folder, client }: RunningService, name: string): Promise<DestinationView> {
  const [first] = (await client.state()).destinations;
  const place = join(folder, name);
  await Repository.init(new LocalStorage(place), password, hostIdentity(), hastyClock, {
    cost: noCost,
    ...(first ? { polynomial: first.polynomial } : {}),
  });
  return client.destinations.connect({ place, password });
}

interface Setting {
  readonly service: RunningService;
  readonly source: string;
  readonly places: readonly DestinationView[];
  readonly plan: Plan;
}

async function setting(
  roles: readonly (Omit<PlanDestination, 'destination'> & { readonly isOther?: boolean })[],
  more: Parameters<typeof createPlan>[3] = {},
): Promise<Setting> {
  const service = await startService();
  const source = tree(join(service.folder, 'src'), {
    'a.txt': 'as it was',
    big: seededBytes(seededRandom(1), 3_000_000),
    docs: { 'b.txt': 'b', deep: { c: 'c' } },
  });
  const places: DestinationView[] = [];
  for (const [i, { isOther }] of roles.entries())
    places.push(await (isOther ? connectFolder(service, `repo${i}`) : connectAlike(service, `repo${i}`)));
  const plan = await createPlan(service, source, places[0]!, {
    destinations: roles.map(({ isOther: _isOther, ...rest }, i) => ({ ...rest, destination: places[i]!.id })),
    ...more,
  });
  return { service, source, places, plan };
}

async function backUp({ service, plan }: Setting, destination?: DestinationView): Promise<Run> {
  const run = await service.client.runs.start({ plan: plan.id, ...(destination ? { destination: destination.id } : {}) });
  return ended(service, run.id);
}

/** The copy to a destination that has ended after `after`. */
async function copied({ service: { client } }: Pick<Setting, 'service'>, to: DestinationView, after = 0): Promise<Run> {
  const stop = new AbortController();
  const isIt = (run: Run): boolean => run.kind === 'copy' && run.id > after && run.ended !== null && run.destination === to.id;
  try {
    const events = await client.events({}, { signal: stop.signal });
    const known = (await client.runs.list({ limit: 50 })).runs.find(isIt);
    if (known) return known;
    for await (const { event } of events) if (event.type === 'run' && isIt(event.run)) return event.run;
    throw new Error('the events ended before the copy');
  } finally {
    stop.abort();
  }
}

const snapshotsOn = (place: DestinationView) => new Restic(place.place, password).snapshots();
/** How it stands once so many are owed. */
async function owing({ service, plan }: Setting, place: DestinationView, owed: number): Promise<CopyState> {
  for (;;) {
    const states = await service.client.copies.states();
    const state = states.find((each) => each.plan === plan.id && each.destination === place.id)!;
    if (state.owed === owed) return state;
  }
}
test('after each run every copy is made, moves only what is missing, restores to the byte and is clean to restic', async () => {
  const at = await setting([{ role: 'primary' }, { role: 'copy' }, { role: 'copy' }]);
  const { source, places, service } = at;
  const [primary, one, two] = places as [DestinationView, DestinationView, DestinationView];
  const first = await backUp(at);
  const copies = [await copied(at, one), await copied(at, two)];
  for (const copy of copies) {
    expect(copy).toMatchObject({ status: 'succeeded', cause: 'schedule', figures: { copied: 1 }, problems: 0 });
    expect(copy.figures!.bytesStored).toBeGreaterThan(3_000_000);
  }
  writeFileSync(join(source, 'a.txt'), 'as it is now');
  await backUp(at);
  const second = await copied(at, one, copies[0]!.id);
  expect(second.figures).toMatchObject({ copied: 1 });
  expect(second.figures!.bytesStored).toBeLessThan(copies[0]!.figures!.bytesStored / 100);
  await copied(at, two, copies[1]!.id);
  for (const place of places) {
    const restic = new Restic(place.place, password);
    await expectCleanCheck(restic);
    const held = await restic.snapshots();
    expect(held.map(({ original, id }) => original ?? id)).toEqual((await snapshotsOn(primary)).map(({ id }) => id));
    await expectSnapshotRestores(restic, held.at(-1)!.id, source);
    expect(await owing(at, place, 0)).toMatchObject({ isKnown: true, due: 0, run: null });
  }
  // All that shows snapshots knows them as the same.
  const { snapshots } = await service.client.snapshots.list({ limit: 10 });
  expect(snapshots.map(({ holders }) => holders.length)).toEqual([3, 3]);
  expect(snapshots.at(-1)!.key).toBe(first.snapshot);
  const { planStates } = await service.client.state();
  expect(Object.keys(planStates[0]!.lastSuccess).sort()).toEqual(places.map(({ id }) => id).sort());
});

test('a primary that was away for three runs is given what it lacks when it is back, and only that', async () => {
  const at = await setting([{ role: 'primary' }, { role: 'standby' }]);
  const { places, source, service } = at;
  const [primary, standby] = places as [DestinationView, DestinationView];
  await backUp(at);
  // A standby is promised nothing while the primary is there.
  await owing(at, standby, 0);
  renameSync(primary.place, `${primary.place} away`);
  expect(await service.client.destinations.look({ id: primary.id })).toMatchObject({ now: { state: 'not-plugged-in' } });
  const during: Run[] = [];
  for (const text of ['1', '2', '3']) {
    writeFileSync(join(source, 'a.txt'), text);
    during.push(await backUp(at, standby));
  }
  expect(await snapshotsOn(standby)).toHaveLength(3);
  renameSync(`${primary.place} away`, primary.place);
  await service.client.destinations.look({ id: primary.id });
  const caughtUp = await copied(at, primary);
  expect(caughtUp).toMatchObject({ status: 'succeeded', figures: { copied: 3 } });
  expect(caughtUp.figures!.bytesStored).toBeLessThan(30_000);
  const held = await snapshotsOn(primary);
  expect(held.slice(1).map(({ original }) => original)).toEqual(during.map(({ snapshot }) => snapshot));
  await expectCleanCheck(new Restic(primary.place, password));
});

test('each destination keeps its own, and what a copy would forget at once is not moved', async () => {
  const rule = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, within: null };
  const at = await setting([{ role: 'primary' }, { role: 'copy', retention: { ...rule, last: 1 } }, { role: 'copy', retention: rule }], {
    retention: { ...rule, last: 2 },
  });
  const [primary, short, long] = at.places as [DestinationView, DestinationView, DestinationView];
  let [lastShort, lastLong] = [0, 0];
  for (let i = 0; i < 4; i++) {
    writeFileSync(join(at.source, 'a.txt'), `${i}`);
    await backUp(at);
    lastShort = (await copied(at, short, lastShort)).id;
    lastLong = (await copied(at, long, lastLong)).id;
  }
  expect(await snapshotsOn(primary)).toHaveLength(2);
  expect(await snapshotsOn(short)).toHaveLength(1);
  expect(await snapshotsOn(long)).toHaveLength(4);
  // Four copies to each, and none to bring back what was forgotten.
  const { runs } = await at.service.client.runs.list({ kinds: ['copy'], limit: 50 });
  expect(runs).toHaveLength(8);
});

test('what is owed to a copy that is away stays at the primary, though its retention is over', async () => {
  const rule = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, within: null };
  const at = await setting([{ role: 'primary', retention: { ...rule, last: 1 } }, { role: 'copy' }]);
  const [primary, copy] = at.places as [DestinationView, DestinationView];
  const { client } = at.service;
  await client.destinations.look({ id: copy.id });
  renameSync(copy.place, `${copy.place} away`);
  await client.destinations.look({ id: copy.id });
  const made: Run[] = [];
  for (let i = 0; i < 3; i++) {
    writeFileSync(join(at.source, 'a.txt'), `${i}`);
    made.push(await backUp(at));
  }
  expect(await snapshotsOn(primary)).toHaveLength(3);
  const { lines } = await client.runs.log({ id: made[2]!.id });
  expect(lines.map(({ text }) => text)).toContain('2 old snapshots stay here until “repo1” can be given them.');
  expect(await owing(at, copy, 3)).toMatchObject({ due: 3 });
  renameSync(`${copy.place} away`, copy.place);
  await client.destinations.look({ id: copy.id });
  expect(await copied(at, copy)).toMatchObject({ status: 'succeeded', figures: { copied: 3 } });
  expect(await snapshotsOn(copy)).toHaveLength(3);
  // The next run lets go what is now elsewhere.
  await backUp(at);
  expect(await snapshotsOn(primary)).toHaveLength(1);
});

test('a destination that cuts files at other places is given everything anew, and says so', async () => {
  const at = await setting([{ role: 'primary' }, { role: 'copy', isOther: true }]);
  const [, copy] = at.places as [DestinationView, DestinationView];
  await backUp(at);
  const run = await copied(at, copy);
  expect(run).toMatchObject({ status: 'succeeded', figures: { copied: 1 } });
  const { lines } = await at.service.client.runs.log({ id: run.id });
  expect(lines.map(({ text }) => text).join('\n')).toContain('more has to be moved');
  const restic = new Restic(copy.place, password);
  await expectCleanCheck(restic);
  await expectSnapshotRestores(restic, 'latest', at.source);
  await owing(at, copy, 0);
});

test('a snapshot that a person has deleted from one destination is not brought back there', async () => {
  const at = await setting([{ role: 'primary' }, { role: 'copy' }]);
  const [, copy] = at.places as [DestinationView, DestinationView];
  const { client } = at.service;
  const first = await backUp(at);
  const made = await copied(at, copy);
  await client.snapshots.list({ fresh: true, limit: 1 });
  const [deletion] = await client.snapshots.delete({ snapshots: [first.snapshot!], destinations: [copy.id], allowLast: true });
  expect(await ended(at.service, deletion!.id)).toMatchObject({ status: 'succeeded' });
  writeFileSync(join(at.source, 'a.txt'), 'later');
  const second = await backUp(at);
  expect(await copied(at, copy, made.id)).toMatchObject({ figures: { copied: 1 } });
  expect((await snapshotsOn(copy)).map(({ original }) => original)).toEqual([second.snapshot]);
  await owing(at, copy, 0);
});

test('a copy with times waits for them, unless a person wants it now', async () => {
  const at = await setting([{ role: 'primary' }, { role: 'copy', schedule: [{ kind: 'monthly', days: ['last'], at: '23:59' }] }]);
  const [, copy] = at.places as [DestinationView, DestinationView];
  const { client } = at.service;
  await backUp(at);
  const state = await owing(at, copy, 1);
  expect(state).toMatchObject({ due: 0, run: null });
  expect(state.dueAt).toBeGreaterThan(state.oldest!);
  const [run] = await client.copies.start({ plan: at.plan.id });
  expect(run).toMatchObject({ kind: 'copy', cause: 'person', destination: copy.id });
  expect(await ended(at.service, run!.id)).toMatchObject({ status: 'succeeded', figures: { copied: 1 } });
  expect(await client.copies.start({ plan: at.plan.id })).toEqual([]);
});

test('what is damaged at one destination comes from another; what is damaged everywhere is named, and the rest is copied', async () => {
  const at = await setting([
    { role: 'primary' },
    { role: 'copy' },
    { role: 'copy', schedule: [{ kind: 'monthly', days: [1], at: '00:00' }] },
  ]);
  const [primary, , third] = at.places as [DestinationView, DestinationView, DestinationView];
  await backUp(at);
  await copied(at, at.places[1]!);
  // All packs of the primary are gone.
  for await (const { name } of new LocalStorage(primary.place).list('pack')) {
    const path = join(primary.place, 'data', name.slice(0, 2), name);
    chmodSync(path, 0o600);
    rmSync(path);
  }
  const [run] = await at.service.client.copies.start({ plan: at.plan.id, destination: third.id });
  expect(await ended(at.service, run!.id)).toMatchObject({ status: 'succeeded', figures: { copied: 1 } });
  await expectCleanCheck(new Restic(third.place, password));
});

test('a copy that was killed with its service goes on with the next one, and sends nothing twice that was stored', async () => {
  const folder = scratch();
  const size = 120_000_000;
  const source = tree(join(folder, 'src'), { big: seededBytes(seededRandom(3), size), a: 'a' });
  const places = [join(folder, 'repo0'), join(folder, 'repo1')];
  const first = await Repository.init(new LocalStorage(places[0]!), password, hostIdentity(), hastyClock, { cost: noCost });
  const { chunker_polynomial: polynomial } = first.config;
  await Repository.init(new LocalStorage(places[1]!), password, hostIdentity(), hastyClock, { cost: noCost, polynomial });
  const begin = async () => {
    const process = spawn(execPath, [join(import.meta.dirname, '../../support/service-process.ts'), folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void process.kill('SIGKILL'));
    await once(process.stdout, 'data');
    const attached = await attach(profileAt(join(folder, 'profile')));
    onTestFinished(attached.close);
    return { process, ...attached };
  };
  const killed = await begin();
  const [one, two] = [
    await killed.client.destinations.connect({ place: places[0]!, password }),
    await killed.client.destinations.connect({ place: places[1]!, password }),
  ];
  const plan = await createPlan(killed, source, one, {
    destinations: [
      { destination: one.id, role: 'primary' },
      { destination: two.id, role: 'copy' },
    ],
  });
  const backup = await killed.client.runs.start({ plan: plan.id });
  // A pack is stored in the copy, and its snapshot, for which all of them must be, is not.
  const packs = () =>
    readdirSync(join(two.place, 'data'), { recursive: true, withFileTypes: true }).filter(({ name }) => /^[0-9a-f]{64}$/.test(name));
  while (packs().length === 0) await nextTurn();
  killed.process.kill('SIGKILL');
  expect(readdirSync(join(two.place, 'snapshots'))).toEqual([]);
  killed.close();
  if (killed.process.signalCode === null) await once(killed.process, 'exit');
  const next = await begin();
  const at = { service: { client: next.client } as RunningService };
  const run = await copied(at, two, backup.id + 1);
  expect(run).toMatchObject({ cause: 'resumed', status: 'succeeded', figures: { copied: 1 } });
  // What is random cannot become smaller: a pack that was sent twice would lie there twice.
  expect(packs().reduce((bytes, { parentPath, name }) => bytes + statSync(join(parentPath, name)).size, 0)).toBeLessThan(size * 1.05);
  const restic = new Restic(two.place, password);
  await expectCleanCheck(restic, { unindexedPacks: true });
  await expectSnapshotRestores(restic, 'latest', source);
  next.process.kill('SIGTERM');
  await once(next.process, 'exit');
});
