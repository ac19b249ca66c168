import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Repository } from '../../../src/repository/repository.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { backup, makeRepository, plannedRestore, problemLines, restore } from '../../support/engine.ts';
import { factsOf } from '../../support/file-facts.ts';
import { fileNode, folderNode, Forge } from '../../support/forge.ts';
import { scratch, sharedScratch, symlink, tree } from '../../support/tree-literal.ts';

const dir = sharedScratch('delete');
const source = join(dir, 'a', 'source');
const other = join(dir, 'a', 'other source');
let repository: Repository;

beforeAll(async () => {
  tree(source, { 'keep.txt': 'kept', sub: { 'inner.txt': 'inner', deep: { 'x.txt': 'x' } }, empty: {}, link: symlink('sub') });
  tree(other, { 'o.txt': 'other' });
  repository = await makeRepository(join(dir, 'repository'));
  await backup(repository, [source, other]);
});

const names = (folder: string): string[] => [...factsOf(folder).keys()];
const deleted = (entries: readonly { action: string; path: Uint8Array }[], target: string): string[] =>
  entries
    .filter(({ action }) => action === 'delete')
    .map(({ path }) =>
      Buffer.from(path)
        .toString()
        .slice(target.length + 1),
    )
    .sort();
const path = Buffer.from(source);

describe('--delete', () => {
  test('makes the folder a mirror: files, folders with what is in them, links and fifos go; what they lead to stays', async () => {
    const work = scratch('mirror');
    const target = join(work, 'target');
    const outside = tree(join(work, 'outside'), { 'precious.txt': 'precious', deep: { 'more.txt': 'more' } });
    tree(target, {
      'keep.txt': 'older',
      'extra.txt': 'extra',
      'extra folder': { full: { 'of.txt': 'things' } },
      'link out': symlink(outside),
      'link to file': symlink(join(outside, 'precious.txt')),
      sub: { 'extra too.txt': 'x', inner: symlink(outside), deep: { closed: { 'closed.txt': 'c' } } },
      empty: { 'not empty.txt': 'n' },
    });
    execFileSync('mkfifo', [join(target, 'fifo')]);
    chmodSync(join(target, 'sub', 'deep', 'closed'), 0o000);
    const before = factsOf(target);
    const plan = await plannedRestore(repository, target, { path, delete: true });
    expect(factsOf(target)).toEqual(before);
    const expected = [
      'empty/not empty.txt',
      'extra folder',
      'extra.txt',
      'fifo',
      'link out',
      'link to file',
      'sub/deep/closed',
      'sub/extra too.txt',
      'sub/inner',
    ];
    expect(deleted(plan.entries, target)).toEqual(expected);
    const { problems, figures } = await restore(repository, target, { path, delete: true });
    expect(problems).toEqual([]);
    expect(figures).toEqual(plan.figures);
    expect(figures.delete).toBe(expected.length);
    expect(names(target)).toEqual(names(source));
    expect(names(outside)).toEqual(['deep', 'deep/more.txt', 'precious.txt']);
  });

  test('removes nothing above the sources, nor beside them', async () => {
    const target = scratch('above');
    await restore(repository, target);
    const rebuilt = join(target, source);
    const above = join(target, dir);
    tree(target, { 'mine.txt': 'mine' });
    tree(above, { 'mine.txt': 'mine', 'my folder': { 'mine.txt': 'mine' } });
    tree(join(above, 'a'), { 'mine.txt': 'mine' });
    tree(rebuilt, { 'not mine.txt': 'gone' });
    const plan = await plannedRestore(repository, target, { delete: true });
    expect(deleted(plan.entries, target)).toEqual([join(source, 'not mine.txt').slice(1)]);
    await restore(repository, target, { delete: true });
    expect(existsSync(join(rebuilt, 'not mine.txt'))).toBe(false);
    for (const left of [
      join(target, 'mine.txt'),
      join(above, 'mine.txt'),
      join(above, 'my folder', 'mine.txt'),
      join(above, 'a', 'mine.txt'),
    ])
      expect(existsSync(left)).toBe(true);
  });

  test('of a folder above the sources that is restored to the target, removes nothing there either', async () => {
    const target = tree(scratch('above'), { 'mine.txt': 'mine', source: { 'extra.txt': 'extra' } });
    const { figures } = await restore(repository, target, { path: Buffer.from(join(dir, 'a')), delete: true });
    expect(figures.delete).toBe(1);
    expect(readdirSync(target).sort()).toEqual(['mine.txt', 'other source', 'source']);
  });

  test('with selected entries, works only inside those', async () => {
    const target = tree(scratch('selected'), {
      'extra.txt': 'extra',
      sub: { 'extra.txt': 'extra', deep: { 'extra.txt': 'extra' } },
      empty: { 'extra.txt': 'extra' },
    });
    const items = [Buffer.from('sub/deep'), Buffer.from('keep.txt')];
    const plan = await plannedRestore(repository, target, { path, items, delete: true });
    expect(deleted(plan.entries, target)).toEqual(['sub/deep/extra.txt']);
    await restore(repository, target, { path, items, delete: true });
    expect(names(target)).toEqual([
      'empty',
      'empty/extra.txt',
      'extra.txt',
      'keep.txt',
      'sub',
      'sub/deep',
      'sub/deep/x.txt',
      'sub/extra.txt',
    ]);
  });

  test('lets a file take the place of a full folder, and only then', async () => {
    const target = tree(scratch('replaced'), { 'keep.txt': { full: { 'of.txt': 'things' } } });
    const { problems } = await restore(repository, target, { path });
    expect(problemLines(problems)).toEqual([`failed: ${join(target, 'keep.txt')}`]);
    expect(existsSync(join(target, 'keep.txt', 'full', 'of.txt'))).toBe(true);
    expect((await restore(repository, target, { path, delete: true })).problems).toEqual([]);
    expect(names(target)).toEqual(names(source));
  });

  test('never removes the repository, wherever it lies', async () => {
    const target = scratch('with repository');
    const inside = join(target, 'sub', 'backups', 'repository');
    mkdirSync(join(inside, '..'), { recursive: true });
    const own = await makeRepository(inside);
    await backup(own, source);
    tree(join(inside, '..'), { 'beside it.txt': 'x' });
    const before = names(inside);
    const { problems } = await restore(own, target, { path, delete: true });
    expect(problems).toEqual([]);
    // Locks come and go.
    expect(names(inside)).toEqual(before);
    expect(existsSync(join(target, 'sub', 'inner.txt'))).toBe(true);
    expect((await restore(own, target, { path, delete: true, verify: true })).problems).toEqual([]);
  });

  test('never removes what is mounted there', async () => {
    const target = scratch('mounted');
    const mount = join(target, 'extra', 'disk');
    mkdirSync(mount, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', 'none', mount]);
    onTestFinished(() => void execFileSync('umount', ['-l', mount]));
    tree(mount, { 'on the disk.txt': 'precious' });
    tree(join(target, 'extra'), { 'beside it.txt': 'x' });
    const settings = { path, delete: true };
    const plan = await plannedRestore(repository, target, settings);
    const { problems } = await restore(repository, target, settings);
    for (const lines of [plan.problems, problems]) expect(problemLines(lines)).toEqual([`failed: ${join(target, 'extra')}`]);
    expect(names(join(target, 'extra'))).toEqual(['beside it.txt', 'disk', 'disk/on the disk.txt']);
  });

  test('removes nothing from a folder whose list cannot be read, nor from those below it', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const content = forge.data('hello');
    const good = forge.tree([fileNode('new.txt', [content], { size: 5 })]);
    const lost = '00'.repeat(32);
    await forge.snapshot(forge.tree([folderNode('good', good), folderNode('lost', lost)]), { paths: ['/'] });
    const target = tree(scratch('damaged'), { good: { 'old.txt': 'old' }, lost: { 'old.txt': 'old', below: { 'old.txt': 'old' } } });
    const { problems } = await restore(forge.repository, target, { delete: true });
    expect(problemLines(problems)).toEqual([`damaged: ${join(target, 'lost')}`]);
    expect(names(join(target, 'lost'))).toEqual(['below', 'below/old.txt', 'old.txt']);
    expect(names(join(target, 'good'))).toEqual(['new.txt']);
  });

  test('leaves the parts alone that another restore is writing', async () => {
    const target = scratch('parts');
    const part = `.holdfast-00000000-1-00000000-1-1.part`;
    writeFileSync(join(target, part), 'somebody else is writing this');
    const { figures } = await restore(repository, target, { path, delete: true });
    expect(figures.delete).toBe(0);
    expect(existsSync(join(target, part))).toBe(true);
  });

  test('replaces a link that stands for a folder, and does not touch what it leads to', async () => {
    const target = scratch('through link');
    const outside = tree(scratch('outside'), { 'precious.txt': 'precious', deep: { 'more.txt': 'more' } });
    symlinkSync(outside, join(target, 'sub'));
    const { problems } = await restore(repository, target, { path, delete: true });
    expect(problems).toEqual([]);
    expect(lstatSync(join(target, 'sub')).isDirectory()).toBe(true);
    expect(names(outside)).toEqual(['deep', 'deep/more.txt', 'precious.txt']);
  });
});
