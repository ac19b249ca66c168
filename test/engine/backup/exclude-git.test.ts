/** The judge of patterns: `git check-ignore` in a folder with the same names. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileExcludes, createExcluder, patternLines } from '../../../src/engine/backup/exclude.ts';
import { parsePattern } from '../../../src/engine/backup/patterns.ts';
import { scratch, tree, type TreeLiteral } from '../../support/tree-literal.ts';

const leaves: TreeLiteral = {
  a: '',
  b: '',
  ab: '',
  'a.b': '',
  '.a': '',
  'b a': '',
  AB: '',
  'a]b': '',
  '-': '',
  é: '',
  'x\ny': '',
  '[a]': '',
  '*': '',
  'a\\b': '',
  '#a': '',
  '!a': '',
};
const branch: TreeLiteral = { d: { ...leaves, e: { a: '', b: '', c: {} } }, 'd.e': { a: '', e: { ab: '' } }, E: { a: '' } };
const sample: TreeLiteral = { ...leaves, ...branch, e: { ...branch, ab: '' }, 'é.d': { a: '', é: '' } };

function* paths(literal: TreeLiteral, prefix = ''): Generator<{ path: string; isDirectory: boolean }> {
  for (const [name, entry] of Object.entries(literal)) {
    const isDirectory = typeof entry !== 'string';
    yield { path: prefix + name, isDirectory };
    if (isDirectory) yield* paths(entry as TreeLiteral, `${prefix}${name}/`);
  }
}

const all = [...paths(sample)];

interface Judge {
  ignored(patternFile: string, ignoreCase: boolean): Set<string>;
}

function gitIn(dir: string): Judge {
  const quiet = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', PATH: env.PATH };
  tree(dir, sample);
  execFileSync('git', ['init', '--quiet', '--template=', dir], { env: quiet });
  const patterns = join(dir, '.git', 'patterns');
  const input = all.map(({ path }) => path).join('\0');
  return {
    ignored(patternFile, ignoreCase) {
      writeFileSync(patterns, patternFile);
      const args = [
        '-c',
        `core.excludesFile=${patterns}`,
        '-c',
        `core.ignoreCase=${ignoreCase}`,
        'check-ignore',
        '--no-index',
        '--stdin',
        '-z',
      ];
      const { stdout, status, stderr } = spawnSync('git', args, { cwd: dir, env: quiet, input, encoding: 'utf8' });
      if (status !== 0 && status !== 1) throw new Error(stderr);
      return new Set(stdout.split('\0').filter(Boolean));
    },
  };
}

/** What we leave out, asked path by path and by walking. Lines that can never match are left away, as git silently does. */
function excluded(patternFile: string, ignoreCase: boolean): { single: Set<string>; walked: Set<string> } {
  const lines = patternLines(Buffer.from(patternFile)).filter(({ text }) => typeof parsePattern(text, ignoreCase) !== 'string');
  const texts = lines.map(({ text }) => text);
  const rules = compileExcludes(ignoreCase ? { patternsIgnoringCase: texts } : { patterns: texts });
  const excluder = createExcluder(structuredClone(rules), Buffer.from('/somewhere/else'));
  const single = all.filter(({ path, isDirectory }) => excluder.excludes(Buffer.from(path), isDirectory)).map(({ path }) => path);
  const walked: string[] = [];
  const walk = (literal: TreeLiteral, prefix: string, folder: typeof excluder.root): void => {
    for (const [text, entry] of Object.entries(literal)) {
      const name = Buffer.from(text);
      const isDirectory = typeof entry !== 'string';
      if (folder.excludes(name, isDirectory)) {
        walked.push(prefix + text);
        if (isDirectory) walked.push(...[...paths(entry as TreeLiteral, `${prefix}${text}/`)].map(({ path }) => path));
      } else if (isDirectory) walk(entry as TreeLiteral, `${prefix}${text}/`, folder.enter(name));
    }
  };
  walk(sample, '', excluder.root);
  return { single: new Set(single), walked: new Set(walked) };
}

const piece = fc.constantFrom(
  'a',
  'b',
  'ab',
  'd',
  'e',
  'c',
  '.',
  'é',
  'A',
  'B',
  '*',
  '*',
  '?',
  '[ab]',
  '[!a]',
  '[^b]',
  '[a-c]',
  '[c-a]',
  '[]a]',
  '[!]]',
  '[a-]',
  '[\\]a]',
  '[[:alpha:]]',
  '[[:upper:]-]',
  '[[:x]',
  '[[:nope:]]',
  '[a',
  '[é]',
  '\\a',
  '\\*',
  '\\[',
  '\\\\',
  '\\',
  ' ',
  '\\ ',
  '#',
  '!',
  '-',
  ']',
);
const simple = fc.array(piece, { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join(''));
const name = fc.oneof({ weight: 4, arbitrary: simple }, { weight: 1, arbitrary: fc.constantFrom('a', 'd', 'e', 'ab') });
const segment = fc.oneof({ weight: 4, arbitrary: name }, { weight: 1, arbitrary: fc.constant('**') });
const pattern = fc
  .tuple(
    fc.constantFrom('', '', '', '!', '!', '#', '\\!', '\\#'),
    fc.constantFrom('', '', '/', '**/'),
    fc.array(segment, { minLength: 1, maxLength: 3 }),
    fc.constantFrom('', '', '/', '/**', '/*', ' ', '//'),
  )
  .map(([before, start, segments, end]) => before + start + segments.join('/') + end);
/**
 * Where git departs from its own manual: it takes runs of stars that are not a whole segment for `**` when only literal text stands
 * before them (its shortcut for literal beginnings), and it counts bytes for `?` and sets.
 */
const departs = (line: string): boolean => /(?:[^/]\*\*|\*\*[^/\s])/.test(line.replace(/^!/, '')) || (/é/.test(line) && /\[/.test(line));
const patternFile = fc.array(
  pattern.filter((line) => !departs(line)),
  { minLength: 1, maxLength: 6 },
);

test('leaves out what git ignores', () => {
  const git = gitIn(scratch('git'));
  let ignored = 0;
  let kept = 0;
  fc.assert(
    fc.property(patternFile, fc.boolean(), fc.constantFrom('\n', '\r\n'), (lines, ignoreCase, lineEnd) => {
      const file = lines.join(lineEnd);
      // Where case is ignored, git folds that of the name and of each letter of the pattern but an escaped one: `\B` matches nothing.
      fc.pre(!(ignoreCase && /\\[A-Z]/.test(file)));
      // git's `?` and sets see two bytes in é, and so does a `*` beside them: names beyond ASCII are compared for literal patterns alone.
      const comparable = (path: string): boolean => !/é/.test(path) || !/[?[]/.test(file);
      const judged = [...git.ignored(file, ignoreCase)].filter(comparable).sort();
      const { single, walked } = excluded(file, ignoreCase);
      expect([...single].filter(comparable).sort()).toEqual(judged);
      expect([...walked].sort()).toEqual([...single].sort());
      ignored += judged.length;
      kept += all.length - judged.length;
    }),
    { numRuns: 600 },
  );
  // The comparison means something only when both answers are frequent.
  expect(Math.min(ignored, kept)).toBeGreaterThan(600 * 5);
});

test('reads a pattern file as git reads it', () => {
  const git = gitIn(scratch('git'));
  for (const file of [
    '\ufeffa\n',
    '\ufeff#a\nb',
    'a   \nb\t\n',
    'b\\ a  ',
    'a\\\\ ',
    '#a\n\\#a\n',
    '\\!a\r\n\r\n!b\r\n*\r\n!ab',
    ' a\n\n \n/\n!\n//\n',
    '*\n!*/\n!a',
    'e/\n!e/d/a\n!e/ab',
    'e/*\n!e/d/\n!e/d/a\ne/d/e/**',
    '/**/e/\n',
    'd/**/a',
    '**',
    '/**',
    '**/',
    'e/**/**/a',
  ]) {
    expect({ file, excluded: [...excluded(file, false).walked].sort() }).toEqual({ file, excluded: [...git.ignored(file, false)].sort() });
  }
});
