import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { RunControl } from '../../../src/platform/cancellation.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { backup, makeRepository, resticOn } from '../../support/engine.ts';
import { fileNode, folderNode, Forge, linkNode } from '../../support/forge.ts';
import { hasty } from '../../support/hostile.ts';
import { buildNastyTree } from '../../support/nasty-tree.ts';
import { hitsOf, search } from '../../support/reading.ts';
import type { Restic } from '../../support/restic.ts';
import { scratch, sharedScratch, tree } from '../../support/tree-literal.ts';

type ResticHits = { matches: { path: string; size?: number; type: string }[]; hits: number; snapshot: string }[];
type ResticObjects = { object_type: string; id: string; path: string; parent_tree?: string; snapshot: string }[];

const foundBy = async <T>(restic: Restic, args: readonly string[]): Promise<T> =>
  JSON.parse((await restic.must(['find', '--json', '--no-lock', ...args])).stdout) as T;

async function resticHits(restic: Restic, args: readonly string[]): Promise<Map<string, string[]>> {
  const found = await foundBy<ResticHits>(restic, args);
  return new Map(found.map(({ snapshot, matches }) => [snapshot, matches.map(({ path }) => path)]));
}

/** Programs replace bytes that are no text by different numbers of signs. */
const asText = (hits: ReadonlyMap<string, readonly string[]>): Map<string, string[]> =>
  new Map([...hits].map(([id, paths]) => [id, paths.map((path) => path.replace(/\ufffd+/g, '\ufffd')).sort()]));

describe('against restic', () => {
  const dir = sharedScratch('find');
  const source = join(dir, 'source');
  const folder = join(dir, 'repository');
  let repository: Repository;
  let restic: Restic;

  beforeAll(async () => {
    mkdirSync(source);
    await buildNastyTree(source, { small: true });
    tree(source, { docs: { 'Report.txt': 'r', drafts: { 'report 2.txt': 'r2', deep: { 'report.txt': 'r3' } } } });
    repository = await makeRepository(folder);
    restic = resticOn(folder);
    await backup(repository, source, hasty);
    renameSync(join(source, 'docs', 'drafts'), join(source, 'drafts'));
    writeFileSync(join(source, 'content', 'report.txt'), 'another');
    utimesSync(join(source, 'content', 'report.txt'), 1.2e9, 1.2e9);
    await backup(repository, source, hasty);
    rmSync(join(source, 'symlinks'), { recursive: true });
    await backup(repository, source, hasty);
  });

  test.each([
    [['report.txt']],
    [['*report*']],
    [['*']],
    [['drafts']],
    [['docs/drafts']],
    [['*/deep', 'one byte']],
    [['drafts/**/report.txt']],
    [['source/*']],
    [['[a-c]*']],
    [['[^a-z]*']],
    [['?????']],
    [['caf*', '*\\**']],
    [['/nowhere/*']],
    [['no such thing']],
    [['/**/source/content']],
    [['**/deep']],
  ])('%j finds the same', async (patterns) => {
    const theirs = await resticHits(restic, patterns);
    const ours = hitsOf(await search(repository, patterns));
    expect(asText(ours)).toEqual(asText(theirs));
  });

  test('paths from the root, in all snapshots and in some', async () => {
    const patterns = [`${source}/docs`, `${source}/*/*.txt`];
    const all = hitsOf(await search(repository, patterns));
    expect(asText(all)).toEqual(asText(await resticHits(restic, patterns)));
    expect(all.size).toBe(3);
    const [, second] = [...all.keys()];
    const one = hitsOf(await search(repository, patterns, { snapshots: [second!] }));
    expect(asText(one)).toEqual(asText(await resticHits(restic, [...patterns, '--snapshot', second!])));
  });

  test('ignoring case, and by time of change', async () => {
    const time = '2008-02-01';
    const ns = BigInt(Date.parse(`${time}T00:00:00`)) * 1_000_000n;
    expect(asText(hitsOf(await search(repository, { patterns: ['REPORT*'], ignoreCase: true })))).toEqual(
      asText(await resticHits(restic, ['--ignore-case', 'REPORT*'])),
    );
    for (const [query, args] of [
      [{ newerNs: ns }, ['--oldest', time]],
      [{ olderNs: ns }, ['--newest', time]],
    ] as const) {
      const ours = hitsOf(await search(repository, { patterns: ['*'], ...query }));
      expect(ours.size).toBeGreaterThan(0);
      expect(asText(ours)).toEqual(asText(await resticHits(restic, ['*', ...args])));
    }
  });

  test('the files that need a blob, the folders with a tree, and what needs a pack', async () => {
    const blobs = await restic.listBlobs();
    const words = (objects: ResticObjects): string[] =>
      objects
        .map(
          ({ object_type, id, path, parent_tree, snapshot }) =>
            `${snapshot} ${object_type} ${id} ${path.replace(/\ufffd+/g, '\ufffd')} ${parent_tree ?? ''}`,
        )
        .sort();
    const oursOf = async (of: 'data' | 'tree' | 'pack', ids: readonly string[]): Promise<string[]> =>
      (await search(repository, { kind: 'blobs', of, ids })).batches
        .flatMap(({ snapshot, blobs: found }) =>
          found.map(({ type, blob, path, parent }) => {
            const shown = path.toString().replace(/\ufffd+/g, '\ufffd');
            return `${snapshot.id} ${type === 'tree' ? 'tree' : 'blob'} ${blob} ${shown} ${type === 'tree' ? '' : parent!}`;
          }),
        )
        .sort();
    const data = blobs.filter(({ type }) => type === 'data').map(({ id }) => id);
    const trees = blobs.filter(({ type }) => type === 'tree').map(({ id }) => id);
    for (const ids of [data.slice(0, 1), [data[0]!.slice(0, 8)]])
      expect(await oursOf('data', ids)).toEqual(words(await foundBy(restic, ['--blob', ...ids])));
    // Of the blobs of a file that are meant restic names only the first.
    const many = await oursOf('data', data);
    expect(many).toEqual(expect.arrayContaining(words(await foundBy(restic, ['--blob', ...data]))));
    // restic ends its search of a snapshot once it has met every tree; so it may name fewer places.
    const folders = await oursOf('tree', trees);
    expect(folders).toEqual(expect.arrayContaining(words(await foundBy(restic, ['--tree', ...trees]))));
    expect(new Set(folders.map((line) => line.split(' ')[2])).size).toBe(trees.length);
    const packs = (await restic.must(['list', 'packs', '--no-lock'])).stdout.trim().split('\n');
    expect(await oursOf('pack', packs)).toEqual([...many, ...folders].sort());
    // restic looks for the data of packs alone.
    expect(many).toEqual(expect.arrayContaining(words(await foundBy(restic, ['--pack', ...packs]))));
  });
});

describe('many snapshots', () => {
  test('a tree that they share is read once, and a hit in it is named for each of them', async () => {
    const storage = new MemoryStorage();
    const forge = new Forge(await makeRepository(storage));
    const plain = Array.from({ length: 40 }, (_, i) => folderNode(`plain ${i + 10}`, forge.tree([fileNode(`file ${i}`, [])])));
    const shared = forge.tree([folderNode('deep', forge.tree([fileNode('wanted', []), fileNode('x', [])])), ...plain.slice(0, 10)]);
    const ids: string[] = [];
    for (let i = 0; i < 20; i++) {
      const root = forge.tree([fileNode('changes', [], { size: i }), ...plain, folderNode('shared', shared)]);
      ids.push(await forge.snapshot(root, { time: `2026-01-${String(i + 1).padStart(2, '0')}T00:00:00Z` }));
    }
    const loads = async (run: () => Promise<unknown>): Promise<number> => {
      storage.operations.length = 0;
      await run();
      return storage.operations.filter((operation) => operation.kind === 'load' && operation.file.kind === 'pack').length;
    };
    let hits = new Map<string, string[]>();
    const needed = await loads(async () => void (hits = hitsOf(await search(forge.repository, ['wanted'], { options: hasty }))));
    expect([...hits]).toEqual(ids.map((id) => [id, ['/shared/deep/wanted']]));
    // 62 trees and 20 roots are there; three trees of each snapshot are gone through again to name the hit.
    expect(needed).toBeLessThanOrEqual(42 + 20 + 20 * 3);
    expect(await loads(() => search(forge.repository, ['nothing'], { options: hasty }))).toBeLessThanOrEqual(42 + 20);
    // What the patterns exclude is not read at all.
    expect(await loads(() => search(forge.repository, ['/shared/deep/x'], { options: hasty }))).toBeLessThanOrEqual(20 + 2 + 20 * 3);
  });

  test('the same tree at two places is two things to a pattern that names the way', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const inner = forge.tree([fileNode('f', [])]);
    const root = (a: string, b: string) => forge.tree([folderNode(a, inner), folderNode(b, inner)]);
    const first = await forge.snapshot(root('a', 'b'), { time: '2026-01-01T00:00:00Z' });
    const second = await forge.snapshot(root('b', 'c'), { time: '2026-01-02T00:00:00Z' });
    const found = hitsOf(await search(forge.repository, ['a/f', '/c/f'], { options: hasty }));
    expect([...found]).toEqual([
      [first, ['/a/f']],
      [second, ['/c/f']],
    ]);
  });

  test('patterns with more ways than are remembered find the same', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const names = Array.from({ length: 45 }, (_, i) => `n${String(i).padStart(2, '0')}`);
    let id = forge.tree([fileNode('leaf', [])]);
    for (const name of names.toReversed()) id = forge.tree([fileNode('leaf', []), folderNode(name, id)]);
    await forge.snapshot(id);
    const path = `/${names.join('/')}/leaf`;
    const [paths] = hitsOf(
      await search(forge.repository, [path, 'n20/leaf', 'leaf/**/x', ...names.map((name) => `${name}/nothing`)], { options: hasty }),
    ).values();
    expect(paths).toEqual(expect.arrayContaining([path, `/${names.slice(0, 21).join('/')}/leaf`]));
  });

  test('more hits than one batch holds come in order, once, and again for the next snapshot', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const files = (count: number) => Array.from({ length: count }, (_, i) => fileNode(`f${String(i).padStart(5, '0')}`, []));
    const root = forge.tree([folderNode('a', forge.tree(files(4500))), folderNode('b', forge.tree(files(300)))]);
    await forge.snapshot(root, { time: '2026-01-01T00:00:00Z' });
    await forge.snapshot(root, { time: '2026-01-02T00:00:00Z' });
    const { batches, hits } = await search(forge.repository, ['f*'], { options: { ...hasty, threads: 3 } });
    expect(hits).toBe(9600);
    expect(batches.length).toBeGreaterThan(4);
    const [one, two] = [...hitsOf({ batches }).values()];
    expect(one).toEqual(two);
    expect(one).toEqual([...one!].sort());
    expect(new Set(one).size).toBe(4800);
  });
});

describe('what is asked for', () => {
  test('types, sizes and times must hold together', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const late = { mtime: '2026-06-01T00:00:00Z' };
    await forge.snapshot(
      forge.tree([
        fileNode('a-large', [], { size: 5000 }),
        fileNode('a-late', [], { size: 100, ...late }),
        fileNode('a-small', [], { size: 10 }),
        folderNode('a.d', forge.tree([fileNode('inside', [], { size: 3000, ...late })]), late),
        linkNode('a.l', 'target'),
      ]),
    );
    const found = async (query: object): Promise<string[]> =>
      [...hitsOf(await search(forge.repository, { patterns: ['a*'], ...query }, { options: hasty })).values()].flat();
    const june = BigInt(Date.parse('2026-06-01T00:00:00Z')) * 1_000_000n;
    expect(await found({})).toEqual(['/a-large', '/a-late', '/a-small', '/a.d', '/a.d/inside', '/a.l']);
    expect(await found({ contents: false })).toEqual(['/a-large', '/a-late', '/a-small', '/a.d', '/a.l']);
    expect(await found({ types: ['file'] })).toEqual(['/a-large', '/a-late', '/a-small', '/a.d/inside']);
    expect(await found({ types: ['dir', 'symlink'] })).toEqual(['/a.d', '/a.l']);
    expect(await found({ minSize: 100 })).toEqual(['/a-large', '/a-late', '/a.d/inside']);
    expect(await found({ minSize: 100, maxSize: 3000 })).toEqual(['/a-late', '/a.d/inside']);
    expect(await found({ maxSize: 10 })).toEqual(['/a-small']);
    expect(await found({ newerNs: june })).toEqual(['/a-late', '/a.d', '/a.d/inside']);
    expect(await found({ newerNs: june + 1n })).toEqual([]);
    expect(await found({ olderNs: june - 1n, types: ['file'] })).toEqual(['/a-large', '/a-small']);
    expect(await found({ newerNs: june, minSize: 200 })).toEqual(['/a.d/inside']);
  });

  test('a pattern that cannot be read, and an ID that nothing has, are refused', async () => {
    const { repository } = new Forge(await makeRepository(new MemoryStorage()));
    await expect(search(repository, ['ok', '[x'])).rejects.toMatchObject({ code: 'bad-usage' });
    await expect(search(repository, { kind: 'blobs', of: 'data', ids: ['abcd'] })).rejects.toMatchObject({ code: 'id-not-found' });
    await expect(search(repository, { kind: 'blobs', of: 'pack', ids: ['ab'.repeat(32)] })).rejects.toMatchObject({ code: 'id-not-found' });
  });

  test('files that need a blob that is missing are found, and the list of a root', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const lost = 'ab'.repeat(32);
    const root = forge.tree([fileNode('harmed', [forge.data('x'), lost, lost]), fileNode('whole', [forge.data('x')])]);
    const id = await forge.snapshot(root);
    const harmed = await search(forge.repository, { kind: 'blobs', of: 'data', ids: [lost] }, { options: hasty });
    expect(harmed.batches.flatMap(({ blobs }) => blobs)).toEqual([
      { type: 'data', blob: lost, parent: root, path: Buffer.from('/harmed') },
    ]);
    const roots = await search(forge.repository, { kind: 'blobs', of: 'tree', ids: [root.slice(0, 12)] }, { options: hasty });
    expect([...hitsOf(roots)]).toEqual([[id, ['/']]]);
  });

  test('a cancelled run ends, and what takes the hits may fail', async () => {
    const dir = scratch('find');
    const repository = await makeRepository(join(dir, 'repository'));
    await backup(repository, tree(join(dir, 'source'), { a: 'a' }));
    const control = new RunControl();
    control.cancel();
    await expect(search(repository, ['a'], { options: { control } })).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('damage', () => {
  test('folders that cannot be read are named in each snapshot that has them, and the others are searched', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const lost = 'ab'.repeat(32);
    const broken = forge.tree('{"nodes":[{"name":"cut');
    const half = forge.tree(`{"nodes":[${JSON.stringify(fileNode('first', []))},{"name":"x"}]}`);
    const root = (extra: string) =>
      forge.tree([
        folderNode('broken', broken),
        folderNode('deep', forge.tree([folderNode('lost', lost)])),
        folderNode('half', half),
        fileNode(extra, []),
      ]);
    const first = await forge.snapshot(root('q1'), { time: '2026-01-01T00:00:00Z' });
    const second = await forge.snapshot(root('q2'), { time: '2026-01-02T00:00:00Z' });
    const { batches, problems } = await search(forge.repository, ['q*', 'first'], { options: hasty });
    expect([...hitsOf({ batches })]).toEqual([
      [first, ['/half/first', '/q1']],
      [second, ['/half/first', '/q2']],
    ]);
    expect(problems).toBe(6);
    const named = batches.flatMap((batch) =>
      batch.problems.map(({ path, error }) => `${batch.snapshot.id === first ? 1 : 2} ${path.toString()} ${error.code}`),
    );
    expect(named).toEqual([1, 2].flatMap((n) => [`${n} /broken tree-invalid`, `${n} /deep/lost blob-missing`, `${n} /half tree-invalid`]));
  });

  test('folders that multiply without end are refused when there is something in them, and searched when not', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    let id = forge.tree([fileNode('leaf', [])]);
    for (let level = 0; level < 60; level++) id = forge.tree([folderNode('a', id), folderNode('b', id)]);
    await forge.snapshot(id);
    expect((await search(forge.repository, ['nothing'], { options: hasty })).hits).toBe(0);
    await expect(search(forge.repository, ['leaf'], { options: hasty })).rejects.toMatchObject({ code: 'snapshot-too-large' });
  });
});
