/**
 * The backup window: runs start and work only in it. A run that does not end in it is held at its end and goes on at the next.
 *
 * A span begins on its days at `from` and ends at `to`, on the next day when that is earlier; both on the wall clock by the rule of
 * zone.ts. Spans that touch or overlap are one.
 */
import { weekdays, type WindowSpan } from '../../contract/schedule.ts';
import { DAY, dayOf, instantOf, secondsOf, wallAt, weekdayOf } from './zone.ts';

/** Instants in milliseconds since 1970. `closesAt` is nothing when the window never closes (none, or spans that fill the week). */
export type WindowState =
  | { readonly open: true; readonly closesAt: number | undefined }
  | { readonly open: false; readonly opensAt: number };

/** @param spans of the schedule; nothing: open always */
export function windowAt(spans: readonly WindowSpan[] | undefined, now: number, zone: string): WindowState {
  if (spans === undefined) return { open: true, closesAt: undefined };
  const today = dayOf(wallAt(zone, now));
  const near: { begin: number; end: number }[] = [];
  // Yesterday's may still be open; each span comes again within a week, which a gap can make empty once.
  for (let day = today - 1; day <= today + 15; day++) {
    const weekday = weekdays[weekdayOf(day)]!;
    for (const { days, from, to } of spans) {
      if (!days.includes(weekday)) continue;
      const begin = instantOf(zone, day * DAY + secondsOf(from));
      const end = instantOf(zone, (secondsOf(to) > secondsOf(from) ? day : day + 1) * DAY + secondsOf(to));
      if (end > begin) near.push({ begin, end });
    }
  }
  near.sort((a, b) => a.begin - b.begin);
  let end: number | undefined;
  for (const span of near) {
    if (end !== undefined && span.begin > end) return { open: true, closesAt: end };
    if (span.begin > now) {
      if (end === undefined) return { open: false, opensAt: span.begin };
    } else if (span.end <= now) continue;
    end = Math.max(end ?? 0, span.end);
  }
  return { open: true, closesAt: undefined };
}
