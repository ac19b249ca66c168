/** The numbers behind the chart of a destination's size: lines in a box of 100 × 100, zero at the bottom. */
import type { Capacity } from '../../../src/contract/capacity.ts';

const monthMs = 30.4375 * 86_400_000;
/** What is expected is drawn so far ahead, and never further than the past that it is drawn from. */
const monthsAhead = 3;

export interface GrowthPaths {
  readonly measured: string;
  /** Undefined where no growth is known. */
  readonly expected: { readonly line: string; readonly band: string; readonly at: number; readonly bytes: number } | undefined;
}

/** Undefined for fewer than two measurements. */
export function growthPaths({ samples, growth }: Pick<Capacity, 'samples' | 'growth'>): GrowthPaths | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.at <= first.at) return undefined;
  const end = growth ? last.at + monthsAhead * monthMs : last.at;
  const grown = (perMonth: number): number => Math.max(0, last.bytes + perMonth * monthsAhead);
  const most = Math.max(1, ...samples.map(({ bytes }) => bytes), growth ? grown(growth.high) : 0);
  const round = (value: number): string => String(Math.round(value * 100) / 100);
  const point = (at: number, bytes: number): string =>
    `${round(((at - first.at) / (end - first.at)) * 100)} ${round(100 - (bytes / most) * 100)}`;
  const measured = samples.map(({ at, bytes }, i) => `${i === 0 ? 'M' : 'L'}${point(at, bytes)}`).join('');
  if (!growth) return { measured, expected: undefined };
  const from = point(last.at, last.bytes);
  const bytes = grown(growth.likely);
  return {
    measured,
    expected: {
      line: `M${from}L${point(end, bytes)}`,
      band: `M${from}L${point(end, grown(growth.high))}L${point(end, grown(growth.low))}Z`,
      at: end,
      bytes,
    },
  };
}
