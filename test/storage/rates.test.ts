import { describe, expect, test } from 'vitest';
import { parseRate } from '../../src/storage/rates.ts';

/** A moment of that time of day here. */
const at = (time: string): number => new Date(`2026-03-04T${time}:00`).getTime();
const kib = 1024;

describe('a limit', () => {
  test('is a rate for all day', () => {
    for (const time of ['00:00', '12:00', '23:59']) expect(parseRate('500K', '--x')(at(time))).toBe(500 * kib);
    expect(parseRate('1.5M', '--x')(0)).toBe(1536 * kib);
    expect(parseRate('64', '--x')(0)).toBe(64 * kib);
    expect(parseRate('off', '--x')(0)).toBeUndefined();
  });

  test('differs by the time of day, also over midnight; the first part that fits counts', () => {
    const rate = parseRate('08:00-18:00=500K, 22:00-06:00=off, 2M', '--x');
    expect(['07:59', '08:00', '17:59', '18:00', '21:59', '22:00', '00:00', '05:59', '06:00'].map((time) => rate(at(time)))).toEqual([
      2048 * kib,
      500 * kib,
      500 * kib,
      2048 * kib,
      2048 * kib,
      undefined,
      undefined,
      undefined,
      2048 * kib,
    ]);
    expect(parseRate('08:00-24:00=1M', '--x')(at('07:00'))).toBeUndefined();
  });

  test.each(['', 'fast', '500K,', '8-18=500K', '08:00-25:00=1M', '08:60-09:00=1M', '1K', '0', '-5', '08:00-18:00='])(
    'is not “%s”',
    (text) => {
      expect(() => parseRate(text, '--limit-upload')).toThrow(expect.objectContaining({ code: 'bad-usage' }));
    },
  );
});
