import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baseName, compareNames, displayPath, isInside, joinPath, parentPath, splitPath } from '../../src/platform/byte-paths.ts';

const b = (text: string): Buffer => Buffer.from(text);
const nameBytes = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0xff : byte))));

describe('joining', () => {
  it.each([
    ['/a', 'b', '/a/b'],
    ['/', 'b', '/b'],
    ['/a/', 'b', '/a/b'],
    ['', 'b', 'b'],
    ['.', 'b', './b'],
  ])('%s and %s give %s', (dir, name, joined) => {
    expect(joinPath(b(dir), b(name)).toString()).toBe(joined);
  });

  it('is undone by parentPath and baseName, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.array(nameBytes, { minLength: 1, maxLength: 6 }), nameBytes, (folders, name) => {
        const folder = folders.reduce<Buffer>(joinPath, b('/'));
        const path = joinPath(folder, name);
        expect(parentPath(path)).toEqual(folder);
        expect(baseName(path)).toEqual(name);
        expect(splitPath(path)).toEqual([...folders, name]);
      }),
    );
  });
});

describe('parent and base', () => {
  it.each(['/', '/a', '/a/', '/a/b', '/a/b//', 'a', 'a/b', 'a/', '', '.', '..', '/..', 'a//'])(
    'agree with dirname and basename for "%s"',
    (path) => {
      expect(parentPath(b(path)).toString()).toBe(posix.dirname(path));
      expect(baseName(b(path)).toString()).toBe(posix.basename(path));
    },
  );

  it('count doubled slashes as one', () => {
    expect(parentPath(b('/a//b')).toString()).toBe('/a');
    expect(parentPath(b('///a')).toString()).toBe('/');
    expect(parentPath(b('//')).toString()).toBe('/');
  });

  it('find no name in the root and in nothing', () => {
    expect(baseName(b('/')).length).toBe(0);
    expect(baseName(b('///')).length).toBe(0);
    expect(baseName(b('')).length).toBe(0);
  });
});

describe('splitting', () => {
  it('leaves out what is empty', () => {
    expect(splitPath(b('/a//b/')).map(String)).toEqual(['a', 'b']);
    expect(splitPath(b('/'))).toEqual([]);
    expect(splitPath(b(''))).toEqual([]);
    expect(splitPath(b('a')).map(String)).toEqual(['a']);
  });
});

describe('comparing', () => {
  it('orders by unsigned bytes, a prefix first', () => {
    const names = [b('b'), Buffer.from([0xff]), b('a!'), b('é'), b('a'), b('a/')];
    expect(names.sort(compareNames)).toEqual([b('a'), b('a!'), b('a/'), b('b'), b('é'), Buffer.from([0xff])]);
  });
});

describe('isInside', () => {
  it.each([
    ['/a/b', '/a', true],
    ['/a/b/c', '/a/b/', true],
    ['/a', '/a', true],
    ['/a/', '/a', true],
    ['/a', '/a/', true],
    ['/a', '/', true],
    ['/', '/', true],
    ['/ab', '/a', false],
    ['/a', '/a/b', false],
    ['a/b', '/', false],
    ['', '/', false],
    ['a', '', false],
    ['/a/../b', '/a', false],
    ['/a/..', '/a', false],
    ['/a/b/..', '/a', false],
    ['/../a', '/', false],
    ['/a/..b', '/a', true],
    ['/a/b..', '/a', true],
    ['/a/...', '/a', true],
    ['../a/b', '../a', true],
  ])('"%s" in "%s": %s', (path, folder, inside) => {
    expect(isInside(b(path), b(folder))).toBe(inside);
  });
});

describe('displaying', () => {
  it('shows valid UTF-8 as it is and other bytes by number', () => {
    expect(displayPath(b('/tmp/naïve 🎉\n'))).toBe('/tmp/naïve 🎉\n');
    expect(displayPath(Buffer.from('caf\xe9/x', 'latin1'))).toBe('caf\\xe9/x');
    expect(displayPath(Buffer.from([0x61, 0xff, 0x0a, 0x62, 0xc3]))).toBe('a\\xff\nb\\xc3');
    expect(displayPath(Buffer.concat([b('é'), Buffer.from([0xc3]), b('é')]))).toBe('é\\xc3é');
    // Overlong slash, a surrogate, above U+10FFFF, a cut emoji.
    expect(displayPath(Buffer.from([0xc0, 0xaf]))).toBe('\\xc0\\xaf');
    expect(displayPath(Buffer.from([0xed, 0xa0, 0x80]))).toBe('\\xed\\xa0\\x80');
    expect(displayPath(Buffer.from([0xf4, 0x90, 0x80, 0x80]))).toBe('\\xf4\\x90\\x80\\x80');
    expect(displayPath(Buffer.from([0xf0, 0x9f, 0x8e]))).toBe('\\xf0\\x9f\\x8e');
  });

  it('keeps exactly the bytes that a strict decoder takes', () => {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 3 }).map((s) => Buffer.from(s)),
      fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const bytes = Buffer.concat(pieces);
        const parts = displayPath(bytes).replaceAll('\\x', '\0\\x').split('\0');
        const back = Buffer.concat(
          parts.map((part) => {
            const number = /^\\x([0-9a-f]{2})/.exec(part);
            return number
              ? Buffer.concat([Buffer.from([Number.parseInt(number[1] as string, 16)]), Buffer.from(part.slice(4))])
              : Buffer.from(part);
          }),
        );
        fc.pre(!bytes.includes(0x5c) && !bytes.includes(0));
        expect(back).toEqual(bytes);
        const escaped = parts.filter((part) => part.startsWith('\\x')).map((part) => Number.parseInt(part.slice(2, 4), 16));
        expect(escaped.every((byte) => byte >= 0x80)).toBe(true);
        expect(strict.decode(Buffer.from(displayPath(bytes)))).toBe(displayPath(bytes));
      }),
    );
  });
});
