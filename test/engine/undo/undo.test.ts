import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, linkSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listUndos } from '../../../src/engine/undo/list.ts';
import { executeUndo, planUndo } from '../../../src/engine/undo/undo.ts';
import { overwritePolicies } from '../../../src/engine/restore/policy.ts';
import { backup, makeRepository, problemLines, restore, runOptions } from '../../support/engine.ts';
import { factsOf } from '../../support/file-facts.ts';
import { expectSameTree, expectSparse } from '../../support/judge.ts';
import { buildNastyTree } from '../../support/nasty-tree.ts';
import { scratch, tree, type TreeLiteral } from '../../support/tree-literal.ts';
import { undoWorld } from './undo-world.ts';

describe('an undo', () => {
  test('brings everything back that the restore has replaced, deleted or changed, exactly, and removes what it has made', async () => {
    const { repository, source, target, before, journals, request } = await undoWorld(scratch('undo'));
    const inodes = inodesOf(target);
    const { problems, undo, figures } = await restore(repository, target, request);
    expect(problems).toEqual([]);
    expect(figures.replace).toBeGreaterThan(30);
    expect(figures.delete).toBeGreaterThan(5);
    await expectSameTree(source, without(target, undo!.id, source));
    const plan = await planUndo(journals, undo!.id, runOptions());
    const result = await executeUndo(journals, undo!.id, runOptions());
    expect(result.problems).toEqual([]);
    expect(result.kept).toEqual([]);
    expect(result.figures).toEqual(plan.figures);
    await expectSameTree(before, target);
    await expectSparse(before, target);
    // They are the very same files, not copies.
    expect(inodesOf(target)).toEqual(inodes);
    expect(readdirSync(journals)).toEqual([]);
  });

  test('says beforehand how often it sets properties, also of a file with several names', async () => {
    const dir = scratch('undo');
    const [source, target, journals] = [join(dir, 'source'), join(dir, 'target'), join(dir, 'journals')];
    tree(source, { first: 'two names', other: 'another file' });
    linkSync(join(source, 'first'), join(source, 'second'));
    linkSync(join(source, 'first'), join(source, 'third'));
    const repository = await makeRepository(join(dir, 'repository'));
    await backup(repository, source);
    execFileSync('cp', ['-a', source, target]);
    for (const name of ['first', 'other']) chmodSync(join(target, name), 0o600);
    const { undo } = await restore(repository, target, { path: Buffer.from(source), undo: { folder: journals } });
    const plan = await planUndo(journals, undo!.id, runOptions());
    const result = await executeUndo(journals, undo!.id, runOptions());
    expect(plan.figures).toEqual(result.figures);
    expect(plan.figures.set).toBe(2);
    expect(statSync(join(target, 'third')).mode & 0o777).toBe(0o600);
  });

  test.each(overwritePolicies)('of a restore with --overwrite %s does so, too', async (overwrite) => {
    const { repository, target, before, journals, request } = await undoWorld(scratch('undo'));
    for (const remove of [false, true]) {
      const { undo } = await restore(repository, target, { ...request, overwrite, delete: remove, verify: true });
      const { problems, kept } = await executeUndo(journals, undo!.id, runOptions());
      expect(problems).toEqual([]);
      expect(kept).toEqual([]);
      await expectSameTree(before, target);
    }
  });

  test('brings a tree of everything back that was made another tree of everything', async () => {
    const dir = scratch('undo');
    const [one, other, journals] = [join(dir, 'one'), join(dir, 'other'), join(dir, 'journals')];
    await buildNastyTree(one, { small: true, farFuture: true });
    await buildNastyTree(other, { small: true, seed: 2 });
    const repository = await makeRepository(join(dir, 'repository'));
    await backup(repository, one);
    execFileSync('cp', ['-a', other, join(dir, 'before')]);
    const { problems, undo } = await restore(repository, other, { path: Buffer.from(one), delete: true, undo: { folder: journals } });
    expect(problems).toEqual([]);
    const result = await executeUndo(journals, undo!.id, runOptions());
    expect({ problems: result.problems, kept: result.kept }).toEqual({ problems: [], kept: [] });
    await expectSameTree(join(dir, 'before'), other);
  });

  test('of several restores goes back one by one, the latest first', async () => {
    const { repository, target, before, journals, request } = await undoWorld(scratch('undo'));
    const first = await restore(repository, target, { ...request, delete: false });
    execFileSync('cp', ['-a', target, `${before} 2`]);
    const second = await restore(repository, target, request);
    await expect(executeUndo(journals, first.undo!.id, runOptions())).rejects.toMatchObject({
      code: 'undo-blocked',
      context: { id: second.undo!.id },
    });
    expect((await executeUndo(journals, second.undo!.id, runOptions())).problems).toEqual([]);
    await expectSameTree(`${before} 2`, target);
    expect((await executeUndo(journals, first.undo!.id, runOptions())).problems).toEqual([]);
    await expectSameTree(before, target);
  });

  test('of a restore to where everything was does not touch what lies above and beside it', async () => {
    const dir = scratch('undo');
    const above = join(dir, 'above');
    const source = tree(join(above, 'home', 'source'), { 'a.txt': 'a', sub: { 'b.txt': 'b' }, gone: { 'c.txt': 'c' } });
    const other = tree(join(above, 'home', 'other'), { 'd.txt': 'd' });
    tree(above, { 'mine.txt': 'mine', home: { 'mine.txt': 'mine' } });
    const repository = await makeRepository(join(dir, 'repository'));
    await backup(repository, [source, other]);
    tree(source, { 'a.txt': 'changed', 'new.txt': 'new' });
    execFileSync('rm', ['-r', join(source, 'gone'), other]);
    execFileSync('cp', ['-a', above, join(dir, 'before')]);
    const undo = { folder: join(dir, 'journals') };
    const result = await restore(repository, undefined, { delete: true, undo });
    expect(result.problems).toEqual([]);
    expect(existsSync(join(other, 'd.txt'))).toBe(true);
    const { problems, kept } = await executeUndo(undo.folder, result.undo!.id, runOptions());
    expect({ problems, kept }).toEqual({ problems: [], kept: [] });
    await expectSameTree(join(dir, 'before'), above);
  });
});

describe('journals in the very folder that is restored', () => {
  const place = ['.local', 'share', 'holdfast', 'undo'] as const;

  test.each<[string, TreeLiteral, string[]]>([
    ['the snapshot does not know of', { 'a.txt': 'a' }, []],
    [
      'had others then',
      { 'a.txt': 'a', '.local': { share: { holdfast: { undo: { '12345678': { 'head.json': '{}' } }, password: 'old' } } } },
      [],
    ],
    ['the snapshot has a file for', { 'a.txt': 'a', '.local': 'a file' }, ['failed: .local']],
  ])('that %s stay, with an undo and without', async (_, literal, problems) => {
    const dir = scratch('undo');
    const source = tree(join(dir, 'source'), literal);
    const home = tree(join(dir, 'home'), { 'a.txt': 'mine', 'old.txt': 'old' });
    const repository = await makeRepository(join(dir, 'repository'));
    await backup(repository, source);
    const folder = join(home, ...place);
    const lines = (found: readonly { kind: string; path: Uint8Array }[]) => problemLines(found).map((line) => line.replace(`${home}/`, ''));
    const settings = { path: Buffer.from(source), delete: true };
    const first = await restore(repository, home, { ...settings, undo: { folder } });
    expect(lines(first.problems)).toEqual(problems);
    expect(listUndos(folder).map(({ state }) => state)).toEqual(['whole']);
    tree(home, { 'a.txt': 'mine again', 'new.txt': 'new' });
    const second = await restore(repository, home, { ...settings, undo: { folder, keep: false }, verify: true });
    expect(lines(second.problems)).toEqual(problems);
    expect(second.undo).toBeUndefined();
    expect(existsSync(join(home, 'new.txt'))).toBe(false);
    expect((await executeUndo(folder, first.undo!.id, runOptions())).problems).toEqual([]);
    expect(readFileSync(join(home, 'a.txt'), 'utf8')).toBe('mine');
    expect(readFileSync(join(home, 'old.txt'), 'utf8')).toBe('old');
  });
});

describe('a restore', () => {
  test('into a new or an empty folder writes no journal, and neither does one that changes nothing', async () => {
    const dir = scratch('undo');
    const source = tree(join(dir, 'source'), { 'a.txt': 'a', sub: { 'b.txt': 'b' } });
    const repository = await makeRepository(join(dir, 'repository'));
    await backup(repository, source);
    const undo = { folder: join(dir, 'journals') };
    const settings = { path: Buffer.from(source), undo };
    expect((await restore(repository, join(dir, 'new'), settings)).undo).toBeUndefined();
    expect((await restore(repository, tree(join(dir, 'empty'), {}), settings)).undo).toBeUndefined();
    expect(existsSync(undo.folder)).toBe(false);
    const before = factsOf(join(dir, 'new'));
    expect((await restore(repository, join(dir, 'new'), settings)).undo).toBeUndefined();
    expect([...factsOf(join(dir, 'new')).keys()]).toEqual([...before.keys()]);
    expect(readdirSync(undo.folder)).toEqual([]);
  });

  test('says what it keeps, and the list says it, too', async () => {
    const { repository, target, journals, request } = await undoWorld(scratch('undo'));
    const told: string[] = [];
    const undo = { ...request.undo, onKept: ({ id }: { id: string }) => told.push(id) };
    const result = await restore(repository, target, { ...request, undo });
    expect(told).toEqual([result.undo!.id]);
    expect(result.undo!.bytes).toBeGreaterThan(3_000_000);
    expect(listUndos(journals)).toMatchObject([
      {
        id: result.undo!.id,
        entries: result.undo!.entries,
        bytes: result.undo!.bytes,
        state: 'whole',
        head: { target, snapshot: result.snapshot },
      },
    ]);
  });
});

/** A copy of what was restored into the target, which keeps its own properties. */
function without(target: string, id: string, source: string): string {
  const aside = `.holdfast-undo-${id}`;
  const copy = `${target} without it`;
  execFileSync('cp', ['-a', target, copy]);
  execFileSync('rm', ['-r', join(copy, aside)]);
  execFileSync('touch', ['-r', source, copy]);
  return copy;
}

const inodesOf = (folder: string): Map<string, bigint> => new Map([...factsOf(folder)].map(([name, { inode }]) => [name, inode]));
