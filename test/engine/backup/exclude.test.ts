import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileExcludes, createExcluder, type ExcludeOptions } from '../../../src/engine/backup/exclude.ts';
import { excludePresets } from '../../../src/engine/backup/exclude-presets.ts';
import { nameBytes, nameText } from '../../../src/engine/backup/name-text.ts';
import { parsePattern } from '../../../src/engine/backup/patterns.ts';

const badUsage = expect.objectContaining({ code: 'bad-usage' });

/** A path that ends in a slash is a directory. */
function excludes(options: ExcludeOptions, path: string | Buffer, source = '/home/u'): boolean {
  const bytes = Buffer.from(path as string);
  const isDirectory = bytes.at(-1) === 0x2f;
  return createExcluder(compileExcludes(options), Buffer.from(source)).excludes(bytes, isDirectory);
}

describe('a pattern', () => {
  test.each<[pattern: string, path: string, expected: boolean]>([
    ['*.tmp', 'a/b.tmp', true],
    ['*.tmp', '.tmp', true],
    ['*.tmp', 'a.tmp2', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['cache/', 'x/cache/', true],
    ['cache/', 'x/cache', false],
    ['cache/', 'x/cache/y/z', true],
    ['/top', 'top', true],
    ['/top', 'x/top', false],
    ['x/y', 'x/y', true],
    ['x/y', 'z/x/y', false],
    ['**/x/y', 'z/x/y', true],
    ['x/**/y', 'x/y', true],
    ['x/**/y', 'x/1/2/3/y', true],
    ['x/**', 'x/', false],
    ['x/**', 'x/1/2', true],
    ['a/*/c', 'a/b/c', true],
    ['a/*/c', 'a/b/b/c', false],
    ['?', 'ä', true],
    ['?', '😀', true],
    ['??', '😀', false],
    ['[ä-ü]', 'ö', true],
    ['[!a]', '😀', true],
    ['*', 'x\ny', true],
    ['a?b', 'a\nb', true],
    ['name\\ ', 'name ', true],
    ['#a#', '#a#', true],
    ['(a|b)+$', '(a|b)+$', true],
    ['{a,b}', 'a', false],
  ])('“%s” on “%s”: %s', (pattern, path, expected) => expect(excludes({ patterns: [pattern] }, path)).toBe(expected));

  test.each<[pattern: string, source: string, path: string, expected: boolean]>([
    ['/home/u/cache', '/home/u', 'cache', true],
    ['/home/u/cache', '/home/u/', 'cache/x', true],
    ['/home/u/cache', '/home/u', 'x/cache', false],
    ['/home/u/cache', '/home/u', 'home/u/cache', false],
    ['/home/u/cache', '/home/v', 'cache', false],
    ['/home/u/cache', '/home/v', 'home/u/cache', true],
    ['/home/*/cache', '/home/u', 'cache', true],
    ['/home/**/cache', '/home/u', 'a/b/cache', true],
    ['/home/u/*.iso', '/home/u', 'x.iso', true],
    ['/home/u/*.iso', '/home/u', 'd/x.iso', false],
    ['/home/u/a/b', '/home/u', 'a/b', true],
    ['/home/u/a/b', '/home/u/a', 'b', true],
    ['/home/u/a/b', '/', 'home/u/a/b', true],
    // A first name that is a wildcard is no absolute path: it would catch far more than was meant.
    ['/*/x', '/home', 'x', false],
    ['/*/x', '/home', 'a/x', true],
    ['/**/x', '/home', 'a/b/x', true],
    // The source folder itself, and what is above it, is not inside it.
    ['/home/u', '/home/u', 'a', false],
    ['/home', '/home/u', 'a', false],
    ['/home/u', '/home/u', 'home/u', true],
    ['C:/Users/u/cache', 'C:\\Users\\u', 'cache', true],
    ['C:/Users/u/cache', 'C:/Users/u', 'cache', true],
    ['C:/Users/u/cache', 'C:\\Users\\v', 'cache', false],
  ])('“%s” for the source %s on “%s”: %s', (pattern, source, path, expected) =>
    expect(excludes({ patterns: [pattern] }, path, source)).toBe(expected),
  );

  test('is overruled by a later one, but nothing inside an excluded folder is brought back', () => {
    const options = { patterns: ['*.log', '!keep.log', 'logs/', '!logs/keep.log'] };
    expect(excludes(options, 'a.log')).toBe(true);
    expect(excludes(options, 'x/keep.log')).toBe(false);
    expect(excludes(options, 'logs/keep.log')).toBe(true);
  });

  test('from the command line overrules files, and these overrule presets', () => {
    const options: ExcludeOptions = {
      presets: ['node_modules'],
      files: [{ name: 'f', content: Buffer.from('!node_modules/\n*.a\n') }],
      patterns: ['!x.a'],
    };
    expect(excludes(options, 'node_modules/')).toBe(false);
    expect(excludes(options, 'y.a')).toBe(true);
    expect(excludes(options, 'x.a')).toBe(false);
  });

  test('ignores case only when asked to, beyond ASCII as well', () => {
    for (const [pattern, path] of [
      ['*.JPG', 'a.jpg'],
      ['ÄRGER', 'ärger'],
      ['[A-C]x', 'bX'],
      ['/Docs/*/a', 'dOCS/x/A'],
      ['*Mid*', 'aMIDb'],
    ] as const) {
      expect({ pattern, excluded: excludes({ patterns: [pattern] }, path) }).toEqual({ pattern, excluded: false });
      expect({ pattern, excluded: excludes({ patternsIgnoringCase: [pattern] }, path) }).toEqual({ pattern, excluded: true });
    }
  });

  test('matches names that are not UTF-8 byte by byte', () => {
    const stray = Buffer.from([0x61, 0xff, 0xfe, 0x2e, 0x62]);
    expect(excludes({ patterns: ['a??.b'] }, stray)).toBe(true);
    expect(excludes({ patterns: ['a?.b'] }, stray)).toBe(false);
    expect(excludes({ patterns: ['*.b'] }, stray)).toBe(true);
    expect(excludes({ patterns: [stray] }, stray)).toBe(true);
    expect(excludes({ patterns: [stray] }, Buffer.from([0x61, 0xff, 0xfd, 0x2e, 0x62]))).toBe(false);
    expect(excludes({ patterns: ['a\ufffd\ufffd.b'] }, stray)).toBe(false);
  });

  test('that ends in a stray byte does not match half a character', () => {
    // U+10080 has the second surrogate U+DC80, which also stands for the byte 0x80.
    expect(excludes({ patterns: [Buffer.from([0x2a, 0x80])] }, '\u{10080}')).toBe(false);
    expect(excludes({ patterns: [Buffer.from([0x2a, 0x80])] }, Buffer.from([0x61, 0x80]))).toBe(true);
  });

  test.each(['[a', 'a\\', '[[:nope:]]', '', '/', '!', '!/'])('“%s”, which can never match, is refused', (pattern) =>
    expect(() => compileExcludes({ patterns: [pattern] })).toThrow(badUsage),
  );

  test('in a file is named by its line when it is refused', () =>
    expect(() => compileExcludes({ files: [{ name: 'my-excludes', content: Buffer.from('# ok\n\n*.a\n[a\n') }] })).toThrow(
      /^my-excludes, line 4:/,
    ));

  test('made to be slow is not', () => {
    // Backtracking would take longer than the universe lasts.
    const pattern = `${'*a'.repeat(60)}b`;
    expect(excludes({ patterns: [pattern] }, 'a'.repeat(255))).toBe(false);
    expect(excludes({ patterns: [`${'*a*b'.repeat(20)}?`] }, `${'ab'.repeat(127)}c`)).toBe(true);
    expect(excludes({ patterns: [`/${'**/a/'.repeat(30)}b`] }, `${'a/'.repeat(120)}c`)).toBe(false);
  });
});

/** A second reading of wildcards, straight from the definition. */
function globMatches(pattern: readonly string[], name: readonly string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) return name.length === 0;
  if (head === '*') return globMatches(rest, name) || (name.length > 0 && globMatches(pattern, name.slice(1)));
  return name.length > 0 && (head === '?' || head === name[0]) && globMatches(rest, name.slice(1));
}

test('wildcards match what their definition says, for any text and stray bytes', () => {
  const characters = ['a', 'b', '.', 'é', '😀', '\u{10080}', '\udc80', '\udcff', '\n', '\ufffd'];
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('*', '?', ...characters), { minLength: 1, maxLength: 6 }),
      fc.array(fc.constantFrom(...characters), { minLength: 1, maxLength: 7 }),
      (pattern, name) => {
        const options = { patterns: [nameBytes(pattern.join(''))] };
        expect(excludes(options, nameBytes(name.join('')))).toBe(globMatches(pattern, name));
      },
    ),
    { numRuns: 2000 },
  );
});

test('the text of a name gives its bytes back, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      expect(nameBytes(nameText(Buffer.from(bytes)))).toEqual(Buffer.from(bytes));
    }),
    { numRuns: 2000 },
  );
  for (const hex of ['f0908280', 'eda080', 'c080', 'e282', 'f4908080', 'efbfbdff']) {
    expect(nameBytes(nameText(Buffer.from(hex, 'hex'))).toString('hex')).toBe(hex);
  }
});

test('the rules cross to a worker as plain data and as JSON', () => {
  const rules = compileExcludes({
    patterns: [Buffer.from([0x2a, 0xff])],
    presets: ['caches'],
    ifPresent: ['.nobackup:x'],
    caches: true,
    largerThan: 5,
    oneFileSystem: true,
  });
  expect(structuredClone(rules)).toEqual(rules);
  expect(JSON.parse(JSON.stringify(rules))).toEqual(rules);
  expect(createExcluder(JSON.parse(JSON.stringify(rules)), Buffer.from('/')).excludes(Buffer.from([0x61, 0xff]), false)).toBe(true);
});

test('folders for which the same rules are left share their exclusions', () => {
  const { root } = createExcluder(compileExcludes({ patterns: ['*.tmp', '/a/b', '**/x/y'] }), Buffer.from('/s'));
  const other = root.enter(Buffer.from('p'));
  expect(other.enter(Buffer.from('q'))).toBe(other);
  expect(root.enter(Buffer.from('a')).enter(Buffer.from('q')).excludes(Buffer.from('b'), false)).toBe(false);
  expect(root.enter(Buffer.from('a')).excludes(Buffer.from('b'), false)).toBe(true);
});

test('in a source folder within, anchored patterns are meant from there as well, and a path from the top still is', () => {
  const { root } = createExcluder(compileExcludes({ patterns: ['/out', '/src/a/b', 'a/c', '!/src/out'] }), Buffer.from('/'));
  const name = (text: string): Buffer => Buffer.from(text);
  const [plain, source] = [root.enter(name('p')), root.enter(name('src'), true)];
  expect([root, plain, source].map((folder) => folder.excludes(name('out'), false))).toEqual([true, false, false]);
  const [a, other] = [source.enter(name('a')), plain.enter(name('a'))];
  expect(['b', 'c', 'd'].map((each) => a.excludes(name(each), false))).toEqual([true, true, false]);
  expect(['b', 'c', 'd'].map((each) => other.excludes(name(each), false))).toEqual([false, false, false]);
  expect(root.enter(name('other'), true).excludes(name('out'), false)).toBe(true);
});

test('folders with the same key have the same exclusions, and others have another', () => {
  const { root } = createExcluder(compileExcludes({ patterns: ['*.tmp', '/a/b', '**/x/y'] }), Buffer.from('/'));
  const enter = (...names: string[]): string => names.reduce((folder, each) => folder.enter(Buffer.from(each)), root).key;
  expect(enter('p')).toBe(enter('q', 'r'));
  expect(enter('x')).toBe(enter('q', 'x'));
  expect(new Set([root.key, enter('a'), enter('p'), enter('x')]).size).toBe(4);
});

describe('a preset', () => {
  test.each(excludePresets.map((preset) => [preset.name, preset] as const))(
    '“%s” has a label and only patterns that can match',
    (name, preset) => {
      expect(preset.label).toMatch(/^[A-Z]/);
      expect(
        [...preset.patterns, ...preset.patternsIgnoringCase].filter((pattern) => typeof parsePattern(pattern, false) === 'string'),
      ).toEqual([]);
      expect(compileExcludes({ presets: [name] }).patterns.length).toBeGreaterThan(0);
    },
  );

  test.each<[name: string, path: string]>([
    ['caches', 'home/u/.cache/'],
    ['caches', 'u/.var/app/org.x/cache/'],
    ['caches', 'Users/u/Library/Caches/'],
    ['caches', 'Users/u/appdata/local/Microsoft/Windows/INetCache/'],
    ['temporary', 'docs/~$report.docx'],
    ['temporary', 'docs/.~lock.a.odt#'],
    ['temporary', 'docs/.a.txt.swp'],
    ['temporary', 'u/AppData/Local/Temp/'],
    ['trash', '.local/share/Trash/'],
    ['trash', '$Recycle.Bin/'],
    ['trash', '.Trash-1000/'],
    ['node_modules', 'p/node_modules/'],
    ['python', 'p/__pycache__/'],
    ['system', 'p/.DS_Store'],
    ['system', 'p/thumbs.DB'],
  ])('“%s” leaves out %s', (name, path) => expect(excludes({ presets: [name] }, path)).toBe(true));

  test.each([
    'docs/report.docx',
    'docs/cache.txt',
    'Cache/',
    'temp/',
    'photos/Trash/',
    'src/node_modules.md',
    'Library/',
    '.config/app/settings',
    'AppData/Local/App/data.db',
    'notes~',
  ])('leaves %s alone, even with all the others', (path) =>
    expect(excludes({ presets: excludePresets.map((preset) => preset.name) }, path)).toBe(false),
  );

  test('that does not exist is refused with the names of those that do', () =>
    expect(() => compileExcludes({ presets: ['nope'] })).toThrow(
      expect.objectContaining({ guidance: expect.stringContaining('node_modules') }),
    ));
});
