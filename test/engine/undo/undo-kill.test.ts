/** Real processes killed at many system calls: while they restore with a journal, and while they undo. */
import { expect, test } from 'vitest';
import { listUndos } from '../../../src/engine/undo/list.ts';
import { executeUndo } from '../../../src/engine/undo/undo.ts';
import { openRepository, restore, runOptions } from '../../support/engine.ts';
import { expectSameTree } from '../../support/judge.ts';
import { seededRandom } from '../../support/seeded.ts';
import { beginTarget, killAt } from '../../support/targeting.ts';
import { scratch } from '../../support/tree-literal.ts';
import { undoWorld, type UndoWorld } from './undo-world.ts';

const random = seededRandom(31);
const times = process.env['HOLDFAST_LONG'] === '1' ? 10 : 1;

/** System calls of a restore, and how many of the first there are to be killed at. */
const restoring = [
  ['fdatasync', 6],
  ['rename', 80],
  ['rename', 80],
  ['link', 60],
  ['link', 60],
  ['unlink', 20],
  ['mkdir', 4],
  ['utimensat', 60],
  ['chmod', 30],
  ['fchmod', 60],
  ['lsetxattr', 4],
  ['symlink', 2],
  ['pwrite64', 100],
] as const;

const undoing = [
  ['rename', 60],
  ['rename', 60],
  ['unlink', 70],
  ['unlink', 70],
  ['rmdir', 4],
  ['fsync', 4],
  ['utimensat', 12],
  ['chmod', 3],
  ['lsetxattr', 3],
  ['lremovexattr', 1],
] as const;

const request = ({ target, source, request: { undo } }: UndoWorld) => ({ target, path: source, delete: true, undo });

/** Undoes whatever restores are recorded, the latest first. */
async function undoAll({ journals }: UndoWorld): Promise<void> {
  for (const { id } of listUndos(journals).reverse()) {
    const { problems, kept } = await executeUndo(journals, id, runOptions());
    expect({ problems, kept }).toEqual({ problems: [], kept: [] });
  }
}

test('a restore that is killed at any moment can be undone, exactly', async () => {
  let killed = 0;
  for (const [call, count] of restoring) {
    for (let round = 0; round < times; round++) {
      const world = await undoWorld(scratch('killed'));
      const moment = 1 + Math.floor(random() * count);
      const report = await beginTarget('restore', world.folder, request(world), { under: killAt(call, moment) }).report;
      if (!report) killed += 1;
      const states = listUndos(world.journals).map(({ state }) => state);
      if (!report)
        expect(
          states.every((state) => state === 'cut-off'),
          `${call} ${moment}`,
        ).toBe(true);
      await undoAll(world);
      await expectSameTree(world.before, world.target);
      expect(listUndos(world.journals)).toEqual([]);
    }
  }
  expect(killed).toBeGreaterThan((restoring.length * times) / 2);
});

test('a restore that was killed and run again can be undone step by step', async () => {
  for (const [call, count] of [
    ['rename', 80],
    ['link', 60],
  ] as const) {
    const world = await undoWorld(scratch('killed'));
    const moment = 1 + Math.floor(random() * count);
    await beginTarget('restore', world.folder, request(world), { under: killAt(call, moment) }).report;
    const { problems } = await restore(await openRepository(world.folder), world.target, world.request);
    expect(problems).toEqual([]);
    await undoAll(world);
    await expectSameTree(world.before, world.target);
  }
});

test('an undo that is killed at any moment, again and again, is finished by the next one', async () => {
  let killed = 0;
  for (const [call, count] of undoing) {
    for (let round = 0; round < times; round++) {
      const world = await undoWorld(scratch('killed'));
      const { undo } = await restore(world.repository, world.target, world.request);
      for (let kill = 0; kill < 3 && listUndos(world.journals).length > 0; kill++) {
        const moment = 1 + Math.floor(random() * count);
        const report = await beginTarget('undo', world.journals, { id: undo!.id }, { under: killAt(call, moment) }).report;
        if (report) expect(report.problems).toEqual([]);
        else killed += 1;
      }
      await undoAll(world);
      await expectSameTree(world.before, world.target);
    }
  }
  expect(killed).toBeGreaterThan(undoing.length * times);
});
