/** The time, for everything that the interface shows. The only file of the renderer that reads a clock or waits by one. */
import { useEffect, useState } from 'react';

/** Milliseconds since 1970 (UTC). */
export const now = (): number => Date.now();

/** Calls `act` once, `ms` later. Returns the function that calls it off. */
export function after(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
}

/** The time now, read again every `everyMs` while the component is shown. */
export function useNow(everyMs = 15_000): number {
  const [time, setTime] = useState(now);
  useEffect(() => {
    const timer = setInterval(() => setTime(now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return time;
}

/** `value` as it was when it had not changed for `ms`: for what a person types. */
export function useSettled<T>(value: T, ms = 200): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => after(ms, () => setSettled(value)), [value, ms]);
  return settled;
}
