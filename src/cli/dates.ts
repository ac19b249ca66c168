/** Times for people: in the time zone of this computer, to the second. And times that people type. */
import { fail } from '../contract/errors.ts';
import { before, offsetsOf, parseSnapshotTime } from '../engine/retention/calendar.ts';
import { parseDuration } from '../engine/retention/duration.ts';
import type { Clock } from '../platform/clock.ts';
import { localTime, parseTime } from '../repository/tree/go-time.ts';

/** Nanoseconds since 1970 as `2026-01-31 12:34:56`. */
export const formatTime = (ns: bigint): string => localTime.format(ns).slice(0, 19).replace('T', ' ');

/** The same for a time as snapshots keep it; what cannot be read stays as it is. */
export function formatTimeText(text: string): string {
  const ns = parseTime(text);
  return ns === undefined ? text : formatTime(ns);
}

/** Milliseconds since 1970, in the same form. */
export const formatMoment = (ms: number): string => formatTime(BigInt(Math.round(ms)) * 1_000_000n);

/** RFC 3339, for `--json`. */
export const timeText = (ns: bigint): string => localTime.format(ns);

const dateAndTime = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?))?$/;

/**
 * Reads a moment as typed: a date, with or without a time, on the clock of this computer; RFC 3339; or a duration such as 7d, which is
 * so long ago. Nanoseconds since 1970. Throws `bad-usage` that names `option`.
 */
export function parseMoment(text: string, option: string, clock: Pick<Clock, 'now'>): bigint {
  const exact = parseTime(text);
  if (exact !== undefined) return exact;
  const local = dateAndTime.exec(text.trim());
  const wall = local && `${local[1]}T${(local[2] ?? '00:00').padEnd(8, ':00')}`;
  // Date.parse takes 30 February for 2 March.
  if (wall && parseTime(`${wall}Z`) !== undefined) return BigInt(Date.parse(wall)) * 1_000_000n;
  if (/^(\d+[ymdh])+$/.test(text.trim())) {
    const now = parseSnapshotTime(localTime.format(BigInt(clock.now()) * 1_000_000n), '');
    const { seconds, nanoseconds } = before(now, parseDuration(text, option), offsetsOf());
    return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
  }
  return fail('bad-usage', {
    problem: `${option}: “${text}” is no time.`,
    guidance: 'Write a date as 2026-01-31 or "2026-01-31 18:00", or how long ago as 7d or 1y6m.',
  });
}

/** The same as {@link parseMoment}, as snapshots keep it. */
export const parseTimeText = (text: string, option: string, clock: Pick<Clock, 'now'>): string =>
  timeText(parseMoment(text, option, clock));
