/** What lies behind tags, size and file systems: `restic backup` must leave out the same entries. */
import { mkdirSync, lstatSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { compileExcludes, createExcluder, type ExcludeOptions } from '../../../src/engine/backup/exclude.ts';
import { acrossFileSystems, isTooLarge, parseSizeLimit } from '../../../src/engine/backup/exclude-facts.ts';
import { createTagFinder, parseTag, type TagProblem } from '../../../src/engine/backup/exclude-tags.ts';
import { jsonLines, Restic } from '../../support/restic.ts';
import { scratch, sharedScratch, tree } from '../../support/tree-literal.ts';

const signature = 'Signature: 8a477f597d28d172789f06886806bc55';

/** Walks as a backup does and returns the paths that it would store. */
function stored(source: string, options: ExcludeOptions, problems: TagProblem[] = []): string[] {
  const rules = compileExcludes(options);
  const tags = createTagFinder(rules.tags, (problem) => problems.push(problem));
  const excluder = createExcluder(rules, Buffer.from(source));
  const found: string[] = [];
  const walk = (folder: string, level: typeof excluder.root): void => {
    const tagged = tags.find(Buffer.from(folder));
    for (const name of readdirSync(folder)) {
      const bytes = Buffer.from(name);
      const path = join(folder, name);
      const stat = lstatSync(path);
      const isDirectory = stat.isDirectory();
      if (level.excludes(bytes, isDirectory) || tagged?.(bytes) || isTooLarge(rules.largerThan, stat.size, isDirectory)) continue;
      found.push(path);
      if (isDirectory) walk(path, level.enter(bytes));
    }
  };
  walk(source, excluder.root);
  return found.sort();
}

function fill(source: string): string {
  tree(source, {
    plain: { a: 'a', big: 'x'.repeat(2049), even: 'x'.repeat(2048) },
    empty: { '.nobackup': '', a: 'a', d: { b: 'b' } },
    header: { '.nobackup': 'no backup please', a: 'a' },
    wrong: { '.nobackup': 'yes', a: 'a' },
    cache: { 'CACHEDIR.TAG': `${signature}\n# more`, a: 'a', d: {} },
    short: { 'CACHEDIR.TAG': signature.slice(0, 20), a: 'a' },
    both: { 'CACHEDIR.TAG': signature, '.nobackup': '', a: 'a' },
    tagFolder: { '.nobackup': { x: 'x' }, a: 'a' },
    inner: { d: { '.nobackup': '', deep: { a: 'a' } }, a: 'a' },
  });
  mkdirSync(join(source, 'linked'));
  writeFileSync(join(source, 'linked', 'a'), 'a');
  symlinkSync('nowhere', join(source, 'linked', '.nobackup'));
  return source;
}

describe('as restic does, a backup', () => {
  const source = fill(join(sharedScratch('source'), 's'));
  const restic = new Restic(join(sharedScratch('repository'), 'r'), 'pw');
  beforeAll(() => restic.init(), 0);

  test.each<[args: string[], options: ExcludeOptions]>([
    [['--exclude-if-present', '.nobackup'], { ifPresent: ['.nobackup'] }],
    [['--exclude-if-present', '.nobackup:no backup'], { ifPresent: ['.nobackup:no backup'] }],
    [['--exclude-caches'], { caches: true }],
    [['--exclude-caches', '--exclude-if-present', '.nobackup'], { caches: true, ifPresent: ['.nobackup'] }],
    [['--exclude-if-present', '.nobackup', '--exclude', '.nobackup'], { ifPresent: ['.nobackup'], patterns: ['.nobackup'] }],
    [['--exclude-larger-than', '2K'], { largerThan: parseSizeLimit('2K') }],
    [['--exclude-larger-than', '0'], { largerThan: 0 }],
    [['--exclude', 'd', '--exclude', '*.TAG', '--iexclude', 'BIG'], { patterns: ['d', '*.TAG'], patternsIgnoringCase: ['BIG'] }],
  ])('leaves out what %j says', async (args, options) => {
    const { snapshot_id } = await restic.backup([source], { force: true, args });
    const { stdout } = await restic.must(['ls', '--json', snapshot_id]);
    const judged = jsonLines(stdout).flatMap((line) =>
      typeof line.path === 'string' && line.path.startsWith(`${source}/`) ? [line.path] : [],
    );
    expect(stored(source, options)).toEqual(judged.sort());
  });
});

describe('a tag', () => {
  test('in the source folder itself leaves everything else out', () => {
    const source = tree(scratch('source'), { '.nobackup': '', a: 'a', d: { b: 'b' } });
    expect(stored(source, { ifPresent: ['.nobackup'] })).toEqual([join(source, '.nobackup')]);
  });

  test('with the wrong header, or that cannot be read, is reported and its folder is stored', () => {
    const source = tree(scratch('source'), { w: { CACHE: 'no', a: 'a' }, d: { CACHE: {}, a: 'a' } });
    const problems: TagProblem[] = [];
    expect(stored(source, { ifPresent: ['CACHE:yes'] }, problems)).toHaveLength(6);
    expect(problems.map(({ path, problem }) => [path.toString().slice(source.length), problem])).toEqual([
      ['/d/CACHE', 'unreadable'],
      ['/w/CACHE', 'wrong header'],
    ]);
  });

  test.each(['', ':x', 'a/b', '..', '.', 'a\0'])('“%s” is refused', (spec) =>
    expect(() => parseTag(spec)).toThrow(expect.objectContaining({ code: 'bad-usage' })),
  );

  test('splits at the first colon', () => expect(parseTag('a:b:c')).toEqual({ name: 'a', header: 'b:c' }));
});

describe('a size', () => {
  test.each([
    ['0', 0],
    ['1024', 1024],
    ['1b', 1],
    ['1k', 1024],
    ['1.5M', 1_572_864],
    ['2GiB', 2_147_483_648],
    ['1T', 1_099_511_627_776],
  ])('“%s” is %i bytes', (text, bytes) => expect(parseSizeLimit(text)).toBe(bytes));

  test.each(['', '-1', 'K', '1KB', '1 2', '1e3', '0x10', '9999999T', 'NaN', '1,5M'])('“%s” is refused', (text) =>
    expect(() => parseSizeLimit(text)).toThrow(expect.objectContaining({ code: 'bad-usage' })),
  );
});

test('on one file system a mount point is stored empty and what lies beyond is left out', () => {
  expect(acrossFileSystems(1n, 1n, 1n, true)).toBe('store');
  expect(acrossFileSystems(2n, 1n, 1n, true)).toBe('store-empty');
  expect(acrossFileSystems(2n, 1n, 1n, false)).toBe('leave-out');
  expect(acrossFileSystems(2n, 2n, 1n, true)).toBe('leave-out');
  expect(acrossFileSystems(1n, 2n, 1n, false)).toBe('store');
});
