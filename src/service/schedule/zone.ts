/**
 * The clock on the wall of a time zone, by `Intl` (Node 24 has no `Temporal`).
 *
 * Local times are counted like instants, in seconds since 1970-01-01T00:00:00 on that clock (*wall seconds*), so that days and times of
 * day are plain arithmetic. From wall seconds to an instant there is one rule: **the first instant at which that clock shows this time
 * or a later one**. A time that is skipped thereby means the moment at which the gap ends, and one that comes twice means the first.
 */
import { dayNumber, offsetsOf, type OffsetAt } from '../../engine/retention/calendar.ts';

export const DAY = 86_400;
const HOUR = 3600;
const HALF_DAY = DAY / 2;

/** No zone is or was further from UTC, in seconds; both with something to spare. */
const farthestEast = 16 * HOUR;
const farthestWest = 16 * HOUR;

/**
 * Asking `Intl` takes 10 µs and more, and every look at a schedule asks for hundreds of instants near each other. So offsets are kept by
 * half days: no zone has changed its clocks twice in one since 1970, so that one with the same offset at both ends has no other.
 */
class Offsets {
  readonly #exact: OffsetAt;
  /** Half days since 1970 to their offset; NaN where it changes. */
  readonly #halfDays = new Map<number, number>();

  constructor(zone: string) {
    this.#exact = offsetsOf(zone);
  }

  at(seconds: number): number {
    const halfDay = Math.floor(seconds / HALF_DAY);
    let offset = this.#halfDays.get(halfDay);
    if (offset === undefined) {
      const begin = this.#exact(halfDay * HALF_DAY);
      offset = begin === this.#exact((halfDay + 1) * HALF_DAY) ? begin : Number.NaN;
      if (this.#halfDays.size >= mostHalfDays) this.#halfDays.clear();
      this.#halfDays.set(halfDay, offset);
    }
    return Number.isNaN(offset) ? this.#exact(seconds) : offset;
  }
}

const known = new Map<string, Offsets>();
/** Few zones are ever used at a time. */
const mostKnown = 16;
const mostHalfDays = 2000;

/**
 * Seconds that the clock of `zone` (an IANA name) is ahead of UTC at an instant in seconds since 1970.
 * @throws RangeError when there is no such zone
 */
export function offsetAt(zone: string, seconds: number): number {
  let offsets = known.get(zone);
  if (offsets === undefined) {
    offsets = new Offsets(zone);
    if (known.size >= mostKnown) known.clear();
    known.set(zone, offsets);
  }
  return offsets.at(seconds);
}

/** What the clock of `zone` shows at the instant `ms` (since 1970), in wall seconds, rounded down. */
export function wallAt(zone: string, ms: number): number {
  const seconds = Math.floor(ms / 1000);
  return seconds + offsetAt(zone, seconds);
}

/** The first instant, in milliseconds since 1970, at which the clock of `zone` shows `wall` seconds or more. */
export function instantOf(zone: string, wall: number): number {
  let before = wall - farthestEast;
  const end = wall + farthestWest;
  let offset = offsetAt(zone, before);
  // The common case: nothing changes anywhere near.
  if (offsetAt(zone, end) === offset && offsetAt(zone, wall - offset) === offset && offsetAt(zone, wall) === offset)
    return (wall - offset) * 1000;
  while (before < end) {
    const next = Math.min(before + HOUR, end);
    const change = offsetAt(zone, next) === offset ? next : firstChange(zone, before, next, offset);
    if (wall - offset < change) return (wall - offset) * 1000;
    // The clock was short of `wall` until now; a leap forward may take it there.
    offset = offsetAt(zone, change);
    if (change + offset >= wall) return change * 1000;
    before = change;
  }
  return (wall - offset) * 1000;
}

/** The first second after `before` whose offset is not `offset`, given that the one of `after` is not. */
function firstChange(zone: string, before: number, after: number, offset: number): number {
  let [low, high] = [before, after];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(zone, middle) === offset) low = middle;
    else high = middle;
  }
  return high;
}

/** The number of the day that `wall` is in, since 1970-01-01. */
export const dayOf = (wall: number): number => Math.floor(wall / DAY);

/** 0 for Monday to 6 for Sunday. */
export const weekdayOf = (day: number): number => (((day + 3) % 7) + 7) % 7;

/** The year and month (1–12) that a day is in. */
export function monthOf(day: number): { readonly year: number; readonly month: number } {
  let year = 1970 + Math.floor(day / 365.2425);
  while (dayNumber(year, 1, 1) > day) year -= 1;
  while (dayNumber(year + 1, 1, 1) <= day) year += 1;
  let month = 1;
  while (month < 12 && dayNumber(year, month + 1, 1) <= day) month += 1;
  return { year, month };
}

/** Days in a month (1–12; 13 is January of the next year). */
export const daysIn = (year: number, month: number): number => firstOfMonth(year, month + 1) - firstOfMonth(year, month);

/** The first day of a month; months run over into years. */
export function firstOfMonth(year: number, month: number): number {
  const index = year * 12 + (month - 1);
  const y = Math.floor(index / 12);
  return dayNumber(y, index - y * 12 + 1, 1);
}

/** Seconds since midnight of `HH:MM`; 24:00 is the end of the day. */
export const secondsOf = (timeOfDay: string): number => Number(timeOfDay.slice(0, 2)) * HOUR + Number(timeOfDay.slice(3)) * 60;
