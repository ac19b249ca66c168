import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { instantOf, monthOf, offsetAt, wallAt, weekdayOf } from '../../../src/service/schedule/zone.ts';

const odd = [
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Asia/Kathmandu',
  'Africa/Casablanca',
  'Antarctica/Troll',
  'Atlantic/Azores',
  'America/St_Johns',
  'Europe/Berlin',
  'Pacific/Chatham',
  'UTC',
];
const seconds = (text: string): number => Date.parse(`${text}Z`) / 1000;

describe('the offsets of a zone', () => {
  // Only years that are over: what is to come changes with each edition of the time zone database, and the system's may be another.
  test.each(odd)('of %s change when the time zone database says', (zone) => {
    const lines = execFileSync('zdump', ['-V', '-c', '2020,2026', zone], { encoding: 'utf8', env: { LC_ALL: 'C' } })
      .trim()
      .split('\n');
    const rows = lines.filter((line) => line.includes('gmtoff='));
    for (const row of rows) {
      const [, month, day, time, year] = /^\S+\s+\w+ (\w+) +(\d+) ([\d:]+) (\d+) UT/.exec(row)!;
      expect([row, offsetAt(zone, Date.parse(`${month} ${day} ${year} ${time} UTC`) / 1000)]).toEqual([
        row,
        Number(/gmtoff=(-?\d+)/.exec(row)![1]),
      ]);
    }
    expect(rows.length).toBeGreaterThanOrEqual({ 'Asia/Kathmandu': 0, UTC: 0, 'Pacific/Apia': 4 }[zone] ?? 20);
  });
});

describe('the instant of a time on the wall', () => {
  /** All changes of 2020 to 2030, found by looking at each day. */
  const changes = (zone: string): number[] => {
    const found: number[] = [];
    const day = 86_400;
    for (let at = seconds('2020-01-01T00:00:00'); at < seconds('2031-01-01T00:00:00'); at += day) {
      let [low, high] = [at, at + day];
      if (offsetAt(zone, low) === offsetAt(zone, high)) continue;
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (offsetAt(zone, middle) === offsetAt(zone, at)) low = middle;
        else high = middle;
      }
      found.push(high);
    }
    return found;
  };

  test.each(odd)('in %s is the first that shows it or more, around every change of 2020 to 2030', (zone) => {
    for (const change of changes(zone)) {
      // By looking at each five minutes.
      let expected = change - 5 * 3600;
      for (let minutes = -200; minutes <= 200; minutes += 5) {
        const wall = change + offsetAt(zone, change - 1) + minutes * 60;
        const at = instantOf(zone, wall) / 1000;
        while (expected + offsetAt(zone, expected) < wall) expected += 300;
        expect([zone, wall, at]).toEqual([zone, wall, expected]);
      }
    }
  });

  test.each(odd)('in %s gives back every quarter of an hour of ordinary days', (zone) => {
    for (let at = seconds('2026-01-10T00:00:00'); at < seconds('2026-01-12T00:00:00'); at += 900) {
      expect(instantOf(zone, wallAt(zone, at * 1000))).toBe(at * 1000);
    }
  });

  test.each([
    ['a half hour that is skipped', 'Australia/Lord_Howe', '2026-10-04T02:15:00', '2026-10-03T15:30:00'],
    ['a half hour that comes twice', 'Australia/Lord_Howe', '2026-04-05T01:45:00', '2026-04-04T14:45:00'],
    ['two hours that are skipped', 'Antarctica/Troll', '2026-03-29T01:30:00', '2026-03-29T01:00:00'],
    ['a whole day that is skipped', 'Pacific/Apia', '2011-12-30T12:00:00', '2011-12-30T10:00:00'],
    ['a skipped midnight', 'Atlantic/Azores', '2026-03-29T00:00:00', '2026-03-29T01:00:00'],
    ['a quarter of an hour from UTC', 'Asia/Kathmandu', '2026-06-01T12:00:00', '2026-06-01T06:15:00'],
    ['before 1970', 'Europe/Berlin', '1960-01-01T00:00:00', '1959-12-31T23:00:00'],
  ])('knows %s', (_, zone, wall, utc) => {
    expect(new Date(instantOf(zone, seconds(wall))).toISOString()).toBe(`${utc}.000Z`);
  });
});

test('weekdays and months of days', () => {
  expect(weekdayOf(0)).toBe(3);
  expect(weekdayOf(-4)).toBe(6);
  expect(monthOf(seconds('2028-02-29T00:00:00') / 86_400)).toEqual({ year: 2028, month: 2 });
  expect(monthOf(seconds('2027-12-31T00:00:00') / 86_400)).toEqual({ year: 2027, month: 12 });
});
