/**
 * Scrolling through more than a browser can lay out: none draws boxes of more than some ten million pixels. A list that is higher gets a box
 * of the greatest height that is safe; what is seen moves pixel by pixel with the wheel, the finger and the keys, and by the share of the way
 * where the bar is dragged. What the two disagree about meanwhile is made good when scrolling comes to rest, or to an end of the box.
 *
 * Words: *top* is where the browser has scrolled its box to, *offset* where that is in the whole list; both in pixels.
 */

/** Firefox ends at 17.9 million, Chromium and Safari at 33.5; up to 16.7 a single-precision number is exact. */
const highest = 8_000_000;

export interface Extent {
  /** Of the whole list. */
  readonly whole: number;
  /** Of the part that is seen. */
  readonly view: number;
}

export interface Position {
  readonly top: number;
  readonly offset: number;
}

/** The height of the box that the browser scrolls. */
export const boxHeight = ({ whole }: Extent): number => Math.min(whole, highest);

const mostOffset = ({ whole, view }: Extent): number => Math.max(0, whole - view);
const mostTop = (extent: Extent): number => Math.max(0, boxHeight(extent) - extent.view);
const within = (value: number, most: number): number => Math.max(0, Math.min(most, value));

/** Where the box has to be for this part of the list to be seen, and its place on the bar to be right. */
export function positionAt(offset: number, extent: Extent): Position {
  const wanted = within(offset, mostOffset(extent));
  if (extent.whole <= highest) return { top: wanted, offset: wanted };
  return { top: Math.round((wanted / mostOffset(extent)) * mostTop(extent)), offset: wanted };
}

/** After the browser has scrolled its box to `top`. */
export function scrolled({ top: before, offset }: Position, top: number, extent: Extent): Position {
  if (extent.whole <= highest) return { top, offset: within(top, mostOffset(extent)) };
  const delta = top - before;
  // A step of the wheel, the finger or a key; more than this is the bar.
  if (Math.abs(delta) <= Math.max(1000, extent.view * 2)) {
    const next = within(offset + delta, mostOffset(extent));
    // At an end of the box there is no way on: it is put where there is.
    const isAtEnd = (top <= 0 && next > 0) || (top >= mostTop(extent) && next < mostOffset(extent));
    return isAtEnd ? positionAt(next, extent) : { top, offset: next };
  }
  return { top, offset: within((top / mostTop(extent)) * mostOffset(extent), mostOffset(extent)) };
}

/** The first and the last row that are to be drawn: those that are seen and some around them. */
export function rowsAround(
  offset: number,
  { view }: Extent,
  rowHeight: number,
  count: number,
  around = 8,
): readonly [first: number, last: number] {
  const first = Math.max(0, Math.floor(offset / rowHeight) - around);
  return [first, Math.min(count - 1, Math.ceil((offset + view) / rowHeight) + around)];
}
