/** Amounts for people, and the sizes that people type. */
import { fail } from '../contract/errors.ts';

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Bytes, with three digits at least once they pass 1 KiB: `999 B`, `1.50 KiB`, `15.0 GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  if (unit === 0) return `${Math.round(value)} B`;
  return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${units[unit]}`;
}

/** A whole number with separators: `12,345`. */
export const formatCount = (count: number): string => String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');

/** `1 file`, `2 files`. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${formatCount(count)} ${count === 1 ? one : many}`;

/** A duration in seconds as `0:05`, `12:34` or `1:02:03`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (n: number): string => String(n).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

const powers: Readonly<Record<string, number>> = { B: 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/**
 * Reads a size: a number with B, K, M, G or T (powers of 1024; also KiB …), or alone in units of `plainUnit` bytes.
 * Throws `bad-usage` that names `option`.
 */
export function parseSize(text: string, option: string, plainUnit = 1): number {
  const m = /^(\d+(?:\.\d+)?)(?:([BKMGT])|([KMGT])iB)?$/i.exec(text.trim());
  const letter = (m?.[2] ?? m?.[3] ?? '').toUpperCase();
  const size = m === null ? Number.NaN : Math.floor(Number(m[1]) * (letter === '' ? plainUnit : powers[letter]));
  if (!Number.isSafeInteger(size))
    return fail('bad-usage', { problem: `${option}: “${text}” is no size.`, guidance: 'Write for example 500K, 16M or 2G.' });
  return size;
}

/** An amount of money: `USD 12.30`; what is less than a cent is said to be so. */
export const formatMoney = (amount: number, currency: string): string =>
  amount > 0 && amount < 0.005 ? `less than ${currency} 0.01` : `${currency} ${amount.toFixed(2).replace(/\B(?=(\d{3})+\.)/g, ',')}`;
