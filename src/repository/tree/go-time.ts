/**
 * Times as restic writes them: RFC 3339 with the fraction's trailing zeros left out, in the local time of the machine with the
 * offset that holds (or held) at that instant, `Z` where it is zero. In memory a time is a bigint: nanoseconds since 1970 UTC.
 *
 * Years outside 0–9999 cannot be written; as restic does, only the year is changed then (to 0 or 9999).
 * Offsets that are no whole minutes (local mean times before about 1930) are cut to minutes. restic then writes the local clock of
 * the uncut offset, so that its text is up to 59 seconds off; ours denotes the right instant.
 * Source: Go, package time (MarshalJSON, AddDate); restic, fixTime.
 */

/** Minutes east of UTC that the local clock is ahead at an instant given in milliseconds since 1970. */
export type OffsetAt = (unixMs: number) => number;

/** The offset of this process's time zone. */
export const localOffset: OffsetAt = (unixMs) => -new Date(unixMs).getTimezoneOffset();

/** Go's zero time, the first second of year 1: what a node without a time holds. Always written in UTC. */
export const ZERO_TIME_NS = -62_135_596_800_000_000_000n;

const NS = 1_000_000_000n;
const DAY = 86_400;
const YEAR_0 = -62_167_219_200;
const YEAR_10000 = 253_402_300_800;
/** Seconds in 400 years, after which the calendar repeats. */
const CYCLE = 12_622_780_800n;

const TWO_DIGITS = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0'));

/** Writes times for one time zone. Keeps the text of the last second, since the times of neighbours are often the same. */
export class TimeFormat {
  readonly #offsetAt: OffsetAt;
  #second = Number.NaN;
  #secondText = '';
  #offsetText = '';

  constructor(offsetAt: OffsetAt) {
    this.#offsetAt = offsetAt;
  }

  /** RFC 3339 text of the instant `ns` (nanoseconds since 1970, any size). */
  format(ns: bigint): string {
    if (ns === ZERO_TIME_NS) return '0001-01-01T00:00:00Z';
    let seconds = ns / NS;
    let nanos = Number(ns - seconds * NS);
    if (nanos < 0) {
      nanos += 1_000_000_000;
      seconds -= 1n;
    }
    const second = Number(seconds);
    if (second !== this.#second) this.#setSecond(second, seconds);
    return nanos === 0 ? this.#secondText + this.#offsetText : this.#secondText + fraction(nanos) + this.#offsetText;
  }

  #setSecond(second: number, exact: bigint): void {
    let minutes = Math.abs(second) < 8.64e12 ? this.#offsetAt(second * 1000) : 0;
    let local = second + minutes * 60;
    this.#second = second;
    if (!(local >= YEAR_0 && local < YEAR_10000)) {
      const clamped = this.#clampYear(exact);
      minutes = this.#offsetAt(clamped * 1000);
      local = clamped + minutes * 60;
      // So far away, several seconds may be the same number: the text is not kept.
      this.#second = Number.NaN;
    }
    const days = Math.floor(local / DAY);
    this.#secondText = `${dateText(days)}T${clockText(local - days * DAY)}`;
    this.#offsetText = offsetText(minutes);
  }

  /** The instant with the same local month, day and clock in year 0 or 9999, in seconds; as Go's AddDate finds it. */
  #clampYear(exact: bigint): number {
    const [base, year] = exact < 0n ? [BigInt(YEAR_0), 0] : [BigInt(YEAR_10000) - CYCLE, 9999];
    const alike = Number(base + ((((exact - base) % CYCLE) + CYCLE) % CYCLE));
    const local = alike + this.#offsetAt(alike * 1000) * 60;
    const days = Math.floor(local / DAY);
    const { month, day } = dateOfDays(days);
    const wall = daysOfDate(year, month, day) * DAY + (local - days * DAY);
    const offset = this.#offsetAt(wall * 1000);
    const offsetThen = this.#offsetAt((wall - offset * 60) * 1000);
    return wall - offsetThen * 60;
  }
}

/** Times in the time zone of this process. */
export const localTime = new TimeFormat(localOffset);

function dateText(days: number): string {
  const { year, month, day } = dateOfDays(days);
  return `${TWO_DIGITS[Math.floor(year / 100)]}${TWO_DIGITS[year % 100]}-${TWO_DIGITS[month]}-${TWO_DIGITS[day]}`;
}

function clockText(secondOfDay: number): string {
  const minute = Math.floor(secondOfDay / 60);
  return `${TWO_DIGITS[Math.floor(minute / 60)]}:${TWO_DIGITS[minute % 60]}:${TWO_DIGITS[secondOfDay % 60]}`;
}

function offsetText(minutes: number): string {
  if (minutes === 0) return 'Z';
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${TWO_DIGITS[Math.floor(size / 60)]}:${TWO_DIGITS[size % 60]}`;
}

function fraction(nanos: number): string {
  const digits = String(nanos + 1_000_000_000);
  let end = 10;
  while (digits.charCodeAt(end - 1) === 0x30) end--;
  return `.${digits.substring(1, end)}`;
}

/** The proleptic Gregorian date `days` after 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
function dateOfDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  };
}

/** Days from 1970-01-01 to a date; 29 February of a common year is 1 March (same source). */
function daysOfDate(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

const DAYS_IN_MONTH = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysInMonth(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeap ? 29 : DAYS_IN_MONTH[month];
}

/** The instant of an RFC 3339 text, in nanoseconds since 1970; undefined if the text is malformed. See {@link parseTimeBytes}. */
export function parseTime(text: string): bigint | undefined {
  const bytes = Buffer.from(text, 'utf8');
  return parseTimeBytes(bytes, 0, bytes.length);
}

/**
 * The instant of the RFC 3339 text at `[start, end)` of `bytes`, in nanoseconds since 1970. As strict as Go's UnmarshalJSON:
 * undefined for a date or clock that does not exist, a leap second, lower-case `t` or `z`, an offset beyond 23:59.
 * Digits after the ninth of the fraction are cut off.
 */
export function parseTimeBytes(bytes: Uint8Array, start: number, end: number): bigint | undefined {
  if (end - start < 20) return undefined;
  const year = number2(bytes, start) * 100 + number2(bytes, start + 2);
  const month = number2(bytes, start + 5);
  const day = number2(bytes, start + 8);
  const hour = number2(bytes, start + 11);
  const minute = number2(bytes, start + 14);
  const second = number2(bytes, start + 17);
  if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month))) return undefined;
  if (!(hour < 24 && minute < 60 && second < 60)) return undefined;
  if (bytes[start + 4] !== DASH || bytes[start + 7] !== DASH || bytes[start + 10] !== UPPER_T) return undefined;
  if (bytes[start + 13] !== COLON || bytes[start + 16] !== COLON) return undefined;

  let pos = start + 19;
  let nanos = 0;
  if (bytes[pos] === DOT) {
    let weight = 100_000_000;
    const first = ++pos;
    for (; pos < end && isDigit(bytes[pos]); pos++) {
      nanos += (bytes[pos] - 0x30) * weight;
      weight = weight === 1 ? 0 : weight / 10;
    }
    if (pos === first) return undefined;
  }
  const offset = parseOffset(bytes, pos, end);
  if (Number.isNaN(offset)) return undefined;
  const seconds = daysOfDate(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
  return BigInt(seconds) * NS + BigInt(nanos);
}

const DASH = 0x2d;
const COLON = 0x3a;
const DOT = 0x2e;
const UPPER_T = 0x54;

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/** The offset text that fills `[pos, end)`, in seconds; NaN if malformed. */
function parseOffset(bytes: Uint8Array, pos: number, end: number): number {
  const sign = bytes[pos];
  if (sign === 0x5a /* Z */) return pos + 1 === end ? 0 : Number.NaN;
  if (end - pos !== 6 || (sign !== 0x2b && sign !== DASH) || bytes[pos + 3] !== COLON) return Number.NaN;
  const hours = number2(bytes, pos + 1);
  const minutes = number2(bytes, pos + 4);
  if (!(hours < 24 && minutes < 60)) return Number.NaN;
  return (sign === DASH ? -1 : 1) * (hours * 3600 + minutes * 60);
}

/** The number of the two ASCII digits at `pos`; NaN if they are not digits. */
function number2(bytes: Uint8Array, pos: number): number {
  const tens = bytes[pos];
  const ones = bytes[pos + 1];
  return isDigit(tens) && isDigit(ones) ? (tens - 0x30) * 10 + (ones - 0x30) : Number.NaN;
}
