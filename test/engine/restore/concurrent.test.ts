import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { backup, makeRepository, restore } from '../../support/engine.ts';
import { factsOf } from '../../support/file-facts.ts';
import { expectSameTree } from '../../support/judge.ts';
import { restoreElsewhere } from '../../support/restoring.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { scratch, symlink, tree } from '../../support/tree-literal.ts';

const random = seededRandom(11);

/** Two versions of one folder, each its own snapshot. */
async function setUp() {
  const dir = scratch('concurrent');
  const source = join(dir, 'source');
  const repository = await makeRepository(join(dir, 'repository'));
  const versions = [];
  for (const version of ['one', 'two']) {
    execFileSync('rm', ['-rf', source]);
    const small = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`${i}.txt`, `${version} ${'x'.repeat(i)}`]));
    tree(source, {
      small,
      large: { 'a.bin': seededBytes(random, 5 << 20), 'b.bin': seededBytes(random, 4 << 20), link: symlink(version) },
    });
    mkdirSync(join(source, 'links'));
    for (let i = 0; i < 20; i++) linkSync(join(source, 'small', '1.txt'), join(source, 'links', `${i}`));
    const { snapshot } = await backup(repository, source);
    versions.push({ snapshot, facts: factsOf(source) });
  }
  return { dir, source, repository, versions };
}

test('two restores of one snapshot into one folder give that snapshot', async () => {
  const { dir, source, repository } = await setUp();
  for (const round of [1, 2]) {
    const target = join(dir, `target ${round}`);
    const settings = { path: Buffer.from(source) };
    const results = await Promise.all([restore(repository, target, settings), restore(repository, target, settings)]);
    expect(results.map(({ problems }) => problems)).toEqual([[], []]);
    await expectSameTree(source, target);
  }
  // In two processes.
  const target = join(dir, 'target 3');
  const request = { target, path: source };
  const reports = await Promise.all([
    restoreElsewhere(join(dir, 'repository'), request),
    restoreElsewhere(join(dir, 'repository'), request),
  ]);
  expect(reports.map(({ problems }) => problems)).toEqual([[], []]);
  await expectSameTree(source, target);
});

test('two restores of different snapshots into one folder leave each file as one of them has it', async () => {
  const { dir, source, repository, versions } = await setUp();
  const target = join(dir, 'target');
  const results = await Promise.all(versions.map(({ snapshot }) => restore(repository, target, { snapshot, path: Buffer.from(source) })));
  expect(results.map(({ problems }) => problems)).toEqual([[], []]);
  const found = factsOf(target);
  expect([...found.keys()]).toEqual([...versions[0]!.facts.keys()]);
  for (const [name, { content }] of found)
    expect(
      versions.map(({ facts }) => facts.get(name)!.content),
      name,
    ).toContain(content);
});
