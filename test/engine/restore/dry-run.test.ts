import { execFileSync } from 'node:child_process';
import { lutimesSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { overwritePolicies } from '../../../src/engine/restore/policy.ts';
import type { PlannedEntry } from '../../../src/engine/restore/walk-task.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { backup, makeRepository, plannedRestore, problemLines, restore } from '../../support/engine.ts';
import { changesBetween, factsOf } from '../../support/file-facts.ts';
import { removeTree, scratch } from '../../support/tree-literal.ts';

type Shape =
  | { readonly kind: 'file'; readonly content: string; readonly time: number }
  | { readonly kind: 'link'; readonly target: string; readonly time: number }
  | { readonly kind: 'fifo'; readonly time: number }
  | { readonly kind: 'folder'; readonly inside: Readonly<Record<string, Shape>> };

const time = fc.constantFrom(1_500_000_000, 1_600_000_000, 1_700_000_000);
const name = fc.constantFrom('a', 'b', 'c', 'd.txt', 'ö');
const leaf: fc.Arbitrary<Shape> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('file' as const), content: fc.constantFrom('', 'one', 'two', 'three'), time }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('link' as const), target: fc.constantFrom('a', '../b', '/nowhere'), time }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fifo' as const), time }) },
);
const level = (below: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> =>
  fc.oneof(leaf, fc.record({ kind: fc.constant('folder' as const), inside: fc.dictionary(name, below, { maxKeys: 4 }) }));
const folder = fc.dictionary(name, level(level(level(leaf))), { maxKeys: 5 });
/** Pairs of what the snapshot holds and what stands in the target. */
const world = fc.array(fc.tuple(folder, folder), { minLength: 8, maxLength: 15 });

function write(path: string, inside: Readonly<Record<string, Shape>>): void {
  mkdirSync(path);
  for (const [each, shape] of Object.entries(inside)) {
    const place = join(path, each);
    if (shape.kind === 'folder') write(place, shape.inside);
    else {
      if (shape.kind === 'file') writeFileSync(place, shape.content);
      else if (shape.kind === 'link') symlinkSync(shape.target, place);
      else execFileSync('mkfifo', [place]);
      lutimesSync(place, shape.time, shape.time);
    }
  }
}

const now = systemClock.now();

test('whatever stands there: a plan changes nothing, and the restore changes exactly what the plan lists', async () => {
  await fc.assert(
    fc.asyncProperty(world, fc.constantFrom(...overwritePolicies), fc.boolean(), async (pairs, overwrite, mirror) => {
      const dir = scratch('dry-run');
      const [source, target] = [join(dir, 'source'), join(dir, 'target')];
      write(source, {});
      write(target, {});
      pairs.forEach(([wanted, there], i) => {
        write(join(source, String(i)), wanted);
        write(join(target, String(i)), there);
      });
      const repository = await makeRepository(join(dir, 'repository'));
      await backup(repository, source);
      // Names of what is restored beside something tell the minute.
      const clock = { ...systemClock, now: () => now };
      const settings = { path: Buffer.from(source), overwrite, delete: mirror, clock };
      const before = factsOf(target);
      const plan = await plannedRestore(repository, target, settings);
      expect(factsOf(target)).toEqual(before);
      const { problems, figures } = await restore(repository, target, settings);
      const after = factsOf(target);
      expect(figures).toEqual(plan.figures);
      expect(problemLines(problems)).toEqual(problemLines(plan.problems));
      const shown = (path: Uint8Array): string =>
        Buffer.from(path)
          .toString('latin1')
          .slice(target.length + 1);
      expect(changesBetween(before, after)).toEqual(announced(plan.entries, shown, [...before.keys()]));
      removeTree(dir);
    }),
    { numRuns: 12, endOnFailure: true },
  );
});

/** What changes by a plan, with what goes along with folders that go. */
function announced(
  entries: readonly PlannedEntry[],
  shown: (path: Uint8Array) => string,
  existing: readonly string[],
): Map<string, string> {
  const changes = new Map<string, string>();
  for (const { path, other, action } of entries) {
    const place = shown(path);
    if (action === 'create') changes.set(place, 'created');
    else if (action === 'beside') changes.set(shown(other!), 'created');
    else if (action === 'replace') changes.set(place, 'changed');
    else if (action === 'delete') changes.set(place, 'removed');
    if (action === 'delete' || action === 'replace')
      for (const below of existing) if (below.startsWith(`${place}/`) && !changes.has(below)) changes.set(below, 'removed');
  }
  return changes;
}
