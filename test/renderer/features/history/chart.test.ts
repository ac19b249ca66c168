import { expect, test } from 'vitest';
import { linePath, sizePoints } from '../../../../renderer/features/history/chart.ts';

const size = (day: string, plan: string, bytes: number) =>
  ({ day, plan, destination: 'd', files: 1, bytes, bytesAdded: 0, bytesStored: 0 }) as const;

test('what several plans protect is added up, and the same plan on two destinations is counted once', () => {
  const points = sizePoints([
    size('2026-11-01', 'a', 10),
    size('2026-11-01', 'a', 10),
    size('2026-11-02', 'b', 5),
    size('2026-11-03', 'a', 20),
  ]);
  expect(points).toEqual([
    { day: '2026-11-01', bytes: 10 },
    { day: '2026-11-02', bytes: 15 },
    { day: '2026-11-03', bytes: 25 },
  ]);
});

test('the line goes from the left to the right, has a real zero, and is none for a single day', () => {
  expect(
    linePath([
      { day: '2026-11-01', bytes: 0 },
      { day: '2026-11-02', bytes: 50 },
      { day: '2026-11-05', bytes: 100 },
    ]),
  ).toBe('M0 100L25 50L100 0');
  expect(linePath([{ day: '2026-11-01', bytes: 5 }])).toBeUndefined();
  expect(linePath([])).toBeUndefined();
});
