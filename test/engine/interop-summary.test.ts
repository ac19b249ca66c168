/** The figures of a run, as snapshots record them: for the same files and changes both programs say the same. */
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { backup, makeRepository, openRepository, resticOn } from '../support/engine.ts';
import { buildNastyTree } from '../support/nasty-tree.ts';
import type { BackupSummary } from '../support/restic.ts';
import { scratch, symlink, tree } from '../support/tree-literal.ts';

/** What each program says of the same files, compared with its own last snapshot; `run` 0 makes the repositories. */
async function bothSay(
  dir: string,
  run: number,
  sources: string[],
): Promise<[ours: Partial<BackupSummary>, theirs: Partial<BackupSummary>]> {
  const [ourFolder, theirFolder] = [join(dir, 'ours'), join(dir, 'theirs')];
  const repository = run === 0 ? await makeRepository(ourFolder) : await openRepository(ourFolder);
  if (run === 0) await resticOn(theirFolder).init({ copyChunkerParamsFrom: resticOn(ourFolder) });
  // Others may change the folder of temporary files between the two runs, so it changes before each of both in any case.
  rmSync(mkdtempSync(join(tmpdir(), 'holdfast-change-')), { recursive: true });
  const { summary } = await backup(repository, sources);
  const theirs = await resticOn(theirFolder).backup(sources);
  // The times of that folder stand in the root tree with more or fewer digits.
  expect(Math.abs(summary.data_added - theirs.data_added)).toBeLessThan(64);
  return [comparable(summary), comparable(theirs)];
}

const figures = [
  'files_new',
  'files_changed',
  'files_unmodified',
  'dirs_new',
  'dirs_changed',
  'dirs_unmodified',
  'data_blobs',
  'tree_blobs',
  'total_files_processed',
  'total_bytes_processed',
] as const;
const comparable = (summary: Omit<BackupSummary, 'snapshot_id'>): Partial<BackupSummary> =>
  Object.fromEntries(figures.map((name) => [name, summary[name]]));

test('the figures are restic’s for every kind of change', async () => {
  const dir = scratch();
  const source = join(dir, 'source');
  const second = join(dir, 'second');
  const at = (...names: string[]) => join(source, ...names);
  tree(source, {
    stays: { 'a.txt': 'a', 'b.txt': 'bb', deeper: { c: 'ccc' } },
    changes: { content: 'before', mode: 'same content', touched: 'same bytes', grows: 'g' },
    'changes only itself': { d: 'dddd' },
    kinds: {
      'file to folder': 'x',
      'folder to file': { inside: 'y' },
      'file to link': 'z',
      'link to file': symlink('nowhere'),
      link: symlink('a'),
    },
    goes: { e: 'e' },
    loses: { f: 'f', g: 'g' },
    empty: {},
    'is renamed': { h: 'content that moves' },
  });
  tree(second, { alone: 'in the second source' });

  const [ours, theirs] = await bothSay(dir, 0, [source, second]);
  expect(ours).toEqual(theirs);

  const [again, theirAgain] = await bothSay(dir, 1, [source, second]);
  expect(again).toEqual(theirAgain);
  expect(again).toMatchObject({ files_new: 0, files_changed: 0, data_blobs: 0 });

  writeFileSync(at('changes', 'content'), 'after!');
  chmodSync(at('changes', 'mode'), 0o600);
  utimesSync(at('changes', 'touched'), 1_000_000_000, 1_000_000_000);
  appendFileSync(at('changes', 'grows'), 'rows');
  chmodSync(at('changes only itself'), 0o700);
  for (const name of ['file to folder', 'folder to file', 'file to link', 'link to file']) rmSync(at('kinds', name), { recursive: true });
  tree(at('kinds', 'file to folder'), { inside: 'new' });
  writeFileSync(at('kinds', 'folder to file'), 'now a file');
  symlinkSync('elsewhere', at('kinds', 'file to link'));
  writeFileSync(at('kinds', 'link to file'), 'now a file too');
  rmSync(at('goes'), { recursive: true });
  rmSync(at('loses', 'g'));
  mkdirSync(at('is new'));
  writeFileSync(at('is new', 'i'), 'new');
  writeFileSync(at('is new', 'zeros'), Buffer.alloc(20 << 20));
  renameSync(at('is renamed'), at('was renamed'));

  const [changed, theirChanged] = await bothSay(dir, 2, [source, second]);
  expect(changed).toEqual(theirChanged);
});

test('the figures are restic’s for the nasty tree', async () => {
  const dir = scratch();
  const source = join(dir, 'source');
  await buildNastyTree(source, { small: true, socket: true });
  for (const run of [0, 1]) {
    const [ours, theirs] = await bothSay(dir, run, [source]);
    expect(ours).toEqual(theirs);
  }
});

test('no figure depends on how the work was shared between workers', async () => {
  const dir = scratch();
  const source = join(dir, 'source');
  // Two copies of everything: two workers meet the same new blob at the same time.
  for (const name of ['one', 'two']) await buildNastyTree(join(source, name), { small: true });
  const said: unknown[] = [];
  for (const threads of [1, 2, 5]) {
    const repository = await makeRepository(join(dir, `repository ${threads}`), { polynomial: '3da3358b4dc173' });
    const first = await backup(repository, source, { threads });
    writeFileSync(join(source, 'one', 'fresh'), `of ${threads}`);
    const second = await backup(repository, source, { threads });
    rmSync(join(source, 'one', 'fresh'));
    const { dirs_changed: _, ...rest } = comparable(second.summary);
    said.push([comparable(first.summary), rest]);
  }
  expect(said[1]).toEqual(said[0]);
  expect(said[2]).toEqual(said[0]);
});
