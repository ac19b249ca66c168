/** Times for people: in the time zone of this computer, to the second. */
import { fail } from '../contract/errors.ts';
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

/**
 * A time that a person typed, as snapshots keep it: a date and a clock time of this computer's zone (`2026-01-31 12:34:56`, seconds may be
 * left out), or RFC 3339. Throws `bad-usage` that names `option`.
 */
export function parseTimeText(text: string, option: string): string {
  const exact = parseTime(text);
  if (exact !== undefined) return localTime.format(exact);
  const m = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(:\d\d)?$/.exec(text.trim());
  const local = m && `${m[1]}T${m[2]}${m[3] ?? ':00'}`;
  // Of a date that does not exist, Date makes another.
  if (!local || parseTime(`${local}Z`) === undefined)
    return fail('bad-usage', { problem: `${option}: “${text}” is no time.`, guidance: 'Write it as "2026-01-31 12:34:56".' });
  return localTime.format(BigInt(Date.parse(local)) * 1_000_000n);
}
