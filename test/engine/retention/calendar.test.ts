import { describe, expect, test } from 'vitest';
import { before, compareInstants, offsetsOf, parseSnapshotTime, periods } from '../../../src/engine/retention/calendar.ts';
import { parseDuration } from '../../../src/engine/retention/duration.ts';

const at = (time: string) => parseSnapshotTime(time, 'id');

describe('the time of a snapshot', () => {
  test.each([
    ['1970-01-01T00:00:00Z', 0, 0],
    ['1969-12-31T23:59:59.5Z', -1, 500_000_000],
    ['2024-02-29T12:00:00.123456789+05:45', 1_709_187_300, 123_456_789],
    ['0000-01-01T00:00:00Z', -62_167_219_200, 0],
    ['9999-12-31T23:59:59.9999999999-23:59', 253_402_300_799 + 23 * 3600 + 59 * 60, 999_999_999],
  ])('%s is read', (text, seconds, nanoseconds) => expect(at(text)).toMatchObject({ seconds, nanoseconds }));

  test.each([
    '2023-02-29T00:00:00Z',
    '2023-13-01T00:00:00Z',
    '2023-00-01T00:00:00Z',
    '2023-01-00T00:00:00Z',
    '2023-04-31T00:00:00Z',
    '2023-01-01T24:00:00Z',
    '2023-01-01T00:60:00Z',
    '2023-01-01T00:00:60Z',
    '2023-01-01 00:00:00Z',
    '2023-01-01T00:00:00',
    '2023-01-01T00:00:00+24:00',
    '2023-01-01T00:00:00+01:60',
    '+2023-01-01T00:00:00Z',
    '2023-01-01T00:00:00Z\n',
    '',
  ])('“%s” is refused', (text) => expect(() => at(text)).toThrow(expect.objectContaining({ code: 'snapshot-time-unreadable' })));

  test('is compared by the instant, down to the nanosecond', () => {
    expect(compareInstants(at('2024-01-01T01:00:00+01:00'), at('2024-01-01T00:00:00Z'))).toBe(0);
    expect(compareInstants(at('2024-01-01T00:00:00.000000001Z'), at('2024-01-01T00:00:00Z'))).toBeGreaterThan(0);
  });
});

describe('the ISO week', () => {
  test.each([
    ['2020-12-31', 202_053],
    ['2021-01-03', 202_053],
    ['2021-01-04', 202_101],
    ['2024-12-29', 202_452],
    ['2024-12-30', 202_501],
    ['2025-01-01', 202_501],
    ['2016-01-03', 201_553],
    ['2018-12-31', 201_901],
    ['1970-01-01', 197_001],
    ['1968-12-30', 196_901],
  ])('of %s is %i', (day, week) => expect(periods.weekly(at(`${day}T12:00:00Z`))).toBe(week));
});

describe('a calendar period', () => {
  test('is that of the snapshot’s own clock', () => {
    const time = at('2024-12-31T23:30:00-05:00');
    expect([periods.hourly(time), periods.daily(time), periods.monthly(time), periods.yearly(time)]).toEqual([
      2_024_123_123, 20_241_231, 202_412, 2024,
    ]);
  });
});

describe('a duration before', () => {
  const berlin = offsetsOf('Europe/Berlin');
  // The hour 02:00–03:00 does not exist on 2025-03-30 in Berlin and exists twice on 2025-10-26.
  test.each([
    ['2025-03-31T02:30:00+02:00', '1d', '2025-03-30T03:30:00+02:00'],
    ['2025-03-31T12:00:00+02:00', '1d', '2025-03-30T12:00:00+02:00'],
    ['2025-03-31T12:00:00+02:00', '2d', '2025-03-29T12:00:00+01:00'],
    ['2025-03-31T12:00:00+02:00', '48h', '2025-03-29T11:00:00+01:00'],
    ['2025-10-27T02:30:00+01:00', '1d', '2025-10-26T02:30:00+01:00'],
    ['2025-10-27T12:00:00+01:00', '2d', '2025-10-25T12:00:00+02:00'],
    // Written in UTC or at an offset that Berlin did not have then: no summer time.
    ['2025-03-31T12:00:00Z', '2d', '2025-03-29T12:00:00Z'],
    ['2025-03-31T12:00:00+01:00', '2d', '2025-03-29T12:00:00+01:00'],
    ['2024-03-31T12:00:00Z', '1m', '2024-03-02T12:00:00Z'],
    ['2023-03-31T12:00:00Z', '1m', '2023-03-03T12:00:00Z'],
    ['2024-02-29T12:00:00Z', '1y', '2023-03-01T12:00:00Z'],
    ['2024-01-15T12:00:00Z', '13m', '2022-12-15T12:00:00Z'],
    ['2024-01-15T12:00:00Z', '1y1m15d12h', '2022-11-30T00:00:00Z'],
  ])('%s, %s, is %s', (time, duration, result) => {
    const { seconds, nanoseconds } = at(result);
    expect(before(at(time), parseDuration(duration), berlin)).toEqual({ seconds, nanoseconds });
  });

  test('of any length is a number', () =>
    expect(before(at('2024-01-01T00:00:00+01:00'), parseDuration('999999999y999999999m999999999d'), berlin).seconds).toBeLessThan(-3e16));
});
