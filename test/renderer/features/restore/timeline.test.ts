import { expect, test } from 'vitest';
import { marksOf, nearest, placeOf } from '../../../../renderer/features/restore/timeline.ts';

test('a single snapshot stands at the end, and is the nearest to every place', () => {
  expect(marksOf([5], 0.01)).toEqual([{ at: 1, first: 0, last: 0 }]);
  expect([nearest([5], 0), nearest([5], 1)]).toEqual([0, 0]);
  expect(marksOf([], 0.01)).toEqual([]);
});

test('what lies too close together becomes one mark, which holds all of it', () => {
  const marks = marksOf([0, 1, 2, 500, 1000], 0.01);
  expect(marks.map(({ first, last }) => [first, last])).toEqual([
    [0, 2],
    [3, 3],
    [4, 4],
  ]);
  expect(marks.map(({ at }) => at)).toEqual([0, 0.5, 1]);
});

test('every snapshot is in exactly one mark, in order', () => {
  const times = Array.from({ length: 3000 }, (_, i) => i ** 2);
  const marks = marksOf(times, 0.004);
  expect(marks.length).toBeLessThanOrEqual(251);
  expect(marks[0]!.first).toBe(0);
  expect(marks.at(-1)!.last).toBe(2999);
  for (const [i, mark] of marks.entries()) if (i > 0) expect(mark.first).toBe(marks[i - 1]!.last + 1);
});

test('the nearest snapshot to a place is found, the later of two that are as near', () => {
  const times = [0, 100, 200, 1000];
  expect([0, 0.09, 0.16, 0.7, 1].map((place) => nearest(times, place))).toEqual([0, 1, 2, 3, 3]);
  expect(nearest([0, 10], 0.5)).toBe(1);
  expect(placeOf(50, 0, 100)).toBe(0.5);
});
