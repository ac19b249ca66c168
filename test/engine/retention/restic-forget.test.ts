/** The judge: `restic forget --dry-run --json` must keep and remove the same snapshots, for the same reasons. */
import { expect, test } from 'vitest';
import { parseGroupBy, planRetention, type RetentionSnapshot } from '../../../src/engine/retention.ts';
import { parsePolicy, type RetentionOptions } from '../../../src/engine/retention/policy.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { Restic } from '../../support/restic.ts';
import { scratch } from '../../support/tree-literal.ts';
import { writeSnapshotRepository } from './snapshot-repository.ts';

interface ForgetGroup {
  host: string;
  paths: string[] | null;
  tags: string[] | null;
  keep: { id: string }[] | null;
  remove: { id: string }[] | null;
  reasons: { matches: string[] }[] | null;
}

/** A small generator, so that the same snapshots come each time. */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const two = (n: number): string => String(n).padStart(2, '0');

/** Times that lie thick around what is difficult: summer time, ends of years and ISO weeks, midnight, leap days, other offsets, the future. */
function difficultSnapshots(): Omit<RetentionSnapshot, 'id'>[] {
  const pick = sequence(20_260_102);
  const snapshots: Omit<RetentionSnapshot, 'id'>[] = [];
  const add = (time: string): void => {
    const host = ['anna', 'bert', ''][pick(3)]!;
    const paths = [['/home'], ['/home', '/etc'], ['/etc', '/home'], ['/srv/ü']][pick(4)]!;
    const tags = [undefined, ['full'], ['full', 'yearly'], ['yearly', 'full'], ['other']][pick(5)];
    // Two snapshots of a group at the same instant have no order in restic, so a fraction keeps them apart.
    const fraction = String(100_000_000 + snapshots.length * 1000 + pick(1000));
    snapshots.push({ time: time.replace('#', `.${fraction}`), hostname: host, paths, ...(tags === undefined ? {} : { tags }) });
  };
  const offsets = ['Z', '+00:00', '+01:00', '+02:00', '-05:00', '-04:00', '+05:45', '+10:30', '+11:00', '-09:30'];
  for (let i = 0; i < 80; i++) {
    const year = 2018 + pick(8);
    add(`${year}-${two(1 + pick(12))}-${two(1 + pick(28))}T${two(pick(24))}:${two(pick(60))}:${two(pick(60))}#${offsets[pick(10)]!}`);
  }
  for (const day of [
    '2020-12-31',
    '2021-01-01',
    '2021-01-03',
    '2021-01-04',
    '2024-12-29',
    '2024-12-30',
    '2024-12-31',
    '2025-01-01',
    '2024-02-29',
  ]) {
    for (const time of ['00:00:00', '23:59:59']) for (let i = 0; i < 3; i++) add(`${day}T${time}#${offsets[pick(10)]!}`);
  }
  for (const day of ['2025-03-30', '2025-10-26', '2025-03-09', '2025-11-02', '2025-04-06', '2025-10-05']) {
    for (let hour = 0; hour < 5; hour++) add(`${day}T${two(hour)}:30:00#${offsets[pick(10)]!}`);
  }
  for (let i = 0; i < 40; i++)
    add(`2025-10-${two(20 + pick(8))}T${two(pick(24))}:${two(pick(60))}:00#${['+01:00', '+02:00', '-04:00', 'Z'][pick(4)]!}`);
  add('2199-05-05T05:05:05#Z');
  add('2199-05-05T05:05:05#+02:00');
  return snapshots;
}

const policies: { options: RetentionOptions; groupBy?: string }[] = [
  { options: { keepLast: 1 } },
  { options: { keepLast: 7 }, groupBy: '' },
  { options: { keepLast: 3 }, groupBy: 'host,paths,tags' },
  { options: { keepLast: 'unlimited' } },
  { options: { keepHourly: 5 } },
  { options: { keepHourly: 30 }, groupBy: '' },
  { options: { keepDaily: 4 }, groupBy: 'host' },
  { options: { keepDaily: 1000 }, groupBy: '' },
  { options: { keepWeekly: 20 }, groupBy: '' },
  { options: { keepWeekly: 'unlimited' }, groupBy: '' },
  { options: { keepMonthly: 12 }, groupBy: 'paths' },
  { options: { keepYearly: 3 } },
  { options: { keepYearly: 'unlimited' }, groupBy: 'tags' },
  { options: { keepLast: 2, keepHourly: 4, keepDaily: 7, keepWeekly: 5, keepMonthly: 12, keepYearly: 75 } },
  { options: { keepWithin: '1y' }, groupBy: '' },
  { options: { keepWithin: '5m3d7h' }, groupBy: 'host' },
  { options: { keepWithin: '1h', keepLast: 1 } },
  { options: { keepWithin: '7m' }, groupBy: 'paths' },
  { options: { keepWithinHourly: '1m', keepLast: 1 } },
  { options: { keepWithinDaily: '6m' }, groupBy: '' },
  { options: { keepWithinWeekly: '2y1m' }, groupBy: '' },
  { options: { keepWithinMonthly: '3y' }, groupBy: 'host' },
  { options: { keepWithinYearly: '900y' }, groupBy: '' },
  { options: { keepTag: ['full', 'yearly,full'], keepLast: 1 } },
  { options: { keepTag: ['', 'other'], keepWithinDaily: '20d' }, groupBy: '' },
  { options: { keepTag: ['full,nothing'], keepDaily: 2 }, groupBy: 'tags' },
  { options: { keepDaily: 3, keepWithinMonthly: '30m', keepWithin: '200d5h', keepTag: ['full'] }, groupBy: 'host' },
];

const flags = (options: RetentionOptions): string[] =>
  Object.entries(options).flatMap(([name, value]: [string, string | number | string[]]) =>
    [value].flat().flatMap((one) => [`--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`, String(one)]),
  );

test.each(['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Europe/London', 'Asia/Kathmandu'])(
  'keeps what restic keeps, for restic’s reasons, in %s',
  async (timeZone) => {
    const dir = scratch('forget');
    const snapshots = writeSnapshotRepository(dir, 'pw', difficultSnapshots());
    const restic = new Restic(dir, 'pw');
    for (const { options, groupBy } of policies) {
      const by = groupBy ?? 'host,paths';
      const args = ['forget', '--dry-run', '--json', '--no-lock', '--group-by', by, ...flags(options)];
      const { stdout } = await restic.must(args, { env: { TZ: timeZone } });
      const judged = (JSON.parse(stdout) as ForgetGroup[]).map((group) => ({
        key: { host: group.host, paths: group.paths ?? [], tags: group.tags ?? [] },
        keep: (group.keep ?? []).map(({ id }, i) => ({ id, reasons: group.reasons![i]!.matches })),
        remove: (group.remove ?? []).map(({ id }) => id),
      }));
      const planned = planRetention(snapshots, parsePolicy(options), { now: systemClock.now(), groupBy: parseGroupBy(by), timeZone }).map(
        (group) => ({
          key: group.key,
          keep: group.keep.map(({ snapshot, reasons }) => ({ id: snapshot.id, reasons })),
          remove: group.remove.map(({ id }) => id),
        }),
      );
      const name = (group: { key: unknown }): string => JSON.stringify(group.key);
      judged.sort((a, b) => (name(a) < name(b) ? -1 : 1));
      planned.sort((a, b) => (name(a) < name(b) ? -1 : 1));
      expect({ options, by, groups: planned }).toEqual({ options, by, groups: judged });
    }
  },
);

// Each duration leads back to, or across, a change of the clocks in the zone; the newest time is written in it, in UTC or elsewhere.
test.each([
  ['Europe/Berlin', '2025-03-31T02:30:00+02:00', '1d', '2025-03-30'],
  ['Europe/Berlin', '2025-04-30T02:00:00+02:00', '1m', '2025-03-30'],
  ['Europe/Berlin', '2025-10-27T02:30:00+01:00', '1d', '2025-10-26'],
  ['Europe/Berlin', '2025-10-27T02:30:00+01:00', '1d1h', '2025-10-26'],
  ['Europe/Berlin', '2025-12-01T00:30:00Z', '2m', '2025-10-01'],
  ['Europe/Berlin', '2025-12-01T00:30:00+01:00', '2m', '2025-10-01'],
  ['Europe/Berlin', '2025-12-01T00:30:00+02:00', '2m', '2025-10-01'],
  ['Europe/London', '2025-12-01T00:30:00Z', '2m', '2025-10-01'],
  ['Europe/London', '2025-12-01T00:30:00+00:00', '2m', '2025-10-01'],
  ['Europe/London', '2025-03-31T01:30:00+01:00', '1d', '2025-03-30'],
  ['Europe/London', '2025-10-27T01:30:00+00:00', '1d', '2025-10-26'],
  ['America/New_York', '2025-03-10T02:30:00-04:00', '1d', '2025-03-09'],
  ['America/New_York', '2025-11-03T01:30:00-05:00', '1d', '2025-11-02'],
  ['Australia/Lord_Howe', '2025-10-06T02:15:00+11:00', '1d', '2025-10-05'],
  ['Australia/Lord_Howe', '2025-04-07T01:45:00+10:30', '1d', '2025-04-06'],
  ['UTC', '2024-02-29T12:00:00Z', '1y', '2023-03-01'],
])('draws the line where restic draws it: in %s, %s less %s', async (timeZone, newest, duration, day) => {
  const times = [newest];
  for (const offset of ['+14:00', 'Z', '-10:00']) {
    for (let quarter = 0; quarter < 96; quarter++) {
      // Fractions keep apart what would be the same instant, for which restic has no order.
      times.push(`${day}T${two(Math.floor(quarter / 4))}:${two((quarter % 4) * 15)}:00.${1000 + times.length}${offset}`);
    }
  }
  const dir = scratch('forget');
  const snapshots = writeSnapshotRepository(
    dir,
    'pw',
    times.map((time) => ({ time, paths: ['/p'] })),
  );
  const args = ['forget', '--dry-run', '--json', '--no-lock', '--keep-within', duration];
  const { stdout } = await new Restic(dir, 'pw').must(args, { env: { TZ: timeZone } });
  const judged = (JSON.parse(stdout) as ForgetGroup[])[0]!;
  const [planned] = planRetention(snapshots, parsePolicy({ keepWithin: duration }), { now: systemClock.now(), timeZone });
  expect(planned!.keep.map(({ snapshot }) => snapshot.id)).toEqual(judged.keep!.map(({ id }) => id));
  expect(planned!.remove.map(({ id }) => id)).toEqual(judged.remove!.map(({ id }) => id));
  expect(Math.min(planned!.keep.length, planned!.remove.length)).toBeGreaterThan(20);
});

test('refuses where restic refuses to empty a group', async () => {
  const dir = scratch('forget');
  const snapshots = writeSnapshotRepository(dir, 'pw', difficultSnapshots());
  const options = { keepTag: ['nobody'] };
  const judged = await new Restic(dir, 'pw').run(['forget', '--dry-run', '--json', '--no-lock', ...flags(options)]);
  expect(judged.code).not.toBe(0);
  expect(() => planRetention(snapshots, parsePolicy(options), { now: systemClock.now() })).toThrow(
    expect.objectContaining({ code: 'retention-empties-group' }),
  );
});
