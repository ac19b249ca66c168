import { expect, test } from 'vitest';
import type { SizeSample } from '../../../../src/contract/capacity.ts';
import { growthPaths } from '../../../../renderer/features/capacity/chart.ts';

const monthMs = 30.4375 * 86_400_000;
const sample = (at: number, bytes: number): SizeSample => ({ day: '2026-11-21', at, bytes, packs: 1, snapshots: 1, freeBytes: null });

test('one measurement is no line', () => {
  expect(growthPaths({ samples: [], growth: null })).toBeUndefined();
  expect(growthPaths({ samples: [sample(0, 1)], growth: null })).toBeUndefined();
});

test('what was measured fills the box; zero is at the bottom', () => {
  const { measured, expected } = growthPaths({ samples: [sample(0, 50), sample(1, 100)], growth: null })!;
  expect([measured, expected]).toEqual(['M0 50L100 0', undefined]);
});

test('what is expected goes on for three months, within its band', () => {
  const growth = { likely: 20, low: -100, high: 50, days: 90 };
  const { measured, expected } = growthPaths({ samples: [sample(0, 0), sample(3 * monthMs, 50)], growth })!;
  // 200 is the most that it can be.
  expect(measured).toBe('M0 100L50 75');
  expect(expected).toEqual({ line: 'M50 75L100 45', band: 'M50 75L100 0L100 100Z', at: 6 * monthMs, bytes: 110 });
});
