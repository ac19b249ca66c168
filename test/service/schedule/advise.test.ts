import { describe, expect, test } from 'vitest';
import { scheduleSchema } from '../../../src/contract/schedule.ts';
import { adviceText } from '../../../src/service/schedule/advice-text.ts';
import { type Advice, advise, type KnownDestination, type PlaceKind, type Wishes } from '../../../src/service/schedule/advise.ts';

const GB = 1e9;
const wishes = (part: Partial<Wishes>): Wishes => ({
  sizeBytes: 200 * GB,
  changePerDayBytes: GB,
  rpoMinutes: 1440,
  rtoMinutes: 480,
  destinations: [],
  ...part,
});
const place = (kind: PlaceKind, more: Partial<KnownDestination> = {}): KnownDestination => ({ id: kind, kind, ...more });
/** `primary external drive-away`, a `+` for one that is to be added. */
const said = (part: Partial<Wishes>): string[] =>
  advise(wishes(part)).destinations.map(
    ({ id, kind, role, reasons }) => `${id ? '' : '+'}${role} ${kind}: ${reasons.map(({ code }) => code).join(' ')}`,
  );

describe('the proposed schedule', () => {
  test.each<[string, Partial<Wishes>, string[]]>([
    ['is daily for a target of two days', { rpoMinutes: 2880 }, ['daily']],
    ['is every 12 hours for a day', { rpoMinutes: 1440 }, ['interval 720']],
    ['is every 2 hours for 5, which no step divides', { rpoMinutes: 300 }, ['interval 120']],
    ['is also by changes for an hour', { rpoMinutes: 60 }, ['interval 30', 'change 900']],
    ['is never more often than 5 minutes', { rpoMinutes: 1 }, ['interval 5', 'change 60']],
    ['is never rarer than daily', { rpoMinutes: 100_000 }, ['daily']],
  ])('%s', (_, part, expected) => {
    const { schedule } = advise(wishes({ ...part, destinations: [place('remote'), place('server')] }));
    expect(scheduleSchema.parse(schedule)).toEqual(schedule);
    expect(
      schedule.triggers.map((each) =>
        [each.kind, 'minutes' in each ? each.minutes : 'delaySeconds' in each ? each.delaySeconds : ''].join(' ').trim(),
      ),
    ).toEqual(expected);
  });

  test.each<[number, number, object]>([
    [200, 1, { full: 'month', differential: 'week', otherwise: 'incremental' }],
    [2000, 1, { full: 'quarter', differential: 'week', otherwise: 'incremental' }],
    [20_000, 1, { full: 'year', differential: 'week', otherwise: 'incremental' }],
    [200, 20, { full: 'month', otherwise: 'incremental' }],
  ])('for %d GB of which %d change a day has the strategies that fit', (size, change, expected) => {
    expect(advise(wishes({ sizeBytes: size * GB, changePerDayBytes: change * GB })).schedule.strategy).toEqual(expected);
  });

  test('starts runs when a drive arrives, if there is one, or with no place yet is to be one', () => {
    expect(advise(wishes({ destinations: [place('external')] })).schedule.triggers).toContainEqual({ kind: 'drive' });
    expect(advise(wishes({ destinations: [place('computer')] })).schedule.triggers).not.toContainEqual({ kind: 'drive' });
    expect(advise(wishes({ destinations: [] })).schedule.triggers).toContainEqual({ kind: 'drive' });
    expect(advise(wishes({ destinations: [place('server'), place('remote')] })).schedule.triggers).not.toContainEqual({ kind: 'drive' });
  });
});

describe('the proposed destinations', () => {
  test.each<[string, Partial<Wishes>, string[]]>([
    ['with none known, are a drive and a place away', {}, ['+primary external: add-fast', '+copy remote: add-off-site']],
    [
      'with the same disk only, keep it last and say why',
      { destinations: [place('computer')] },
      ['+primary external: add-fast', '+copy remote: add-off-site', 'copy computer: same-disk'],
    ],
    [
      'are the drive for getting back and the cloud for the fire',
      { destinations: [place('remote'), place('external')] },
      ['primary external: primary', 'copy remote: off-site-copy too-slow-to-restore'],
    ],
    [
      'with the cloud alone, want a drive when that is too slow',
      { destinations: [place('remote')] },
      ['primary remote: too-slow-to-restore', '+copy external: add-fast'],
    ],
    [
      'with the cloud alone, and time, want a second copy',
      { destinations: [place('remote')], rtoMinutes: 100_000 },
      ['primary remote: primary', '+copy external: add-copy'],
    ],
    [
      'with a drive alone, want a place away',
      { destinations: [place('external')] },
      ['primary external: primary', '+copy remote: add-off-site'],
    ],
    [
      'prefer what was measured as faster',
      { destinations: [place('external', { measuredRestoreBytesPerSecond: 1e6 }), place('server')] },
      ['primary server: primary', 'copy external: further-copy too-slow-to-restore', '+copy remote: add-off-site'],
    ],
    [
      'believe a measured rate before a guess',
      { destinations: [place('server'), place('remote')], measuredRestoreBytesPerSecond: 2e6 },
      ['primary server: too-slow-to-restore', 'copy remote: off-site-copy too-slow-to-restore'],
    ],
    [
      'tell of an uplink that cannot keep up',
      { destinations: [place('external'), place('remote')], changePerDayBytes: 40 * GB, uplinkBytesPerSecond: 2e5 },
      ['primary external: primary', 'copy remote: off-site-copy too-slow-to-restore too-slow-to-store'],
    ],
    [
      'tell that a drive has to be plugged in often',
      { destinations: [place('external'), place('remote')], rpoMinutes: 240 },
      ['primary external: primary drive-away', 'copy remote: off-site-copy too-slow-to-restore'],
    ],
  ])('%s', (_, part, expected) => {
    expect(said(part)).toEqual(expected);
  });

  test('are found for nothing at all, and for very much', () => {
    expect(advise(wishes({ sizeBytes: 0, changePerDayBytes: 0 })).destinations).toHaveLength(2);
    expect(said({ sizeBytes: 1e15, destinations: [place('external'), place('remote')] })).toEqual([
      'primary external: too-slow-to-restore',
      'copy remote: off-site-copy too-slow-to-restore',
    ]);
  });
});

test('every reason has a text with its figures', () => {
  const all: Advice[] = [
    { code: 'interval', rpoMinutes: 1440, intervalMinutes: 720 },
    { code: 'change-trigger', delaySeconds: 900, rpoMinutes: 60 },
    { code: 'full-period', period: 'month', fullSeconds: 2000 },
    { code: 'no-differential', weekBytes: 140e9, sizeBytes: 200e9 },
    { code: 'primary', restoreSeconds: 2000, rtoMinutes: 480 },
    { code: 'off-site-copy', firstSeconds: 200_000 },
    { code: 'further-copy' },
    { code: 'too-slow-to-restore', restoreSeconds: 40_000, rtoMinutes: 480 },
    { code: 'too-slow-to-store', runSeconds: 100_000, intervalMinutes: 720, rpoMinutes: 1440 },
    { code: 'same-disk' },
    { code: 'drive-away', rpoMinutes: 240 },
    { code: 'add-fast', restoreSeconds: 2000, rtoMinutes: 480 },
    { code: 'add-off-site', copies: 2 },
    { code: 'add-copy', copies: 1 },
  ];
  expect(all.map(adviceText)).toMatchInlineSnapshot(`
    [
      "A run every 12 hours: to lose at most 1 day, even when one run fails.",
      "Also 15 minutes after a change, since you want to lose at most 1 hour.",
      "A full run every month: it reads everything again, which takes about 33 minutes.",
      "No differential runs: 140 GB of 200 GB change in a week, so they would cost as much as full ones.",
      "The first choice: everything is back from there in about 33 minutes; you want 8 hours.",
      "A copy away from home survives fire and theft. The first run takes about 2 days.",
      "A further copy, in case the first destination fails.",
      "Getting everything back from there takes about 11 hours, longer than the 8 hours that you want.",
      "What changes in 12 hours takes about 28 hours to store, too long to lose at most 1 day.",
      "It is in this computer: it does not survive a dead disk, fire or theft.",
      "A drive must be plugged in at least every 4 hours to reach your target.",
      "Add a drive: everything is back from one in about 33 minutes; you want 8 hours.",
      "Add a place away from home: nothing of the 2 copies that there are would survive a fire there.",
      "Add a second place: with one copy that there is one failure more and everything is gone.",
    ]
  `);
});
