/**
 * When a schedule's times come. Pure: a schedule, an instant and a zone decide.
 *
 * - An *occurrence* is an instant at which one of the timed triggers asks for a run. Changes, drives and logins have none.
 * - Times of day follow the wall clock by the rule of zone.ts: skipped ones come when the gap ends, repeated ones once.
 * - A day that a month lacks is its last day. Several triggers that name the same instant are one occurrence.
 * - Intervals count time that passes. Those that divide a day start anew at midnight, others count from 1970.
 */
import { weekdays, type Schedule, type Trigger } from '../../contract/schedule.ts';
import { nextCron } from './cron.ts';
import { DAY, dayOf, daysIn, firstOfMonth, instantOf, monthOf, secondsOf, wallAt, weekdayOf } from './zone.ts';

export interface Occurrence {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Its place in the schedule's triggers; the first of several that name this instant. */
  readonly trigger: number;
}

/** The IANA zone that a schedule is read in. `computer`: the one that the computer is set to now. */
export const zoneOf = (schedule: Schedule, computer: string): string => (schedule.zone === 'computer' ? computer : schedule.zone);

/**
 * The first occurrence after the instant `after` (milliseconds since 1970), not at it.
 * @param zone an IANA name, of {@link zoneOf}
 */
export function nextDue(schedule: Schedule, after: number, zone: string): Occurrence | undefined {
  let first: Occurrence | undefined;
  for (const [trigger, each] of schedule.triggers.entries()) {
    const at = nextOf(each, after, zone);
    if (at !== undefined && (first === undefined || at < first.at)) first = { at, trigger };
  }
  return first;
}

/** The first instant after `after` at which this trigger asks for a run; nothing for one without times. */
export function nextOf(trigger: Trigger, after: number, zone: string): number | undefined {
  switch (trigger.kind) {
    case 'interval':
      return nextInterval(trigger.minutes * 60, after, zone);
    case 'daily':
      return nextOnDays(() => true, trigger.at, after, zone);
    case 'weekly':
      return nextOnDays((day) => trigger.days.includes(weekdays[weekdayOf(day)]!), trigger.at, after, zone);
    case 'monthly':
      return nextInMonths(trigger.days, trigger.at, after, zone);
    case 'cron':
      return nextCron(trigger.expression, after, zone);
    case 'change':
    case 'drive':
    case 'login':
      return undefined;
  }
}

function nextInterval(seconds: number, after: number, zone: string): number {
  const step = seconds * 1000;
  if (DAY % seconds !== 0) return (Math.floor(after / step) + 1) * step;
  const day = dayOf(wallAt(zone, after));
  let midnight = instantOf(zone, day * DAY);
  // The clock was set back past midnight: this is the evening again, and the day before goes on.
  if (midnight > after) midnight = instantOf(zone, (day - 1) * DAY);
  const next = midnight + (Math.floor((after - midnight) / step) + 1) * step;
  const tomorrow = instantOf(zone, (day + 1) * DAY);
  return tomorrow > after ? Math.min(next, tomorrow) : next;
}

function nextOnDays(isDay: (day: number) => boolean, at: string, after: number, zone: string): number {
  // A gap can move a time into the next day, so that the day before counts too.
  for (let day = dayOf(wallAt(zone, after)) - 1; ; day++) {
    if (!isDay(day)) continue;
    const instant = instantOf(zone, day * DAY + secondsOf(at));
    if (instant > after) return instant;
  }
}

function nextInMonths(days: readonly (number | 'last')[], at: string, after: number, zone: string): number {
  const { year, month } = monthOf(dayOf(wallAt(zone, after)) - 1);
  for (let ahead = 0; ; ahead++) {
    const first = firstOfMonth(year, month + ahead);
    const count = daysIn(year, month + ahead);
    const wanted = [...new Set(days.map((day) => (day === 'last' ? count : Math.min(day, count))))].sort((a, b) => a - b);
    for (const day of wanted) {
      const instant = instantOf(zone, (first + day - 1) * DAY + secondsOf(at));
      if (instant > after) return instant;
    }
  }
}
