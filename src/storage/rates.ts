/** Limits of bandwidth as people write them: a rate, or one for each time of day. */
import { fail } from '../contract/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { Pace, type Paces, type Rate } from './pace.ts';
import { parseSize } from '../platform/sizes.ts';

/** With less, connections that share it would seem to be dead; bytes a second. */
const leastRate = 16 << 10;
const minutesOfDay = 24 * 60;

interface Part {
  /** Minutes since midnight; a part that ends before it begins goes over midnight. */
  readonly from: number;
  readonly to: number;
  readonly rate: number | undefined;
}

/**
 * Reads `500K`, `off`, or parts with commas in between such as `08:00-18:00=500K,2M`: of the parts whose time it is (local time) the
 * first counts, a part without a time fits always, and where none fits nothing is limited. A rate is in bytes a second as sizes are
 * written, or in KiB a second without a letter. Throws `bad-usage` that names `option`.
 */
export function parseRate(text: string, option: string): Rate {
  const parts = text.split(',').map((part) => parsePart(part.trim(), option));
  return (now) => {
    const time = new Date(now);
    const minute = time.getHours() * 60 + time.getMinutes();
    return parts.find(({ from, to }) => (from < to ? minute >= from && minute < to : minute >= from || minute < to))?.rate;
  };
}

function parsePart(text: string, option: string): Part {
  const [, times, from, to, rate] = /^((\d\d:\d\d)-(\d\d:\d\d)=)?(.*)$/s.exec(text)!;
  const wrong = (problem: string): never =>
    fail('bad-usage', { problem: `${option}: ${problem}`, guidance: 'Write for example 500K, or 08:00-18:00=500K,2M.' });
  const minute = (time: string): number => {
    const [hours, minutes] = time.split(':').map(Number);
    return hours < 24 && minutes < 60 ? hours * 60 + minutes : time === '24:00' ? minutesOfDay : wrong(`“${time}” is no time.`);
  };
  const [begin, end] = times === undefined ? [0, minutesOfDay] : [minute(from), minute(to)];
  if (rate === 'off') return { from: begin, to: end, rate: undefined };
  const bytes = parseSize(rate, option, 1024);
  if (bytes < leastRate) wrong(`“${rate}” is less than 16K a second, with which no connection lives.`);
  return { from: begin, to: end, rate: bytes };
}

/** What the options say; undefined where a direction is not limited. Throws as {@link parseRate}. */
export function pacesOf(
  limits: { readonly limitUpload?: string | undefined; readonly limitDownload?: string | undefined },
  clock: Clock,
): Paces {
  const pace = (text: string | undefined, option: string): Pace | undefined =>
    text === undefined ? undefined : new Pace(parseRate(text, option), clock);
  return { upload: pace(limits.limitUpload, '--limit-upload'), download: pace(limits.limitDownload, '--limit-download') };
}
