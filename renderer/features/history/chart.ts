/** The numbers behind the chart of sizes: a line in a box of 100 × 100, the newest at the right, zero at the bottom. */
import type { History } from '../../../src/contract/history.ts';

type Size = History['sizes'][number];

export interface SizePoint {
  readonly day: string;
  readonly bytes: number;
}

/** Of each day the sum over plans, each as it was last; days without a backup carry what was there before. Oldest first. */
export function sizePoints(sizes: readonly Size[]): SizePoint[] {
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
  return [...points].map(([day, bytes]) => ({ day, bytes }));
}

/** The path of an SVG line through the points, by their days. Undefined for fewer than two. */
export function linePath(points: readonly SizePoint[]): string | undefined {
  const times = points.map(({ day }) => Date.parse(day));
  const [from, to] = [times[0] ?? 0, times.at(-1) ?? 0];
  if (points.length < 2 || to === from) return undefined;
  const most = Math.max(...points.map(({ bytes }) => bytes), 1);
  const at = (value: number): string => String(Math.round(value * 100) / 100);
  return points
    .map(({ bytes }, i) => `${i === 0 ? 'M' : 'L'}${at((((times[i] ?? 0) - from) / (to - from)) * 100)} ${at(100 - (bytes / most) * 100)}`)
    .join('');
}
