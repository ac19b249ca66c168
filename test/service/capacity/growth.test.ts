import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forecastOf, growthOf, monthDays, monthMs, type SizePoint } from '../../../src/service/capacity/growth.ts';
import { seededRandom } from '../../support/seeded.ts';

const day = 86_400_000;
const start = Date.UTC(2026, 0, 1);
const series = (days: number, bytesOn: (day: number) => number): SizePoint[] =>
  Array.from({ length: days }, (_, i) => ({ at: start + i * day, bytes: bytesOn(i) }));

describe('growth', () => {
  test('of a straight line is its slope', () => {
    const growth = growthOf(series(60, (i) => 5e9 + i * 1e8))!;
    expect(growth.likely).toBeCloseTo(1e8 * monthDays, 0);
    expect(growth.low).toBeCloseTo(0.8 * 1e8 * monthDays, 0);
    expect(growth.high).toBeCloseTo(1.2 * 1e8 * monthDays, 0);
    expect(growth.days).toBe(59);
  });

  test('is not known from less than two weeks, or from four measurements', () => {
    expect(growthOf([])).toBeNull();
    expect(growthOf(series(14, (i) => i))).toBeNull();
    expect(growthOf(series(15, (i) => i))).not.toBeNull();
    expect(growthOf(series(60, (i) => i).filter((_, i) => i % 15 === 0))).toBeNull();
  });

  test('a prune and a large import do not move it', () => {
    const growth = growthOf(series(60, (i) => 5e9 + i * 1e8 + (i === 20 ? 9e9 : 0) - (i === 40 ? 4e9 : 0)))!;
    expect(growth.likely).toBeCloseTo(1e8 * monthDays, -3);
  });

  test('what runs add and a prune takes back each week is no growth', () => {
    const growth = growthOf(series(90, (i) => 50e9 + (i % 7) * 1e9))!;
    expect(Math.abs(growth.likely)).toBeLessThan(1e9);
    expect(growth.low).toBeLessThanOrEqual(0);
  });

  test('the first backup of another plan is a step, no growth', () => {
    const points = series(60, (i) => 5e9 + i * 1e8 + (i >= 30 ? 80e9 : 0));
    expect(growthOf(points, [{ at: start + 30 * day, bytes: 80e9 }])!.likely).toBeCloseTo(1e8 * monthDays, 0);
    expect(growthOf(points)!.likely).toBeGreaterThan(10 * 1e8 * monthDays);
  });

  test('only the last half year counts', () => {
    const growth = growthOf(series(720, (i) => (i < 540 ? i * 1e9 : 540e9)))!;
    expect(growth.likely).toBe(0);
  });

  test('the band holds the true growth of noisy sizes nine times of ten', () => {
    let held = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const random = seededRandom(seed);
      const { low, high } = growthOf(series(45, (i) => 100e9 + i * 2e8 + (random() - 0.5) * 4e9))!;
      if (low <= 2e8 * monthDays && high >= 2e8 * monthDays) held += 1;
    }
    expect(held).toBeGreaterThanOrEqual(88);
  });

  test('whatever the sizes are, the likely growth lies within its band', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1e12 }), { minLength: 15, maxLength: 60 }), (sizes) => {
        const { likely, low, high } = growthOf(series(sizes.length, (i) => sizes[i]))!;
        expect(low).toBeLessThanOrEqual(likely);
        expect(high).toBeGreaterThanOrEqual(likely);
      }),
      { numRuns: 100, seed: 7 },
    );
  });
});

describe('a forecast', () => {
  const now = start;
  const growth = { likely: 20e9, low: 10e9, high: 40e9, days: 60 };

  test('is the room by the growth, with the earliest and the latest time', () => {
    expect(forecastOf(growth, 100e9, now)).toEqual({
      state: 'about',
      at: now + 5 * monthMs,
      earliest: now + 2.5 * monthMs,
      latest: now + 10 * monthMs,
    });
  });

  test('has no latest time where it may not grow at all', () => {
    expect(forecastOf({ ...growth, low: -1 }, 100e9, now)).toMatchObject({ state: 'about', latest: null });
  });

  test('says why there is none', () => {
    expect(forecastOf(null, 100e9, now)).toEqual({ state: 'unknown' });
    expect(forecastOf(growth, null, now)).toEqual({ state: 'no-limit' });
    expect(forecastOf({ likely: 0, low: -1, high: 1, days: 60 }, 1e9, now)).toEqual({ state: 'steady' });
    expect(forecastOf(growth, 20e9 * 121, now)).toEqual({ state: 'far' });
    expect(forecastOf(null, 0, now)).toEqual({ state: 'about', at: now, earliest: now, latest: now });
  });
});
