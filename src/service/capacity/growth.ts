/** How a destination grows, and when it is full: from a history of its sizes. Pure. */
import type { Forecast, Growth } from '../../contract/capacity.ts';

export interface SizePoint {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly bytes: number;
}

/** What came at once and says nothing about the growth: the first backup of a plan. */
export interface Step {
  readonly at: number;
  readonly bytes: number;
}

const dayMs = 86_400_000;
/** Days of a month: a twelfth of 365.25. */
export const monthDays = 30.4375;
export const monthMs = monthDays * dayMs;
const windowDays = 180;
const leastDays = 14;
const leastPoints = 5;
/** More points tell no more, and the slopes are as many as their pairs. */
const mostPoints = 120;
/** Of the normal distribution: nine of ten lie within. */
const z90 = 1.645;
/** One day leans on the day before, which the method does not know: the band is never narrower than this, to either side. */
const leastSpread = 0.2;
const farAwayMs = 10 * 365.25 * dayMs;

/**
 * The slope through the sizes of the last 180 days, in bytes a month: the Theil–Sen estimator, the median of the slopes between all
 * pairs of points (H. Theil 1950; P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63, 1968), which a
 * few odd days, such as a prune or a large import, do not move. The band is Sen's interval for 90 %, by the normal approximation of
 * Kendall's statistic (R. O. Gilbert, "Statistical Methods for Environmental Pollution Monitoring", 1987, 16.5). Steps are taken out first.
 * Null for less than 14 days or 5 points.
 *
 * @param points oldest first
 */
export function growthOf(points: readonly SizePoint[], steps: readonly Step[] = []): Growth | null {
  const last = points.at(-1);
  if (!last) return null;
  const within = thinned(points.filter(({ at }) => at > last.at - windowDays * dayMs));
  const days = (last.at - within[0]!.at) / dayMs;
  if (within.length < leastPoints || days < leastDays) return null;
  const levels = within.map(({ at, bytes }) => ({ at, bytes: bytes - stepsUntil(steps, within[0]!.at, at) }));
  const slopes = slopesOf(levels);
  if (slopes.length === 0) return null;
  const n = levels.length;
  const spread = z90 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const at = (index: number): number => slopes[Math.min(slopes.length - 1, Math.max(0, index))]!;
  const likely = median(slopes) * monthMs;
  const low = at(Math.floor((slopes.length - spread) / 2) - 1) * monthMs;
  const high = at(Math.ceil((slopes.length + spread) / 2)) * monthMs;
  const least = Math.abs(likely) * leastSpread;
  return { likely, low: Math.min(low, likely - least), high: Math.max(high, likely + least), days };
}

/** When `freeBytes` are used up at that growth, counted from `now`. `freeBytes` null: nobody knows the room. */
export function forecastOf(growth: Growth | null, freeBytes: number | null, now: number): Forecast {
  if (freeBytes === null) return { state: 'no-limit' };
  if (freeBytes <= 0) return { state: 'about', at: now, earliest: now, latest: now };
  if (!growth) return { state: 'unknown' };
  if (growth.likely <= 0) return { state: 'steady' };
  const after = (perMonth: number): number => now + (freeBytes / perMonth) * monthMs;
  const at = after(growth.likely);
  if (at - now > farAwayMs) return { state: 'far' };
  const latest = growth.low > 0 ? after(growth.low) : Number.POSITIVE_INFINITY;
  return { state: 'about', at, earliest: after(growth.high), latest: latest - now > farAwayMs ? null : latest };
}

function stepsUntil(steps: readonly Step[], from: number, to: number): number {
  return steps.reduce((sum, step) => (step.at > from && step.at <= to ? sum + step.bytes : sum), 0);
}

function thinned<T>(list: readonly T[]): readonly T[] {
  if (list.length <= mostPoints) return list;
  return Array.from({ length: mostPoints }, (_, i) => list[Math.round((i * (list.length - 1)) / (mostPoints - 1))]!);
}

/** Sorted, bytes a millisecond. */
function slopesOf(points: readonly SizePoint[]): Float64Array {
  const slopes: number[] = [];
  for (const [i, a] of points.entries())
    for (const b of points.slice(i + 1)) if (b.at > a.at) slopes.push((b.bytes - a.bytes) / (b.at - a.at));
  return Float64Array.from(slopes).sort();
}

function median(sorted: Float64Array): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
