/** The marker of a chart: which of its points is told about. It stands at the newest until somebody moves it. */
import { useState } from 'react';

/** @param xs where the points are, from 0 at the left to 100 at the right, in order */
export function useMarker(xs: readonly number[]) {
  const newest = xs.length - 1;
  const [chosen, setChosen] = useState<number>();
  const index = Math.min(chosen ?? newest, newest);
  const pressed = (event: React.KeyboardEvent): void => {
    const big = Math.max(1, Math.round(xs.length / 10));
    const to = {
      ArrowLeft: index - 1,
      ArrowDown: index - 1,
      ArrowRight: index + 1,
      ArrowUp: index + 1,
      PageDown: index - big,
      PageUp: index + big,
      Home: 0,
      End: newest,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setChosen(Math.max(0, Math.min(newest, to)));
  };
  const moved = (event: React.PointerEvent): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const wanted = ((event.clientX - left) / width) * 100;
    const away = xs.map((x) => Math.abs(x - wanted));
    setChosen(away.indexOf(Math.min(...away)));
  };
  return { index, handlers: { onKeyDown: pressed, onPointerMove: moved, onPointerLeave: () => setChosen(undefined) } };
}
