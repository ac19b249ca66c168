import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { executeForget, planForget } from '../../../src/engine/forget.ts';
import { extensionOf } from '../../../src/engine/stats/breakdown-job.ts';
import { measureMode, measureRepository, type ModeFigures, type RepositoryStats, type StatsMode } from '../../../src/engine/stats/stats.ts';
import { RunControl } from '../../../src/platform/cancellation.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { backup, makeRepository, openRepository, resticOn, runOptions } from '../../support/engine.ts';
import { fileNode, folderNode, Forge } from '../../support/forge.ts';
import { hasty } from '../../support/hostile.ts';
import { hastyClock } from '../../support/hasty-clock.ts';
import { buildNastyTree } from '../../support/nasty-tree.ts';
import type { Restic } from '../../support/restic.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { scratch, sharedScratch, tree } from '../../support/tree-literal.ts';

async function figures(repository: Repository, mode: StatsMode, ids?: readonly string[], options = {}): Promise<ModeFigures> {
  const snapshots = ids ? await Promise.all(ids.map((id) => repository.findSnapshot(id))) : await repository.snapshots();
  return measureMode(repository, { snapshots, mode }, runOptions({ clock: hastyClock, ...options }));
}

async function measured(repository: Repository, ids?: readonly string[], breakdown?: object, options = {}): Promise<RepositoryStats> {
  const all = await repository.snapshots();
  const snapshots = ids ? all.filter(({ id }) => ids.includes(id)) : all;
  const others = all.filter((snapshot) => !snapshots.includes(snapshot));
  const request = breakdown && { snapshot: snapshots.at(-1)!, top: 10, ...breakdown };
  return measureRepository(repository, { snapshots, others, breakdown: request }, runOptions({ clock: hastyClock, ...options }));
}

/** Ours in restic's words. */
const resticWords = ({ snapshots, bytes, files, blobs, uncompressedBytes, compression }: ModeFigures): object => ({
  total_size: bytes,
  snapshots_count: snapshots,
  ...(files ? { total_file_count: files } : {}),
  ...(blobs ? { total_blob_count: blobs } : {}),
  ...(uncompressedBytes ? { total_uncompressed_size: uncompressedBytes } : {}),
  ...(compression?.ratio ? { compression_ratio: compression.ratio } : {}),
  ...(compression?.progress ? { compression_progress: compression.progress } : {}),
  ...(compression?.spaceSaving ? { compression_space_saving: compression.spaceSaving } : {}),
});

const resticStats = async (restic: Restic, mode: StatsMode, ids: readonly string[] = []): Promise<object> =>
  JSON.parse((await restic.must(['stats', '--json', '--no-lock', '--mode', mode, ...ids])).stdout) as object;

const modes: readonly StatsMode[] = ['restore-size', 'files-by-contents', 'blobs-per-file', 'raw-data'];

describe('against restic', () => {
  const dir = sharedScratch('stats');
  const source = join(dir, 'source');
  const folder = join(dir, 'repository');
  const ids: string[] = [];
  let repository: Repository;
  let restic: Restic;

  beforeAll(async () => {
    mkdirSync(source);
    await buildNastyTree(source, { small: true });
    tree(source, { twice: { a: 'the same content', b: 'the same content', c: 'other' } });
    // A file whose own blobs repeat.
    writeFileSync(join(source, 'repeating'), Buffer.alloc(5 << 20));
    repository = await makeRepository(folder);
    restic = resticOn(folder);
    ids.push((await backup(repository, source, hasty)).snapshot);
    writeFileSync(join(source, 'twice', 'c'), 'changed');
    linkSync(join(source, 'links', 'a', 'first'), join(source, 'links', 'a', 'fifth'));
    renameSync(join(source, 'content'), join(source, 'moved content'));
    ids.push((await backup(repository, source, hasty)).snapshot);
    rmSync(join(source, 'links'), { recursive: true });
    // Without compression, so that not everything is compressed.
    tree(source, { noise: seededBytes(seededRandom(3), 100_000) });
    await restic.must(['backup', '--compression', 'off', source]);
    ids.push((await repository.findSnapshot('latest')).id);
  });

  test.each(modes)('mode %s gives the same figures for one snapshot, for two and for all', async (mode) => {
    for (const some of [[ids[1]!], [ids[0]!, ids[2]!], ids]) {
      const ours = await figures(repository, mode, some);
      expect(ours).toMatchObject({ damagedTrees: [], unknownBlobs: 0, damage: [] });
      expect(resticWords(ours)).toEqual(await resticStats(restic, mode, some));
    }
  });

  test('all in one gives for each snapshot what restic does, whatever the number of threads', async () => {
    const sizes = await Promise.all(ids.map((id) => resticStats(restic, 'restore-size', [id])));
    const raw = await resticStats(restic, 'raw-data');
    for (const threads of [1, 2, 5]) {
      const stats = await measured(repository, undefined, undefined, { threads });
      expect(stats.snapshots.map(({ snapshot }) => snapshot.id)).toEqual(ids);
      expect(stats.snapshots.map(({ size }) => ({ total_size: size.bytes, total_file_count: size.entries, snapshots_count: 1 }))).toEqual(
        sizes,
      );
      expect(raw).toMatchObject({ total_size: stats.raw.bytes, total_blob_count: stats.raw.blobs });
    }
    const blobs = await restic.listBlobs();
    const stats = await measured(repository, [ids[0]!]);
    expect(stats.stored.blobs).toBe(blobs.length);
    expect(stats.unused.blobs).toBe(0);
    expect(await resticStats(restic, 'raw-data', [ids[0]!])).toMatchObject({ total_size: stats.raw.bytes });
  });

  test('the breakdown adds up to what the folder restores to, as du tells it', async () => {
    const at = (await measured(repository, undefined, { path: Buffer.from(source) })).breakdown!;
    expect(at.folders.reduce((sum, { bytes }) => sum + bytes, at.otherFolders.bytes)).toBe(at.bytes);
    expect(at.types.reduce((sum, { files }) => sum + files, at.otherTypes.files)).toBe(at.files);
    // Apparent sizes, each inode once; folders have sizes of their own in du.
    const du = (place: string): number =>
      Number(
        execFileSync('sh', ['-c', `find "$0" -type f -printf '%i %s\\n' | sort -u | awk '{s+=$2} END {print s+0}'`, place])
          .toString()
          .trim(),
      );
    expect(at.bytes).toBe(du(source));
    for (const { path, isItself, bytes } of at.folders) if (!isItself) expect(bytes, path.toString()).toBe(du(path.toString()));
    const deep = (await measured(repository, undefined, { path: Buffer.from(source), depth: 3, top: 3 })).breakdown!;
    expect(deep.folders.length).toBe(3);
    expect(deep.otherFolders.parts).toBeGreaterThan(3);
    expect(deep.folders.reduce((sum, { bytes }) => sum + bytes, deep.otherFolders.bytes)).toBe(at.bytes);
    // Without a path it begins where there is something to tell apart.
    expect((await measured(repository, undefined, {})).breakdown!.path.toString()).toBe(source);
  });
});

describe('what a snapshot alone needs', () => {
  test('is what forgetting it and pruning frees, and what nobody needs is what pruning frees', async () => {
    const dir = scratch('stats');
    const source = join(dir, 'source');
    const folder = join(dir, 'repository');
    const random = seededRandom(9);
    const noise = (length: number): Buffer => seededBytes(random, length);
    const repository = await makeRepository(folder);
    const ids: string[] = [];
    tree(source, { always: noise(50_000), first: noise(40_000), early: { a: noise(30_000), b: 'b' } });
    ids.push((await backup(repository, source, hasty)).snapshot);
    rmSync(join(source, 'first'));
    tree(source, { second: noise(20_000), early: { b: 'changed' } });
    ids.push((await backup(repository, source, hasty)).snapshot);
    rmSync(join(source, 'early'), { recursive: true });
    rmSync(join(source, 'second'));
    tree(source, { third: noise(10_000) });
    ids.push((await backup(repository, source, hasty)).snapshot);
    const restic = resticOn(folder);
    const stored = async (): Promise<number> =>
      (
        (await resticStats(
          restic,
          'raw-data',
          (await restic.snapshots()).map(({ id }) => id),
        )) as { total_size: number }
      ).total_size;
    for (const id of [ids[1]!, ids[0]!]) {
      const before = await measured(repository, [id]);
      expect(before.unused).toEqual({ blobs: 0, bytes: 0 });
      const [{ alone }] = before.snapshots as [RepositoryStats['snapshots'][number]];
      const [size, blobs] = [await stored(), before.stored.blobs];
      await executeForget(repository, await planForget(repository, { snapshots: [id], force: true }), runOptions());
      expect(size - (await stored())).toBe(alone.bytes);
      const between = await measured(repository);
      expect(between.unused).toEqual(alone);
      await restic.prune(['--max-unused', '0']);
      expect((await measured(await openRepository(folder))).stored.blobs).toBe(blobs - alone.blobs);
    }
  });

  test('nothing, when another snapshot is the same; and everything, when it is the only one', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const root = forge.tree([fileNode('f', [forge.data('content')], { size: 7 })]);
    const first = await forge.snapshot(root, { time: '2026-01-01T00:00:00Z' });
    const only = await measured(forge.repository, undefined, undefined, hasty);
    expect(only.snapshots[0]!.alone).toEqual({ blobs: 2, bytes: only.raw.bytes });
    await forge.snapshot(root, { time: '2026-01-02T00:00:00Z' });
    const both = await measured(forge.repository, [first], undefined, hasty);
    expect(both.snapshots.map(({ alone }) => alone)).toEqual([{ blobs: 0, bytes: 0 }]);
    expect(both.raw.blobs).toBe(2);
  });

  test('is the same whatever order the trees are met in', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const random = seededRandom(4);
    const pick = (count: number): number => Math.floor(random() * count);
    const data = Array.from({ length: 60 }, (_, i) => forge.data(`blob ${i} ${'x'.repeat(i)}`));
    let trees = data.map((id, i) => forge.tree([fileNode(`f${i}`, [id])]));
    for (let level = 0; level < 4; level++)
      trees = trees.map((_, i) =>
        forge.tree([folderNode('a', trees[pick(trees.length)]!), folderNode(`b${i}`, trees[pick(trees.length)]!)]),
      );
    for (let i = 0; i < 12; i++) await forge.snapshot(trees[i]!, { time: `2026-01-${String(i + 10)}T00:00:00Z` });
    const runs: RepositoryStats[] = [];
    for (const threads of [1, 2, 3, 4]) runs.push(await measured(forge.repository, undefined, undefined, { ...hasty, threads }));
    for (const run of runs) {
      const alone = run.snapshots.map((each) => each.alone);
      expect(alone).toEqual(runs[0]!.snapshots.map((each) => each.alone));
      expect(run.snapshots.map(({ size }) => size)).toEqual(runs[0]!.snapshots.map(({ size }) => size));
      expect(run.raw).toEqual(runs[0]!.raw);
    }
    // By the definition: what is not among the blobs of all others.
    const all = await forge.repository.snapshots();
    for (const [i, snapshot] of all.slice(0, 4).entries()) {
      const others = all.filter(({ id }) => id !== snapshot.id).map(({ id }) => id);
      const rest = (await figures(forge.repository, 'raw-data', others, hasty)).bytes;
      expect(runs[0]!.snapshots[i]!.alone.bytes).toBe(runs[0]!.raw.bytes - rest);
    }
  });
});

describe('files with several names', () => {
  test('count once in each snapshot by inode and device, as in restic, also where a repository lies', async () => {
    const dir = scratch('stats');
    const forge = new Forge(await makeRepository(join(dir, 'repository')));
    const content = [forge.data('12345')];
    const file = (name: string, more: object) => fileNode(name, content, { size: 5, ...more });
    const two = { links: 2, inode: 7, device_id: 1 };
    const inner = forge.tree([file('a', two), file('b', { ...two, device_id: 2 }), file('c', { links: 1, inode: 7, device_id: 1 })]);
    const root = forge.tree(
      [
        folderNode('one', inner),
        folderNode('two', inner),
        file('without inode 1', { links: 2 }),
        file('without inode 2', { links: 2 }),
        file('without links', { links: 0, inode: 9, device_id: 1 }),
        file('without links, again', { links: 0, inode: 9, device_id: 1 }),
        file('x', { links: 3, inode: 7, device_id: 1 }),
        file('y', { links: 3, inode: '18446744073709551615', device_id: 1 }),
      ].map((node) => JSON.parse(JSON.stringify(node).replace('"18446744073709551615"', '1')) as object),
    );
    const first = await forge.snapshot(root);
    const restic = resticOn(join(dir, 'repository'));
    const ours = await figures(forge.repository, 'restore-size', undefined, hasty);
    expect(resticWords(ours)).toEqual(await resticStats(restic, 'restore-size'));
    await forge.snapshot(root, { time: '2026-02-01T00:00:00Z' });
    const both = await figures(forge.repository, 'restore-size', undefined, hasty);
    expect(both.bytes).toBe(2 * ours.bytes);
    expect(resticWords(both)).toEqual(await resticStats(restic, 'restore-size'));
    const { breakdown } = await measured(forge.repository, [first], { path: Buffer.from('/') }, hasty);
    expect(breakdown!.bytes).toBe(ours.bytes);
  });
});

describe('the breakdown', () => {
  test('lists folders at a depth, what lies above them by itself, and types by the ends of names', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const file = (name: string, size: number) => fileNode(name, [], { size });
    const deep = forge.tree([file('x.JPG', 100), folderNode('y', forge.tree([file('noext', 1), file('z.jpg', 50)]))]);
    const user = forge.tree([folderNode('pics', deep), folderNode('text', forge.tree([file('a.txt', 10)])), file('top.txt', 5)]);
    await forge.snapshot(forge.tree([folderNode('home', forge.tree([folderNode('u', user)]))]));
    const { breakdown } = await measured(forge.repository, undefined, {}, hasty);
    expect(breakdown).toMatchObject({ problems: [], files: 5, bytes: 166 });
    expect(breakdown!.path.toString()).toBe('/home/u');
    const shares = (list: NonNullable<typeof breakdown>): string[] =>
      list.folders.map(({ path, isItself, files, bytes }) => `${path.toString()}${isItself ? ' itself' : ''} ${files} ${bytes}`);
    expect(shares(breakdown!)).toEqual(['/home/u/pics 3 151', '/home/u/text 1 10', '/home/u itself 1 5']);
    expect(breakdown!.types).toEqual([
      { extension: '.jpg', files: 2, bytes: 150 },
      { extension: '.txt', files: 2, bytes: 15 },
      { extension: '', files: 1, bytes: 1 },
    ]);
    const two = (await measured(forge.repository, undefined, { depth: 2 }, hasty)).breakdown!;
    expect(shares(two)).toEqual(['/home/u/pics itself 1 100', '/home/u/pics/y 2 51', '/home/u/text itself 1 10', '/home/u itself 1 5']);
    const top = (await measured(forge.repository, undefined, { top: 1 }, hasty)).breakdown!;
    expect(shares(top)).toEqual(['/home/u/pics 3 151']);
    expect(top.otherFolders).toEqual({ parts: 2, files: 2, bytes: 15 });
    expect(top.otherTypes).toEqual({ parts: 2, files: 3, bytes: 16 });
    await expect(measured(forge.repository, undefined, { path: Buffer.from('/home/u/top.txt') }, hasty)).rejects.toMatchObject({
      code: 'bad-usage',
    });
  });

  test.each([
    ['a.TXT', '.txt'],
    ['archive.tar.gz', '.gz'],
    ['.bashrc', ''],
    ['a.', ''],
    ['none', ''],
    ['Dr. Who', ''],
    ['x.averyverylongone', ''],
    ['photo.ÄB', '.äb'],
  ])('the extension of %j is %j', (name, extension) => {
    expect(extensionOf(name)).toBe(extension);
  });
});

describe('damage', () => {
  test('trees that cannot be read are named with their paths, and the figures are of all others', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const lost = 'ab'.repeat(32);
    const broken = forge.tree('{"nodes":[{"name":"cut');
    const good = fileNode('good', [forge.data('12345')], { size: 5 });
    const root = forge.tree([
      folderNode('broken', broken),
      folderNode('d', forge.tree([folderNode('lost', lost)])),
      good,
      fileNode('harmed', [lost], { size: 3 }),
    ]);
    await forge.snapshot(root);
    const gone = await forge.snapshot('cd'.repeat(32), { time: '2026-03-01T00:00:00Z' });
    for (const run of [
      ...(await Promise.all(modes.map((mode) => figures(forge.repository, mode, undefined, hasty)))),
      await measured(forge.repository, undefined, undefined, hasty),
    ]) {
      const named = run.damagedTrees.map(({ tree: id, paths, error }) => `${id.slice(0, 4)} ${paths.join()} ${error.code}`).sort();
      expect(named).toEqual(
        [`${lost.slice(0, 4)} /d/lost blob-missing`, 'cdcd / blob-missing', `${broken.slice(0, 4)} /broken tree-invalid`].sort(),
      );
    }
    const stats = await measured(forge.repository, undefined, undefined, hasty);
    expect(stats.unknownBlobs).toBe(1);
    expect(stats.snapshots.map(({ size }) => size)).toEqual([
      { entries: 5, files: 2, bytes: 8 },
      { entries: 0, files: 0, bytes: 0 },
    ]);
    expect(stats.snapshots[1]!.snapshot.id).toBe(gone);
    const { breakdown } = await measured(forge.repository, [stats.snapshots[0]!.snapshot.id], {}, hasty);
    expect(breakdown!.problems.map(({ path }) => path.toString())).toEqual(['/broken', '/d/lost']);
  });

  test('folders that multiply without end are counted, but not gone through path by path', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    let id = forge.tree([fileNode('leaf', [], { size: 1, links: 2, inode: 5 })]);
    for (let level = 0; level < 60; level++) id = forge.tree([folderNode('a', id), folderNode('b', id)]);
    await forge.snapshot(id);
    const [{ size }] = (await measured(forge.repository, undefined, undefined, hasty)).snapshots as [RepositoryStats['snapshots'][number]];
    expect(size.files).toBe(2 ** 60);
    expect(size.bytes).toBe(1);
    await expect(measured(forge.repository, undefined, {}, hasty)).rejects.toMatchObject({ code: 'snapshot-too-large' });
  });

  test('a cancelled run ends', async () => {
    const { repository } = new Forge(await makeRepository(new MemoryStorage()));
    const control = new RunControl();
    control.cancel();
    await expect(measured(repository, undefined, undefined, { control })).rejects.toMatchObject({ code: 'cancelled' });
  });
});
