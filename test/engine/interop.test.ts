/** The same nasty tree through both programs: what either stores, both restore exactly, and neither finds anything new in it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Repository } from '../../src/repository/repository.ts';
import { backup, makeRepository, openRepository, password, problemLines, resticOn, restore } from '../support/engine.ts';
import { expectCleanCheck, expectNothingNew, expectSameTree, expectSnapshotRestores, expectSparse } from '../support/judge.ts';
import { buildNastyTree } from '../support/nasty-tree.ts';
import { sharedScratch } from '../support/tree-literal.ts';

const dir = sharedScratch('interop');
const source = join(dir, 'source');
const other = join(dir, 'other');

beforeAll(async () => {
  const { leftOut } = await buildNastyTree(source, { socket: true, large: process.env.HOLDFAST_LONG === '1' });
  expect(leftOut).toEqual([]);
  await buildNastyTree(other, { small: true, seed: 2, farFuture: true });
});

describe('a repository of ours', () => {
  const folder = join(dir, 'ours');
  const restic = resticOn(folder);
  let repository: Repository;

  beforeAll(async () => {
    repository = await makeRepository(folder);
    const { problems, damage, plan } = await backup(repository, [source, other]);
    expect(problemLines(problems)).toEqual([]);
    expect(damage).toEqual([]);
    expect(plan.strategy).toBe('full');
  });

  test('is clean for restic, every byte of it', async () => {
    await expectCleanCheck(restic);
  });

  test('is restored by restic to exactly the source', async () => {
    await expectSnapshotRestores(restic, 'latest', source);
  });

  test('is restored by us to exactly the sources, holes and times beyond 64 bits among them', async () => {
    const target = join(dir, 'restored');
    const { problems, verified } = await restore(repository, target, { verify: true, sparse: true });
    expect(problemLines(problems)).toEqual([]);
    expect(verified!.bytes).toBeGreaterThan(400 << 20);
    await expectSameTree(source, join(target, source));
    await expectSameTree(other, join(target, other));
    await expectSparse(source, join(target, source));
  });

  test('holds for restic, which reads everything again, nothing new', async () => {
    await expectNothingNew(restic, [source, other]);
  });

  test('is unchanged for restic, which takes our snapshot as parent', async () => {
    const { snapshot, summary } = await backup(repository, [source, other], { hostname: 'elsewhere' });
    expect(summary).toMatchObject({ data_blobs: 0, files_new: summary.total_files_processed });
    const theirs = await restic.backup([source, other], { host: 'elsewhere' });
    const [made] = (await restic.snapshots()).filter(({ id }) => id === theirs.snapshot_id);
    expect(made!.parent).toBe(snapshot);
    expect(theirs).toMatchObject({ data_blobs: 0, files_new: 0, files_changed: 0, files_unmodified: summary.total_files_processed });
    // Of the folders above the sources, others change the times meanwhile.
    expect(theirs.dirs_changed).toBeLessThanOrEqual(dir.split('/').length);
    expect(theirs).toMatchObject({ dirs_new: 0, dirs_unmodified: summary.dirs_new - theirs.dirs_changed });
  });
});

describe('a repository of restic’s', () => {
  const folder = join(dir, 'theirs');
  const restic = resticOn(folder);
  let repository: Repository;

  beforeAll(async () => {
    await restic.init({ ownKey: true });
    // Times beyond 2262 are more than restic can hold.
    await restic.backup([source]);
    repository = await openRepository(folder);
  });

  test('is restored by us to exactly the source', async () => {
    const target = join(dir, 'restored from theirs');
    const { problems, damage } = await restore(repository, target, { verify: true, sparse: true });
    expect(problemLines(problems)).toEqual([]);
    expect(damage).toEqual([]);
    await expectSameTree(source, join(target, source));
    await expectSparse(source, join(target, source));
  });

  test('is unchanged for us, who take its snapshot as parent', async () => {
    const [parent] = await restic.snapshots();
    const { snapshot, plan, summary, problems } = await backup(repository, source);
    expect(plan.parent!.id).toBe(parent!.id);
    expect(problemLines(problems)).toEqual([]);
    expect(summary).toMatchObject({ data_blobs: 0, files_new: 0, files_changed: 0, files_unmodified: summary.total_files_processed });
    await expectSameSource(parent!.id, snapshot);
  });

  test('holds nothing new for us, who read everything again', async () => {
    const { snapshot, summary } = await backup(repository, source, { strategy: 'full' });
    expect(summary.data_blobs).toBe(0);
    const [parent] = await restic.snapshots();
    await expectSameSource(parent!.id, snapshot);
  });

  test('is clean for restic after we have written to it, and restic finds nothing new', async () => {
    await expectNothingNew(restic, [source]);
    await expectCleanCheck(restic);
  });

  /** Both snapshots hold the very same tree of the source. */
  async function expectSameSource(one: string, another: string): Promise<void> {
    const trees = await Promise.all([one, another].map((snapshot) => restic.cat('tree', `${snapshot}:${source}`)));
    expect(trees[0]!.equals(trees[1]!)).toBe(true);
  }
});

describe.each([
  { name: 'without compression', args: ['--compression', 'off'] },
  { name: 'with the strongest compression', args: ['--compression', 'max'] },
  { name: 'with packs of 4 MiB', args: ['--pack-size', '4'] },
  { name: 'with packs of 128 MiB', args: ['--pack-size', '128'] },
])('a repository that restic has written $name', ({ name, args }) => {
  test('is restored by us exactly and goes on with us', async () => {
    const place = join(dir, name);
    const folder = join(place, 'repository');
    const small = join(place, 'source');
    mkdirSync(place);
    await buildNastyTree(small, { small: true, seed: 3 });
    const restic = resticOn(folder);
    await restic.init({ ownKey: true });
    await restic.backup([small], { args });
    await restic.must(['repair', 'index']);
    const repository = await openRepository(folder);
    const target = join(place, 'restored');
    expect(problemLines((await restore(repository, target, { verify: true })).problems)).toEqual([]);
    await expectSameTree(small, join(target, small));
    const { summary } = await backup(repository, small, { strategy: 'full' });
    expect(summary.data_blobs).toBe(0);
    await expectCleanCheck(restic);
  });
});

test('packs of every size that may be asked for are good for restic', async () => {
  const place = join(dir, 'pack sizes');
  const small = join(place, 'source');
  mkdirSync(place);
  await buildNastyTree(small, { small: true, seed: 4 });
  for (const packSize of [4 << 20, 128 << 20]) {
    const folder = join(place, `repository ${packSize}`);
    const repository = await makeRepository(folder);
    await backup(repository, small, { packSize });
    await expectCleanCheck(resticOn(folder, password));
    await expectNothingNew(resticOn(folder), [small]);
  }
});
