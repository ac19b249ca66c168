import { describe, expect, test } from 'vitest';
import { type Schedule, type Trigger, weekdays } from '../../../src/contract/schedule.ts';
import { checkSchedule } from '../../../src/service/schedule/cron.ts';
import { nextDue, nextOf } from '../../../src/service/schedule/next-due.ts';

const ms = (text: string): number => Date.parse(`${text}Z`);
const text = (at: number | undefined): string | undefined => (at === undefined ? undefined : new Date(at).toISOString().slice(0, 16));
const schedule = (...triggers: Trigger[]): Schedule => ({
  triggers,
  strategy: { otherwise: 'incremental' },
  conditions: { onBattery: 'always', onMetered: true },
  zone: 'computer',
});

/** The next occurrences after `after`, all in UTC. */
function following(trigger: Trigger, zone: string, after: string, count: number): (string | undefined)[] {
  const found: (string | undefined)[] = [];
  for (let at: number | undefined = ms(after); found.length < count && at !== undefined; )
    found.push(text((at = nextOf(trigger, at, zone))));
  return found;
}

const daily = (at: string): Trigger => ({ kind: 'daily', at });
const cron = (expression: string): Trigger => ({ kind: 'cron', expression });

describe('the next times of', () => {
  test.each<[string, Trigger, string, string, (string | undefined)[]]>([
    ['a day', daily('12:00'), 'Europe/Berlin', '2026-01-10T11:00', ['2026-01-11T11:00', '2026-01-12T11:00']],
    ['a day, just before', daily('12:00'), 'Europe/Berlin', '2026-01-10T10:59:59.999', ['2026-01-10T11:00', '2026-01-11T11:00']],
    ['a day whose time is skipped', daily('02:30'), 'Europe/Berlin', '2026-03-28T12:00', ['2026-03-29T01:00', '2026-03-30T00:30']],
    ['a day whose time comes twice', daily('02:30'), 'Europe/Berlin', '2026-10-24T12:00', ['2026-10-25T00:30', '2026-10-26T01:30']],
    ['a day, asked between the two', daily('02:30'), 'Europe/Berlin', '2026-10-25T00:45', ['2026-10-26T01:30']],
    ['a day of half an hour more', daily('02:15'), 'Australia/Lord_Howe', '2026-10-03T00:00', ['2026-10-03T15:30', '2026-10-04T15:15']],
    ['a midnight that is skipped', daily('00:00'), 'Atlantic/Azores', '2026-03-28T12:00', ['2026-03-29T01:00', '2026-03-30T00:00']],
    [
      'a day that does not exist',
      daily('12:00'),
      'Pacific/Apia',
      '2011-12-29T12:00',
      ['2011-12-29T22:00', '2011-12-30T10:00', '2011-12-30T22:00'],
    ],
    [
      'days of the week',
      { kind: 'weekly', days: ['monday', 'friday'], at: '08:00' },
      'UTC',
      '2026-01-01T00:00',
      ['2026-01-02T08:00', '2026-01-05T08:00', '2026-01-09T08:00'],
    ],
    [
      'a month with a leap day',
      { kind: 'monthly', days: [29], at: '10:00' },
      'UTC',
      '2028-01-30T00:00',
      ['2028-02-29T10:00', '2028-03-29T10:00'],
    ],
    [
      'a month without it',
      { kind: 'monthly', days: [29], at: '10:00' },
      'UTC',
      '2027-01-30T00:00',
      ['2027-02-28T10:00', '2027-03-29T10:00'],
    ],
    [
      'the ends of months',
      { kind: 'monthly', days: ['last'], at: '23:59' },
      'UTC',
      '2026-01-31T23:59',
      ['2026-02-28T23:59', '2026-03-31T23:59', '2026-04-30T23:59'],
    ],
    [
      '30, 31 and last, once where they are one day',
      { kind: 'monthly', days: [31, 30, 'last'], at: '01:00' },
      'UTC',
      '2026-02-01T00:00',
      ['2026-02-28T01:00', '2026-03-30T01:00', '2026-03-31T01:00', '2026-04-30T01:00'],
    ],
    [
      'the turn of a year',
      { kind: 'monthly', days: [1], at: '00:00' },
      'Asia/Kathmandu',
      '2026-12-15T00:00',
      ['2026-12-31T18:15', '2027-01-31T18:15'],
    ],
    ['a quarter of an hour', { kind: 'interval', minutes: 15 }, 'UTC', '2026-01-01T00:07', ['2026-01-01T00:15', '2026-01-01T00:30']],
    [
      'six hours, from midnight on the wall',
      { kind: 'interval', minutes: 360 },
      'Asia/Kathmandu',
      '2026-01-01T00:00',
      ['2026-01-01T00:15', '2026-01-01T06:15', '2026-01-01T12:15', '2026-01-01T18:15'],
    ],
    [
      'six hours on a day of 25',
      { kind: 'interval', minutes: 360 },
      'Europe/Berlin',
      '2026-10-24T21:00',
      ['2026-10-24T22:00', '2026-10-25T04:00', '2026-10-25T10:00', '2026-10-25T16:00', '2026-10-25T22:00', '2026-10-25T23:00'],
    ],
    [
      'half an hour through one that comes twice',
      { kind: 'interval', minutes: 30 },
      'Europe/Berlin',
      '2026-10-25T00:00',
      ['2026-10-25T00:30', '2026-10-25T01:00', '2026-10-25T01:30', '2026-10-25T02:00'],
    ],
    [
      'seven hours, which no day is made of',
      { kind: 'interval', minutes: 420 },
      'Europe/Berlin',
      '1970-01-01T00:00',
      ['1970-01-01T07:00', '1970-01-01T14:00', '1970-01-01T21:00', '1970-01-02T04:00'],
    ],
    [
      'cron at a fixed hour that is skipped',
      cron('30 2 * * *'),
      'Europe/Berlin',
      '2026-03-28T12:00',
      ['2026-03-29T01:00', '2026-03-30T00:30'],
    ],
    [
      'cron at a fixed hour that comes twice',
      cron('15,45 2 * * *'),
      'Europe/Berlin',
      '2026-10-24T12:00',
      ['2026-10-25T00:15', '2026-10-25T00:45', '2026-10-26T01:15'],
    ],
    ['cron, asked in the second of two hours', cron('45 2 * * *'), 'Europe/Berlin', '2026-10-25T01:10', ['2026-10-26T01:45']],
    [
      'cron that passes through an hour that comes twice',
      cron('*/30 * * * *'),
      'Europe/Berlin',
      '2026-10-25T00:00',
      ['2026-10-25T00:30', '2026-10-25T01:00', '2026-10-25T01:30', '2026-10-25T02:00'],
    ],
    [
      'cron that passes over an hour that is skipped',
      cron('20 * * * *'),
      'Europe/Berlin',
      '2026-03-28T23:30',
      ['2026-03-29T00:20', '2026-03-29T01:20'],
    ],
    ['cron at the moment of a change', cron('0 * * * *'), 'Europe/Berlin', '2026-03-29T00:10', ['2026-03-29T01:00', '2026-03-29T02:00']],
    [
      'cron of half hours',
      cron('*/30 * * * *'),
      'Australia/Lord_Howe',
      '2026-10-03T14:40',
      ['2026-10-03T15:00', '2026-10-03T15:30', '2026-10-03T16:00'],
    ],
    ['cron on leap days', cron('0 12 29 2 *'), 'UTC', '2026-01-01T00:00', ['2028-02-29T12:00', '2032-02-29T12:00']],
    ['cron on last days', cron('0 12 L * *'), 'UTC', '2026-01-31T12:00', ['2026-02-28T12:00']],
    ['cron on weekdays or days', cron('0 12 13 * FRI'), 'UTC', '2026-02-06T12:00', ['2026-02-13T12:00', '2026-02-20T12:00']],
    ['cron that never comes', cron('0 12 30 2 *'), 'UTC', '2026-01-01T00:00', [undefined]],
    ['a login', { kind: 'login' }, 'UTC', '2026-01-01T00:00', [undefined]],
  ])('%s', (_, trigger, zone, after, expected) => {
    expect(following(trigger, zone, after, expected.length)).toEqual(expected);
  });

  test('several triggers are the first of them, and the same instant is one', () => {
    const both = schedule({ kind: 'drive' }, daily('12:00'), { kind: 'weekly', days: [...weekdays], at: '12:00' }, daily('11:00'));
    expect(nextDue(both, ms('2026-01-01T10:00'), 'UTC')).toEqual({ at: ms('2026-01-01T11:00'), trigger: 3 });
    expect(nextDue(both, ms('2026-01-01T11:00'), 'UTC')).toEqual({ at: ms('2026-01-01T12:00'), trigger: 1 });
    expect(nextDue(both, ms('2026-01-01T12:00'), 'UTC')?.at).toBe(ms('2026-01-02T11:00'));
    expect(nextDue(schedule(), ms('2026-01-01T12:00'), 'UTC')).toBeUndefined();
  });

  test.each<[string, Trigger]>([
    ['days', daily('02:30')],
    ['nights', daily('00:10')],
    ['quarters of an hour', { kind: 'interval', minutes: 15 }],
    ['days of months', { kind: 'monthly', days: [1, 31], at: '02:15' }],
    ['cron with a fixed hour', cron('*/20 1-3 * * *')],
    ['cron for every hour', cron('50 */2 * * *')],
  ])('%s always move on, and never miss a day, in odd zones at every change', (_, trigger) => {
    for (const zone of ['Australia/Lord_Howe', 'Antarctica/Troll', 'Africa/Casablanca', 'Atlantic/Azores', 'America/Sao_Paulo']) {
      for (const month of ['2026-02', '2026-03', '2026-04', '2026-09', '2026-10']) {
        let at = ms(`${month}-28T00:00`);
        const longest = trigger.kind === 'monthly' ? 32 : 1.2;
        for (let i = 0; i < (trigger.kind === 'interval' ? 200 : 20); i++) {
          const next = nextOf(trigger, at, zone)!;
          expect(next).toBeGreaterThan(at);
          expect(next - at).toBeLessThan(longest * 86_400_000);
          // Nothing lies between.
          expect(nextOf(trigger, Math.floor((at + next) / 2), zone)).toBe(next);
          at = next;
        }
      }
    }
  });
});

describe('a cron expression', () => {
  const now = ms('2026-01-01T00:00');
  test('that can be read and comes is accepted', () => {
    expect(() => checkSchedule(schedule(cron('*/5 8-17 * * 1-5'), daily('12:00')), now)).not.toThrow();
  });
  test.each([
    ['61 * * * *', 'cannot be read'],
    ['* * * FOO *', 'cannot be read'],
    ['0 12 31 2 *', 'names a time that never comes'],
  ])('%s is refused with words', (expression, words) => {
    expect(() => checkSchedule(schedule(cron(expression)), now)).toThrow(
      expect.objectContaining({ code: 'bad-usage', message: expect.stringContaining(words) }),
    );
  });
});
