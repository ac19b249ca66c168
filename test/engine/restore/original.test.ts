import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { backup, makeRepository, openRepository, plannedRestore, problemLines, resticOn, restore } from '../../support/engine.ts';
import { factsOf, factsOfEntry } from '../../support/file-facts.ts';
import { expectSameTree } from '../../support/judge.ts';
import { scratch, tree } from '../../support/tree-literal.ts';

/** A source two folders down, and a copy of it as it was. */
async function setUp() {
  const dir = scratch('original');
  const above = join(dir, 'above');
  const source = tree(join(above, 'home', 'source'), { 'a.txt': 'a', 'b.txt': 'b', sub: { 'c.txt': 'c', deep: { 'd.txt': 'd' } } });
  tree(above, { 'mine.txt': 'mine', home: { 'mine.txt': 'mine' } });
  chmodSync(join(above, 'home'), 0o750);
  chownSync(join(above, 'home'), 12, 34);
  utimesSync(join(above, 'home'), 1_500_000_000, 1_500_000_000);
  utimesSync(above, 1_500_000_001, 1_500_000_001);
  execFileSync('cp', ['-a', source, join(dir, 'copy')]);
  const repository = await makeRepository(join(dir, 'repository'));
  await backup(repository, source);
  return { dir, above, source, copy: join(dir, 'copy'), repository };
}

test('everything comes back to where it was, and what lies above and beside it stays as it is', async () => {
  const { dir, above, source, copy, repository } = await setUp();
  writeFileSync(join(source, 'a.txt'), 'changed');
  rmSync(join(source, 'sub'), { recursive: true });
  writeFileSync(join(source, 'new.txt'), 'new');
  chmodSync(join(above, 'home'), 0o711);
  const outside = () =>
    [dir, above, join(above, 'home'), join(above, 'mine.txt'), join(above, 'home', 'mine.txt')].map((path) => factsOfEntry(path));
  const before = outside();
  const plan = await plannedRestore(repository, undefined);
  const { problems, figures, target } = await restore(repository, undefined);
  expect({ problems, figures, target }).toEqual({ problems: [], figures: plan.figures, target: '/' });
  expect(outside()).toEqual(before);
  expect(readFileSync(join(source, 'new.txt'), 'utf8')).toBe('new');
  const mirrored = await restore(repository, undefined, { delete: true });
  expect(mirrored).toMatchObject({ problems: [], figures: { delete: 1 } });
  expect(outside()).toEqual(before);
  await expectSameTree(copy, source);
});

test('folders above that are gone are made again as they were', async () => {
  const { above, source, copy, repository } = await setUp();
  const home = join(above, 'home');
  const before = factsOfEntry(home);
  rmSync(home, { recursive: true });
  const { problems } = await restore(repository, undefined);
  expect(problems).toEqual([]);
  await expectSameTree(copy, source);
  const { mode, mtimeNs } = factsOfEntry(home);
  expect({ mode, mtimeNs }).toEqual({ mode: before.mode, mtimeNs: before.mtimeNs });
  expect(lstatSync(home)).toMatchObject({ uid: 12, gid: 34 });
});

test('a part comes back to where it was, with the folders that lead to it, and nothing else', async () => {
  const { above, source, copy, repository } = await setUp();
  rmSync(join(above, 'home'), { recursive: true });
  const path = Buffer.from(join(source, 'sub', 'deep'));
  expect((await restore(repository, undefined, { path })).problems).toEqual([]);
  expect([...factsOf(above).keys()]).toEqual([
    'home',
    'home/source',
    'home/source/sub',
    'home/source/sub/deep',
    'home/source/sub/deep/d.txt',
    'mine.txt',
  ]);
  await expectSameTree(join(copy, 'sub', 'deep'), join(source, 'sub', 'deep'));
  for (const name of ['.', 'sub']) expect(lstatSync(join(source, name)).mtimeMs).toBe(lstatSync(join(copy, name)).mtimeMs);
  // A folder that only leads there and exists is the person's, also inside the source.
  chmodSync(join(source, 'sub'), 0o700);
  const before = factsOfEntry(join(source, 'sub'));
  writeFileSync(join(source, 'sub', 'deep', 'd.txt'), 'changed');
  await restore(repository, undefined, { path, delete: true });
  expect(factsOfEntry(join(source, 'sub'))).toEqual(before);
  expect(readFileSync(join(source, 'sub', 'deep', 'd.txt'), 'utf8')).toBe('d');
  // A single file, and selected ones.
  writeFileSync(join(source, 'sub', 'deep', 'd.txt'), 'changed');
  await restore(repository, undefined, { path: Buffer.from(join(source, 'sub', 'deep', 'd.txt')) });
  await restore(repository, undefined, { path: Buffer.from(source), items: [Buffer.from('b.txt')] });
  expect(readFileSync(join(source, 'sub', 'deep', 'd.txt'), 'utf8')).toBe('d');
  expect(readdirSync(source).sort()).toEqual(['b.txt', 'sub']);
});

test('a link above the source is followed, as it was when the files were backed up', async () => {
  const dir = scratch('original');
  tree(join(dir, 'disk'), { source: { 'a.txt': 'a' } });
  symlinkSync('disk', join(dir, 'link'));
  const source = join(dir, 'link', 'source');
  const repository = await makeRepository(join(dir, 'repository'));
  await backup(repository, source);
  rmSync(join(dir, 'disk', 'source'), { recursive: true });
  expect((await restore(repository, undefined)).problems).toEqual([]);
  expect(readlinkSync(join(dir, 'link'))).toBe('disk');
  expect(readFileSync(join(dir, 'disk', 'source', 'a.txt'), 'utf8')).toBe('a');
  // The disk is not there: the link must not be replaced by a folder.
  renameSync(join(dir, 'disk'), join(dir, 'elsewhere'));
  expect(problemLines((await restore(repository, undefined)).problems)).toEqual([`failed: ${join(dir, 'link')}`]);
  expect(readlinkSync(join(dir, 'link'))).toBe('disk');
  // Below a target, no link is followed, whatever it is called.
  const target = scratch('target');
  const outside = tree(scratch('outside'), { 'precious.txt': 'x' });
  mkdirSync(join(target, dir), { recursive: true });
  symlinkSync(outside, join(target, dir, 'link'));
  expect((await restore(repository, target)).problems).toEqual([]);
  expect(readdirSync(outside)).toEqual(['precious.txt']);
  expect(readFileSync(join(target, source, 'a.txt'), 'utf8')).toBe('a');
});

test('names that are not UTF-8 come back as they were, also above the source', async () => {
  const dir = scratch('original');
  const name = (text: string, ...bytes: number[]) => Buffer.concat([Buffer.from(text), Buffer.of(...bytes)]);
  const above = Buffer.concat([Buffer.from(`${dir}/`), name('caf', 0xe9)]);
  const source = Buffer.concat([above, Buffer.from('/'), name('quelle', 0xff)]);
  const file = Buffer.concat([source, Buffer.from('/'), name('datei', 0xfe)]);
  mkdirSync(source, { recursive: true });
  writeFileSync(file, 'content');
  const repository = await makeRepository(join(dir, 'repository'));
  await backup(repository, source);
  const before = factsOf(above);
  for (const path of [undefined, source, file]) {
    rmSync(above, { recursive: true });
    const { problems } = await restore(repository, undefined, { path });
    expect(problems).toEqual([]);
    expect([...factsOf(above)].map(([each, { content, mode, mtimeNs }]) => [each, content, mode, mtimeNs])).toEqual(
      [...before].map(([each, { content, mode, mtimeNs }]) => [each, content, mode, mtimeNs]),
    );
    expect(readdirSync(dir).length).toBe(2);
  }
});

test('a repository inside its source survives a mirror of the source', async () => {
  const dir = scratch('original');
  const source = tree(join(dir, 'source'), { 'a.txt': 'a', backups: { 'note.txt': 'note' } });
  const folder = join(source, 'backups', 'repository');
  const repository = await makeRepository(folder);
  await backup(repository, source);
  writeFileSync(join(source, 'new.txt'), 'new');
  const { problems, figures } = await restore(repository, undefined, { delete: true });
  expect(problems).toEqual([]);
  expect(figures.delete).toBe(1);
  expect(existsSync(join(source, 'new.txt'))).toBe(false);
  const again = await openRepository(folder);
  expect((await restore(again, undefined, { delete: true })).problems).toEqual([]);
});

test('a snapshot that does not say where its files were is not put into the root folder', async () => {
  const dir = scratch('original');
  tree(dir, { work: { 'holdfast relative source': { 'a.txt': 'a' } } });
  const restic = resticOn(join(dir, 'repository'));
  await restic.init();
  await restic.must(['backup', 'holdfast relative source'], { cwd: join(dir, 'work') });
  const repository = await openRepository(join(dir, 'repository'));
  await expect(restore(repository, undefined)).rejects.toMatchObject({ code: 'target-unusable' });
  expect(existsSync('/holdfast relative source')).toBe(false);
  const target = join(dir, 'target');
  expect((await restore(repository, target)).problems).toEqual([]);
  expect(readFileSync(join(target, 'holdfast relative source', 'a.txt'), 'utf8')).toBe('a');
});
