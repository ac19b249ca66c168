/** Dragging the rows of a list into another order with the mouse, the pen or a finger. */
import { useRef, useState } from 'react';

/** `onMove` is told when a row is let go at another one's place. */
export function useDragOrder(onMove: (from: number, to: number) => void) {
  const list = useRef<HTMLOListElement>(null);
  const [drag, setDrag] = useState<{ readonly from: number; readonly to: number }>();
  const start = (from: number, event: React.PointerEvent<HTMLElement>): void => {
    if (event.button !== 0) return;
    const handle = event.currentTarget;
    let to = from;
    handle.setPointerCapture(event.pointerId);
    setDrag({ from, to });
    const moved = ({ clientY }: PointerEvent): void => {
      const rows = [...(list.current?.children ?? [])].map((row) => row.getBoundingClientRect());
      // Those whose middle is above the pointer come before, the dragged one left out.
      to = rows.filter(({ top, height }, index) => index !== from && clientY > top + height / 2).length;
      setDrag({ from, to });
    };
    const end = ({ type }: Event): void => {
      handle.removeEventListener('pointermove', moved);
      for (const each of ['pointerup', 'pointercancel'] as const) handle.removeEventListener(each, end);
      setDrag(undefined);
      if (type === 'pointerup') onMove(from, to);
    };
    handle.addEventListener('pointermove', moved);
    for (const each of ['pointerup', 'pointercancel'] as const) handle.addEventListener(each, end);
  };
  return { list, start, from: drag?.from, to: drag?.to };
}
