/** Snapshots that no honest program makes, and damaged ones: what cannot be rewritten is named and stays, all else is rewritten. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compileExcludes, type ExcludeOptions } from '../../../src/engine/backup/exclude.ts';
import { executeRewrite, type RewriteResult } from '../../../src/engine/rewrite/rewrite.ts';
import { layoutPath } from '../../../src/storage/names.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { backup, makeRepository, openRepository, runOptions } from '../../support/engine.ts';
import { fileNode, folderNode, Forge, linkNode } from '../../support/forge.ts';
import { hasty } from '../../support/hostile.ts';
import { buildNastyTree } from '../../support/nasty-tree.ts';
import { scratch } from '../../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { expectWhole } from '../../support/whole-repository.ts';

refuseUnhandledRejections();

const newForge = async (): Promise<Forge> => new Forge(await makeRepository(new MemoryStorage()));

const rewrite = ({ repository }: Pick<Forge, 'repository'>, exclude: ExcludeOptions, forget = false): Promise<RewriteResult> =>
  executeRewrite(repository, { rules: compileExcludes(exclude), forget }, runOptions(hasty));

/** An empty one: with a size it would not be as restic writes it. */
const file = (name: string): object => fileNode(name, []);

/** The paths in a snapshot. */
const pathsOf = async (forge: Forge, id: string): Promise<string[]> =>
  [...(await expectWhole(forge.repository.storage)).snapshots.get(id)!.keys()].map((path) => Buffer.from(path, 'latin1').toString());

describe('one tree at several places', () => {
  test('becomes something else where a pattern is about one of them', async () => {
    const forge = await newForge();
    const shared = forge.tree([file('out'), file('stays')]);
    const middle = forge.tree([folderNode('build', shared), folderNode('other', shared)]);
    const id = await forge.snapshot(forge.tree([folderNode('a', middle), folderNode('b', middle)]), { paths: [] });
    const { changed, plan } = await rewrite(forge, { patterns: ['/a/build/out', '/b/other'] });
    const before = await pathsOf(forge, id);
    const after = await pathsOf(forge, changed[0]!.new);
    expect(before.filter((path) => !after.includes(path))).toEqual(['/a/build/out', '/b/other', '/b/other/out', '/b/other/stays']);
    expect(plan.change[0]!.figures).toMatchObject({ files: 5, entries: 5 + 5, folders: 5, goneFiles: 1, goneFolders: 1 });
  });

  test('becomes something else where it is a source', async () => {
    const forge = await newForge();
    const shared = forge.tree([file('out'), file('stays')]);
    const root = forge.tree([folderNode('a', shared), folderNode('b', shared)]);
    const id = await forge.snapshot(root, { paths: ['/b'] });
    const other = await forge.snapshot(root, { paths: ['/a', '/b'] });
    const { changed } = await rewrite(forge, { patterns: ['/out'] });
    const byOld = new Map(changed.map(({ old, new: successor }) => [old, successor]));
    expect((await pathsOf(forge, byOld.get(id)!)).filter((path) => path.endsWith('out'))).toEqual(['/a/out']);
    expect((await pathsOf(forge, byOld.get(other)!)).filter((path) => path.endsWith('out'))).toEqual([]);
  });

  test('is read and stored once, however many snapshots hold it', async () => {
    const forge = await newForge();
    const shared = forge.tree(Array.from({ length: 50 }, (_, i) => file(`${String(i).padStart(2, '0')}.${i % 2 ? 'tmp' : 'txt'}`)));
    for (let i = 0; i < 40; i++)
      await forge.snapshot(forge.tree([folderNode(`at ${i}`, shared)]), {
        time: `2026-01-02T03:04:${String(i).padStart(2, '0')}Z`,
        paths: [],
      });
    let read = 0;
    const { changed } = await executeRewrite(
      forge.repository,
      { rules: compileExcludes({ patterns: ['*.tmp'] }) },
      runOptions({ ...hasty, onProgress: ({ items }) => (read = items) }),
    );
    expect(changed).toHaveLength(40);
    expect(read).toBe(40 + 1);
    expect((await expectWhole(forge.repository.storage)).stored.copies).toBe(0);
  });
});

test('names of all kinds are matched and kept byte for byte', async () => {
  const source = join(scratch('rewrite'), 'nasty');
  await buildNastyTree(source, { small: true });
  const storage = new MemoryStorage();
  const repository = await makeRepository(storage);
  const { snapshot } = await backup(repository, source, hasty);
  const gone = ['names/new\nline', 'names/\xff\xfe', 'names/tab\there', `names/${'\n'.repeat(255)}`, 'names/*?[a]{b,c}'];
  const patterns = gone.map((path) => Buffer.from(`/${path.replace(/[*?[\\]/g, '\\$&')}`, 'latin1'));
  const { changed, plan } = await executeRewrite(repository, { rules: compileExcludes({ patterns }) }, runOptions(hasty));
  const { snapshots } = await expectWhole(storage);
  const [before, after] = [snapshots.get(snapshot)!, snapshots.get(changed[0]!.new)!];
  const missing = [...before.keys()].filter((path) => !after.has(path)).map((path) => path.slice(source.length + 1));
  expect(missing.sort()).toEqual([...gone].sort());
  for (const [path, content] of after) expect(before.get(path)).toBe(content);
  expect(
    plan.leftOut
      .map(({ path }) =>
        Buffer.from(path)
          .toString('latin1')
          .slice(source.length + 1),
      )
      .sort(),
  ).toEqual([...gone].sort());
});

describe('a snapshot that cannot be rewritten is named and stays as it is; the others are rewritten', () => {
  const good = (forge: Forge): Promise<string> =>
    forge.snapshot(forge.tree([file('a.tmp'), file('b')]), { time: '2026-01-01T00:00:00Z', paths: [] });

  /** Beside a good snapshot there is one with the tree `make` returns. */
  async function expectNamed(make: (forge: Forge) => string | Promise<string>, code: string, path: string): Promise<void> {
    for (const forget of [false, true]) {
      const forge = await newForge();
      const fine = await good(forge);
      const root = await make(forge);
      const bad = await forge.snapshot(root, { paths: [] });
      const { plan, changed } = await rewrite(forge, { patterns: ['*.tmp'] }, forget);
      expect(changed.map(({ old }) => old)).toEqual([fine]);
      expect(plan.problems.map((problem) => [problem.snapshot, problem.error.code, Buffer.from(problem.path).toString()])).toEqual([
        [bad, code, path],
      ]);
      expect((await forge.repository.names('snapshot')).includes(bad)).toBe(true);
      expect((await forge.repository.snapshot(bad)).tree).toBe(root);
    }
  }

  test('because a folder is missing', () =>
    expectNamed((forge) => forge.tree([folderNode('gone', 'ab'.repeat(32))]), 'blob-missing', '/gone'));

  test('because its root is missing', () => expectNamed(() => 'ab'.repeat(32), 'blob-missing', '/'));

  test('because a folder is no tree', () =>
    expectNamed((forge) => forge.tree([folderNode('d', forge.tree([folderNode('e', forge.tree('not a tree'))]))]), 'tree-invalid', '/d/e'));

  test('because a folder is not what its ID says', () =>
    expectNamed((forge) => forge.tree([folderNode('d', forge.tree([file('x')], { id: 'cd'.repeat(32) }))]), 'item-tampered', '/d'));

  test('because a name leads elsewhere', () =>
    expectNamed((forge) => forge.tree([folderNode('d', forge.tree([fileNode('../x', [])]))]), 'tree-invalid', '/d'));

  test('because a folder holds what only a newer program knows', () =>
    expectNamed((forge) => forge.tree([folderNode('d', forge.tree([{ ...file('x.tmp'), future: 1 }]))]), 'tree-unknown-form', '/d'));

  test('because its folders multiply to more than any disk holds', () =>
    expectNamed(
      (forge) => {
        let tree = forge.tree([file('x.tmp')]);
        for (let level = 0; level < 60; level++) tree = forge.tree([folderNode('a', tree), folderNode('b', tree)]);
        return tree;
      },
      'snapshot-too-large',
      '/',
    ));

  test('because its folders never end', async () => {
    const forge = await newForge();
    await good(forge);
    let tree = forge.tree([file('x.tmp')]);
    for (let level = 0; level < 20_000; level++) tree = forge.tree([folderNode('d', tree)]);
    await forge.snapshot(tree, { paths: [] });
    const { plan, changed } = await rewrite(forge, { patterns: ['*.tmp'] });
    expect(changed).toHaveLength(1);
    expect(plan.problems.map(({ error }) => error.code)).toEqual(['tree-invalid']);
  });
});

test('a damaged folder that is taken out does no harm', async () => {
  const forge = await newForge();
  const damaged = forge.tree([file('a'), folderNode('bad', forge.tree('not a tree')), folderNode('gone', 'ab'.repeat(32))]);
  await forge.snapshot(damaged, { paths: [] });
  const { plan, changed } = await rewrite(forge, { patterns: ['bad', 'gone'] }, true);
  expect(plan.problems).toEqual([]);
  expect(await pathsOf(forge, changed[0]!.new)).toEqual(['/a']);
});

test('a snapshot that cannot be read is named and stays', async () => {
  const forge = await newForge();
  const id = await forge.snapshot(forge.tree([file('a.tmp'), file('b')]), { paths: [] });
  const broken = await forge.item('snapshot', 'not a snapshot');
  const { plan, changed } = await rewrite(forge, { patterns: ['*.tmp'] }, true);
  expect(changed.map(({ old }) => old)).toEqual([id]);
  expect(plan.damaged.map(({ id: each }) => each)).toEqual([broken]);
  expect(await forge.repository.names('snapshot')).toContain(broken);
});

test('an index file that cannot be read is named, and what it alone lists is found in the packs themselves', async () => {
  const forge = await newForge();
  await forge.snapshot(forge.tree([file('a.tmp'), file('b')]), { paths: [] });
  const first = new Set(await forge.repository.names('index'));
  await forge.snapshot(forge.tree([file('c.tmp'), file('d')]), { paths: [] });
  const [second] = (await forge.repository.names('index')).filter((name) => !first.has(name));
  const storage = forge.repository.storage as MemoryStorage;
  storage.tamper({ kind: 'index', name: second! }, (bytes) => bytes.slice(1));
  expect(storage.dump().has(layoutPath({ kind: 'index', name: second! }))).toBe(true);
  const { plan, changed } = await rewrite({ repository: await openRepository(storage) }, { patterns: ['*.tmp'] }, true);
  expect(changed).toHaveLength(2);
  expect(plan.problems).toEqual([]);
  expect(plan.damage.map(({ code }) => code)).toEqual(['item-tampered']);
});

test('links, devices and pipes stay and go like files', async () => {
  const forge = await newForge();
  const special = (name: string, type: string): object => ({ ...fileNode(name, []), type, content: null });
  const nodes = [linkNode('link', '/a.tmp'), linkNode('link.tmp', 'x'), special('pipe', 'fifo'), special('pipe.tmp', 'fifo')];
  await forge.snapshot(forge.tree(nodes), { paths: [] });
  const { changed, plan } = await rewrite(forge, { patterns: ['*.tmp'] }, true);
  expect(await pathsOf(forge, changed[0]!.new)).toEqual(['/link', '/pipe']);
  expect(plan.change[0]!.figures).toMatchObject({ files: 0, entries: 2, folders: 0, goneFiles: 2 });
});
