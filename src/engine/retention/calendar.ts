/**
 * Calendar arithmetic for retention: a snapshot's time as written, the names of its hour, day, week, month and year, and "a duration
 * before".
 *
 * A snapshot's calendar fields are those of its own offset, that is, of the clock on the wall where it was made: they are read from the
 * text. Going back by years, months and days happens on that same clock: in UTC for `Z`; in the local time zone, with its changes to and
 * from summer time, when the written offset is the one that the local zone has at that instant; else at the fixed offset. This is how
 * restic (through Go's `time` package) does it, and it decides which snapshots survive around a change of the clocks.
 *
 * Everything is plain integer arithmetic on the proleptic Gregorian calendar, so no value is out of range.
 */
import { fail } from '../../contract/errors.ts';
import type { Duration } from './duration.ts';

export interface Instant {
  /** Seconds since 1970-01-01T00:00:00Z. */
  readonly seconds: number;
  readonly nanoseconds: number;
}

export interface SnapshotTime extends Instant {
  readonly year: number;
  /** 1–12 */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  /** Seconds since midnight on the clock of `offset`. */
  readonly secondOfDay: number;
  /** Seconds east of UTC. */
  readonly offset: number;
  readonly isUtc: boolean;
}

/** Seconds that local time is ahead of UTC at an instant given in seconds since 1970. */
export type OffsetAt = (seconds: number) => number;

const DAY = 86_400;

/** Days from 1970-01-01 to the first of `month` (1–12) in `year`, plus `day` − 1; `day` may be any integer. */
export function dayNumber(year: number, month: number, day: number): number {
  // Years that begin in March put the leap day last (Howard Hinnant, "chrono-compatible low-level date algorithms").
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5);
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468 + day - 1;
}

function yearOfDay(day: number): number {
  let year = 1970 + Math.floor(day / 365.2425);
  while (dayNumber(year, 1, 1) > day) year -= 1;
  while (dayNumber(year + 1, 1, 1) <= day) year += 1;
  return year;
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:(Z)|([+-])(\d\d):(\d\d))$/;

/**
 * Reads an RFC 3339 time; digits beyond nanoseconds are dropped.
 * @throws `snapshot-time-unreadable` for any other text and for dates that do not exist
 */
export function parseSnapshotTime(text: string, id: string): SnapshotTime {
  const m = rfc3339.exec(text);
  const unreadable = (): never => fail('snapshot-time-unreadable', { snapshot: id, time: text });
  if (m === null) return unreadable();
  const year = Number(m[1]);
  const month = Number(m[2]);
  const day = Number(m[3]);
  const hour = Number(m[4]);
  const minute = Number(m[5]);
  const second = Number(m[6]);
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return unreadable();
  const daysInMonth = dayNumber(month === 12 ? year + 1 : year, month === 12 ? 1 : month + 1, 1) - dayNumber(year, month, 1);
  if (day > daysInMonth) return unreadable();
  const offsetHour = Number(m[10] ?? 0);
  const offsetMinute = Number(m[11] ?? 0);
  if (offsetHour > 23 || offsetMinute > 59) return unreadable();
  const offset = (m[9] === '-' ? -1 : 1) * (offsetHour * 3600 + offsetMinute * 60);
  const secondOfDay = hour * 3600 + minute * 60 + second;
  return {
    seconds: dayNumber(year, month, day) * DAY + secondOfDay - offset,
    nanoseconds: Number((m[7] ?? '').slice(0, 9).padEnd(9, '0')),
    year,
    month,
    day,
    hour,
    secondOfDay,
    offset,
    isUtc: m[8] === 'Z',
  };
}

/** Negative when `a` is earlier than `b`, positive when later, 0 for the same nanosecond. */
export const compareInstants = (a: Instant, b: Instant): number => a.seconds - b.seconds || a.nanoseconds - b.nanoseconds;

/** A number that two times share exactly when they lie in the same hour (day, …) of their own clocks. */
export const periods = {
  hourly: (t: SnapshotTime): number => ((t.year * 100 + t.month) * 100 + t.day) * 100 + t.hour,
  daily: (t: SnapshotTime): number => (t.year * 100 + t.month) * 100 + t.day,
  weekly: isoWeek,
  monthly: (t: SnapshotTime): number => t.year * 100 + t.month,
  yearly: (t: SnapshotTime): number => t.year,
} as const;

/** ISO 8601 week: weeks begin on Monday and belong to the year that has their Thursday. */
function isoWeek(t: SnapshotTime): number {
  const day = dayNumber(t.year, t.month, t.day);
  const mondayBased = (((day + 3) % 7) + 7) % 7; // 1970-01-01 was a Thursday
  const thursday = day - mondayBased + 3;
  const year = yearOfDay(thursday);
  return year * 100 + Math.floor((thursday - dayNumber(year, 1, 1)) / 7) + 1;
}

/** The instant `duration` before `t`: years, months and days on the clock on the wall, then hours of 3600 seconds. */
export function before(t: SnapshotTime, duration: Duration, localOffset: OffsetAt): Instant {
  const monthIndex = (t.year - duration.years) * 12 + (t.month - 1) - duration.months;
  const year = Math.floor(monthIndex / 12);
  // A day that the month lacks runs over into the next month: one month before 31 March is 3 (or 2) March.
  const wall = dayNumber(year, monthIndex - year * 12 + 1, t.day - duration.days) * DAY + t.secondOfDay;
  const isLocal = !t.isUtc && localOffset(t.seconds) === t.offset;
  // A clock time that a change skips or repeats is ambiguous; Go settles it with these two look-ups.
  const offset = isLocal ? localOffset(wall - localOffset(wall)) : t.offset;
  return { seconds: wall - offset - duration.hours * 3600, nanoseconds: t.nanoseconds };
}

/** The range in which `Intl` knows time zones; instants outside take the offset of the nearer end. */
const INTL_LIMIT = 8.64e12 - DAY;

/**
 * The offsets of a time zone.
 * @param timeZone IANA name; left out: the zone of this process
 */
export function offsetsOf(timeZone?: string): OffsetAt {
  const format = new Intl.DateTimeFormat('en-US', {
    ...(timeZone === undefined ? {} : { timeZone }),
    calendar: 'gregory',
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return (seconds) => {
    const at = Math.max(-INTL_LIMIT, Math.min(INTL_LIMIT, seconds));
    const field: Record<string, string> = {};
    for (const part of format.formatToParts(at * 1000)) field[part.type] = part.value;
    const year = field.era === 'BC' ? 1 - Number(field.year) : Number(field.year);
    const days = dayNumber(year, Number(field.month), Number(field.day));
    return days * DAY + Number(field.hour) * 3600 + Number(field.minute) * 60 + Number(field.second) - at;
  };
}
