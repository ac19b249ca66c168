/** What refusals of all services of objects have in common. */
import { HoldfastError } from '../../contract/errors.ts';

/** Every one of these services allows a quarter of an hour; clocks that are kept by a server differ by less than a second. */
const toleratedSkewMs = 15 * 60_000;

export interface ClockFacts {
  readonly location: string;
  readonly server: string;
  readonly clockSkewMs: number | undefined;
}

/**
 * The error that names the clock, if it is to blame: the service says so (`isSaid`), or it denies a request and its own clock
 * is far from this computer's.
 */
export function clockError(isSaid: boolean, status: number, { location, server, clockSkewMs }: ClockFacts): HoldfastError | undefined {
  const isFar = clockSkewMs !== undefined && Math.abs(clockSkewMs) > toleratedSkewMs;
  if (!isSaid && !(isFar && (status === 403 || status === 401 || status === 400))) return undefined;
  const skew = clockSkewMs === undefined ? undefined : skewInWords(clockSkewMs);
  return new HoldfastError('clock-wrong', { location, server, skew });
}

/** `serverAheadMs`: how far the server's clock is ahead of this computer's. */
function skewInWords(serverAheadMs: number): string {
  const minutes = Math.round(Math.abs(serverAheadMs) / 60_000);
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60];
  const count = (n: number, unit: string): string[] => (n === 0 ? [] : [`${n} ${unit}${n === 1 ? '' : 's'}`]);
  // Of days, the minutes do not matter.
  const words = [...count(days, 'day'), ...count(hours, 'hour'), ...(days > 0 ? [] : count(rest, 'minute'))];
  return `${words.length === 0 ? 'less than a minute' : words.join(' and ')} ${serverAheadMs > 0 ? 'behind' : 'ahead of'}`;
}

const longestQuote = 300;

/** A service's own words as a part of a sentence: one line, no control characters, no end. */
export function quoted(message: string): string {
  const line = message
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\x00-\x1f\x7f-\x9f]/g, '')
    .trim();
  return (line.length > longestQuote ? `${line.slice(0, longestQuote)}…` : line).replace(/[.!]+$/, '');
}
