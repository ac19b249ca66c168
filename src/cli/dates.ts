/** Times for people: in the time zone of this computer, to the second. */
import { localTime, parseTime } from '../repository/tree/go-time.ts';

/** Nanoseconds since 1970 as `2026-01-31 12:34:56`. */
export const formatTime = (ns: bigint): string => localTime.format(ns).slice(0, 19).replace('T', ' ');

/** The same for a time as snapshots keep it; what cannot be read stays as it is. */
export function formatTimeText(text: string): string {
  const ns = parseTime(text);
  return ns === undefined ? text : formatTime(ns);
}

/** RFC 3339, for `--json`. */
export const timeText = (ns: bigint): string => localTime.format(ns);
