import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { HoldfastError } from '../../../src/contract/errors.ts';
import type { Run } from '../../../src/contract/run.ts';
import { candidatesOf, onFirstThatServes } from '../../../src/service/runs/failover.ts';
import { canMountDisks, mountMemory } from '../../support/disk.ts';
import { expectRestores, failoverScene } from '../../support/failing-over.ts';
import { Restic } from '../../support/restic.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { createPlan, ended, password, repositoryAt } from '../../support/service.ts';

const files = { docs: { 'a.txt': 'a'.repeat(5000), 'b.txt': 'b' }, 'c.bin': seededBytes(seededRandom(1), 300_000) };

/** What a run says of the destinations it went through. */
const tookOver = ({ takeovers = [] }: Run): string[] =>
  takeovers.map(({ fromName, toName, error }) => `${fromName} → ${toName}: ${error.code}`);

describe('the choice', () => {
  const plan = { destinations: ['p', 's', 't'].map((destination, i) => ({ destination, role: i === 0 ? 'primary' : 'standby' })) } as never;

  test('is the primary, then the standbys in their order; whoever names another one means that one', () => {
    expect(candidatesOf({ cause: 'schedule', destination: 'p' }, plan)).toEqual(['p', 's', 't']);
    expect(candidatesOf({ cause: 'schedule', destination: 's' }, plan)).toEqual(['p', 's', 't']);
    expect(candidatesOf({ cause: 'person', destination: 'p' }, plan)).toEqual(['p', 's', 't']);
    expect(candidatesOf({ cause: 'person', destination: 's' }, plan)).toEqual(['s']);
  });

  const attempt = (outcomes: Record<string, string | undefined>, resting: readonly string[] = []) => {
    const tried: string[] = [];
    const work = onFirstThatServes({
      plan: 'Plan',
      candidates: ['p', 's', 't'],
      nameOf: (id) => id,
      refusal: (id) => (resting.includes(id) ? new HoldfastError('destination-resting', { name: id }) : undefined),
      work: async (id, hasStandby) => {
        tried.push(hasStandby ? id : `${id} alone`);
        const code = outcomes[id];
        if (code) throw new HoldfastError(code as 'storage-full', { location: id, name: id });
        return id;
      },
      onTakeover: (from, to) => void tried.push(`${from} to ${to}`),
    }).catch((error: HoldfastError) => error.code);
    return work.then((result) => [...tried, result]);
  };

  test('passes over what has failed lately, and comes back to it when nothing else is left', async () => {
    expect(await attempt({}, ['p'])).toEqual(['p to s', 's', 's']);
    expect(await attempt({ s: 'storage-full', t: 'wrong-password' }, ['p'])).toEqual([
      'p to s',
      's',
      's to t',
      't',
      't to p',
      'p alone',
      'p',
    ]);
    expect(await attempt({}, ['p', 's', 't'])).toEqual(['p to s', 's to t', 't to p', 'p', 'p']);
  });

  test('ends with what is no fault of a place, and with all causes when every place fails', async () => {
    expect(await attempt({ p: 'source-missing' })).toEqual(['p', 'source-missing']);
    expect(await attempt({ p: 'storage-gone', s: 'storage-full', t: 'wrong-password' })).toContain('destinations-all-fail');
    const away = 'destination-not-plugged-in';
    expect((await attempt({ p: away, s: away, t: away })).at(-1)).toBe(away);
  });
});

test('the standby takes over when the primary does not answer, the person sees it, and the primary is in use again when it is back', async () => {
  const { client, backUp, proxy, source, standbys, primary, plan, primaryFolder, skip, folder } = await failoverScene(files);
  proxy.die();
  const first = await backUp();
  expect(first).toMatchObject({ status: 'succeeded', destination: standbys[0].id, destinationName: 'standby-0' });
  expect(tookOver(first)).toEqual([expect.stringMatching(/^Far → standby-0: (connection-lost|server-)/)]);
  await expectRestores(join(folder, 'standby-0'), first, source);
  const { lines } = await client.runs.log({ id: first.id, after: 0, limit: 100 });
  expect(lines.map(({ text }) => text)).toContainEqual(expect.stringContaining('“standby-0” takes over from “Far”.'));
  const standInNow = async () => (await client.state()).planStates[0].standIn;
  expect(await standInNow()).toMatchObject({ destination: standbys[0].id, insteadOf: primary.id, run: first.id });
  const reasons = async () => (await client.home.facts()).reasons.filter(({ code }) => code === 'standby-in-use');
  expect(await reasons()).toMatchObject([{ plan: plan.id, destination: standbys[0].id, detail: primary.id, level: 'attention' }]);

  proxy.revive();
  const tried = proxy.tried;
  const second = await backUp();
  expect(tookOver(second), 'it is left alone for a while').toEqual(['Far → standby-0: destination-resting']);
  expect(proxy.tried).toBe(tried);
  skip(20_000);
  const third = await backUp();
  expect(third).toMatchObject({ status: 'succeeded', destination: primary.id });
  expect(third.takeovers).toBeUndefined();
  await expectRestores(primaryFolder, third, source);
  expect([await standInNow(), await reasons()]).toEqual([undefined, []]);
});

test('wherever the primary dies in the middle of a run, the standby makes the snapshot', async () => {
  const random = seededRandom(7);
  const content = (): Buffer => seededBytes(random, 1 << 20);
  const { backUp, proxy, source, standbys, primary, primaryFolder, skip, folder } = await failoverScene({
    'a.bin': content(),
    'b.txt': 'b',
  });
  const whole = await backUp();
  expect(whole).toMatchObject({ status: 'succeeded', destination: primary.id });
  const sent = proxy.sent;
  for (let tenth = 0; tenth < 10; tenth++) {
    writeFileSync(join(source, 'a.bin'), content());
    skip(3_600_000);
    proxy.revive();
    // From the first byte to the last ones, which take the lock away.
    proxy.dieAfter = proxy.sent + Math.floor((sent * tenth) / 10) + 1;
    const run = await backUp();
    expect([run.status, run.destination], `tenth ${tenth}`).toEqual(['succeeded', standbys[0].id]);
  }
  proxy.revive();
  skip(3_600_000);
  const last = await backUp();
  expect(last).toMatchObject({ status: 'succeeded', destination: primary.id });
  await expectRestores(primaryFolder, last, source);
  skip(3_600_000);
  proxy.die();
  await expectRestores(join(folder, 'standby-0'), await backUp(), source);
});

test('a standby with another password is passed over, and so is a full one; when all fail the run says so of each', async () => {
  const scene = await failoverScene(files, 2);
  const { service, keeper, proxy, standbys, source, backUp, folder, skip, plan } = scene;
  const secret = [...keeper.kept.keys()].find((name) => name.includes(standbys[0].repository))!;
  keeper.kept.set(secret, 'not the password');
  proxy.die();
  const run = await backUp();
  expect(tookOver(run)).toEqual([expect.stringContaining('Far → standby-0'), 'standby-0 → standby-1: wrong-password']);
  expect(run).toMatchObject({ status: 'succeeded', destination: standbys[1].id });
  await expectRestores(join(folder, 'standby-1'), run, source);
  keeper.kept.set([...keeper.kept.keys()].find((name) => name.includes(standbys[1].repository))!, 'neither');
  skip(3_600_000);
  const none = await backUp();
  expect(none).toMatchObject({ status: 'failed', error: { code: 'destinations-all-fail', retryable: true } });
  for (const word of ['“Far”', '“standby-0”', '“standby-1”']) expect(none.error!.message).toContain(word);
  expect(service.scheduling.scheduler.outlook(plan.id)!.decision, 'it is tried again').toMatchObject({ do: 'wait', for: { by: 'delay' } });
});

test.runIf(canMountDisks)('a full standby is passed over', async () => {
  const { client, proxy, primary, standbys, source, ...scene } = await failoverScene(files);
  const small = mountMemory(96 << 10);
  await repositoryAt(join(small, 'repo'));
  const full = await client.destinations.connect({ name: 'Full', place: join(small, 'repo'), password });
  const plan = await createPlan({ client }, source, primary, {
    name: 'With a small one',
    destinations: [
      { destination: primary.id, role: 'primary' },
      { destination: full.id, role: 'standby' },
      { destination: standbys[0].id, role: 'standby' },
    ],
  });
  proxy.die();
  const run = await ended({ client }, (await client.runs.start({ plan: plan.id })).id);
  expect(tookOver(run)).toEqual([expect.stringContaining('Far → Full'), 'Full → standby-0: storage-full']);
  await expectRestores(join(scene.folder, 'standby-0'), run, source);
});

test('with no destination left a plan that may do so puts its snapshot on this computer, and it moves on when one is back', async () => {
  const scene = await failoverScene(files, 0, { onThisComputer: true });
  const { client, service, keeper, proxy, primary, primaryFolder, profile, source, backUp, skip } = scene;
  proxy.die();
  const run = await backUp();
  expect(run).toMatchObject({ status: 'succeeded', destination: 'this-computer', destinationName: 'This computer' });
  const here = (await client.state()).destinations.find(({ id }) => id === 'this-computer')!;
  expect(here).toMatchObject({ place: profile.ownRepository, sharesBlobs: true });
  const secret = keeper.kept.get([...keeper.kept.keys()].find((name) => name.includes(here.repository))!)!;
  await expectRestores(profile.ownRepository, run, source, secret);

  const stop = new AbortController();
  const events = await client.events({}, { signal: stop.signal });
  proxy.revive();
  skip(3_600_000);
  await service.destinations.look(primary.id);
  for await (const { event } of events)
    if (event.type === 'run' && event.run.kind === 'forget' && event.run.ended !== null) {
      expect(event.run).toMatchObject({ status: 'succeeded', destination: 'this-computer', cause: 'schedule' });
      break;
    }
  stop.abort();
  expect(await new Restic(profile.ownRepository, secret).snapshots()).toEqual([]);
  const [moved, ...others] = await new Restic(primaryFolder, password).snapshots();
  expect([moved!.original, others.length]).toEqual([run.snapshot, 0]);
  await expectRestores(primaryFolder, { ...run, snapshot: moved!.id }, source);
});

test('a primary that comes and goes every second for a minute is opened a few times, and every run makes a snapshot', async () => {
  const { backUp, proxy, skip } = await failoverScene({ a: 'a' });
  proxy.die();
  const before = proxy.tried;
  const used = new Set<string>();
  for (let second = 0; second < 60; second += 5) {
    const run = await backUp();
    expect(run.status).toBe('succeeded');
    used.add(run.destinationName);
    // Five changes later.
    skip(5_000);
    if (second % 2 === 0) proxy.revive();
    else proxy.die();
  }
  expect(used).toContain('standby-0');
  // An opening of a server that resets everything is tried a few times.
  expect(proxy.tried - before).toBeLessThan(60);
});

test('a run that a person cancels in the middle of a takeover is cancelled', async () => {
  const { client, proxy, plan, standbys, service } = await failoverScene(files);
  proxy.die();
  const { desk } = service;
  const run = await client.runs.start({ plan: plan.id });
  const events = await client.events({});
  for await (const { event } of events) {
    if (event.type !== 'run' || event.run.id !== run.id) continue;
    if (event.run.destination === standbys[0].id && event.run.ended === null) {
      desk.cancel(run.id);
      break;
    }
    if (event.run.ended !== null) break;
  }
  expect(['cancelled', 'succeeded']).toContain((await ended({ client }, run.id)).status);
});
