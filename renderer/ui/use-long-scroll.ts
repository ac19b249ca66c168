/** The rows of a long list that are on the screen, by long-scroll.ts. */
import { useCallback, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { boxHeight, type Extent, type Position, positionAt, rowsAround, scrolled } from './long-scroll.ts';

export function useLongScroll(count: number, rowHeight: number) {
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState(0);
  const [position, setPosition] = useState<Position>({ top: 0, offset: 0 });
  const latest = useRef(position);
  const extent: Extent = useMemo(() => ({ whole: count * rowHeight, view }), [count, rowHeight, view]);
  const move = useCallback((next: Position): void => {
    latest.current = next;
    setPosition(next);
    if (scroller.current && scroller.current.scrollTop !== next.top) scroller.current.scrollTop = next.top;
  }, []);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    const look = (): void => setView(element.clientHeight);
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    const onScroll = (): void => {
      // The echo of a move of our own.
      if (element.scrollTop !== latest.current.top) move(scrolled(latest.current, element.scrollTop, extent));
    };
    const onEnd = (): void => move(positionAt(latest.current.offset, extent));
    // A list that became shorter is where it can be.
    onEnd();
    element.addEventListener('scroll', onScroll, { passive: true });
    element.addEventListener('scrollend', onEnd);
    return () => {
      element.removeEventListener('scroll', onScroll);
      element.removeEventListener('scrollend', onEnd);
    };
  }, [extent, move]);
  /** Brings a row onto the screen, by the shortest way. */
  const show = (index: number): void => {
    const { offset } = latest.current;
    const start = index * rowHeight;
    if (start < offset) move(positionAt(start, extent));
    else if (start + rowHeight > offset + view) move(positionAt(start + rowHeight - view, extent));
  };
  const [first, last] = rowsAround(position.offset, extent, rowHeight, count);
  return {
    scroller,
    height: boxHeight(extent),
    first,
    last,
    show,
    /** Where a row is in the box. */
    startOf: (index: number): number => index * rowHeight - position.offset + position.top,
  };
}
