import { describe, expect, test } from 'vitest';
import { nameText } from '../../../src/engine/backup/name-text.ts';
import { type Level, levelsOf, type PatternOptions } from '../../../src/engine/find/levels.ts';

const options = (patterns: readonly string[], more: Partial<PatternOptions> = {}): PatternOptions => ({
  patterns,
  ignoreCase: false,
  contents: true,
  ...more,
});

/** Whether the entry at an absolute path matches, asked from folder to folder; a folder that cannot hold anything is not entered. */
function matches(patterns: string | readonly string[], path: string, more: Partial<PatternOptions> = {}): boolean {
  const levels = levelsOf(options(typeof patterns === 'string' ? [patterns] : patterns, more));
  const names = path.split('/').slice(1);
  let level: Level | undefined = levels.root;
  for (const name of names.slice(0, -1)) {
    level = level?.enter(name);
    // Any thread finds the same level by its number.
    if (level && level.id !== 0) expect(levels.at(level.id)).toBe(level);
  }
  return level?.hits(names.at(-1)!) ?? false;
}

describe('a pattern', () => {
  test.each([
    ['name', '/a/name', true],
    ['name', '/a/name/b/c', true],
    ['name', '/a/names', false],
    ['*.txt', '/a/b.txt', true],
    ['*.txt', '/a/b.txt.gz', false],
    ['?', '/ä', true],
    ['?', '/ab', false],
    ['[a-c]x', '/bx', true],
    ['[^a-c]x', '/bx', false],
    ['[^a-c]x', '/dx', true],
    ['[!a]x', '/bx', false],
    ['[!a]x', '/!x', true],
    ['\\*', '/*', true],
    ['\\*', '/a', false],
    ['[\\]]', '/]', true],
    ['b/c', '/a/b/c', true],
    ['b/c', '/b/a/c', false],
    ['/a', '/a', true],
    ['/a', '/b/a', false],
    ['/a/*/c', '/a/b/c', true],
    ['/a/*/c', '/a/c', false],
    ['/a/**/c', '/a/c', true],
    ['/a/**/c', '/a/x/y/c/d', true],
    ['/a/**/c', '/b/a/c', false],
    ['a/**', '/x/a', true],
    ['a/**', '/x/a/b', true],
    ['**/c', '/c', true],
    ['/a/', '/a', true],
    ['//a/./b/../c', '/a/c', true],
    ['', '/anything', true],
    ['.', '/anything', false],
    ['*/a', '/a', true],
  ])('%j at %j: %j', (pattern, path, expected) => {
    expect(matches(pattern, path)).toBe(expected);
  });

  test('without contents, is about the entry itself', () => {
    expect(matches('name', '/a/name/b', { contents: false })).toBe(false);
    expect(matches('name', '/a/name', { contents: false })).toBe(true);
    expect(matches('name', '/name/b/name', { contents: false })).toBe(true);
    expect(matches('a/**', '/a/b/c', { contents: false })).toBe(true);
  });

  test('ignores case when asked to, beyond ASCII too', () => {
    for (const [pattern, path] of [
      ['README*', '/readme.md'],
      ['ärger', '/ÄRGER'],
      ['[A-C]x', '/bX'],
      ['/Home/*', '/home/u'],
    ] as const) {
      expect(matches(pattern, path)).toBe(false);
      expect(matches(pattern, path, { ignoreCase: true })).toBe(true);
    }
  });

  test('one of many suffices', () => {
    expect(matches(['*.jpg', '/a/b', 'x'], '/q/p.jpg')).toBe(true);
    expect(matches(['*.jpg', '/a/b', 'x'], '/a/b/c')).toBe(true);
    expect(matches(['*.jpg', '/a/b', 'x'], '/a/c')).toBe(false);
  });

  test('is about bytes that are not UTF-8, too', () => {
    const stray = nameText(Buffer.from([0x61, 0xff]));
    expect(matches('a?', `/${stray}`)).toBe(true);
    expect(matches(stray, `/${stray}`)).toBe(true);
    expect(matches(stray, '/a\ufffd')).toBe(false);
  });

  test.each(['[', '[]', '[a', '[a-]', '[^', 'x\\', '[a-', 'ok/[x'])('%j is refused', (pattern) => {
    expect(() => levelsOf(options([pattern]))).toThrow('cannot be read');
  });
});

test('a folder in which nothing can match is known', () => {
  const { root } = levelsOf(options(['/a/b', '/c/*/d']));
  expect(root!.enter('x')).toBeUndefined();
  expect(root!.enter('a')!.enter('x')).toBeUndefined();
  expect(root!.enter('c')!.enter('x')).toBeDefined();
  expect(levelsOf(options(['/'])).root?.hits('a') ?? false).toBe(false);
});

test('patterns with more parts than numbers tell still match', () => {
  const long = Array.from({ length: 40 }, (_, i) => `n${i}`);
  expect(matches(`/${long.join('/')}`, `/${long.join('/')}`)).toBe(true);
  expect(matches(long.join('/'), `/x/${long.join('/')}`)).toBe(true);
  expect(matches(long.join('/'), `/x/${long.slice(1).join('/')}`)).toBe(false);
});

test('folders for which the same is left share a level', () => {
  const { root } = levelsOf(options(['*.txt', 'a/b']));
  expect(root!.enter('x')).toBe(root!.enter('y'));
  expect(root!.enter('x')!.enter('z')).toBe(root!.enter('y'));
  expect(root!.enter('a')).not.toBe(root!.enter('x'));
});
