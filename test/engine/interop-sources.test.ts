/** Every way of naming what to back up, and of leaving some of it out: restic, asked for the same, stores the very same trees. */
import { execFileSync } from 'node:child_process';
import { linkSync, lstatSync, mkdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { backup, makeRepository, plannedBackup, problemLines, resticOn, restore } from '../support/engine.ts';
import { expectCleanCheck, expectNothingNew, expectSameTree } from '../support/judge.ts';
import type { Restic } from '../support/restic.ts';
import { scratch, tree } from '../support/tree-literal.ts';

/** The trees of this path in both snapshots are the same, byte for byte. */
async function expectSameTreeIn(restic: Restic, one: string, another: string, path: string): Promise<void> {
  const trees = await Promise.all([one, another].map((snapshot) => restic.cat('tree', `${snapshot}:${path}`)));
  expect(trees[0]!.toString()).toBe(trees[1]!.toString());
}

test('several sources, some with the same last name, stand under their full paths', async () => {
  const dir = scratch();
  tree(dir, { one: { docs: { a: 'of one' } }, two: { docs: { a: 'of two' }, other: { b: 'not asked for' } }, three: { docs: {} } });
  const sources = ['one/docs', 'two/docs', 'three/docs'].map((path) => join(dir, path));
  const repository = await makeRepository(join(dir, 'repository'));
  const { summary, plan } = await backup(repository, sources);
  expect(plan.paths).toEqual([...sources].sort());
  expect(summary).toMatchObject({ files_new: 2 });
  const target = join(dir, 'restored');
  await restore(repository, target);
  for (const source of sources) await expectSameTree(source, join(target, source));
  await expectNothingNew(resticOn(join(dir, 'repository')), sources);
});

test('a source inside another, and one that is named twice, are stored once, and the plan says which', async () => {
  const dir = scratch();
  const source = tree(join(dir, 'source'), { inner: { deep: { a: 'a' } }, b: 'b' });
  const repository = await makeRepository(join(dir, 'repository'));
  const named = [join(source, 'inner', 'deep'), source, `${source}/`, join(source, 'b'), relative(process.cwd(), source)];
  const { plan, summary } = await backup(repository, named);
  expect(plan.paths).toEqual([source]);
  expect(plan.notes).toEqual([
    { kind: 'source-inside-another', path: join(source, 'b'), other: source },
    { kind: 'source-inside-another', path: join(source, 'inner', 'deep'), other: source },
  ]);
  expect(summary).toMatchObject({ files_new: 2, total_files_processed: 2 });
  await expectNothingNew(resticOn(join(dir, 'repository')), [source]);
});

test('a source may be a single file, and beside it a folder whose name begins alike', async () => {
  const dir = scratch();
  tree(dir, { file: 'content', 'file.d': { inside: 'x' }, beside: 'not asked for' });
  const sources = [join(dir, 'file'), join(dir, 'file.d')];
  const repository = await makeRepository(join(dir, 'repository'));
  const { plan, summary } = await backup(repository, sources);
  expect(plan.notes).toEqual([]);
  expect(summary).toMatchObject({ files_new: 2 });
  await expectNothingNew(resticOn(join(dir, 'repository')), sources);
  const target = join(dir, 'restored');
  await restore(repository, target, { path: Buffer.from(join(dir, 'file')) });
  expect(readFileSync(join(target, 'file'), 'utf8')).toBe('content');
  const again = await backup(repository, sources);
  expect(again.summary).toMatchObject({ files_new: 0, files_unmodified: 2, data_blobs: 0 });
});

test.each([
  { name: 'leads somewhere', to: 'real/inside' },
  { name: 'leads nowhere', to: 'no/such/folder' },
  { name: 'leads to the repository', to: 'repository' },
])('a source that is itself a link, which $name, is stored as a link', async ({ to }) => {
  const dir = scratch();
  tree(dir, { real: { inside: { a: 'a' } } });
  const repository = await makeRepository(join(dir, 'repository'));
  const link = join(dir, 'link');
  symlinkSync(to, link);
  const { problems, summary, plan } = await backup(repository, link);
  expect(problemLines(problems)).toEqual([]);
  expect(plan.notes).toEqual([]);
  expect(summary).toMatchObject({ files_new: 0, data_blobs: 0 });
  await expectNothingNew(resticOn(join(dir, 'repository')), [link]);
  const target = join(dir, 'restored');
  await restore(repository, target);
  expect(readlinkSync(join(target, link))).toBe(to);
});

test('a link and what is behind it cannot both be sources, for they would have the same name', async () => {
  const dir = scratch();
  tree(dir, { real: { docs: { a: 'a' } } });
  symlinkSync('real', join(dir, 'alias'));
  const repository = await makeRepository(join(dir, 'repository'));
  const both = [join(dir, 'alias'), join(dir, 'alias', 'docs')];
  await expect(plannedBackup(repository, both)).rejects.toMatchObject({ code: 'bad-usage' });
});

test('a source behind a link is stored under the path by which it was named', async () => {
  const dir = scratch();
  tree(dir, { real: { docs: { a: 'a', deeper: { b: 'b' } } } });
  symlinkSync('real', join(dir, 'alias'));
  const source = join(dir, 'alias', 'docs');
  const repository = await makeRepository(join(dir, 'repository'));
  const { summary } = await backup(repository, source);
  expect(summary).toMatchObject({ files_new: 2 });
  const target = join(dir, 'restored');
  await restore(repository, target);
  await expectSameTree(join(dir, 'real', 'docs'), join(target, source));
  await expectNothingNew(resticOn(join(dir, 'repository')), [source]);
});

test('hard links across sources are one file again after a restore', async () => {
  const dir = scratch();
  tree(dir, { one: { a: 'shared by three names' }, two: {}, three: {} });
  linkSync(join(dir, 'one', 'a'), join(dir, 'two', 'b'));
  linkSync(join(dir, 'one', 'a'), join(dir, 'three', 'c'));
  const sources = ['one', 'two', 'three'].map((name) => join(dir, name));
  const repository = await makeRepository(join(dir, 'repository'));
  const { summary } = await backup(repository, sources);
  expect(summary).toMatchObject({ files_new: 3, data_blobs: 1 });
  const target = join(dir, 'restored');
  await restore(repository, target);
  const inodes = [join('one', 'a'), join('two', 'b'), join('three', 'c')].map((path) => statSync(join(target, dir, path)).ino);
  expect(new Set(inodes).size).toBe(1);
  await expectNothingNew(resticOn(join(dir, 'repository')), sources);
});

test('a source whose path is not UTF-8 is stored byte for byte and found again by the next run', async () => {
  const dir = scratch();
  const parent = Buffer.concat([Buffer.from(`${dir}/`), Buffer.of(0xff, 0xe9)]);
  const source = Buffer.concat([parent, Buffer.from('/doc'), Buffer.of(0xfe)]);
  mkdirSync(source, { recursive: true });
  writeFileSync(Buffer.concat([source, Buffer.from('/file'), Buffer.of(0x80)]), 'content');
  const folder = join(dir, 'repository');
  const repository = await makeRepository(folder);
  const first = await backup(repository, source);
  expect(problemLines(first.problems)).toEqual([]);
  const again = await backup(repository, source);
  expect(again.plan.parent!.id).toBe(first.snapshot);
  expect(again.summary).toMatchObject({ files_new: 0, files_unmodified: 1 });
  const list = join(dir, 'list');
  writeFileSync(list, Buffer.concat([source, Buffer.of(0)]));
  const restic = resticOn(folder);
  const theirs = await restic.backup([], { force: true, args: ['--files-from-raw', list] });
  expect(theirs.data_blobs).toBe(0);
  await expectSameTreeIn(restic, first.snapshot, theirs.snapshot_id, dir);
  const target = join(dir, 'restored');
  await restore(repository, target, { path: source });
  expect(readFileSync(Buffer.concat([Buffer.from(`${target}/file`), Buffer.of(0x80)]), 'utf8')).toBe('content');
});

test('of sources that are not there each is reported, and the others are stored; when none is there nothing is', async () => {
  const dir = scratch();
  const source = tree(join(dir, 'source'), { a: 'a' });
  const repository = await makeRepository(join(dir, 'repository'));
  const { problems, summary } = await backup(repository, [join(dir, 'absent'), source, join(source, 'a', 'below a file')]);
  expect(problemLines(problems)).toEqual([join(dir, 'absent'), join(source, 'a', 'below a file')].map((path) => `vanished: ${path}`));
  expect(summary).toMatchObject({ files_new: 1 });
  await expect(backup(repository, [join(dir, 'absent'), join(dir, 'absent too')])).rejects.toMatchObject({ code: 'source-missing' });
  await expect(backup(repository, [])).rejects.toMatchObject({ code: 'bad-usage' });
});

test('the repository inside a source is left out, by whatever way it is met, and a source inside the repository is refused', async () => {
  const dir = scratch();
  const source = tree(join(dir, 'source'), { a: 'a' });
  const folder = join(source, 'backups');
  const repository = await makeRepository(folder);
  for (const named of [source, dir]) {
    const { plan, summary, problems } = await backup(repository, named);
    expect(plan.notes).toEqual([{ kind: 'destination-left-out', path: folder }]);
    expect(problemLines(problems)).toEqual([]);
    expect(summary).toMatchObject({ total_files_processed: 1 });
  }
  symlinkSync(source, join(dir, 'alias'));
  const { plan, summary } = await backup(repository, join(dir, 'alias', 'a'));
  expect(plan.notes).toEqual([]);
  expect(summary).toMatchObject({ total_files_processed: 1 });
  for (const named of [folder, join(folder, 'data'), join(folder, 'config'), join(dir, 'alias', 'backups', 'keys')])
    await expect(plannedBackup(repository, named)).rejects.toMatchObject({ code: 'source-in-destination' });
});

describe('what is left out', () => {
  test('by name, by marker, by being a cache and by size is what restic leaves out', async () => {
    const dir = scratch();
    const source = join(dir, 'source');
    tree(source, {
      keep: { 'a.txt': 'a', 'b.tmp': 'left out', deeper: { 'c.TMP': 'left out, whatever the case', 'd.txt': 'd' } },
      node_modules: { x: 'left out' },
      marked: { '.nobackup': '', y: 'left out' },
      cache: { 'CACHEDIR.TAG': 'Signature: 8a477f597d28d172789f06886806bc55\n', z: 'left out' },
      large: 'x'.repeat(5000),
    });
    const folder = join(dir, 'repository');
    const repository = await makeRepository(folder);
    const ours = await backup(repository, source, {
      exclude: {
        patterns: ['node_modules'],
        patternsIgnoringCase: ['*.tmp'],
        ifPresent: ['.nobackup'],
        caches: true,
        largerThan: 4000,
      },
      excludes: ['node_modules'],
    });
    const restic = resticOn(folder);
    const args = ['--exclude', 'node_modules', '--iexclude', '*.tmp', '--exclude-if-present', '.nobackup', '--exclude-caches'];
    const theirs = await restic.backup([source], { force: true, args: [...args, '--exclude-larger-than', '4000'] });
    expect(theirs.data_blobs).toBe(0);
    await expectSameTreeIn(restic, ours.snapshot, theirs.snapshot_id, source);
    expect((await restic.snapshots()).find(({ id }) => id === ours.snapshot)!.excludes).toEqual(['node_modules']);
    expect(ours.summary).toMatchObject({ total_files_processed: 4 });
  });

  test.skipIf(process.getuid?.() !== 0)(
    'by lying on another file system is what restic leaves out, and the folder itself stays',
    async () => {
      const dir = scratch();
      const source = join(dir, 'source');
      tree(source, { a: 'a', mounted: { hidden: 'by the mount' }, 'a file': 'to be covered', deeper: { b: 'b' } });
      execFileSync('mount', ['-t', 'tmpfs', 'none', join(source, 'mounted')]);
      onTestFinished(() => void execFileSync('umount', ['-l', join(source, 'mounted')]));
      tree(join(source, 'mounted'), { c: 'left out', folder: { d: 'left out' } });
      execFileSync('mount', ['--bind', join(source, 'mounted', 'c'), join(source, 'a file')]);
      onTestFinished(() => void execFileSync('umount', ['-l', join(source, 'a file')]));
      const folder = join(dir, 'repository');
      const repository = await makeRepository(folder);
      const restic = resticOn(folder);
      const ours = await backup(repository, source, { exclude: { oneFileSystem: true } });
      const theirs = await restic.backup([source], { force: true, args: ['--one-file-system'] });
      expect(theirs.data_blobs).toBe(0);
      await expectSameTreeIn(restic, ours.snapshot, theirs.snapshot_id, source);
      const target = join(dir, 'restored');
      await restore(repository, target, { path: Buffer.from(source) });
      expect(lstatSync(join(target, 'mounted')).isDirectory()).toBe(true);
      expect(ours.summary).toMatchObject({ total_files_processed: 2 });
      // A source that is the mount itself is stored, and with two sources each has its own file system.
      const both = await backup(repository, [join(source, 'mounted'), join(source, 'deeper')], { exclude: { oneFileSystem: true } });
      expect(both.summary).toMatchObject({ total_files_processed: 3 });
      await expectCleanCheck(restic);
    },
  );

  test('does not come back from the parent, nor does its absence hide it from a later run without the rule', async () => {
    const dir = scratch();
    const source = tree(join(dir, 'source'), { a: 'a', b: { c: 'c', d: 'd' } });
    const repository = await makeRepository(join(dir, 'repository'));
    await backup(repository, source);
    const less = await backup(repository, source, { exclude: { patterns: ['c'] } });
    expect(less.summary).toMatchObject({ total_files_processed: 2, dirs_unmodified: expect.any(Number) });
    const target = join(dir, 'restored');
    await restore(repository, target, { path: Buffer.from(source) });
    expect(() => lstatSync(join(target, 'b', 'c'))).toThrow('ENOENT');
    const more = await backup(repository, source);
    expect(more.summary).toMatchObject({ files_new: 1, files_unmodified: 2, data_blobs: 0 });
    await expectNothingNew(resticOn(join(dir, 'repository')), [source]);
  });
});
