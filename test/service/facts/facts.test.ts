import { rmSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { usualSchedule } from '../../../src/contract/schedule.ts';
import { computerZone } from '../../../src/platform/time-zone.ts';
import { daysOf } from '../../../src/service/facts/days.ts';
import { rule321 } from '../../../src/service/facts/three-two-one.ts';
import type { RunBrief } from '../../../src/service/state/run-briefs.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { connectFolder, createPlan, ended, startService } from '../../support/service.ts';
import { tree } from '../../support/tree-literal.ts';

const hour = 3_600_000;
const day = 24 * hour;

function brief(more: Partial<RunBrief>): RunBrief {
  const ended = more.ended ?? 0;
  return {
    id: 1,
    kind: 'backup',
    plan: 'p',
    destination: 'd',
    status: 'succeeded',
    reason: null,
    created: ended,
    started: ended,
    ended,
    files: 0,
    bytes: 0,
    bytesAdded: 0,
    bytesStored: 0,
    ...more,
  };
}

test('a day is what its last backup was; one without is missed only when the target was', () => {
  const now = Date.UTC(2026, 10, 21, 18);
  const at = (date: number, hours = 12): number => Date.UTC(2026, 10, date, hours);
  const days = daysOf({
    now,
    zone: 'UTC',
    count: 8,
    since: at(15, 6),
    targetMs: 2 * day,
    runs: [
      brief({ ended: at(15) }),
      brief({ ended: at(16), status: 'completed-with-warnings' }),
      brief({ ended: at(19), status: 'failed' }),
      brief({ ended: at(21, 9), status: 'failed' }),
      brief({ ended: at(21, 10) }),
    ],
    tests: [at(16, 23)],
  });
  expect(days.map(({ day: name, state, isTested }) => `${name.slice(8)} ${state}${isTested ? ' tested' : ''}`)).toEqual([
    '14 before',
    '15 backed-up',
    '16 warning tested',
    '17 none',
    '18 missed',
    '19 failed',
    '20 missed',
    '21 backed-up',
  ]);
});

test('days are those of the zone, also where the clock is changed', () => {
  const zone = 'Europe/Berlin';
  const days = daysOf({
    now: Date.UTC(2026, 9, 26, 12),
    zone,
    count: 3,
    since: 0,
    targetMs: day,
    // 23:30 in UTC is the next day in Berlin, and the 25th has 25 hours.
    runs: [brief({ ended: Date.UTC(2026, 9, 23, 22, 30) }), brief({ ended: Date.UTC(2026, 9, 25, 22, 30) })],
    tests: [],
  });
  expect(days.map(({ day: name, backups }) => [name, backups])).toEqual([
    ['2026-10-24', 1],
    ['2026-10-25', 1],
    ['2026-10-26', 0],
  ]);
});

test('three copies on two media, one elsewhere: what is missing is named', () => {
  const at = (place: string, uuid?: string) => ({
    id: place,
    name: place,
    place,
    repository: '0'.repeat(64),
    polynomial: 'ab',
    ejectAfterRun: false,
    ...(uuid ? { volume: { uuid, pathWithin: '' } } : {}),
  });
  expect(rule321([])).toMatchObject({ copies: 1, media: 1, offSite: 0, isMet: false, missing: ['copy', 'medium', 'off-site'] });
  expect(rule321([at('/backup')])).toMatchObject({ copies: 2, media: 1, missing: ['copy', 'medium', 'off-site'] });
  expect(rule321([at('/media/blue', 'u1'), at('/backup')])).toMatchObject({ copies: 3, media: 2, missing: ['off-site'] });
  expect(rule321([at('/media/blue', 'u1'), at('s3:https://s3.example.com/b/p')])).toMatchObject({ isMet: true, missing: [] });
});

test('the first screen says what is wrong, and the one thing to do', async () => {
  const clock = new FakeClock();
  const service = await startService({ clock });
  const { client, folder } = service;
  expect(await client.home.facts()).toMatchObject({ state: 'empty', action: { code: 'create-plan' }, plans: [] });
  const source = tree(join(folder, 'src'), { a: 'a' });
  const destination = await connectFolder(service);
  const plan = await createPlan(service, source, destination, { targets: { rpoMinutes: 60, rtoMinutes: null } });
  await client.plans.setEnabled({ id: plan.id, enabled: false });
  expect(await client.home.facts()).toMatchObject({ state: 'attention', action: { code: 'switch-on', plan: plan.id } });
  await client.plans.setEnabled({ id: plan.id, enabled: true });
  expect((await client.home.facts()).plans).toMatchObject([
    { state: 'fine', lastBackup: null, lastTest: null, rpo: { destinations: [{ lastAt: null, isWithin: false }] } },
  ]);
  await service.close();
});

test('a backup makes all fine but for the kit; a failed one and a pause are said', async () => {
  const service = await startService();
  const { client, folder } = service;
  const source = tree(join(folder, 'src'), { a: 'a'.repeat(10_000) });
  const destination = await connectFolder(service);
  const plan = await createPlan(service, source, destination);
  const run = await ended(service, (await client.runs.start({ plan: plan.id })).id);
  const facts = await client.home.facts();
  expect(facts).toMatchObject({
    state: 'attention',
    reasons: [{ code: 'kit-not-saved', destination: destination.id, action: { code: 'save-kit' } }],
    destinationsCurrent: 1,
    destinationsWanted: 1,
    lastBackupAt: run.started,
    plans: [{ plan: plan.id, lastBackup: { run: run.id, files: 2 }, rpo: { destinations: [{ lastAt: run.started, isWithin: true }] } }],
  });
  expect(facts.plans[0].days).toHaveLength(30);
  expect(facts.plans[0].days.at(-1)).toMatchObject({ state: 'backed-up', backups: 1 });
  expect(facts.plans[0].days[0].state).toBe('before');
  rmSync(source, { recursive: true });
  const failed = await ended(service, (await client.runs.start({ plan: plan.id })).id);
  await client.pause.set({ for: { minutes: 60 } });
  const after = await client.home.facts();
  expect(after.reasons.map(({ code }) => code)).toEqual(['last-failed', 'paused', 'kit-not-saved']);
  expect(after.action).toMatchObject({ code: 'look-at-run', run: failed.id });
  renameSync(join(folder, 'repo'), join(folder, 'away'));
  writeFileSync(join(folder, 'repo'), 'no folder');
  await client.destinations.look({ id: destination.id });
  expect((await client.home.facts()).reasons.map(({ code }) => code)).toContain('destination-failing');
  const history = await client.history.figures({});
  expect(history.rates[0]).toMatchObject({ days: 7, backups: { succeeded: 1, withWarnings: 0, failed: 1 } });
  expect(history.sizes).toMatchObject([{ plan: plan.id, destination: destination.id, files: 2 }]);
  expect(history.durations.map((each) => each.run)).toEqual([run.id, failed.id]);
  // Midnight may have passed between the two.
  expect(history.calendar.map(({ succeeded }) => succeeded).reduce((sum, each) => sum + each, 0)).toBe(1);
  expect(history.calendar.at(-1)).toMatchObject({ failed: 1, withWarnings: 0, newest: failed.id });
});

test('the retention as typed says of every snapshot why it stays, by the rules that the backup goes by', async () => {
  const service = await startService();
  const { client, folder } = service;
  const source = tree(join(folder, 'src'), { a: 'a' });
  const destination = await connectFolder(service);
  const plan = await createPlan(service, source, destination);
  const made: string[] = [];
  for (let i = 0; i < 4; i++) made.push((await ended(service, (await client.runs.start({ plan: plan.id })).id)).snapshot!);
  await client.snapshots.annotate({ snapshot: made[0], pinned: true });
  const none = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, within: null };
  const rules = async (retention?: object) =>
    (await client.previews.retention({ plan: plan.id, ...(retention ? { retention: { ...none, ...retention } } : {}) })).rows.map(
      ({ reasons }) => reasons.map(({ rule, isOldest }) => (isOldest ? `oldest ${rule}` : rule)).join(),
    );
  expect(await rules()).toEqual(['all', 'all', 'all', 'all']);
  expect(await rules({ last: 1 })).toEqual(['last', '', '', 'pinned']);
  expect(await rules({ last: 1, within: '1d' })).toEqual(['within,last', 'within', 'within', 'pinned']);
  expect(await rules({ daily: 2 })).toEqual(['daily', '', 'oldest daily', 'pinned']);
  const page = await client.previews.retention({ plan: plan.id, retention: { ...none, last: 1 }, after: 1, limit: 2 });
  expect(page).toMatchObject({ kept: 2, removed: 2 });
  expect(page.rows).toHaveLength(2);
});

test('the next times of a schedule come as data, with window and strategies', async () => {
  const service = await startService();
  const { client } = service;
  const schedule = {
    ...usualSchedule,
    triggers: [
      { kind: 'daily' as const, at: '12:00' },
      { kind: 'change' as const, delaySeconds: 900 },
    ],
    zone: 'Europe/Berlin',
  };
  const preview = await client.previews.schedule({ schedule });
  expect(preview).toMatchObject({ zone: 'Europe/Berlin', untimed: [1], window: null });
  expect(preview.times).toHaveLength(5);
  expect(preview.times[0]).toMatchObject({ trigger: 0, strategy: 'full' });
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit', minute: '2-digit' });
  for (const { at, begins } of preview.times) expect([clock.format(at), begins]).toEqual(['12:00', at]);
  const days = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
  const windowed = await client.previews.schedule({
    schedule: { ...schedule, triggers: [{ kind: 'interval', minutes: 60 }], window: [{ days: [...days], from: '22:00', to: '24:00' }] },
    count: 4,
  });
  for (const { begins } of windowed.times) expect(['22:00', '23:00']).toContain(clock.format(begins));
  expect(new Set(windowed.times.map(({ begins }) => begins)).size).toBe(4);
  expect((await client.previews.schedule({ schedule: { ...schedule, triggers: [] } })).times).toEqual([]);
  expect(computerZone()).not.toBe('');
});
