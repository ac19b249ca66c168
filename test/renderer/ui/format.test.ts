import { beforeEach, describe, expect, test, vi } from 'vitest';
import { speak } from '../../../renderer/i18n/i18n.ts';
import { bytes, count, daysBetween, folderName, percent, relative, span, speed, timeLeft } from '../../../renderer/ui/format.ts';

vi.stubGlobal('document', { documentElement: {} });

const hour = 3600;

describe('in English', () => {
  beforeEach(() => speak('en'));

  test('sizes are decimal, with a thin space and as many digits as say something', () => {
    expect([0, 999, 1000, 1284, 18_400, 999_499, 999_500, 96_400_000_000, 1.25e12].map(bytes)).toEqual([
      '0\u202fB',
      '999\u202fB',
      '1\u202fkB',
      '1.3\u202fkB',
      '18.4\u202fkB',
      '999\u202fkB',
      '1\u202fMB',
      '96.4\u202fGB',
      '1.3\u202fTB',
    ]);
    expect(speed(84e6)).toBe('84\u202fMB/s');
  });

  test('100 % is the end, and nothing before it', () => {
    expect([0, 0.5, 0.9999, 1, 1.2].map(percent)).toEqual(['0 %', '50 %', '99 %', '100 %', '100 %']);
  });

  test('spans have one or two units', () => {
    expect([1, 59, 60, 48 * 60, hour, 2 * hour + 600, 24 * hour, 30 * hour, 8 * 24 * hour].map(span)).toEqual([
      '1 second',
      '59 seconds',
      '1 minute',
      '48 minutes',
      '1 hour',
      '2 h 10 min',
      '1 day',
      '1 d 6 h',
      '8 days',
    ]);
  });

  test('what is left is said no more exactly than it is known', () => {
    expect([3, 14, 61, 3.5 * hour].map(timeLeft)).toEqual([
      'about a few seconds left',
      'about 15 seconds left',
      'about 2 minutes left',
      'about 3 h 30 min left',
    ]);
  });

  test('times are relative, by calendar days from yesterday on', () => {
    const now = new Date(2026, 10, 21, 14, 0).getTime();
    const before = (seconds: number): string => relative(now - seconds * 1000, now);
    expect([10, 12 * 60, 2 * hour, 23 * hour, 3 * 24 * hour, 60 * 24 * hour, 800 * 24 * hour].map(before)).toEqual([
      'just now',
      '12 minutes ago',
      '2 hours ago',
      'yesterday',
      '3 days ago',
      '2 months ago',
      '2 years ago',
    ]);
    expect(relative(now + 48 * 60_000, now)).toBe('in 48 minutes');
    expect(daysBetween(new Date(2026, 2, 28, 23).getTime(), new Date(2026, 2, 29, 1).getTime())).toBe(1);
  });

  test('numbers are grouped', () => expect(count(1_284_000)).toBe('1,284,000'));
});

test('in Chinese the words are Chinese', async () => {
  await speak('zh-CN');
  expect(relative(0, 12 * 60_000)).toBe('12分钟前');
  expect(span(48 * 60)).toBe('48 分钟');
  expect(timeLeft(14)).toBe('大约还需 15 秒');
});

test('a folder is called by its last part', () => {
  expect(['/home/anna/Documents', '/home/anna/Pictures/', 'C:\\Users\\Anna', '/'].map(folderName)).toEqual([
    'Documents',
    'Pictures',
    'Anna',
    '/',
  ]);
});
