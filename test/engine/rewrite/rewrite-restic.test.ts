/** The same patterns on the same repository: what `restic rewrite` makes of it is what we make of it, tree by tree. */
import { systemClock } from '../../../src/platform/clock.ts';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseTimeText } from '../../../src/cli/dates.ts';
import { compileExcludes, type ExcludeOptions } from '../../../src/engine/backup/exclude.ts';
import { executeRewrite, type RewriteRequest } from '../../../src/engine/rewrite/rewrite.ts';
import { backup, makeRepository, openRepository, password, resticOn, runOptions } from '../../support/engine.ts';
import { fileNode, folderNode, Forge } from '../../support/forge.ts';
import { hasty } from '../../support/hostile.ts';
import { expectCleanCheck } from '../../support/judge.ts';
import { buildNastyTree } from '../../support/nasty-tree.ts';
import type { ResticSnapshot } from '../../support/restic.ts';
import { scratch, sharedScratch, tree } from '../../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';

refuseUnhandledRejections();

const place = sharedScratch('rewrite-restic');
const folder = join(place, 'repository');
const nasty = join(place, 'nasty');
const plain = join(place, 'plain');

/** Of every kind of entry and name, by both programs, twice; and one without figures. */
beforeAll(async () => {
  const repository = await makeRepository(folder);
  await buildNastyTree(nasty, { small: true });
  tree(plain, {
    'a.txt': 'alpha',
    'b.tmp': 'temporary',
    docs: { 'c.txt': 'gamma', 'd.tmp': 'temporary too' },
    node_modules: { x: { 'index.js': 'x' } },
    only: { 'one.tmp': 'goes' },
  });
  await backup(repository, [nasty, plain], hasty);
  await resticOn(folder).backup([nasty, plain], { force: true, tags: ['theirs'] });
  await backup(repository, plain, { ...hasty, tags: ['ours'] });
  const forge = new Forge(repository);
  const { tree: stored } = (await repository.snapshots()).at(-1)!;
  await forge.snapshot(stored, { paths: [plain], time: '2030-01-02T03:04:05.123456789+02:00' });
});

/** A snapshot as restic shows it, but for its ID. */
const visible = (snapshot: ResticSnapshot): object =>
  Object.fromEntries(Object.entries(snapshot).filter(([name]) => name !== 'id' && name !== 'short_id'));

/** `unchanged`: with those that restic wrote anew only because they had no figures. */
async function shown(repository: string, unchanged: boolean): Promise<object[]> {
  const all = await resticOn(repository).snapshots();
  const treeOf = new Map(all.map(({ id, tree: root }) => [id, root]));
  const isUnchanged = ({ original, tree: root }: ResticSnapshot): boolean => original !== undefined && treeOf.get(original) === root;
  const list = all.filter((snapshot) => unchanged || !isUnchanged(snapshot)).map(visible);
  return list.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** Rewrites copies of the repository with both programs and compares all snapshots. Returns how many of them are new. */
async function compare(args: readonly string[], exclude: ExcludeOptions | undefined, request: RewriteRequest = {}): Promise<number> {
  const [ours, theirs] = [join(scratch('rewrite'), 'ours'), join(scratch('rewrite'), 'theirs')];
  cpSync(folder, ours, { recursive: true });
  cpSync(folder, theirs, { recursive: true });
  const rules = exclude && compileExcludes(exclude);
  const { plan, changed } = await executeRewrite(await openRepository(ours, password), { rules, ...request }, runOptions(hasty));
  expect(plan.problems).toEqual([]);
  await resticOn(theirs).rewrite(args);
  const sameTree = exclude === undefined;
  expect(await shown(ours, true)).toEqual(await shown(theirs, sameTree));
  await expectCleanCheck(resticOn(ours));
  return changed.length;
}

describe('restic makes the same snapshots, with the same trees, of', () => {
  test.each<[string, string[], ExcludeOptions, number]>([
    ['names', ['--exclude', '*.tmp'], { patterns: ['*.tmp'] }, 4],
    ['names of folders', ['--exclude', 'node_modules', '--exclude', 'names'], { patterns: ['node_modules', 'names'] }, 4],
    ['names whatever their case', ['--iexclude', '*.TMP'], { patternsIgnoringCase: ['*.TMP'] }, 4],
    ['names with any one character', ['--exclude', '?.t[xm]?'], { patterns: ['?.t[xm]?'] }, 4],
    ['names that are strange', ['--exclude', '*é*', '--exclude', '* *'], { patterns: ['*é*', '* *'] }, 2],
    ['whole paths', ['--exclude', join(plain, 'docs/c.txt')], { patterns: [join(plain, 'docs/c.txt')] }, 4],
    ['whole paths of folders', ['--exclude', join(nasty, 'names')], { patterns: [join(nasty, 'names')] }, 2],
    ['paths that begin anywhere', ['--exclude', '**/x/index.js'], { patterns: ['**/x/index.js'] }, 4],
    ['a source', ['--exclude', nasty], { patterns: [nasty] }, 2],
    ['everything', ['--exclude', '*'], { patterns: ['*'] }, 4],
  ])('%s', async (_, args, exclude, expected) => {
    expect(await compare(args, exclude)).toBe(expected);
  });

  test('patterns, when the old snapshots go', async () => {
    expect(await compare(['--exclude', '*.tmp', '--forget'], { patterns: ['*.tmp'] }, { forget: true })).toBe(4);
  });

  test('another host and time', async () => {
    const time = '2021-02-03 04:05:06';
    const args = ['--new-host', 'desktop', '--new-time', time];
    const request = { hostname: 'desktop', time: parseTimeText(time, '--new-time', systemClock) };
    expect(await compare(args, undefined, request)).toBe(4);
    expect(await compare([...args, '--exclude', '*.tmp'], { patterns: ['*.tmp'] }, request)).toBe(4);
  });

  test('patterns that match nothing, but for snapshots without figures, which restic writes anew', async () => {
    const theirs = join(scratch('rewrite'), 'theirs');
    cpSync(folder, theirs, { recursive: true });
    const { changed } = await executeRewrite(
      await openRepository(theirs, password),
      { rules: compileExcludes({ patterns: ['nothing has this name'] }) },
      runOptions(hasty),
    );
    expect(changed).toEqual([]);
    await resticOn(theirs).rewrite(['--exclude', 'nothing has this name']);
    const fresh = (await resticOn(theirs).snapshots()).filter(({ tags }) => tags?.includes('rewrite'));
    expect(fresh.map(({ paths, time }) => [paths, time.slice(0, 4)])).toEqual([[[plain], '2030']]);
  });
});

test('trees that we refuse, restic refuses too, and those that we accept it accepts', async () => {
  const good = fileNode('good', []);
  const text = (nodes: readonly object[]): string => `{"nodes":${JSON.stringify(nodes)}}\n`;
  const cases: [string, boolean][] = [
    [text([good]), true],
    [text([{ ...good, future: 1 }]), false],
    [text([{ ...good, size: 0 }]), false],
    [text([good]).replace('"mode":', ' "mode":'), false],
    [text([good]).trimEnd(), false],
    [text([{ ...good, mtime: '2026-01-02T03:04:05.60Z' }]), false],
    [text([{ ...good, mtime: '2026-01-02T03:04:05+00:00' }]), false],
    [text([{ ...good, mtime: '2026-01-02T03:04:05.6-11:30' }]), true],
    [text([{ ...good, name: 'caf\\xe9' }]), true],
    [text([{ ...good, name: 'caf\\u00e9' }]), false],
  ];
  for (const [stored, accepted] of cases) {
    const folderOfCase = join(scratch('rewrite'), 'repository');
    const forge = new Forge(await makeRepository(folderOfCase));
    await forge.snapshot(forge.tree([fileNode('b.tmp', []), folderNode('d', forge.tree(stored))]));
    const rules = compileExcludes({ patterns: ['*.tmp'] });
    const theirs = await resticOn(folderOfCase).run(['rewrite', '--dry-run', '--exclude', '*.tmp']);
    const { plan, changed } = await executeRewrite(forge.repository, { rules }, runOptions(hasty));
    expect([stored, theirs.code === 0]).toEqual([stored, accepted]);
    expect([stored, changed.length === 1]).toEqual([stored, accepted]);
    expect(plan.problems.map(({ error }) => error.code)).toEqual(accepted ? [] : ['tree-unknown-form']);
  }
});
