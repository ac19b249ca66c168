/** The numbers behind the charts: points in time with a value each, oldest first, and where they are drawn in a box of 100 × 100. */
import type { History } from '../../../src/contract/history.ts';

export interface Point {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly value: number;
}

/** Of each day the sum over plans, each as it was last; days without a backup carry what was there before. */
export function sizePoints(sizes: History['sizes']): Point[] {
  const last = new Map<string, number>();
  const points = new Map<string, number>();
  for (const { day, plan, bytes } of sizes) {
    // The same plan on several destinations is the same data.
    last.set(plan ?? '', bytes);
    points.set(
      day,
      [...last.values()].reduce((sum, each) => sum + each, 0),
    );
  }
  return [...points].map(([day, value]) => ({ at: noonOf(day), value }));
}

const went = (status: History['durations'][number]['status']): boolean => status === 'succeeded' || status === 'completed-with-warnings';

/** How many seconds each backup took that made a snapshot. */
export const durationPoints = (durations: History['durations']): Point[] =>
  durations.filter(({ kind, status }) => kind === 'backup' && went(status)).map(({ at, seconds }) => ({ at, value: seconds }));

/** How many bytes a second each restore and test restore brought back; of those that were over at once nothing can be said. */
export const speedPoints = (durations: History['durations']): Point[] =>
  durations.flatMap(({ kind, status, at, seconds, bytes }) =>
    (kind === 'restore' || kind === 'drill') && went(status) && bytes !== null && seconds >= 0.1 ? [{ at, value: bytes / seconds }] : [],
  );

export interface Week {
  /** Its Monday. */
  readonly at: number;
  readonly succeeded: number;
  readonly withWarnings: number;
  readonly failed: number;
}

/** The backups of the last weeks, this one last; weeks without any are there, too. */
export function weeks(calendar: History['calendar'], now: number, count: number): Week[] {
  const monday = mondayOf(now);
  const all: Week[] = Array.from({ length: count }, (_, i) => ({
    at: daysLater(monday, (i + 1 - count) * 7),
    succeeded: 0,
    withWarnings: 0,
    failed: 0,
  }));
  const found = new Map(all.map((week, i) => [week.at, i]));
  for (const { day, succeeded, withWarnings, failed } of calendar) {
    const i = found.get(mondayOf(noonOf(day)));
    const week = i === undefined ? undefined : all[i];
    if (i === undefined || !week) continue;
    all[i] = {
      at: week.at,
      succeeded: week.succeeded + succeeded,
      withWarnings: week.withWarnings + withWarnings,
      failed: week.failed + failed,
    };
  }
  return all;
}

export type CalendarDay = History['calendar'][number];
export interface DayCell {
  /** `2026-11-21`. */
  readonly day: string;
  /** Its noon, which is that day in every summer time. */
  readonly at: number;
  readonly of: CalendarDay | undefined;
}

/** The days of the last weeks, from a Monday up to today. */
export function dayCells(calendar: History['calendar'], now: number, count: number): DayCell[] {
  const known = new Map(calendar.map((each) => [each.day, each]));
  const cells: DayCell[] = [];
  const today = dayText(now);
  for (let at = daysLater(mondayOf(now), (1 - count) * 7); ; at = daysLater(at, 1)) {
    const day = dayText(at);
    cells.push({ day, at, of: known.get(day) });
    if (day >= today) return cells;
  }
}

/** How a day is drawn. What failed and was then done is a warning. */
export function dayState(of: CalendarDay | undefined): 'none' | 'backed-up' | 'warning' | 'failed' {
  if (!of) return 'none';
  const good = of.succeeded + of.withWarnings;
  if (good > 0) return of.failed + of.withWarnings > 0 ? 'warning' : 'backed-up';
  return of.failed > 0 ? 'failed' : 'none';
}

/** Noon of a day. */
const noonOf = (day: string): number => new Date(`${day}T12:00:00`).getTime();

function daysLater(noon: number, days: number): number {
  const date = new Date(noon);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days, 12).getTime();
}

/** Noon of the Monday of that week. */
function mondayOf(at: number): number {
  const date = new Date(at);
  return daysLater(at, -((date.getDay() + 6) % 7));
}

function dayText(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The round number at or above `most` at which a scale ends; `of` says in which unit people count. */
export function scaleEnd(most: number, of: 'bytes' | 'seconds' | 'count'): number {
  if (of === 'seconds') {
    const round = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400];
    const found = round.find((each) => each >= most);
    if (found !== undefined) return found;
    return Math.ceil(most / 86_400) * 86_400;
  }
  const least = of === 'count' ? 4 : 1;
  if (most <= least) return least;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 4, 5, 10].map((each) => each * power).find((each) => each >= most) ?? most;
}

/** Where a point is drawn: from the left by its time, from the top by its value below `end`. One alone stands at the right. */
export function placed(points: readonly Point[], end: number): { readonly x: number; readonly y: number }[] {
  const [from, to] = [points[0]?.at ?? 0, points.at(-1)?.at ?? 0];
  const rounded = (value: number): number => Math.round(value * 100) / 100;
  return points.map(({ at, value }) => ({
    x: rounded(to === from ? 100 : ((at - from) / (to - from)) * 100),
    y: rounded(100 - (value / end) * 100),
  }));
}
