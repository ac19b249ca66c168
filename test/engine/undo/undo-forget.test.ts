import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { executeForgetUndo, forgetOld, planForgetUndo } from '../../../src/engine/undo/forget.ts';
import { listUndos } from '../../../src/engine/undo/list.ts';
import { executeUndo } from '../../../src/engine/undo/undo.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { backup, makeRepository, restore, runOptions } from '../../support/engine.ts';
import { scratch, tree } from '../../support/tree-literal.ts';

const dayMs = 86_400_000;

/** Restores again and again over the same files, at any time one likes. */
async function setUp() {
  const dir = scratch('forget');
  const source = tree(join(dir, 'source'), { 'a.txt': 'a', sub: { 'b.txt': 'b' } });
  const repository = await makeRepository(join(dir, 'repository'));
  await backup(repository, source);
  const journals = join(dir, 'journals');
  const start = systemClock.now();
  let now = start;
  const clock: Clock = { ...systemClock, now: () => now };
  const target = join(dir, 'target');
  let round = 0;
  const at = async (days: number): Promise<string> => {
    now = start + days * dayMs;
    // Elsewhere each time, so that each can be undone on its own.
    round += 1;
    tree(join(target, `${round}`), { 'a.txt': 'mine', sub: { 'old.txt': 'old' } });
    const settings = { path: Buffer.from(source), delete: true, undo: { folder: journals }, clock };
    return (await restore(repository, join(target, `${round}`), settings)).undo!.id;
  };
  const ids = (): string[] => listUndos(journals).map(({ id }) => id);
  const asides = (): string[] =>
    readdirSync(target, { recursive: true, encoding: 'utf8' }).filter((name) => /\.holdfast-undo-[0-9a-f]{8}$/.test(name));
  return { dir, target, journals, at, ids, asides, options: runOptions({ clock }), set: (days: number) => (now = start + days * dayMs) };
}

test('what is kept goes by itself after 30 days, and nothing younger', async () => {
  const { at, set, ids, asides, journals, options } = await setUp();
  const first = await at(0);
  const second = await at(6);
  for (const day of [7, 13, 19, 25, 29.9]) {
    set(day);
    await forgetOld(journals, options);
    expect(ids(), `day ${day}`).toEqual([first, second]);
  }
  for (const day of [30.1, 35.9]) {
    set(day);
    await forgetOld(journals, options);
    expect(ids(), `day ${day}`).toEqual([second]);
  }
  expect(asides()).toEqual([`2/.holdfast-undo-${second}`]);
  set(36.1);
  await forgetOld(journals, options);
  expect(ids()).toEqual([]);
  expect(asides()).toEqual([]);
});

test('a clock that is wrong for a while, in either direction, makes nothing go', async () => {
  const { at, set, ids, journals, options } = await setUp();
  const all = [await at(0), await at(20_000), await at(-20_000)];
  for (const day of [1, 20_000, 2, -20_000, 3, 9, 15, 16]) {
    set(day);
    await forgetOld(journals, options);
  }
  expect(ids()).toEqual(all);
});

test('one, or all that are older, can be forgotten, and the rest still be undone', async () => {
  const { at, set, ids, journals, options, target, asides } = await setUp();
  const all = [await at(0), await at(5), await at(10)];
  set(12);
  expect(planForgetUndo(journals, { olderThanMs: 6 * dayMs }, options).map(({ id }) => id)).toEqual(all.slice(0, 2));
  expect(ids()).toEqual(all);
  const { forgotten, problems } = await executeForgetUndo(journals, { olderThanMs: 6 * dayMs }, options);
  expect({ ids: forgotten.map(({ id }) => id), problems }).toEqual({ ids: all.slice(0, 2), problems: [] });
  expect(ids()).toEqual(all.slice(2));
  expect(asides()).toEqual([`3/.holdfast-undo-${all[2]}`]);
  await executeUndo(journals, all[2]!, options);
  expect(readdirSync(join(target, '3', 'sub'))).toEqual(['old.txt']);
  await expect(executeForgetUndo(journals, { id: all[0]! }, options)).rejects.toMatchObject({ code: 'undo-not-found' });
});

test('of a drive that is away, only the one that is named is forgotten', async () => {
  const { at, set, ids, journals, options, target, dir } = await setUp();
  const id = await at(0);
  renameSync(target, join(dir, 'unplugged'));
  set(40);
  const { forgotten, problems } = await executeForgetUndo(journals, { olderThanMs: dayMs }, options);
  expect({ forgotten, kinds: problems.map(({ kind }) => kind) }).toEqual({ forgotten: [], kinds: ['failed'] });
  expect(ids()).toEqual([id]);
  const named = await executeForgetUndo(journals, { id }, options);
  expect(named.forgotten.length).toBe(1);
  expect(existsSync(join(journals, id))).toBe(false);
});

test('what was cut off while it was made or removed goes in time', async () => {
  const { at, journals, ids } = await setUp();
  mkdirSync(join(journals, '00000001.gone', 'x'), { recursive: true });
  mkdirSync(join(journals, '00000002'));
  writeFileSync(join(journals, 'notes of mine'), '');
  await at(0);
  expect(readdirSync(journals)).toContain('00000002');
  await at(2);
  expect(readdirSync(journals).sort()).toEqual([...ids(), 'notes of mine'].sort());
});

test('a folder of another name, or a link, is never taken for what is kept', async () => {
  const { at, journals, options, target, dir } = await setUp();
  const id = await at(0);
  const aside = join(target, '1', `.holdfast-undo-${id}`);
  const precious = tree(join(dir, 'precious'), { 'p.txt': 'p' });
  rmSync(aside, { recursive: true });
  renameSync(precious, `${aside}.mine`);
  symlinkSync(`${aside}.mine`, aside);
  await executeForgetUndo(journals, { id }, options);
  expect(readdirSync(`${aside}.mine`)).toEqual(['p.txt']);
});
