import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { localOffset, type OffsetAt, parseTime, TimeFormat, ZERO_TIME_NS } from '../../../src/repository/tree/go-time.ts';

const utc = new TimeFormat(() => 0);
const always = (minutes: number): TimeFormat => new TimeFormat(() => minutes);
const seconds = (n: number | bigint): bigint => BigInt(n) * 1_000_000_000n;

/** The local time of `zone`, as it is while the test runs there. */
function inZone(zone: string): TimeFormat {
  vi.stubEnv('TZ', zone);
  return new TimeFormat(localOffset);
}

describe('the text of a time', () => {
  it('leaves out trailing zeros of the fraction', () => {
    expect(utc.format(0n)).toBe('1970-01-01T00:00:00Z');
    expect(utc.format(1n)).toBe('1970-01-01T00:00:00.000000001Z');
    expect(utc.format(120_000_000n)).toBe('1970-01-01T00:00:00.12Z');
    expect(utc.format(1_600_000_000_999_999_999n)).toBe('2020-09-13T12:26:40.999999999Z');
  });

  it('counts backwards before 1970', () => {
    expect(utc.format(-1n)).toBe('1969-12-31T23:59:59.999999999Z');
    expect(utc.format(seconds(-1))).toBe('1969-12-31T23:59:59Z');
    expect(utc.format(-1_500_000_000n)).toBe('1969-12-31T23:59:58.5Z');
    expect(utc.format(seconds(-2_147_483_648))).toBe('1901-12-13T20:45:52Z');
  });

  it('goes on after 2038 and 2262', () => {
    expect(utc.format(seconds(2_147_483_648))).toBe('2038-01-19T03:14:08Z');
    expect(utc.format(seconds(17_179_869_184n) + 5n)).toBe('2514-05-30T01:53:04.000000005Z');
    expect(utc.format(seconds(253_402_300_799n))).toBe('9999-12-31T23:59:59Z');
  });

  it('has the sign and minutes of the offset, and Z where it is zero', () => {
    expect(always(345).format(0n)).toBe('1970-01-01T05:45:00+05:45');
    expect(always(-210).format(0n)).toBe('1969-12-31T20:30:00-03:30');
    expect(always(-44).format(0n)).toBe('1969-12-31T23:16:00-00:44');
    expect(always(840).format(1n)).toBe('1970-01-01T14:00:00.000000001+14:00');
  });

  it('has the offset that held at that instant', () => {
    const amsterdam = inZone('Europe/Amsterdam');
    expect(amsterdam.format(seconds(1_711_846_799))).toBe('2024-03-31T01:59:59+01:00');
    expect(amsterdam.format(seconds(1_711_846_800))).toBe('2024-03-31T03:00:00+02:00');
    expect(amsterdam.format(seconds(1_729_990_799))).toBe('2024-10-27T02:59:59+02:00');
    expect(amsterdam.format(seconds(1_729_990_800))).toBe('2024-10-27T02:00:00+01:00');
    expect(inZone('Asia/Kathmandu').format(seconds(504_901_800))).toBe('1986-01-01T00:15:00+05:45');
    expect(inZone('America/St_Johns').format(seconds(1_720_000_000))).toBe('2024-07-03T07:16:40-02:30');
    expect(inZone('Europe/London').format(seconds(1_705_000_000))).toBe('2024-01-11T19:06:40Z');
  });

  it('keeps the instant where the offset was no whole minute', () => {
    const johns = inZone('America/St_Johns');
    expect(johns.format(seconds(-2_147_483_648))).toBe('1901-12-13T17:15:52-03:30');
    expect(parseTime(johns.format(seconds(-2_147_483_648)))).toBe(seconds(-2_147_483_648));
  });

  // Each was compared with what restic 0.18 stored for a file of that time on a file system with 64-bit seconds.
  it.each<[number | bigint, string, string, string]>([
    [253_402_300_799n, '9999-12-31T23:59:59Z', '9999-12-31T20:29:59-03:30', '9999-01-01T12:59:59+13:00'],
    [253_402_300_800n, '9999-01-01T00:00:00Z', '9999-12-31T20:30:00-03:30', '9999-01-01T13:00:00+13:00'],
    [253_407_398_400n, '9999-03-01T00:00:00Z', '9999-02-28T20:30:00-03:30', '9999-03-01T13:00:00+13:00'],
    [253_533_582_400n, '9999-02-28T11:06:40Z', '9999-02-28T07:36:40-03:30', '9999-03-01T00:06:40+13:00'],
    [1_000_000_000_000n, '9999-09-27T01:46:40Z', '9999-09-26T23:16:40-02:30', '9999-09-27T13:46:40+13:00'],
    [100_000_000_000_000n, '9999-11-07T09:46:40Z', '9999-11-07T06:16:40-03:30', '9999-11-07T22:46:40+13:00'],
    [1_000_000_000_000_007n, '9999-07-05T01:46:47Z', '9999-07-04T23:16:47-02:30', '9999-07-05T13:46:47+12:00'],
  ])('brings the year of second %s to 9999', (second, inUtc, inJohns, inAuckland) => {
    expect(inZone('UTC').format(seconds(second))).toBe(inUtc);
    expect(inZone('America/St_Johns').format(seconds(second))).toBe(inJohns);
    expect(inZone('Pacific/Auckland').format(seconds(second))).toBe(inAuckland);
  });

  it.each<[number | bigint, string]>([
    [-62_135_596_799n, '0001-01-01T00:00:01Z'],
    [-62_167_219_200n, '0000-01-01T00:00:00Z'],
    [-62_167_219_201n, '0000-12-31T23:59:59Z'],
    [-1_000_000_000_000n, '0000-04-05T22:13:20Z'],
    [-100_000_000_000_005n, '0000-02-24T14:13:15Z'],
  ])('brings the year of second %s to 0', (second, text) => {
    expect(utc.format(seconds(second))).toBe(text);
  });

  it("writes Go's zero time in UTC everywhere, even next to times of the same second", () => {
    const here = always(60);
    expect(here.format(ZERO_TIME_NS + 1n)).toBe('0001-01-01T01:00:00.000000001+01:00');
    expect(here.format(ZERO_TIME_NS)).toBe('0001-01-01T00:00:00Z');
    expect(here.format(ZERO_TIME_NS + 2n)).toBe('0001-01-01T01:00:00.000000002+01:00');
  });

  it('means the same instant when read again, in any zone and order', () => {
    const jumping: OffsetAt = (ms) => [0, 60, -210, 345, 840, -720][Math.abs(Math.floor(ms / 3_600_000)) % 6];
    const format = new TimeFormat(jumping);
    fc.assert(
      fc.property(fc.bigInt(-62_167_100_000n * 10n ** 9n, 253_402_200_000n * 10n ** 9n), (ns) => {
        expect(parseTime(format.format(ns))).toBe(ns);
        expect(parseTime(format.format(ns + 1n))).toBe(ns + 1n);
      }),
      { numRuns: 1000 },
    );
  });

  it('always is a time that can be read, however far away', () => {
    const format = always(-210);
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 90n), 2n ** 90n), (ns) => {
        expect(parseTime(format.format(ns))).toBeTypeOf('bigint');
      }),
    );
  });

  it('agrees with JavaScript between the years 0 and 9999', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_167_219_200, max: 253_402_300_799 }), (second) => {
        fc.pre(seconds(second) !== ZERO_TIME_NS);
        expect(utc.format(seconds(second))).toBe(new Date(second * 1000).toISOString().replace('.000Z', 'Z'));
      }),
    );
  });
});

describe('reading a time', () => {
  it('takes fractions of any length and cuts them to nanoseconds', () => {
    expect(parseTime('1970-01-01T00:00:00.5Z')).toBe(500_000_000n);
    expect(parseTime('1970-01-01T00:00:00.123456789999+00:00')).toBe(123_456_789n);
    expect(parseTime('1970-01-01T05:45:01+05:45')).toBe(1_000_000_000n);
    expect(parseTime('1969-12-31T20:30:00-03:30')).toBe(0n);
    expect(parseTime('2024-02-29T00:00:00Z')).toBe(seconds(1_709_164_800));
    expect(parseTime('0000-01-01T00:00:00+23:59')).toBe(seconds(-62_167_219_200n - 86_340n));
    expect(parseTime('1970-01-01T00:00:00-00:00')).toBe(0n);
  });

  it.each([
    '',
    '1970-01-01',
    '1970-01-01T00:00:00',
    '1970-01-01t00:00:00Z',
    '1970-01-01T00:00:00z',
    '1970-01-01 00:00:00Z',
    '1970-13-01T00:00:00Z',
    '1970-00-01T00:00:00Z',
    '1970-01-00T00:00:00Z',
    '1970-01-32T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '1970-01-01T24:00:00Z',
    '1970-01-01T00:60:00Z',
    '1970-01-01T00:00:60Z',
    '1970-01-01T00:00:00.Z',
    '1970-01-01T00:00:00,5Z',
    '1970-01-01T00:00:00+24:00',
    '1970-01-01T00:00:00+00:60',
    '1970-01-01T00:00:00+0000',
    '1970-01-01T00:00:00+00:00 ',
    '1970-01-01T00:00:00Z0',
    '+1970-01-01T00:00:00Z',
    '19700-01-01T00:00:00Z',
    '1970-1-01T00:00:00.0Z',
    '197x-01-01T00:00:00Z',
    '1970:01:01T00-00-00Z',
  ])('refuses %j', (text) => {
    expect(parseTime(text)).toBeUndefined();
  });
});
