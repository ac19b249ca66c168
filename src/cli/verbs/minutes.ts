/** Spans of time that are given in whole minutes. */
import { fail } from '../../contract/errors.ts';

const minutesOf: Readonly<Record<string, number>> = { m: 1, h: 60, d: 1440, w: 10_080 };

/** `90m`, `2h`, `1d` in minutes. Throws `bad-usage` that names `option`. */
export function parseMinutes(text: string, option: string): number {
  const [, number, unit] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  if (number !== undefined) return Number(number) * minutesOf[unit];
  return fail('bad-usage', { problem: `${option}: “${text}” is no span of time.`, guidance: 'Write for example 15m, 2h, 1d or 1w.' });
}
