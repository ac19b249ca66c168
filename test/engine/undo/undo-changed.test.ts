/** What somebody does between a restore and its undo: nothing of it is ever destroyed. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { executeUndo, planUndo, type UndoResult } from '../../../src/engine/undo/undo.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { backup, makeRepository, restore, runOptions } from '../../support/engine.ts';
import { factsOf } from '../../support/file-facts.ts';
import { expectSameTree } from '../../support/judge.ts';
import { scratch, tree } from '../../support/tree-literal.ts';

/** A restore over a folder, then `meddle`, then an undo. */
async function undone(meddle: (target: string, dir: string) => void, clock: Clock = systemClock) {
  const dir = scratch('changed');
  const source = tree(join(dir, 'source'), {
    'a.txt': 'snapshot a',
    'b.txt': 'snapshot b',
    sub: { 'c.txt': 'snapshot c' },
    made: { 'd.txt': 'd', 'e.txt': 'e', deep: { 'f.txt': 'f', 'g.txt': 'g' } },
    'made.txt': 'made',
  });
  utimesSync(join(source, 'made', 'd.txt'), 1_000_000_000, 1_000_000_000);
  const target = tree(join(dir, 'target'), {
    'a.txt': 'my a',
    'b.txt': 'my b',
    sub: { 'c.txt': 'my c', 'old.txt': 'old' },
    'gone.txt': 'gone',
  });
  const before = join(dir, 'before');
  execFileSync('cp', ['-a', target, before]);
  const repository = await makeRepository(join(dir, 'repository'));
  await backup(repository, source);
  const journals = join(dir, 'journals');
  const { undo, problems } = await restore(repository, target, {
    path: Buffer.from(source),
    delete: true,
    undo: { folder: journals },
    clock,
  });
  expect(problems).toEqual([]);
  meddle(target, dir);
  const options = runOptions({ clock });
  const plan = await planUndo(journals, undo!.id, options);
  const result = await executeUndo(journals, undo!.id, options);
  expect(result.figures).toEqual(plan.figures);
  expect(readdirSync(target).filter((name) => name.startsWith('.holdfast'))).toEqual([]);
  return { dir, target, before, journals, result, id: undo!.id };
}

const keptIn = (target: string, { kept }: UndoResult): string[] =>
  kept
    .map(({ path, other }) => {
      const [place, beside] = [path, other].map(
        (each) =>
          each &&
          Buffer.from(each)
            .toString()
            .slice(target.length + 1),
      );
      return beside === undefined ? place! : `${place} as ${beside.replace(/\d{4}-\d\d-\d\d \d\d\.\d\d/, 'NOW')}`;
    })
    .sort();
const namesIn = (folder: string): string[] => [...factsOf(folder).keys()].map((name) => name.replace(/\d{4}-\d\d-\d\d \d\d\.\d\d/, 'NOW'));

test('nothing: everything is as before', async () => {
  const { target, before, result } = await undone(() => {});
  expect(result).toMatchObject({ problems: [], kept: [], figures: { putBack: 5, kept: 0 } });
  await expectSameTree(before, target);
});

test.each<[string, (target: string) => void]>([
  ['written to', (target) => appendFileSync(join(target, 'a.txt'), '!')],
  ['replaced', (target) => (rmSync(join(target, 'a.txt')), writeFileSync(join(target, 'a.txt'), 'snapshot a!'))],
  ['given other permissions', (target) => chmodSync(join(target, 'a.txt'), 0o777)],
  [
    'written to and given its old time',
    (target) => {
      const { atime, mtime } = lstatSync(join(target, 'a.txt'));
      writeFileSync(join(target, 'a.txt'), 'snapshot !');
      utimesSync(join(target, 'a.txt'), atime, mtime);
    },
  ],
])('a file that was replaced and then %s is kept beside what comes back', async (_, meddle) => {
  let mine: Buffer | undefined;
  const { target, result } = await undone((place) => {
    meddle(place);
    mine = readFileSync(join(place, 'a.txt'));
  });
  expect(result.problems).toEqual([]);
  expect(keptIn(target, result)).toEqual(['a.txt as a (kept NOW).txt']);
  expect(readFileSync(join(target, 'a.txt'), 'utf8')).toBe('my a');
  expect(readFileSync(Buffer.from(result.kept[0]!.other!))).toEqual(mine);
});

test('a file that was replaced and then removed or turned into something else comes back', async () => {
  const { target, result } = await undone((place) => {
    rmSync(join(place, 'a.txt'));
    rmSync(join(place, 'b.txt'));
    tree(join(place, 'b.txt'), { 'in a folder.txt': 'mine' });
    rmSync(join(place, 'sub', 'c.txt'));
    symlinkSync('/etc/passwd', join(place, 'sub', 'c.txt'));
  });
  expect(result.problems).toEqual([]);
  expect(keptIn(target, result)).toEqual(['b.txt as b (kept NOW).txt', 'sub/c.txt as sub/c (kept NOW).txt']);
  for (const name of ['a', 'b', 'sub/c']) expect(readFileSync(join(target, `${name}.txt`), 'utf8')).toBe(`my ${name.at(-1)}`);
  const [folder, link] = result.kept.map(({ other }) => Buffer.from(other!).toString()).sort();
  expect(readFileSync(join(folder!, 'in a folder.txt'), 'utf8')).toBe('mine');
  expect(readlinkSync(link!)).toBe('/etc/passwd');
});

test('what was put into the place of a deleted file is kept beside it', async () => {
  const { target, result } = await undone((place) => writeFileSync(join(place, 'gone.txt'), 'new'));
  expect(keptIn(target, result)).toEqual(['gone.txt as gone (kept NOW).txt']);
  expect(readFileSync(join(target, 'gone.txt'), 'utf8')).toBe('gone');
});

test('in a folder that the restore has made, what is new or changed stays, and only that', async () => {
  const { target, result } = await undone((place, dir) => {
    writeFileSync(join(place, 'made', 'deep', 'mine.txt'), 'mine');
    appendFileSync(join(place, 'made', 'e.txt'), '!');
    // Moved there, with times of long ago.
    const old = tree(join(dir, 'old'), { photos: { 'p.jpg': 'p' }, 'single.txt': 's' });
    utimesSync(join(old, 'photos', 'p.jpg'), 1_000_000_000, 1_000_000_000);
    utimesSync(join(old, 'single.txt'), 1_000_000_000, 1_000_000_000);
    renameSync(join(old, 'photos'), join(place, 'made', 'photos'));
    renameSync(join(old, 'single.txt'), join(place, 'made', 'single.txt'));
    mkdirSync(join(place, 'made', 'empty'));
    renameSync(join(place, 'made', 'd.txt'), join(place, 'made', 'renamed.txt'));
    appendFileSync(join(place, 'made.txt'), '!');
  });
  expect(result.problems).toEqual([]);
  const stays = ['made.txt', 'made/deep/mine.txt', 'made/e.txt', 'made/empty', 'made/photos', 'made/renamed.txt', 'made/single.txt'];
  expect(keptIn(target, result)).toEqual(stays);
  expect(namesIn(join(target, 'made'))).toEqual([
    'deep',
    'deep/mine.txt',
    'e.txt',
    'empty',
    'photos',
    'photos/p.jpg',
    'renamed.txt',
    'single.txt',
  ]);
});

test('where a folder is gone, it is made again for what comes back into it', async () => {
  const { target, before, result } = await undone((place) => rmSync(join(place, 'sub'), { recursive: true }));
  expect(result).toMatchObject({ problems: [], kept: [] });
  await expectSameTree(before, target);
});

test('the clock that was set back or forward in between changes nothing: the file system is the witness', async () => {
  for (const [atRestore, atUndo] of [
    [0, 4e12],
    [4e12, 0],
  ]) {
    let now = atRestore!;
    const clock: Clock = { ...systemClock, now: () => now };
    const { target, before, result } = await undone(() => (now = atUndo!), clock);
    expect(result).toMatchObject({ problems: [], kept: [] });
    await expectSameTree(before, target);
    expect(existsSync(join(target, 'made'))).toBe(false);
  }
});
