import { describe, expect, test } from 'vitest';
import {
  dayCells,
  dayState,
  durationPoints,
  placed,
  scaleEnd,
  sizePoints,
  speedPoints,
  weeks,
} from '../../../../renderer/features/history/chart.ts';

const size = (day: string, plan: string, bytes: number) =>
  ({ day, plan, destination: 'd', files: 1, bytes, bytesAdded: 0, bytesStored: 0 }) as const;
const noon = (day: string): number => new Date(`${day}T12:00:00`).getTime();
const day = (text: string, succeeded: number, withWarnings = 0, failed = 0) =>
  ({ day: text, succeeded, withWarnings, failed, restored: 0, newest: 1 }) as const;

test('what several plans protect is added up, and the same plan on two destinations is counted once', () => {
  const points = sizePoints([
    size('2026-11-01', 'a', 10),
    size('2026-11-01', 'a', 10),
    size('2026-11-02', 'b', 5),
    size('2026-11-03', 'a', 20),
  ]);
  expect(points).toEqual([
    { at: noon('2026-11-01'), value: 10 },
    { at: noon('2026-11-02'), value: 15 },
    { at: noon('2026-11-03'), value: 25 },
  ]);
});

test('backups that made a snapshot have a duration, restores that took a time have a speed', () => {
  const run = { run: 1, plan: 'p', destination: 'd', at: 5, seconds: 4, bytes: 100 } as const;
  const durations = [
    { ...run, kind: 'backup', status: 'succeeded' },
    { ...run, kind: 'backup', status: 'failed' },
    { ...run, kind: 'restore', status: 'completed-with-warnings' },
    { ...run, kind: 'drill', status: 'succeeded', seconds: 0 },
    { ...run, kind: 'drill', status: 'succeeded', bytes: null },
  ] as const;
  expect(durationPoints([...durations])).toEqual([{ at: 5, value: 4 }]);
  expect(speedPoints([...durations])).toEqual([{ at: 5, value: 25 }]);
});

test('points go from the left to the right by their time, with a real zero', () => {
  const points = [
    { at: 0, value: 0 },
    { at: 1, value: 50 },
    { at: 4, value: 100 },
  ];
  expect(placed(points, 100)).toEqual([
    { x: 0, y: 100 },
    { x: 25, y: 50 },
    { x: 100, y: 0 },
  ]);
  expect(placed([{ at: 3, value: 5 }], 10)).toEqual([{ x: 100, y: 50 }]);
  expect(placed([], 10)).toEqual([]);
});

test('a scale ends at a number that people count with', () => {
  expect([scaleEnd(0, 'count'), scaleEnd(7, 'count'), scaleEnd(11, 'count')]).toEqual([4, 10, 20]);
  expect([scaleEnd(0, 'seconds'), scaleEnd(61, 'seconds'), scaleEnd(100_000, 'seconds')]).toEqual([1, 120, 172_800]);
  expect([scaleEnd(0, 'bytes'), scaleEnd(3e9, 'bytes'), scaleEnd(4.1e9, 'bytes')]).toEqual([1, 4e9, 5e9]);
});

describe('the calendar', () => {
  // A Wednesday.
  const now = noon('2026-11-18');
  const calendar = [day('2026-10-26', 1), day('2026-11-15', 2, 1), day('2026-11-16', 3, 0, 1), day('2026-11-18', 0, 0, 2)];

  test('goes from a Monday to today, over the change of summer time, with every day once', () => {
    const cells = dayCells(calendar, now, 8);
    expect(cells).toHaveLength(7 * 7 + 3);
    expect([cells[0]!.day, cells.at(-1)!.day]).toEqual(['2026-09-28', '2026-11-18']);
    expect(new Set(cells.map((cell) => cell.day)).size).toBe(cells.length);
    expect(cells.find((cell) => cell.day === '2026-11-15')?.of).toBe(calendar[1]);
  });

  test('says of a day how it went: what failed and was then done is a warning', () => {
    expect([undefined, ...calendar].map((each) => dayState(each))).toEqual(['none', 'backed-up', 'warning', 'warning', 'failed']);
  });

  test('is added up by weeks, which begin on Mondays', () => {
    const all = weeks(calendar, now, 3);
    expect(all).toEqual([
      { at: noon('2026-11-02'), succeeded: 0, withWarnings: 0, failed: 0 },
      { at: noon('2026-11-09'), succeeded: 2, withWarnings: 1, failed: 0 },
      { at: noon('2026-11-16'), succeeded: 3, withWarnings: 0, failed: 3 },
    ]);
  });
});
