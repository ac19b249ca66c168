import { expect, test } from 'vitest';
import { boxHeight, type Extent, type Position, positionAt, rowsAround, scrolled } from '../../../renderer/ui/long-scroll.ts';

const rowHeight = 40;
const listOf = (count: number): Extent => ({ whole: count * rowHeight, view: 600 });
const beginning: Position = { top: 0, offset: 0 };
/** The box as a browser scrolls it. */
const bounded = (top: number, extent: Extent): number => Math.max(0, Math.min(boxHeight(extent) - extent.view, top));

test('a list that a browser can lay out is scrolled by the browser alone', () => {
  const extent = listOf(200_000);
  expect(boxHeight(extent)).toBe(8_000_000);
  expect(scrolled(beginning, 7_999_400, extent)).toEqual({ top: 7_999_400, offset: 7_999_400 });
  expect(positionAt(123, extent)).toEqual({ top: 123, offset: 123 });
});

test('ten million rows fit into a box that every browser can lay out, and the bar leads to both ends', () => {
  const extent = listOf(10_000_000);
  expect(boxHeight(extent)).toBe(8_000_000);
  const end = scrolled(beginning, 8_000_000 - 600, extent);
  expect(end.offset).toBe(extent.whole - 600);
  expect(rowsAround(end.offset, extent, rowHeight, 10_000_000)[1]).toBe(9_999_999);
  expect(scrolled(end, 0, extent).offset).toBe(0);
  expect(scrolled(beginning, 4_000_000 - 300, extent).offset).toBeCloseTo(extent.whole / 2 - 300, -3);
});

test('the wheel moves them pixel by pixel from one end to the other, over every row, though the box is shorter', () => {
  const count = 300_000;
  const extent = listOf(count);
  let position = beginning;
  const met = new Set<number>();
  let steps = 0;
  for (; position.offset < extent.whole - extent.view; steps++) {
    const [first, last] = rowsAround(position.offset, extent, rowHeight, count, 0);
    for (let row = first; row <= last; row++) met.add(row);
    const before = position.offset;
    position = scrolled(position, bounded(position.top + 480, extent), extent);
    expect(position.offset - before).toBeLessThanOrEqual(480);
    expect(position.offset).toBeGreaterThan(before);
    // The hand rests now and then; what is seen stays where it is.
    if (steps % 7 === 0) {
      const rested = positionAt(position.offset, extent);
      expect(rested.offset).toBe(position.offset);
      position = rested;
    }
  }
  for (let row = rowsAround(position.offset, extent, rowHeight, count, 0)[0]; row < count; row++) met.add(row);
  expect(met.size).toBe(count);
  while (position.offset > 0) {
    const before = position.offset;
    position = scrolled(position, bounded(position.top - 480, extent), extent);
    expect(position.offset).toBeLessThan(before);
  }
  expect(position).toEqual({ top: 0, offset: 0 });
});

test('a list that became shorter is where it can be, and one without rows draws none', () => {
  expect(positionAt(5_000_000, listOf(3))).toEqual({ top: 0, offset: 0 });
  expect(rowsAround(0, listOf(0), rowHeight, 0)).toEqual([0, -1]);
});
