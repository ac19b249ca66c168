import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/engine/retention/duration.ts';
import { checkPolicy, describePolicy, isEmptyPolicy, parsePolicy, UNLIMITED } from '../../../src/engine/retention/policy.ts';

const badUsage = expect.objectContaining({ code: 'bad-usage' });

describe('a duration', () => {
  test.each([
    ['2y5m7d3h', { years: 2, months: 5, days: 7, hours: 3 }],
    ['36h', { years: 0, months: 0, days: 0, hours: 36 }],
    ['3h2y', { years: 2, months: 0, days: 0, hours: 3 }],
    ['  14d ', { years: 0, months: 0, days: 14, hours: 0 }],
    ['0d', { years: 0, months: 0, days: 0, hours: 0 }],
  ])('“%s” is read', (text, duration) => expect(parseDuration(text)).toEqual(duration));

  test.each(['', ' ', '5', 'd', '1.5d', '1w', '1d 2h', '-1d', '1d-2h', '1m30m', '1D', '9999999999d', '１d', '0x1d', '1e3d'])(
    '“%s” is refused',
    (text) => expect(() => parseDuration(text)).toThrow(badUsage),
  );

  test('is written as it is read', () => expect(formatDuration(parseDuration('3h7d5m2y'))).toBe('2y5m7d3h'));
});

describe('a policy', () => {
  test('reads counts as text and as numbers', () =>
    expect(parsePolicy({ keepLast: '3', keepDaily: 0, keepWeekly: 'unlimited', keepYearly: -1 }).keep).toEqual({
      last: 3,
      daily: 0,
      weekly: UNLIMITED,
      yearly: UNLIMITED,
    }));

  test.each(['1.5', '-2', '', 'all', '1e1', '0x2', '99999999999999999999', 'Infinity', 'NaN', 2.5, Number.NaN])(
    'refuses the count “%s”',
    (count) => expect(() => parsePolicy({ keepDaily: count })).toThrow(badUsage),
  );

  test('names the option that is wrong', () => expect(() => parsePolicy({ keepWithinDaily: '5x' })).toThrow(/^--keep-within-daily: “5x”/));

  test('splits tags at commas and keeps the empty tag', () =>
    expect(parsePolicy({ keepTag: ['a, b', ''] }).tags).toEqual([['a', 'b'], ['']]));

  test.each([
    [{ keep: { last: 1.5 } }],
    [{ keep: { daily: -3 } }],
    [{ within: { years: 0, months: 0, days: 0.5, hours: 0 } }],
    [{ withinPeriod: { weekly: { years: -1, months: 0, days: 0, hours: 0 } } }],
  ])('that means nothing is refused: %j', (policy) => expect(() => checkPolicy(policy)).toThrow(badUsage));

  test.each([{}, { keepLast: 0 }, { keepWithin: '0h', keepWithinYearly: '0d' }, { keepTag: [] }])('%j is empty', (options) =>
    expect(isEmptyPolicy(parsePolicy(options))).toBe(true),
  );

  test.each([{ keepLast: 1 }, { keepYearly: -1 }, { keepWithin: '1h' }, { keepWithinYearly: '1d' }, { keepTag: [''] }])(
    '%j is not empty',
    (options) => expect(isEmptyPolicy(parsePolicy(options))).toBe(false),
  );

  test.each([
    [{}, 'Keep nothing.'],
    [{ keepLast: 1 }, 'Keep the latest snapshot.'],
    [{ keepLast: -1 }, 'Keep every snapshot.'],
    [
      { keepLast: 3, keepDaily: 7, keepWeekly: 'unlimited' },
      'Keep the 3 latest snapshots, the 7 daily snapshots and all weekly snapshots.',
    ],
    [
      { keepWithin: '14d', keepWithinMonthly: '1y' },
      'Keep everything within 14d of the newest and monthly snapshots within 1y of the newest.',
    ],
    [{ keepTag: ['a,b', ''] }, 'Keep everything tagged a and b and everything without tags.'],
  ])('%j is described', (options, words) => expect(describePolicy(parsePolicy(options))).toBe(words));
});
