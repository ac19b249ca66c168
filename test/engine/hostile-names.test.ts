/** A repository may say anything: whatever names its trees hold, a restore writes inside its target or not at all. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { makeRepository, restore } from '../support/engine.ts';
import { fileNode, folderNode, Forge, linkNode, treeText } from '../support/forge.ts';
import { scratch } from '../support/tree-literal.ts';
import { hasty, inventory } from '../support/hostile.ts';

const evil: readonly [string, string][] = [
  ['two dots', '..'],
  ['one dot', '.'],
  ['a separator alone', '/'],
  ['a path', 'a/b'],
  ['a path upwards', '../escaped'],
  ['an absolute path', '/tmp/holdfast-escaped'],
  ['an escaped separator', 'a\\x2fb'],
  ['dots written as escapes', '\\x2e\\x2e'],
  ['dots written as code points', '\\u002e\\u002e'],
  ['dots written as octal', '\\056\\056'],
  ['NUL', 'a\\x00b'],
  ['NUL alone', '\\x00'],
  ['a raw NUL', 'a\u0000b'],
  ['nothing', ''],
  ['a malformed escape', 'a\\'],
  ['an unknown escape', 'a\\qb'],
];

/** A target between two files that nobody may touch. */
function guarded(): { outside: string; target: string } {
  const outside = scratch('hostile');
  writeFileSync(join(outside, 'before'), 'untouched');
  writeFileSync(join(outside, 'zz-after'), 'untouched');
  const target = join(outside, 'target');
  mkdirSync(target);
  return { outside, target };
}

/** Restores a folder for each of `trees`, named by its case, and tells which of them were reported, and what now stands below the target. */
async function restoreEach(make: (forge: Forge) => Record<string, string>): Promise<{ reported: string[]; restored: string[] }> {
  const forge = new Forge(await makeRepository(new MemoryStorage()));
  const trees = make(forge);
  const good = fileNode('good', [forge.data('good')], { size: 4 });
  const folders = Object.keys(trees)
    .sort()
    .map((name) => folderNode(name, trees[name]!));
  await forge.snapshot(
    forge.tree([...folders, good].sort((a, b) => ((a as { name: string }).name < (b as { name: string }).name ? -1 : 1))),
  );
  const { outside, target } = guarded();
  const before = inventory(outside, target);
  const { problems } = await restore(forge.repository, target, { ...hasty, verify: true });
  expect(inventory(outside, target)).toEqual(before);
  expect(readFileSync(join(target, 'good'), 'utf8')).toBe('good');
  const reported = problems.map(
    ({ kind, path }) =>
      `${kind} ${Buffer.from(path)
        .toString()
        .slice(target.length + 1)}`,
  );
  return { reported: reported.sort(), restored: (readdirSync(target, { recursive: true }) as string[]).sort() };
}

const cases = <T>(from: readonly (readonly [string, T])[], tree: (forge: Forge, value: T) => string) => {
  const names = from.map(([name]) => name).sort();
  const make = (forge: Forge) => Object.fromEntries(from.map(([name, value]) => [name, tree(forge, value)]));
  return { make, reported: names.map((name) => `damaged ${name}`), restored: [...names, 'good'].sort() };
};

describe('names', () => {
  it.each<[string, (forge: Forge, name: string) => string]>([
    ['file', (forge, name) => forge.tree([fileNode(name, [forge.data('evil')], { size: 4 })])],
    ['folder', (forge, name) => forge.tree([folderNode(name, forge.tree([fileNode('inner', [], { size: 0 })]))])],
    ['link', (forge, name) => forge.tree([linkNode(name, '/etc')])],
  ])('a tree with a %s that is named to lead elsewhere is refused as a whole', async (_, tree) => {
    const { make, reported, restored } = cases(evil, tree);
    expect(await restoreEach(make)).toEqual({ reported, restored });
  });

  it('a tree that names something twice, or not in order, is refused as a whole', async () => {
    const { make, reported, restored } = cases(
      [
        ['twice the same', ['same', 'same']],
        ['not in order', ['b', 'a']],
        ['twice the same, written differently', ['a', '\\x61']],
      ],
      (forge, names) => forge.tree(names.map((name) => fileNode(name, [], { size: 0 }))),
    );
    expect(await restoreEach(make)).toEqual({ reported, restored });
  });

  it.each([256, 5_000, 1_000_000])('a name of %i bytes costs its entry, and no other', async (length) => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const content = forge.data('evil');
    const long = 'l'.repeat(length);
    const nodes = [
      folderNode(`${long}a`, forge.tree([fileNode('inside', [content], { size: 4 })])),
      linkNode(`${long}b`, 'x'),
      fileNode(`${long}c`, [content], { size: 4 }),
      fileNode(`${long}d`, [], { size: 0 }),
      fileNode(`${long}e`, [content, content], { size: 8 }),
      { ...fileNode(`${long}f`, []), type: 'fifo', content: null },
      fileNode('m', [content], { size: 4 }),
    ];
    await forge.snapshot(forge.tree(nodes));
    const { outside, target } = guarded();
    const before = inventory(outside, target);
    const { problems } = await restore(forge.repository, target, { ...hasty, verify: true });
    expect([...new Set(problems.map(({ path }) => Buffer.from(path).at(-1)))].toSorted((a, b) => a! - b!)).toEqual([
      ...Buffer.from('abcdef'),
    ]);
    expect(readdirSync(target)).toEqual(['m']);
    expect(inventory(outside, target)).toEqual(before);
  });

  it('link targets that no system takes cost their link only', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const nodes = [
      linkNode('a', ''),
      linkNode('b', 'x\u0000y'),
      linkNode('c', 'l'.repeat(10_000)),
      linkNode('d', '../../../../etc/passwd'),
    ];
    await forge.snapshot(forge.tree(nodes));
    const { outside, target } = guarded();
    const before = inventory(outside, target);
    const { problems } = await restore(forge.repository, target, hasty);
    expect(problems.map(({ kind, path }) => `${kind} ${Buffer.from(path).toString().slice(-2)}`)).toEqual([
      'failed /a',
      'failed /b',
      'failed /c',
    ]);
    expect(readdirSync(target)).toEqual(['d']);
    expect(inventory(outside, target)).toEqual(before);
  });

  it('attributes with absurd names and lengths are reported and harm nothing', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const attributes = [
      { name: 'user.' + 'x'.repeat(1000), value: 'eA==' },
      { name: 'user.nul\u0000x', value: 'eA==' },
      { name: 'nonsense', value: 'eA==' },
      { name: 'user.large', value: Buffer.alloc(100_000).toString('base64') },
      { name: 'user.null', value: null },
    ];
    const odd = { uid: 4294967295, gid: 4294967295, mode: 4294967295, extended_attributes: attributes };
    const ages = { mtime: '9999-12-31T23:59:59.999999999Z', atime: '0000-01-01T00:00:00Z' };
    await forge.snapshot(
      forge.tree([fileNode('f', [], { size: 0, ...odd, ...ages }), folderNode('g', forge.tree([]), { ...odd, ...ages })]),
    );
    const { outside, target } = guarded();
    const before = inventory(outside, target);
    const { problems } = await restore(forge.repository, target, hasty);
    expect(new Set(problems.map(({ kind }) => kind))).toEqual(new Set(['metadata']));
    expect(readdirSync(target)).toEqual(['f', 'g']);
    expect(inventory(outside, target)).toEqual(before);
  });
});

const content = 'a'.repeat(64);
const noTrees: readonly [string, string][] = [
  ['empty', ''],
  ['no JSON', 'not a tree'],
  ['a list', '[]'],
  ['without nodes', '{}'],
  ['cut off', treeText([fileNode('a', [])]).slice(0, -9)],
  ['followed by more', `${treeText([])}{}`],
  ['a node that is no object', '{"nodes":[1]}'],
  ['a node that is null', '{"nodes":[null]}'],
  ['an unknown type', treeText([fileNode('a', [], { type: 'portal' })])],
  ['a type that is a number', treeText([fileNode('a', [], { type: 5 })])],
  ['a name that is a number', treeText([{ ...fileNode('a', []), name: 7 }])],
  ['a file without content', treeText([fileNode('a', [], { content: null })])],
  ['a folder without a tree', treeText([folderNode('a', content, { subtree: null })])],
  ['a tree ID that is a path', treeText([folderNode('a', '../'.repeat(22).slice(0, 64))])],
  ['a blob ID that is too short', treeText([fileNode('a', ['abcd'])])],
  ['a negative size', treeText([fileNode('a', [], { size: -1 })])],
  ['a size beyond 2^53', '{"nodes":[{"name":"a","type":"file","size":9007199254740993,"content":[]}]}'],
  ['a size that is no whole number', treeText([fileNode('a', [], { size: 1.5 })])],
  ['a uid beyond 32 bits', treeText([fileNode('a', [], { uid: 2 ** 32 })])],
  ['a time in the year 10000', treeText([fileNode('a', [], { mtime: '10000-01-01T00:00:00Z' })])],
  ['nested without end', `{"nodes":[{"name":"a","x":${'['.repeat(100_000)}`],
  ['nested without end, closed', `{"nodes":[{"name":"a","x":${'['.repeat(100_000)}${']'.repeat(100_000)},"type":"file","content":[]}]}`],
];

it('texts that are no trees are reported one by one; what is beside them is restored', async () => {
  const { make, reported, restored } = cases(noTrees, (forge, text) => forge.tree(text));
  expect(await restoreEach(make)).toEqual({ reported, restored });
});
