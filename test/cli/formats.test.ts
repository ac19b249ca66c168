import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { modeText } from '../../src/cli/entry-line.ts';
import { exitCodeOf } from '../../src/cli/exit-codes.ts';
import { printable, printablePath } from '../../src/cli/printable.ts';
import { fraction, ProgressBar, progressLine } from '../../src/cli/progress-bar.ts';
import { formatBytes, formatCount, formatDuration, parseSize } from '../../src/platform/sizes.ts';
import { tableLines } from '../../src/cli/table.ts';
import { pad, shorten, textWidth } from '../../src/cli/text-width.ts';
import { shellWord } from '../../src/cli/start/next-steps.ts';
import { version } from '../../src/cli/version.ts';
import { errorCodes } from '../../src/contract/errors.ts';
import type { Progress } from '../../src/engine/run.ts';

describe('texts for a terminal', () => {
  test('characters that a terminal acts on are written out', () => {
    expect(printable('a\nb\rc\td')).toBe('a\\nb\\rc\\td');
    expect(printable('\x1b[31mred\x07\x7f\x9b')).toBe('\\x1b[31mred\\x07\\x7f\\x9b');
    expect(printable('gpj.\u202eexe\u2066\u2028')).toBe('gpj.\\u{202e}exe\\u{2066}\\u{2028}');
    expect(printable('lone \ud800 surrogate')).toBe('lone \\u{d800} surrogate');
  });

  test('what people write stays as it is', () => {
    for (const text of ['naïve café', '日本語', '👩‍👩‍👧 family', 'a\\b "c" \'d\'', 'שלום']) expect(printable(text)).toBe(text);
  });

  test('bytes that are not UTF-8 are written as such', () => {
    expect(printablePath(Buffer.from([0x61, 0xff, 0x0a, 0xc3, 0xa9]))).toBe('a\\xff\\né');
  });

  test('a wide character takes two columns, a combining one none', () => {
    expect(textWidth('abc')).toBe(3);
    expect(textWidth('日本')).toBe(4);
    expect(textWidth('e\u0301')).toBe(1);
    expect(textWidth('👍')).toBe(2);
    expect(pad('日', 4)).toBe('日  ');
    expect(pad('7', 3, true)).toBe('  7');
  });

  test('a path that is too long keeps its end', () => {
    expect(shorten('/home/me/letter.txt', 12)).toBe('…/letter.txt');
    expect(shorten('short', 12)).toBe('short');
    expect(shorten('/日本語', 4)).toBe('…語');
    expect(shorten('abc', 1)).toBe('');
  });
});

describe('amounts', () => {
  test('bytes have three digits', () => {
    expect([0, 999, 1023, 1024, 1536, 10_240, 1_048_575, 1_048_576, 123_456_789, 5e12].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1023 B',
      '1.00 KiB',
      '1.50 KiB',
      '10.0 KiB',
      '1.00 MiB',
      '1.00 MiB',
      '118 MiB',
      '4.55 TiB',
    ]);
  });

  test('counts and durations read well', () => {
    expect([0, 999, 1000, 1234567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect([0, 5.4, 65, 3599.6, 3723].map(formatDuration)).toEqual(['0:00', '0:05', '1:05', '1:00:00', '1:02:03']);
  });

  test('sizes are read with and without a unit, and anything else is refused', () => {
    expect(parseSize('16', '--pack-size', 1 << 20)).toBe(16 << 20);
    expect(parseSize('1.5K', '--x')).toBe(1536);
    expect(parseSize('2GiB', '--x')).toBe(2 * 1024 ** 3);
    for (const wrong of ['', 'x', '-1', '1e3', '5Q', '99999999999T']) expect(() => parseSize(wrong, '--x')).toThrow('--x');
  });

  test('modes are written as ls does', () => {
    expect(modeText('dir', 0o40755)).toBe('drwxr-xr-x');
    expect(modeText('file', 0o104755)).toBe('-rwsr-xr-x');
    expect(modeText('file', 0o102644)).toBe('-rw-r-Sr--');
    expect(modeText('dir', 0o41777)).toBe('drwxrwxrwt');
    expect(modeText('symlink', 0o120777)).toBe('lrwxrwxrwx');
  });

  test('columns are as wide as their longest text', () => {
    expect(
      tableLines(
        [{ title: 'A' }, { title: 'Size', right: true }],
        [
          ['long one', '1'],
          ['日', '1000000'],
        ],
      ),
    ).toEqual(['A            Size', '-----------------', 'long one        1', '日        1000000']);
  });
});

describe('the progress bar', () => {
  const progress: Progress = {
    phase: 'backing-up',
    items: 1234,
    totalItems: 5000,
    bytes: 512 << 20,
    totalBytes: 1 << 30,
    path: '/home/me/a/very/long/path/to/some/picture/of/a/cat.jpg',
    bytesPerSecond: 100 << 20,
    secondsLeft: 5.12,
  };

  test('says what, how far, how fast and how long', () => {
    expect(progressLine(progress, 140)).toBe(
      'Backing up  [##########..........]   50%  1,234  512 MiB  100 MiB/s  0:05 left  /home/me/a/very/long/path/to/some/picture/of/a/cat.jpg',
    );
  });

  test('never fills the line, however narrow it is', () => {
    const wide = { ...progress, path: '/日本語/'.repeat(20) };
    for (let columns = 0; columns < 160; columns++)
      expect(textWidth(progressLine(wide, columns))).toBeLessThanOrEqual(Math.max(0, columns - 1));
  });

  test('an estimate that was too low never passes 100%', () => {
    expect(fraction({ ...progress, bytes: 2 ** 31 })).toBe(1);
    expect(fraction({ ...progress, totalBytes: undefined, totalItems: undefined })).toBeUndefined();
    expect(progressLine({ ...progress, totalBytes: undefined, totalItems: undefined, secondsLeft: undefined }, 80)).not.toContain('%');
  });

  test('a name with escape characters cannot leave the line', () => {
    expect(progressLine({ ...progress, path: '/a\n\x1b[2Jb' }, 140)).toMatch(/\/a\\n\\x1b\[2Jb$/);
  });

  test('is written over in one piece, and taken away once', () => {
    const written: string[] = [];
    const bar = new ProgressBar({ columns: 80, write: (text) => written.push(text) });
    bar.clear();
    bar.show(progress);
    bar.show(progress);
    bar.clear();
    bar.clear();
    expect(written).toHaveLength(3);
    for (const text of written) expect(text).toMatch(/^\r[^\n\r]*\x1b\[K$/);
    expect(written[2]).toBe('\r\x1b[K');
  });
});

test('every error has an exit code that says that something is wrong', () => {
  for (const code of errorCodes) expect([1, 10, 11, 12, 130]).toContain(exitCodeOf(code));
});

test('words for a shell are quoted where they must be', () => {
  expect(shellWord('/home/me/backup', 'linux')).toBe('/home/me/backup');
  expect(shellWord("/it's $HOME", 'linux')).toBe(`'/it'\\''s $HOME'`);
  expect(shellWord('C:\\My Files', 'win32')).toBe('"C:\\My Files"');
});

test('the version is that of the package', () => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  expect((JSON.parse(text) as { version: string }).version).toBe(version);
});
