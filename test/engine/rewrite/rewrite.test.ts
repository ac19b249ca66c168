/** What a rewrite takes out, what it leaves, and what it says about it. */
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { compileExcludes, type ExcludeOptions } from '../../../src/engine/backup/exclude.ts';
import { executePrune } from '../../../src/engine/prune/prune.ts';
import { parseMaxUnused } from '../../../src/engine/prune/max-unused.ts';
import { executeRewrite, planRewrite, type RewriteRequest } from '../../../src/engine/rewrite/rewrite.ts';
import { Lock } from '../../../src/repository/locks.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { ReadOnlyStorage } from '../../../src/storage/read-only.ts';
import { backup, makeRepository, openRepository, runOptions } from '../../support/engine.ts';
import { Forge } from '../../support/forge.ts';
import { hasty } from '../../support/hostile.ts';
import { scratch, sharedScratch, tree } from '../../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { expectWhole } from '../../support/whole-repository.ts';

refuseUnhandledRejections();

const place = sharedScratch('rewrite');
const source = join(place, 'source');
const base = new MemoryStorage('the destination');
/** Of three snapshots: the second is the first with `new.tmp`, the third has neither `*.tmp` nor `docs`. */
let ids: readonly string[] = [];

beforeAll(async () => {
  const repository = await makeRepository(base);
  tree(source, {
    'a.txt': 'alpha',
    'b.tmp': 'temporary',
    docs: { 'c.txt': 'gamma', 'd.tmp': 'temporary too', build: { out: 'made' } },
    build: { out: 'made', deep: { 'e.txt': 'epsilon' } },
    same: { build: { out: 'made', deep: { 'e.txt': 'epsilon' } } },
    empty: {},
  });
  const made = [(await backup(repository, source, { ...hasty, tags: ['one'] })).snapshot];
  writeFileSync(join(source, 'new.tmp'), 'new');
  made.push((await backup(repository, source, hasty)).snapshot);
  const plain = tree(join(place, 'plain'), { 'a.txt': 'alpha', more: { 'm.txt': 'm' } });
  made.push((await backup(repository, plain, { ...hasty, hostname: 'other' })).snapshot);
  ids = made;
});

const rewrite = (repository: Repository, exclude: ExcludeOptions | undefined, request: RewriteRequest = {}) =>
  executeRewrite(repository, { rules: exclude && compileExcludes(exclude), ...request }, runOptions(hasty));

/** What the source's part of a snapshot holds, by path below the source. */
async function held(storage: MemoryStorage, id: string): Promise<string[]> {
  const content = (await expectWhole(storage)).snapshots.get(id)!;
  return [...content.keys()].filter((path) => path.startsWith(`${source}/`)).map((path) => path.slice(source.length + 1));
}

/** What stays of the first snapshot; all of it but what is said here. */
async function without(exclude: ExcludeOptions): Promise<string[]> {
  const storage = base.clone();
  const { changed } = await rewrite(await openRepository(storage), exclude, { snapshots: [ids[0]!] });
  const before = await held(base, ids[0]!);
  if (changed.length === 0) return [];
  const after = await held(storage, changed[0]!.new);
  expect(after.filter((path) => !before.includes(path))).toEqual([]);
  return before.filter((path) => !after.includes(path));
}

describe('patterns', () => {
  test.each<[string, ExcludeOptions, string[]]>([
    ['a name, anywhere', { patterns: ['*.tmp'] }, ['b.tmp', 'docs/d.tmp']],
    ['a name that ignores case', { patternsIgnoringCase: ['*.TMP'] }, ['b.tmp', 'docs/d.tmp']],
    [
      'a folder, with all that is in it',
      { patterns: ['deep/'] },
      ['build/deep', 'build/deep/e.txt', 'same/build/deep', 'same/build/deep/e.txt'],
    ],
    ['a path from the source', { patterns: ['/build/out'] }, ['build/out']],
    ['a path from the source, without a slash before it', { patterns: ['build/out'] }, ['build/out']],
    ['the whole path', { patterns: [join(source, 'docs/c.txt')] }, ['docs/c.txt']],
    ['a path that begins anywhere', { patterns: ['**/build/out'] }, ['build/out', 'docs/build/out', 'same/build/out']],
    ['all but what an exception brings back', { patterns: ['*.tmp', '!b.tmp'] }, ['docs/d.tmp']],
    ['all but an exception by its whole path', { patterns: ['*.tmp', `!${join(source, 'b.tmp')}`] }, ['docs/d.tmp']],
    ['a preset', { presets: ['temporary'] }, ['b.tmp', 'docs/d.tmp']],
    ['what a file of patterns says', { files: [{ name: 'f', content: Buffer.from('# these\n*.tmp\n!d.tmp\n') }] }, ['b.tmp']],
    ['nothing, when nothing matches', { patterns: ['nothing', '/a', 'docs/a.txt'] }, []],
  ])('take out %s', async (_, exclude, gone) => {
    expect(await without(exclude)).toEqual(gone);
  });

  test('tell one place from another', async () => {
    expect(await without({ patterns: ['/same/build/out'] })).toEqual(['same/build/out']);
    expect(await without({ patterns: ['/build/deep/e.txt', '/same/build/out'] })).toEqual(['build/deep/e.txt', 'same/build/out']);
  });

  test('may take a source out, and the folders above it', async () => {
    for (const pattern of [source, 'source', source.split('/')[1]!]) {
      const storage = base.clone();
      const { changed } = await rewrite(await openRepository(storage), { patterns: [pattern] }, { snapshots: [ids[0]!] });
      expect(await held(storage, changed[0]!.new)).toEqual([]);
    }
  });

  test('leave a folder empty when all in it goes', async () => {
    const storage = base.clone();
    const { changed } = await rewrite(await openRepository(storage), { patterns: ['/docs/*', '/docs/*/'] }, { snapshots: [ids[0]!] });
    expect((await held(storage, changed[0]!.new)).filter((path) => path.startsWith('docs'))).toEqual(['docs']);
  });
});

describe('a rewrite', () => {
  test('adds a successor that names where it comes from and is tagged; the old snapshots stay', async () => {
    const storage = base.clone();
    const repository = await openRepository(storage);
    const { plan, changed } = await rewrite(repository, { patterns: ['*.tmp'] });
    expect(changed.map(({ old }) => old)).toEqual([ids[0], ids[1]]);
    expect(plan.unchanged).toEqual([ids[2]]);
    for (const { old, new: id } of changed) {
      const [before, after] = [await repository.snapshot(old), await repository.snapshot(id)];
      const { figures, tree: planned } = plan.change.find(({ snapshot }) => snapshot.id === old)!;
      expect(after).toEqual({
        ...before,
        id,
        tree: planned,
        tags: [...before.tags!, 'rewrite'],
        original: old,
        summary: { ...before.summary!, total_files_processed: figures!.files, total_bytes_processed: figures!.bytes },
      });
    }
    expect(await repository.names('snapshot')).toHaveLength(5);
  });

  test('may remove the old snapshots, and then tags nothing', async () => {
    const storage = base.clone();
    const repository = await openRepository(storage);
    const { changed } = await rewrite(repository, { patterns: ['*.tmp'] }, { forget: true });
    expect((await repository.names('snapshot')).sort()).toEqual([...changed.map(({ new: id }) => id), ids[2]!].sort());
    expect((await repository.snapshot(changed[0]!.new)).tags).toEqual((await (await openRepository(base)).snapshot(ids[0]!)).tags);
  });

  test('frees what was taken out, once the old snapshots are gone and the repository is pruned', async () => {
    const storage = base.clone();
    const repository = await openRepository(storage);
    await rewrite(repository, { patterns: ['docs', '*.tmp'] }, { forget: true });
    const blobs = async (): Promise<number> => (await expectWhole(storage)).stored.blobs;
    const before = await blobs();
    await executePrune(repository, { maxUnused: parseMaxUnused('0') }, runOptions(hasty));
    expect(await blobs()).toBeLessThan(before);
    expect((await expectWhole(storage)).snapshots.size).toBe(3);
  });

  test('stores the trees that change, each once, and nothing when nothing does', async () => {
    const storage = base.clone();
    const repository = await openRepository(storage);
    const before = (await expectWhole(storage)).stored;
    await rewrite(repository, { patterns: ['*.tmp'] });
    const after = (await expectWhole(storage)).stored;
    expect(after.copies).toBe(0);
    // Both snapshots come to the same but for the source's own folder, whose times differ.
    const levels = source.split('/').length - 1;
    expect(after.blobs - before.blobs).toBeLessThanOrEqual(1 + 1 + 2 * levels);
    expect(after.blobs - before.blobs).toBeGreaterThanOrEqual(2);
    const mutations = storage.mutations;
    expect((await rewrite(repository, { patterns: ['nothing'] })).changed).toEqual([]);
    expect(storage.mutations - mutations).toBe(2);
  });

  test('that is made again changes nothing', async () => {
    const storage = base.clone();
    const repository = await openRepository(storage);
    for (const forget of [false, true]) {
      await rewrite(repository, { patterns: ['*.tmp'] }, { forget });
      const names = await repository.names('snapshot');
      const again = await rewrite(repository, { patterns: ['*.tmp'] }, { forget });
      expect(again.changed).toEqual([]);
      expect(await repository.names('snapshot')).toEqual(names);
    }
  });

  test('gives another host and another time, with or without taking anything out', async () => {
    const storage = base.clone();
    const repository = await openRepository(storage);
    const time = '2020-01-02T03:04:05Z';
    const { changed } = await rewrite(repository, undefined, { hostname: 'desktop', time, forget: true });
    expect(changed).toHaveLength(3);
    const before = await (await openRepository(base)).snapshots();
    for (const { id, original, ...after } of await repository.snapshots()) {
      const { id: _, ...old } = before.find((snapshot) => snapshot.id === original)!;
      expect(after).toEqual({ ...old, hostname: 'desktop', time });
      expect(ids).not.toContain(id);
    }
    expect((await rewrite(repository, undefined, { hostname: 'desktop', time, forget: true })).changed).toEqual([]);
    const both = await rewrite(repository, { patterns: ['*.tmp'] }, { hostname: 'laptop', forget: true });
    expect(both.changed).toHaveLength(3);
    expect((await repository.snapshots()).map(({ hostname }) => hostname)).toEqual(['laptop', 'laptop', 'laptop']);
  });

  test('of nothing at all is refused', async () => {
    const repository = await openRepository(base.clone());
    await expect(rewrite(repository, undefined)).rejects.toMatchObject({ code: 'bad-usage' });
    await expect(planRewrite(repository, {}, runOptions(hasty))).rejects.toMatchObject({ code: 'bad-usage' });
  });

  test('is about the snapshots that are named or that the filter lets through', async () => {
    const storage = base.clone();
    const repository = await openRepository(storage);
    expect(
      (await rewrite(repository, { patterns: ['a.txt'] }, { filter: ({ hostname }) => hostname === 'other' })).changed.map(
        ({ old }) => old,
      ),
    ).toEqual([ids[2]]);
    expect(
      (await rewrite(repository, { patterns: ['a.txt'] }, { snapshots: [ids[0]!.slice(0, 12)] })).changed.map(({ old }) => old),
    ).toEqual([ids[0]]);
    await expect(rewrite(repository, { patterns: ['x'] }, { snapshots: ['nonsense'] })).rejects.toMatchObject({
      code: 'snapshot-not-found',
    });
  });

  test('keeps what only other programs know of a snapshot', async () => {
    const storage = base.clone();
    const forge = new Forge(await openRepository(storage));
    const id = await forge.snapshot((await forge.repository.snapshot(ids[0]!)).tree, { delete: 'never', paths: [source] });
    const { changed } = await rewrite(forge.repository, { patterns: ['*.tmp'] }, { snapshots: [id] });
    const stored = JSON.parse((await forge.repository.loadItem('snapshot', changed[0]!.new)).toString()) as Record<string, unknown>;
    expect(stored).toMatchObject({ delete: 'never', summary: { total_files_processed: 7, backup_start: '0001-01-01T00:00:00Z' } });
  });
});

describe('a snapshot of which nothing would stay', () => {
  test.each([['*'], ['*.txt', '*.tmp', 'out'], [source]])('is not put in the place of the old one: %s', async (...patterns) => {
    const storage = base.clone();
    const repository = await openRepository(storage);
    const before = await repository.names('snapshot');
    const refused = { code: 'rewrite-empties-snapshot' };
    await expect(rewrite(repository, { patterns }, { forget: true })).rejects.toMatchObject(refused);
    await expect(planRewrite(repository, { rules: compileExcludes({ patterns }), forget: true }, runOptions(hasty))).rejects.toMatchObject(
      refused,
    );
    expect(await repository.names('snapshot')).toEqual(before);
    expect((await expectWhole(storage)).unindexed).toEqual([]);
  });

  test('may be made beside it, with an empty root', async () => {
    const storage = base.clone();
    const repository = await openRepository(storage);
    const { changed, plan } = await rewrite(repository, { patterns: ['*'] });
    expect(changed).toHaveLength(3);
    const { snapshots } = await expectWhole(storage);
    for (const { new: id } of changed) expect(snapshots.get(id)!.size).toBe(0);
    expect(plan.change.map(({ figures }) => figures!.goneFolders)).toEqual([1, 1, 1]);
  });

  test('was empty before: that is nobody’s fault', async () => {
    const storage = new MemoryStorage();
    const repository = await makeRepository(storage);
    await backup(repository, tree(join(scratch('rewrite'), 'none'), {}), hasty);
    expect((await rewrite(repository, { patterns: ['*.tmp'] }, { forget: true, hostname: 'x' })).changed).toHaveLength(1);
  });
});

describe('a plan', () => {
  test('changes nothing and is what the execution then does', async () => {
    const storage = base.clone();
    const repository = await openRepository(storage);
    const request: RewriteRequest = { rules: compileExcludes({ patterns: ['*.tmp', 'docs'] }) };
    const planned = await planRewrite(repository, request, runOptions(hasty));
    expect(storage.files().filter(({ kind }) => kind !== 'lock')).toEqual(base.files());
    const told: unknown[] = [];
    const { plan } = await executeRewrite(repository, request, { ...runOptions(hasty), onPlan: (made) => told.push(made) });
    expect(plan).toEqual(planned);
    expect(told).toEqual([planned]);
  });

  test('tells what is left out, by path, and how much stays', async () => {
    const repository = await openRepository(base.clone());
    const plan = await planRewrite(repository, { rules: compileExcludes({ patterns: ['*.tmp', 'docs'] }) }, runOptions(hasty));
    expect(plan.leftOut.map(({ path, type, size }) => [Buffer.from(path).toString(), type, size])).toEqual([
      [join(source, 'b.tmp'), 'file', 9],
      [join(source, 'docs'), 'dir', 0],
      [join(source, 'new.tmp'), 'file', 3],
    ]);
    const above = source.split('/').length - 1;
    expect(plan.change[0]!.figures).toEqual({
      files: 5,
      bytes: 5 + 2 * (4 + 7),
      entries: 5 + 6 + above,
      folders: 6 + above,
      goneFiles: 1,
      goneFolders: 1,
      goneBytes: 9,
    });
    expect(plan.change[1]!.figures).toMatchObject({ files: 5, goneFiles: 2, goneFolders: 1, goneBytes: 12 });
  });

  test('is made on a destination that can only be read', async () => {
    const repository = await openRepository(new ReadOnlyStorage(base.clone()));
    const request: RewriteRequest = { rules: compileExcludes({ patterns: ['*.tmp'] }) };
    expect((await planRewrite(repository, request, runOptions(hasty))).change).toHaveLength(2);
    await expect(executeRewrite(repository, request, runOptions(hasty))).rejects.toMatchObject({ code: 'storage-read-only' });
  });

  test('finds a successor that an earlier run has saved', async () => {
    const storage = base.clone();
    const repository = await openRepository(storage);
    const rules = compileExcludes({ patterns: ['*.tmp'] });
    const { changed } = await executeRewrite(repository, { rules, forget: true }, runOptions(hasty));
    const old = await base.load({ kind: 'snapshot', name: ids[0]! });
    await storage.save({ kind: 'snapshot', name: ids[0]! }, [old]);
    const plan = await planRewrite(repository, { rules, forget: true }, runOptions(hasty));
    expect(plan.change.map(({ snapshot, successor }) => [snapshot.id, successor])).toEqual([[ids[0], changed[0]!.new]]);
  });
});

test('an exclusive lock is needed to remove snapshots, a shared one to add some', async () => {
  const storage = base.clone();
  const repository = await openRepository(storage);
  const shared = await Lock.acquire(repository, { ...runOptions().holder, hostname: 'elsewhere' }, false, hasty.clock);
  await expect(rewrite(repository, { patterns: ['*.tmp'] }, { forget: true })).rejects.toMatchObject({ code: 'locked' });
  expect((await rewrite(repository, { patterns: ['*.tmp'] })).changed).toHaveLength(2);
  await shared.release();
  const exclusive = await Lock.acquire(repository, { ...runOptions().holder, hostname: 'elsewhere' }, true, hasty.clock);
  await expect(rewrite(repository, { patterns: ['a.txt'] })).rejects.toMatchObject({ code: 'locked' });
  await exclusive.release();
  expect(storage.files().filter(({ kind }) => kind === 'lock')).toEqual([]);
});

test('the rewritten snapshot serves as the base of the next backup', async () => {
  const folder = join(scratch('rewrite'), 'repository');
  const repository = await makeRepository(folder);
  const files = tree(join(scratch('rewrite'), 'files'), { 'a.txt': 'alpha', 'b.tmp': 'beta' });
  await backup(repository, files, hasty);
  cpSync(join(files, 'a.txt'), join(files, 'c.txt'));
  await rewrite(repository, { patterns: ['*.tmp'] }, { forget: true });
  const { summary, plan } = await backup(repository, files, hasty);
  expect(plan.parent?.original).toBeDefined();
  expect(summary).toMatchObject({ files_unmodified: 1, files_new: 2, data_blobs: 0 });
});
