import { chmodSync, linkSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Change } from '../../../src/engine/diff/change.ts';
import { RunControl } from '../../../src/platform/cancellation.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { backup, makeRepository, openRepository, resticOn } from '../../support/engine.ts';
import { fileNode, folderNode, Forge } from '../../support/forge.ts';
import { hasty } from '../../support/hostile.ts';
import { buildNastyTree } from '../../support/nasty-tree.ts';
import { changeLine, difference } from '../../support/reading.ts';
import { jsonLines, type Restic } from '../../support/restic.ts';
import { scratch, tree } from '../../support/tree-literal.ts';

interface ResticDiff {
  readonly changes: string[];
  readonly statistics: {
    readonly changed_files: number;
    readonly added: Record<string, number>;
    readonly removed: Record<string, number>;
  };
}

async function resticDiff(restic: Restic, ids: readonly string[], args: readonly string[] = []): Promise<ResticDiff> {
  const lines = jsonLines((await restic.must(['diff', '--json', ...args, ...ids])).stdout);
  return {
    changes: lines.filter((line) => line.message_type === 'change').map(({ modifier, path }) => `${String(modifier)} ${String(path)}`),
    statistics: lines.find((line) => line.message_type === 'statistics') as unknown as ResticDiff['statistics'],
  };
}

/** Programs replace bytes that are no text by different numbers of signs. */
const asText = (lines: readonly string[]): string[] => lines.map((line) => line.replace(/\ufffd+/g, '\ufffd')).sort();

/** Ours in restic's words. */
function resticLines(changes: readonly Change[]): string[] {
  return changes.map((change) =>
    changeLine(change)
      .replace('M? ', 'M? ')
      .replace(/^T /, change.metadata.length > 0 ? 'TU ' : 'T '),
  );
}

async function twoBackups(change: (source: string) => void, before?: (source: string) => unknown) {
  const dir = scratch('diff');
  const source = join(dir, 'source');
  mkdirSync(source);
  await before?.(source);
  const folder = join(dir, 'repository');
  const repository = await makeRepository(folder);
  const first = (await backup(repository, source, hasty)).snapshot;
  change(source);
  const second = (await backup(repository, source, hasty)).snapshot;
  return { repository, source, ids: [first, second] as const, restic: resticOn(folder) };
}

describe('against restic', () => {
  test('every kind of change to every kind of entry is what restic says, and so are the figures', async () => {
    const { repository, ids, restic } = await twoBackups(
      (source) => {
        const at = (path: string): string => join(source, path);
        writeFileSync(at('content/one byte'), 'y');
        writeFileSync(at('content/empty'), 'no longer');
        writeFileSync(at('content/text 4 MB'), 'now short');
        unlinkSync(at('content/size 4097'));
        renameSync(at('content/size 4095'), at('content/size, another name'));
        chmodSync(at('content/size 4096'), 0o600);
        utimesSync(at('content/random'), 1e9, 1e9);
        unlinkSync(at('symlinks/target'));
        writeFileSync(at('symlinks/a new file'), 'target');
        unlinkSync(at('symlinks/relative'));
        symlinkSync('elsewhere', at('symlinks/relative'));
        unlinkSync(at('symlinks/dangling'));
        writeFileSync(at('symlinks/dangling'), 'a file now');
        renameSync(at('links/b'), at('links/c'));
        linkSync(at('links/a/first'), at('links/a/another'));
        rmSync(at('special/fifo'));
        tree(at('new'), { folder: { deep: { file: 'in a new folder' } }, 'one byte': 'x' });
      },
      (source) => buildNastyTree(join(source), { small: true }),
    );
    const plain = await difference(repository, ids, { moves: false });
    const expected = await resticDiff(restic, ids);
    expect(asText(resticLines(plain.changes).map((line) => line.replace(/^TU /, 'T ')))).toEqual(asText(expected.changes));
    expect(expected.changes.length).toBeGreaterThan(25);
    const { added, removed, content } = plain.entries;
    const { blobs } = plain;
    const { statistics } = expected;
    expect(content.files).toBe(statistics.changed_files);
    for (const [ours, theirs, needs] of [
      [added, statistics.added, blobs!.second],
      [removed, statistics.removed, blobs!.first],
    ] as const) {
      expect(theirs).toEqual({
        files: ours.files,
        dirs: ours.folders,
        others: ours.others,
        data_blobs: needs.dataBlobs,
        tree_blobs: needs.treeBlobs,
        bytes: needs.bytes,
      });
    }
    expect(plain).toMatchObject({ problems: [], damagedTrees: [], unknownBlobs: 0, damage: [] });

    // With metadata. restic also names every folder in which anything changed, whether or not its own properties did.
    const full = await difference(repository, ids, { moves: false, metadata: true });
    const theirs = asText((await resticDiff(restic, ids, ['--metadata'])).changes);
    const ours = asText(resticLines(full.changes));
    expect(theirs.filter((line) => !/^U .*\/$/.test(line))).toEqual(ours.filter((line) => !/^U .*\/$/.test(line)));
    expect(ours.filter((line) => !theirs.includes(line))).toEqual([]);
    const folders = theirs.filter((line) => !ours.includes(line)).map((line) => line.slice(2));
    for (const folder of folders)
      expect(
        ours.some((line) => line.slice(2) !== folder && line.includes(folder)),
        folder,
      ).toBe(true);
    expect(full.entries.metadataOnly).toBe(full.changes.filter(({ kind }) => kind === 'metadata').length);
    expect(full.entries.metadataOnly).toBe(plain.entries.metadataOnly);

    // Without reading what is the same, all but the blobs is the same.
    const quick = await difference(repository, ids, { moves: false, blobs: false });
    expect(quick).toMatchObject({ blobs: undefined, entries: plain.entries });
    expect(quick.changes).toEqual(plain.changes);
  });

  test('what restic backed up is compared, also backwards, a part of it, and a snapshot with itself', async () => {
    const dir = scratch('diff');
    const source = tree(join(dir, 'source'), { a: { x: 'one', y: 'two' }, b: { z: 'three' }, same: { big: 'same '.repeat(1000) } });
    const restic = resticOn(join(dir, 'repository'));
    await restic.init();
    const first = (await restic.backup([source])).snapshot_id;
    tree(source, { a: { x: 'changed', new: 'new' }, same: { copy: 'three' } });
    rmSync(join(source, 'b'), { recursive: true });
    const second = (await restic.backup([source])).snapshot_id;
    const repository = await openRepository(join(dir, 'repository'));
    for (const [ids, path] of [
      [[first, second], undefined],
      [[second, first], undefined],
      [[first, second], join(source, 'a')],
      [[first, first], undefined],
    ] as const) {
      const ours = await difference(repository, ids, { moves: false, ...(path === undefined ? {} : { path }) });
      const theirs = await resticDiff(restic, path === undefined ? ids : ids.map((id) => `${id}:${path}`));
      // restic leaves the way to a part out.
      expect(asText(resticLines(ours.changes).map((line) => line.replace(path ?? '\0', '')))).toEqual(asText(theirs.changes));
      expect(ours.blobs!.second.bytes).toBe(theirs.statistics.added.bytes);
      expect(ours.blobs!.first.bytes).toBe(theirs.statistics.removed.bytes);
      expect(ours.blobs!.second.dataBlobs).toBe(theirs.statistics.added.data_blobs);
      expect(ours.blobs!.first.treeBlobs).toBe(theirs.statistics.removed.tree_blobs);
    }
    // What is in both, but elsewhere, is nobody's alone.
    const { blobs } = await difference(repository, [first, second]);
    expect(blobs!.first.dataBlobs).toBe(1);
    // A folder with another one: each side has its own paths.
    const between = await difference(repository, [first, second], { path: [join(source, 'b'), source] });
    expect(between.changes.map(changeLine)).toEqual([
      `+ ${source}/a/`,
      `+ ${source}/a/new`,
      `+ ${source}/a/x`,
      `+ ${source}/a/y`,
      `+ ${source}/same/`,
      `+ ${source}/same/big`,
      `R ${source}/b/z -> ${source}/same/copy`,
    ]);
    const rooted = await difference(repository, [first, second], { path: ['/', join(source, 'a')], moves: false });
    expect(rooted.changes.map(changeLine)).toContain(`- ${source}/b/z`);
    expect(rooted.changes.map(changeLine)).toContain(`+ ${source}/a/new`);
  });
});

describe('what moved', () => {
  const lines = (changes: readonly Change[], source: string): string[] =>
    changes.map((change) => changeLine(change).replaceAll(source, ''));

  test('a file with another name, a folder with all that is in it, and neither is told as removed or added', async () => {
    const { repository, source, ids } = await twoBackups(
      (place) => {
        renameSync(join(place, 'notes.txt'), join(place, 'sub', 'renamed.txt'));
        mkdirSync(join(place, 'archive'));
        renameSync(join(place, 'photos'), join(place, 'archive', '2025'));
        writeFileSync(join(place, 'sub', 'new'), 'new');
        rmSync(join(place, 'old'));
      },
      (place) =>
        tree(place, {
          'notes.txt': 'some notes',
          old: 'old',
          photos: { 'a.jpg': 'aaa', more: { 'b.jpg': 'bbb', 'c.jpg': 'ccc' } },
          sub: { same: 'same' },
        }),
    );
    const { changes, entries } = await difference(repository, ids);
    expect(lines(changes, source)).toEqual([
      '+ /archive/',
      'R /photos/ -> /archive/2025/',
      '- /old',
      '+ /sub/new',
      'R /notes.txt -> /sub/renamed.txt',
    ]);
    expect(entries.moved).toEqual({ files: 4, folders: 2, others: 0, bytes: 19 });
    expect(entries.added).toEqual({ files: 1, folders: 1, others: 0, bytes: 3 });
    expect(entries.removed).toEqual({ files: 1, folders: 0, others: 0, bytes: 3 });
  });

  test('empty files and empty folders moved nowhere; of several that are the same each moved once', async () => {
    const { repository, source, ids } = await twoBackups(
      (place) => {
        for (const name of ['empty', 'a', 'b']) rmSync(join(place, name));
        rmSync(join(place, 'nothing'), { recursive: true });
        tree(place, { 'other empty': '', 'other nothing': {}, v: 'twin', w: 'twin', x: 'twin' });
      },
      (place) => tree(place, { empty: '', nothing: {}, a: 'twin', b: 'twin' }),
    );
    const { changes } = await difference(repository, ids);
    expect(lines(changes, source)).toEqual([
      '- /empty',
      '- /nothing/',
      '+ /other empty',
      '+ /other nothing/',
      'R /a -> /v',
      'R /b -> /w',
      '+ /x',
    ]);
  });

  test('a folder that became part of a larger one that moved is not told twice', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const file = (name: string) => fileNode(name, [forge.data(`content of ${name}`)], { size: 10 });
    const inner = forge.tree([file('i')]);
    const outer = forge.tree([folderNode('inner', inner), file('o')]);
    const first = await forge.snapshot(forge.tree([folderNode('w', outer), folderNode('x', inner)]));
    const second = await forge.snapshot(forge.tree([folderNode('y', outer)]), { time: '2026-01-03T00:00:00Z' });
    const forwards = await difference(forge.repository, [first, second], { options: hasty });
    // There were two of the inner one, and one of them is gone.
    expect(forwards.changes.map(changeLine)).toEqual(['- /x/', '- /x/i', 'R /w/ -> /y/']);
    const backwards = await difference(forge.repository, [second, first], { options: hasty });
    expect(backwards.changes.map(changeLine)).toEqual(['R /y/ -> /w/', '+ /x/', '+ /x/i']);
    expect(backwards.entries.moved).toEqual({ files: 2, folders: 2, others: 0, bytes: 20 });
  });

  test('whatever moved where, removed and added and moved add up to what restic says', async () => {
    const dir = scratch('diff');
    const source = join(dir, 'source');
    const names = Array.from({ length: 6 }, (_, i) => `n${i}`);
    const repository = await makeRepository(join(dir, 'repository'));
    const restic = resticOn(join(dir, 'repository'));
    const make = (round: number): void => {
      rmSync(source, { recursive: true, force: true });
      names.forEach((name, i) => {
        const of = (k: number): string => `content ${(i * 7 + k * round) % 9}`;
        tree(join(source, names[(i * round) % 6]!, `d${(i + round) % 3}`), {
          [name]: of(1),
          deep: { [`${name}.txt`]: of(2), twin: 'twin' },
        });
      });
    };
    make(1);
    const first = (await backup(repository, source, hasty)).snapshot;
    make(5);
    const second = (await backup(repository, source, hasty)).snapshot;
    const plain = await difference(repository, [first, second], { moves: false });
    const told = await difference(repository, [first, second]);
    expect(asText(resticLines(plain.changes))).toEqual(asText((await resticDiff(restic, [first, second])).changes));
    const moved = told.changes.filter(({ kind }) => kind === 'moved');
    expect(moved.length).toBeGreaterThan(3);
    // Each entry that went is told once: as removed, as moved, or as part of a folder that moved.
    const below = (path: string): string[] =>
      resticLines(plain.changes).filter((line) => line.slice(2) === path || (path.endsWith('/') && line.slice(2).startsWith(path)));
    const explained = told.changes.flatMap((change) => {
      if (change.kind !== 'moved') return [changeLine(change)];
      const slash = change.after!.type === 'dir' ? '/' : '';
      return [
        ...below(`${change.from!.toString()}${slash}`).filter((line) => line.startsWith('-')),
        ...below(`${change.path.toString()}${slash}`).filter((line) => line.startsWith('+')),
      ];
    });
    expect(explained.sort()).toEqual(resticLines(plain.changes).sort());
    expect(told.blobs).toEqual(plain.blobs);
    for (const field of ['files', 'folders', 'bytes'] as const) {
      expect(told.entries.added[field] + told.entries.moved[field]).toBe(plain.entries.added[field]);
      expect(told.entries.removed[field] + told.entries.moved[field]).toBe(plain.entries.removed[field]);
    }
  });
});

describe('what is told of a change', () => {
  test('a folder that became a file, and a file that became a folder, with all that went and came', async () => {
    const { repository, source, ids } = await twoBackups(
      (place) => {
        rmSync(join(place, 'folder'), { recursive: true });
        writeFileSync(join(place, 'folder'), 'a file now');
        rmSync(join(place, 'file'));
        tree(place, { file: { inner: 'new' } });
      },
      (place) => tree(place, { folder: { gone: 'gone' }, file: 'a file' }),
    );
    const { changes, entries } = await difference(repository, ids);
    expect(changes.map((change) => changeLine(change).replaceAll(source, ''))).toEqual([
      'T /file/',
      '+ /file/inner',
      'T /folder',
      '- /folder/gone',
    ]);
    expect(entries).toMatchObject({ retyped: 2, added: { files: 1 }, removed: { files: 1 } });
  });

  test('content that changed while nothing else did is suspicious', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const file = (content: string, more: object = {}) => fileNode('f', [forge.data(content)], { size: 3, ...more });
    const first = await forge.snapshot(forge.tree([file('abc')]));
    const second = await forge.snapshot(forge.tree([file('xyz')]));
    const third = await forge.snapshot(forge.tree([file('123', { mtime: '2026-02-02T00:00:00Z', mode: 0o600 })]));
    expect((await difference(forge.repository, [first, second])).changes.map(changeLine)).toEqual(['M? /f']);
    const [change] = (await difference(forge.repository, [second, third])).changes;
    expect(change).toMatchObject({
      kind: 'content',
      isSuspicious: false,
      metadata: ['mode', 'mtime'],
      before: { size: 3 },
      after: { mode: 0o100600 },
    });
  });

  test('equal folders are not read', async () => {
    const storage = new MemoryStorage();
    const forge = new Forge(await makeRepository(storage));
    const same = Array.from({ length: 50 }, (_, i) => folderNode(`same ${i + 10}`, forge.tree([fileNode(`f${i}`, [])])));
    const first = await forge.snapshot(forge.tree([...same, folderNode('z', forge.tree([fileNode('f', [])]))]));
    const second = await forge.snapshot(forge.tree([...same, folderNode('z', forge.tree([fileNode('g', [])]))]));
    const treesRead = async (run: () => Promise<unknown>): Promise<number> => {
      storage.operations.length = 0;
      await run();
      return storage.operations.filter((operation) => operation.kind === 'load' && operation.file.kind === 'pack').length;
    };
    const options = { ...hasty };
    expect(await treesRead(() => difference(forge.repository, [first, second], { blobs: false, moves: false, options }))).toBe(4);
    expect(await treesRead(() => difference(forge.repository, [first, first], { options }))).toBe(0);
    expect(await treesRead(() => difference(forge.repository, [first, second], { options }))).toBeGreaterThan(50);
  });
});

describe('damage', () => {
  test('a folder that cannot be read is named, on whichever side, and the others are compared', async () => {
    const storage = new MemoryStorage();
    const forge = new Forge(await makeRepository(storage));
    const file = fileNode('f', []);
    const lost = 'ab'.repeat(32);
    const sameLost = 'cd'.repeat(32);
    const root = (b: string, c: string, more: object[]) =>
      forge.tree([folderNode('a', sameLost), folderNode('b', b), folderNode('c', c), ...more]);
    const first = await forge.snapshot(root(lost, forge.tree([file]), [folderNode('gone', forge.tree('{"nodes":[{"name":"x"}]}'))]));
    const second = await forge.snapshot(root(forge.tree([]), forge.tree([]), [fileNode('gtoo', [lost])]));
    const { changes, problems, damagedTrees, unknownBlobs } = await difference(forge.repository, [first, second], { options: hasty });
    expect(changes.map(changeLine)).toEqual(['- /c/f', '- /gone/', '+ /gtoo']);
    expect(problems.map(({ path, error }) => `${path.toString()} ${error.code}`)).toEqual(['/b blob-missing', '/gone tree-invalid']);
    expect(damagedTrees.map(({ tree: id, paths, error }) => ({ id, paths, code: error.code }))).toEqual([
      { id: sameLost, paths: ['/a'], code: 'blob-missing' },
    ]);
    expect(unknownBlobs).toBe(1);
  });

  test('snapshots of which nothing is there are two that cannot be compared', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const [first, second] = [await forge.snapshot('ab'.repeat(32)), await forge.snapshot('cd'.repeat(32))];
    const { changes, problems } = await difference(forge.repository, [first, second], { options: hasty });
    expect(changes).toEqual([]);
    expect(problems.map(({ path, error }) => `${path.toString()} ${error.code}`)).toEqual(['/ blob-missing']);
  });

  test('what is no folder, or is not there, is said', async () => {
    const { repository, ids, source } = await twoBackups(
      () => {},
      (place) => tree(place, { file: 'f' }),
    );
    await expect(difference(repository, ids, { path: join(source, 'file') })).rejects.toMatchObject({ code: 'bad-usage' });
    await expect(difference(repository, ids, { path: '/nowhere' })).rejects.toMatchObject({ code: 'snapshot-path-not-found' });
  });

  test('folders that multiply without end are refused, and folders that never end are named', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const multiplying = (leaf: string): string => {
      let id = forge.tree([fileNode(leaf, [])]);
      for (let level = 0; level < 60; level++) id = forge.tree([folderNode('a', id), folderNode('b', id)]);
      return id;
    };
    const [first, second] = [await forge.snapshot(multiplying('x')), await forge.snapshot(multiplying('y'))];
    await expect(difference(forge.repository, [first, second], { options: hasty })).rejects.toMatchObject({ code: 'snapshot-too-large' });
    let deep = forge.tree([fileNode('leaf', [])]);
    for (let level = 0; level < 5000; level++) deep = forge.tree([folderNode('d', deep)]);
    const third = await forge.snapshot(deep);
    const { problems } = await difference(forge.repository, [await forge.snapshot(forge.tree([])), third], { options: hasty });
    expect(problems.map(({ error }) => error.code)).toEqual(['tree-invalid']);
  });

  test('a cancelled run ends', async () => {
    const { repository, ids } = await twoBackups(
      (place) => tree(place, { new: 'new' }),
      (place) => tree(place, { file: 'f' }),
    );
    const control = new RunControl();
    control.cancel();
    await expect(difference(repository, ids, { options: { control } })).rejects.toMatchObject({ code: 'cancelled' });
  });
});
