/** Numbers, sizes, spans and times as a person reads them in the language that is shown. Sizes are decimal, as systems show them. */
import i18next from 'i18next';
import { spoken } from '../i18n/i18n.ts';

/** Between a number and its unit: narrow, and never at the end of a line. */
const thin = '\u202f';

const sizes = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

const made = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>();

/** The formatter of that name in the language that is shown; each is made once, since making one is slow. */
function formatter<T extends Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>(
  name: string,
  make: (language: string) => T,
): T {
  const key = `${spoken()} ${name}`;
  let found = made.get(key);
  if (!found) made.set(key, (found = make(spoken())));
  return found as T;
}

/** A whole number: `1,284`. */
export const count = (value: number): string => formatter('count', (language) => new Intl.NumberFormat(language)).format(value);

/** A size: `96.4 GB`; below a kilobyte in bytes. Three digits say enough. */
export function bytes(value: number): string {
  let at = 0;
  let scaled = value;
  while (scaled >= 999.5 && at < sizes.length - 1) {
    scaled /= 1000;
    at++;
  }
  const digits = at === 0 || scaled >= 99.95 ? 0 : 1;
  const format = formatter(
    `bytes ${digits}`,
    (language) => new Intl.NumberFormat(language, { minimumFractionDigits: 0, maximumFractionDigits: digits }),
  );
  return `${format.format(scaled)}${thin}${sizes[at]}`;
}

/** An amount of money, as its currency is written: `$12.30`. `digits`: at most so many after the point. */
export const money = (value: number, currency: string, digits = 2): string =>
  formatter(
    `money ${currency} ${digits}`,
    (language) => new Intl.NumberFormat(language, { style: 'currency', currency, maximumFractionDigits: digits }),
  ).format(value);

/** A speed: `84 MB/s`. */
export const speed = (bytesPerSecond: number): string => i18next.t('ui.perSecond', { size: bytes(bytesPerSecond) });

/** `fraction` from 0 to 1, rounded down, so that 100 % is the end. */
export const percent = (fraction: number): string =>
  i18next.t('ui.percent', { percent: count(Math.floor(Math.min(1, Math.max(0, fraction)) * 100)) });

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** A span of seconds in the one or two units that matter: `48 minutes`, `2 h 10 min`. */
export function span(seconds: number): string {
  const { t } = i18next;
  if (seconds < minute) return t('ui.seconds', { count: Math.max(1, Math.round(seconds)) });
  if (seconds < hour) return t('ui.minutes', { count: Math.round(seconds / minute) });
  if (seconds < day) {
    const minutes = Math.round(seconds / minute);
    const rest = minutes % 60;
    return rest === 0
      ? t('ui.hours', { count: minutes / 60 })
      : t('ui.hoursMinutes', { hours: count(Math.floor(minutes / 60)), minutes: count(rest) });
  }
  const hours = Math.round(seconds / hour);
  const rest = hours % 24;
  return rest === 0 || hours >= 7 * 24
    ? t('ui.days', { count: Math.round(hours / 24) })
    : t('ui.daysHours', { days: count(Math.floor(hours / 24)), hours: count(rest) });
}

/** How long something will take, no more exactly than is known: `about 15 seconds left`. */
export function timeLeft(seconds: number): string {
  const { t } = i18next;
  const steps =
    seconds < 10 ? 0 : seconds < minute ? Math.ceil(seconds / 5) * 5 : seconds < hour ? Math.ceil(seconds / minute) * minute : seconds;
  return t('ui.secondsLeft', { span: steps === 0 ? t('ui.fewSeconds') : span(steps) });
}

/** `at` beside `now`, both milliseconds since 1970: `12 minutes ago`, `in 48 minutes`, `yesterday`. */
export function relative(at: number, now: number): string {
  const seconds = Math.round((at - now) / 1000);
  const away = Math.abs(seconds);
  if (away < 45) return seconds > 0 ? ago('second', seconds) : i18next.t('ui.justNow');
  if (away < 55 * minute) return ago('minute', Math.round(seconds / minute));
  if (away < 22 * hour) return ago('hour', Math.round(seconds / hour));
  const days = daysBetween(now, at);
  if (Math.abs(days) < 30) return ago('day', days);
  return Math.abs(days) < 365 ? ago('month', Math.round(days / 30.4)) : ago('year', Math.round(days / 365.25));
}

const ago = (unit: Intl.RelativeTimeFormatUnit, value: number): string =>
  formatter('relative', (language) => new Intl.RelativeTimeFormat(language, { numeric: 'auto' })).format(value, unit);

/** Calendar days from one time to another, in the computer's zone. */
export function daysBetween(from: number, to: number): number {
  const [a, b] = [new Date(from), new Date(to)];
  return Math.round(
    (Date.UTC(b.getFullYear(), b.getMonth(), b.getDate()) - Date.UTC(a.getFullYear(), a.getMonth(), a.getDate())) / 86_400_000,
  );
}

const dateTime = (name: string, options: Intl.DateTimeFormatOptions, at: number): string =>
  formatter(name, (language) => new Intl.DateTimeFormat(language, options)).format(at);

/** Exactly: `Saturday, 21 November 2026 at 14:03:09`. */
export const exact = (at: number): string => dateTime('exact', { dateStyle: 'full', timeStyle: 'medium' }, at);
/** `21 Nov 2026`. */
export const date = (at: number): string => dateTime('date', { dateStyle: 'medium' }, at);
/** `Nov`. */
export const month = (at: number): string => dateTime('month', { month: 'short' }, at);
/** `21 Nov, 14:03`; with the year where it is another one than now. */
export function moment(at: number, now: number): string {
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const fields: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  return dateTime(sameYear ? 'moment' : 'moment year', sameYear ? fields : { ...fields, year: 'numeric' }, at);
}
/** `14:03`. */
export const timeOfDay = (at: number): string => dateTime('time', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }, at);

/** Names joined as in a sentence: `Documents, Pictures and Desktop`. */
export const list = (names: readonly string[]): string => new Intl.ListFormat(spoken(), { type: 'conjunction' }).format(names);

/** Sentences one after the other; Chinese leaves no space in between. Empty ones are left out. */
export const sentences = (parts: readonly string[]): string => parts.filter((part) => part !== '').join(spoken() === 'zh-CN' ? '' : ' ');

/** The last part of a path, as a folder is called in a sentence; the path itself where there is none. */
export const folderName = (path: string): string => /([^/\\]+)[/\\]*$/.exec(path)?.[1] ?? path;
