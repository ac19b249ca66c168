import { describe, expect, test } from 'vitest';
import type { StrategyMix } from '../../../src/contract/schedule.ts';
import { chooseStrategy, type Successes } from '../../../src/service/schedule/strategy.ts';

const ms = (text: string): number => Date.parse(`${text}Z`);
const usual: StrategyMix = { full: 'month', differential: 'week', otherwise: 'incremental' };
const done = (times: Partial<Record<keyof Successes, string>>): Successes =>
  Object.fromEntries(Object.entries(times).map(([strategy, time]) => [strategy, ms(time)]));

describe('the strategy of a run', () => {
  test.each<[string, StrategyMix, Parameters<typeof done>[0], string, string]>([
    ['is full when there is nothing yet', { otherwise: 'incremental' }, {}, '2026-01-10T12:00', 'full no-base'],
    ['is full on the first run of a month', usual, { full: '2025-12-31T23:00' }, '2026-01-01T00:10', 'full month'],
    [
      'is full until the full one of the month went well',
      usual,
      { full: '2025-12-01T10:00', incremental: '2026-01-03T10:00' },
      '2026-01-09T10:00',
      'full month',
    ],
    [
      'is differential on the first run of a week',
      usual,
      { full: '2026-01-01T10:00', incremental: '2026-01-04T10:00' },
      '2026-01-05T10:00',
      'differential week',
    ],
    ['is not differential in the week of a full one', usual, { full: '2026-01-01T10:00' }, '2026-01-04T10:00', 'incremental otherwise'],
    [
      'is incremental after this week’s differential',
      usual,
      { full: '2026-01-01T10:00', differential: '2026-01-05T10:00' },
      '2026-01-11T23:59',
      'incremental otherwise',
    ],
    [
      'is differential again on Monday',
      usual,
      { full: '2026-01-01T10:00', differential: '2026-01-05T10:00' },
      '2026-01-12T00:00',
      'differential week',
    ],
    [
      'is full, not differential, without a full one to compare with',
      { differential: 'week', otherwise: 'incremental' },
      { incremental: '2026-01-01T10:00' },
      '2026-01-12T00:00',
      'full no-base',
    ],
    ['is always what it is without periods', { otherwise: 'full' }, { full: '2026-01-01T10:00' }, '2026-01-01T11:00', 'full otherwise'],
    [
      'knows weeks over the turn of a year',
      usual,
      { full: '2026-01-01T10:00', differential: '2025-12-29T10:00' },
      '2026-01-02T10:00',
      'incremental otherwise',
    ],
    ['knows quarters', { full: 'quarter', otherwise: 'incremental' }, { full: '2026-03-31T10:00' }, '2026-04-01T10:00', 'full quarter'],
    ['knows years', { full: 'year', otherwise: 'incremental' }, { full: '2026-01-01T10:00' }, '2026-12-31T10:00', 'incremental otherwise'],
    [
      'knows days',
      { full: 'week', differential: 'day', otherwise: 'incremental' },
      { full: '2026-01-05T10:00' },
      '2026-01-06T10:00',
      'differential day',
    ],
    [
      'is not repeated because the clock went back over the end of a month',
      usual,
      { full: '2026-02-01T00:30' },
      '2026-01-31T23:00',
      'incremental otherwise',
    ],
    [
      'is full when the last full one was made by a clock years ahead',
      usual,
      { full: '2030-01-01T00:30' },
      '2026-01-31T23:00',
      'full month',
    ],
  ])('%s', (_, mix, times, now, expected) => {
    const { strategy, reason } = chooseStrategy(mix, done(times), ms(now), 'UTC');
    expect(`${strategy} ${reason.because === 'period' ? reason.period : reason.because}`).toBe(expected);
  });

  test('goes by the months of the zone', () => {
    const times = done({ full: '2026-01-15T10:00' });
    expect(chooseStrategy(usual, times, ms('2026-01-31T20:00'), 'Asia/Kathmandu').strategy).toBe('full');
    expect(chooseStrategy(usual, times, ms('2026-02-01T02:00'), 'America/New_York').strategy).toBe('differential');
  });
});
