import { appendFileSync, linkSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ChangedFolders } from '../../../src/engine/backup/changed-folders.ts';
import { ResidentIndex } from '../../../src/engine/index/resident-index.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { LocalStorage } from '../../../src/storage/local.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { disturb } from '../../support/disturb.ts';
import { backup, makeRepository, type BackupSettings } from '../../support/engine.ts';
import { seededRandom } from '../../support/seeded.ts';
import { nodesAt } from '../../support/snapshot-tree.ts';
import { scratch, tree } from '../../support/tree-literal.ts';

type Made = Awaited<ReturnType<typeof backup>>;

/** What a journal would know that began with this run. */
const since = (run: Made, folders: readonly string[], more: Partial<ChangedFolders> = {}): ChangedFolders => ({
  since: run.snapshot,
  indexFiles: run.indexFiles,
  folders: folders.map((folder) => Buffer.from(folder)),
  whole: [],
  compare: undefined,
  ...more,
});

/** Each of the runs stored the same of the source. */
async function expectSame(repository: Repository, source: string, ...runs: readonly Made[]): Promise<void> {
  const [first, ...others] = await nodesAt(
    repository,
    source,
    runs.map(({ snapshot }) => snapshot),
  );
  for (const other of others) expect(other).toBe(first);
}
const totals = ({ summary }: Made): number[] => [
  summary.total_files_processed,
  summary.total_bytes_processed,
  summary.dirs_new + summary.dirs_changed + summary.dirs_unmodified,
];

/** A run that looks at everything finds nothing to add to this one. */
async function expectComplete(repository: Repository, source: string, run: Made, settings: BackupSettings = {}): Promise<Made> {
  const whole = await backup(repository, source, settings);
  expect(whole.scanned.scan.isPartial).toBe(false);
  await expectSame(repository, source, run, whole);
  expect(totals(run)).toEqual(totals(whole));
  return whole;
}

const plain = { a: { 'f.txt': '1', b: { 'g.txt': '22', e: { x: '333' } } }, c: { 'h.txt': '4444' }, d: { i: { 'j.txt': '5' } }, top: '6' };

describe('a backup that is told where something changed', () => {
  test('looks there, and on the way there at nothing else', async () => {
    const repository = await makeRepository(new MemoryStorage());
    const source = tree(scratch(), plain);
    const first = await backup(repository, source);
    writeFileSync(join(source, 'a/b/new'), 'new');
    // Nobody is told of this one, so that nobody may see it.
    const hidden = join(source, 'd/i/j.txt');
    appendFileSync(hidden, 'more');
    const run = await backup(repository, source, { changed: since(first, [join(source, 'a/b')]) });
    expect(run.scanned.scan).toEqual({ isPartial: true, foldersVisited: 1 });
    expect(run.summary).toMatchObject({ files_new: 1, files_changed: 0, files_unmodified: 6, total_files_processed: 7 });
    const next = await backup(repository, source, { changed: since(run, []) });
    expect(next.scanned.scan).toEqual({ isPartial: true, foldersVisited: 0 });
    await expectSame(repository, source, run, next);
    const whole = await backup(repository, source, { changed: since(next, [join(source, 'a')], { compare: 'daily' }) });
    expect(whole.scanned.scan).toMatchObject({ isPartial: false, because: 'daily' });
    expect(whole.scanned.missed?.map(String)).toEqual([join(source, 'd/i')]);
    expect(whole.summary.files_changed).toBe(1);
  });

  test('counts what is gone with all that was in it', async () => {
    const repository = await makeRepository(new MemoryStorage());
    const source = tree(scratch(), plain);
    const first = await backup(repository, source);
    rmSync(join(source, 'a'), { recursive: true });
    rmSync(join(source, 'd'), { recursive: true });
    writeFileSync(join(source, 'd'), 'a file now');
    const run = await backup(repository, source, { changed: since(first, [source]) });
    expect(run.scanned.scan.isPartial).toBe(true);
    await expectComplete(repository, source, run);
  });

  test('looks at a folder whole that is another one than before, or new', async () => {
    const repository = await makeRepository(new MemoryStorage());
    const source = tree(scratch(), plain);
    const first = await backup(repository, source);
    renameSync(join(source, 'a'), join(source, 'c/a'));
    tree(join(source, 'a'), { b: { 'g.txt': 'other' } });
    const run = await backup(repository, source, { changed: since(first, [source, join(source, 'c')]) });
    expect(run.scanned.scan.isPartial).toBe(true);
    await expectComplete(repository, source, run);
  });

  test('looks whole at what it is told to, and at nothing in it that is excluded', async () => {
    const repository = await makeRepository(new MemoryStorage());
    const source = tree(scratch(), plain);
    const exclude = { patterns: ['*.txt'] };
    const first = await backup(repository, source, { exclude });
    tree(source, { a: { b: { e: { x: '7', y: '8', 'z.txt': '9' } } } });
    const run = await backup(repository, source, { exclude, changed: since(first, [], { whole: [Buffer.from(join(source, 'a'))] }) });
    expect(run.scanned.scan).toEqual({ isPartial: true, foldersVisited: 3 });
    await expectComplete(repository, source, run, { exclude });
  });

  test.each<[string, (run: Made) => Partial<ChangedFolders>, string, BackupSettings?]>([
    ['the parent is another one', () => ({ since: '0'.repeat(64) }), 'other-parent'],
    ['an index file is gone', ({ indexFiles }) => ({ indexFiles: new Set([...indexFiles, '1'.repeat(64)]) }), 'repository-changed'],
    ['it is full', () => ({}), 'strategy', { strategy: 'full' }],
    ['it is differential', () => ({}), 'strategy', { strategy: 'differential' }],
  ])('looks at everything when %s', async (_, more, because, settings = {}) => {
    const repository = await makeRepository(new MemoryStorage());
    const source = tree(scratch(), plain);
    const first = await backup(repository, source);
    appendFileSync(join(source, 'd/i/j.txt'), 'more');
    const run = await backup(repository, source, { ...settings, changed: since(first, [], more(first)) });
    expect(run.scanned.scan).toMatchObject({ isPartial: false, because });
    await expectComplete(repository, source, run);
  });

  test('looks at everything when a pack of the repository is lost, and stores anew what was in it', async () => {
    const place = scratch();
    const repository = await makeRepository(place);
    const source = tree(scratch(), plain);
    const first = await backup(repository, source);
    for (const folder of readdirSync(join(place, 'data'))) rmSync(join(place, 'data', folder), { recursive: true });
    const resident = new ResidentIndex();
    const run = await backup(repository, source, { resident, changed: since(first, []) });
    expect(run.scanned.scan).toMatchObject({ isPartial: false, because: 'damage' });
    expect(resident.byteLength).toBe(0);
    expect(run.summary.data_blobs).toBeGreaterThan(0);
    await expectComplete(repository, source, run);
  });

  test('knows the folders with files of several names, and looks at everything when there is a new name', async () => {
    const repository = await makeRepository(new MemoryStorage());
    const source = tree(scratch(), plain);
    const first = await backup(repository, source);
    expect([...first.scanned.linked]).toEqual([]);
    linkSync(join(source, 'top'), join(source, 'd/i/link'));
    const second = await backup(repository, source, { changed: since(first, [join(source, 'd/i')]) });
    expect(second.scanned.scan).toMatchObject({ isPartial: false, because: 'hard-links' });
    expect([...second.scanned.linked].sort()).toEqual([source, join(source, 'd/i')]);
    await expectComplete(repository, source, second);
    appendFileSync(join(source, 'top'), 'more');
    const third = await backup(repository, source, { changed: since(second, [...second.scanned.linked]) });
    expect(third.scanned.scan.isPartial).toBe(false);
  });

  test('keeps the index from run to run as long as none of its files goes', async () => {
    const place = scratch();
    const repository = await makeRepository(new LocalStorage(place));
    const source = tree(scratch(), plain);
    const resident = new ResidentIndex();
    const first = await backup(repository, source, { resident });
    expect(resident.byteLength).toBeGreaterThan(0);
    appendFileSync(join(source, 'top'), 'more');
    const second = await backup(repository, source, { resident, changed: since(first, [source]) });
    expect(second.scanned.scan.isPartial).toBe(true);
    const whole = await expectComplete(repository, source, second);
    for (const name of whole.indexFiles) rmSync(join(place, 'index', name), { force: true });
    expect(await resident.take(repository)).toBeUndefined();
    const third = await backup(repository, source, { resident, changed: since(whole, []) });
    expect(third.scanned.scan).toMatchObject({ isPartial: false });
    expect(third.problems).toEqual([]);
  });
});

test.each([1, 2, 3, 4, 5, 6])('whatever happens, what it stores is what a look at everything stores (seed %i)', async (seed) => {
  const random = seededRandom(seed);
  const repository = await makeRepository(new MemoryStorage());
  const many = Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`many${i}`, `${i}`]));
  const source = tree(scratch(), { ...plain, wide: { ...many, w: { ...many } }, ...many });
  const resident = new ResidentIndex();
  let last = await backup(repository, source, { resident });
  for (let round = 0; round < 8; round++) {
    const dirty = new Set<string>();
    const things = Math.ceil(random() * 12);
    for (let i = 0; i < things; i++) disturb(source, random, `${round}-${i}`, dirty);
    const run = await backup(repository, source, { resident, changed: since(last, [...dirty]) });
    expect(run.scanned.scan.isPartial).toBe(true);
    last = await expectComplete(repository, source, run);
    // The journal that was right is found to be so.
    const compared = await backup(repository, source, { changed: since(last, [], { compare: 'daily' }) });
    expect(compared.scanned.missed).toEqual([]);
    last = compared;
  }
});
