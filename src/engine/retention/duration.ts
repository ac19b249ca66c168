/** The lengths of time of `--keep-within…`: `2y5m7d3h` is two years, five months, seven days and three hours. */
import { fail } from '../../contract/errors.ts';

export interface Duration {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
}

const units = { y: 'years', m: 'months', d: 'days', h: 'hours' } as const;

/** Far beyond any archive, and small enough that every sum stays exact. */
const MOST = 999_999_999;

/**
 * Reads a duration in restic's notation: whole numbers, each followed by `y`, `m`, `d` or `h`, in any order. A unit given twice is
 * refused (restic lets the last one win, which hides a slip such as `1m30m`).
 * @param option names the option in the error
 * @throws `bad-usage`
 */
export function parseDuration(text: string, option = 'duration'): Duration {
  const wrong = (problem: string): never =>
    fail('bad-usage', {
      problem: `${option}: “${text}” ${problem}.`,
      guidance: 'Write whole numbers of years, months, days and hours, for example 1y6m, 30d or 2y5m7d3h.',
    });
  const found = { years: 0, months: 0, days: 0, hours: 0 };
  const seen = new Set<string>();
  let rest = text.trim();
  if (rest === '') return wrong('is empty');
  while (rest !== '') {
    const m = /^(\d+)([ymdh])/.exec(rest);
    if (m === null) return wrong(rest.startsWith('-') ? 'is negative' : `cannot be read at “${rest}”`);
    const unit = units[m[2] as keyof typeof units];
    if (seen.has(unit)) return wrong(`gives ${unit} twice`);
    if (Number(m[1]) > MOST) return wrong('is too long');
    seen.add(unit);
    found[unit] = Number(m[1]);
    rest = rest.slice(m[0].length);
  }
  return found;
}

const hourMs = 3_600_000;

/** A duration in {@link parseDuration}'s notation in milliseconds, years as 365 days and months as 30. Throws `bad-usage`. */
export function durationMs(text: string, option: string): number {
  const { years, months, days, hours } = parseDuration(text, option);
  return ((years * 365 + months * 30 + days) * 24 + hours) * hourMs;
}

export const isZero = (d: Duration): boolean => d.years === 0 && d.months === 0 && d.days === 0 && d.hours === 0;

/** The shortest notation that {@link parseDuration} reads back; nothing for a duration of zero. */
export const formatDuration = (d: Duration): string =>
  (d.years ? `${d.years}y` : '') + (d.months ? `${d.months}m` : '') + (d.days ? `${d.days}d` : '') + (d.hours ? `${d.hours}h` : '');
