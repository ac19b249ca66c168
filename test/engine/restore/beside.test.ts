import { describe, expect, test } from 'vitest';
import { BesideNames, besideName, isBesideName } from '../../../src/engine/restore/beside.ts';

const stamp = '2026-11-20 14.05';
const named = (name: string, attempt = 0): string => besideName(Buffer.from(name), stamp, attempt).toString();

describe('the name beside an existing file', () => {
  test.each([
    ['report.pdf', 'report (restored 2026-11-20 14.05).pdf'],
    ['README', 'README (restored 2026-11-20 14.05)'],
    ['.bashrc', '.bashrc (restored 2026-11-20 14.05)'],
    ['.config.json', '.config (restored 2026-11-20 14.05).json'],
    ['photos.tar.gz', 'photos.tar (restored 2026-11-20 14.05).gz'],
    ['ends with a dot.', 'ends with a dot (restored 2026-11-20 14.05).'],
    ['Dr. Smith, a letter', 'Dr. Smith, a letter (restored 2026-11-20 14.05)'],
    ['v1.this is no extension at all', 'v1.this is no extension at all (restored 2026-11-20 14.05)'],
    ['größe 日本.txt', 'größe 日本 (restored 2026-11-20 14.05).txt'],
    ['a (restored 2020-01-01 00.00).txt', 'a (restored 2020-01-01 00.00) (restored 2026-11-20 14.05).txt'],
  ])('of %s keeps its extension', (name, expected) => {
    expect(named(name)).toBe(expected);
    expect(isBesideName(Buffer.from(expected), Buffer.from(name))).toBe(true);
  });

  test('counts from the second attempt on', () => {
    expect(named('a.txt', 1)).toBe('a (restored 2026-11-20 14.05, 2).txt');
    expect(isBesideName(Buffer.from(named('a.txt', 41)), Buffer.from('a.txt'))).toBe(true);
  });

  test.each([
    ['letters of one byte', `${'x'.repeat(251)}.txt`],
    ['letters of two bytes', `${'ö'.repeat(125)}.txt`],
    ['letters of three bytes', `${'日'.repeat(83)}.txt`],
    ['letters of four bytes', `${'😀'.repeat(62)}.txt`],
    ['no extension', '日'.repeat(85)],
  ])('is at most 255 bytes long and cut between letters: %s', (_, name) => {
    for (const attempt of [0, 1, 12]) {
      const other = besideName(Buffer.from(name), stamp, attempt);
      expect(other.length).toBeLessThanOrEqual(255);
      expect(other.length).toBeGreaterThan(250);
      expect(other.toString()).not.toContain('\ufffd');
      expect(isBesideName(other, Buffer.from(name))).toBe(true);
    }
  });

  test('keeps every byte of a name that is not UTF-8', () => {
    const name = Buffer.concat([Buffer.of(0xff, 0xfe, 0xe9), Buffer.from('.dat')]);
    expect(besideName(name, stamp, 0).subarray(0, 3)).toEqual(Buffer.of(0xff, 0xfe, 0xe9));
    const long = Buffer.alloc(255, 0x80);
    expect(besideName(long, stamp, 0).length).toBe(255);
  });

  test.each([
    'a.txt',
    'a (restored yesterday).txt',
    'b (restored 2026-11-20 14.05).txt',
    'a (restored 2026-11-20 14.05).pdf',
    'a (restored 2026-11-20 14.05, 0).txt.x',
  ])('is told from names of other files: %s', (other) => {
    expect(isBesideName(Buffer.from(other), Buffer.from('a.txt'))).toBe(false);
  });
});

describe('names in one folder', () => {
  const node = (name: string) => ({ name: Buffer.from(name) }) as never;

  test('are given once, also when nothing stands under them yet', () => {
    const first = `${'x'.repeat(253)}aa`;
    const second = `${'x'.repeat(253)}bb`;
    const names = new BesideNames(new Set(), [], stamp);
    const given = [names.free(Buffer.from(first)), names.free(Buffer.from(second)), names.free(Buffer.from(first))];
    expect(new Set(given.map(String)).size).toBe(3);
  });

  test('are neither those of existing entries nor those that the snapshot is going to restore', () => {
    const names = new BesideNames(new Set(['a (restored 2026-11-20 14.05).txt']), [node('a (restored 2026-11-20 14.05, 2).txt')], stamp);
    expect(names.free(Buffer.from('a.txt')).toString()).toBe('a (restored 2026-11-20 14.05, 3).txt');
  });

  test('of earlier runs are found again', () => {
    const names = new BesideNames(new Set(['a (restored 2019-01-01 10.00).txt', 'b (restored 2019-01-01 10.00).txt', 'a.txt']), [], stamp);
    expect(names.restoredBefore(Buffer.from('a.txt')).map(String)).toEqual(['a (restored 2019-01-01 10.00).txt']);
  });
});
