/**
 * Repositories whose folders multiply, whose folders never end and whose files are larger than any disk. Whatever might take all
 * memory runs in a process of its own, whose highest use of memory is looked at.
 */
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Repository } from '../../src/repository/repository.ts';
import { makeRepository, problemLines, restore } from '../support/engine.ts';
import { fileNode, folderNode, Forge } from '../support/forge.ts';
import { hasty, runVerb, zstdFrame } from '../support/hostile.ts';
import { scratch } from '../support/tree-literal.ts';

/** Memory that a verb may use, whatever a repository says; Node and two worker threads take a quarter of it. */
const boundedMB = 700;

async function forged(
  build: (forge: Forge) => string | Promise<string>,
  fields: Record<string, unknown> = {},
): Promise<{ folder: string; repository: Repository }> {
  const folder = join(scratch('sizes'), 'repository');
  const repository = await makeRepository(folder);
  const forge = new Forge(repository);
  await forge.snapshot(await build(forge), fields);
  return { folder, repository };
}

/** Each folder holds the next one twice: some kilobytes of trees that unfold to 2^levels folders. */
function multiplying(forge: Forge, levels: number): string {
  let tree = forge.tree([fileNode('leaf', [], { size: 0 })]);
  for (let level = 0; level < levels; level++) tree = forge.tree([folderNode('a', tree), folderNode('b', tree)]);
  return tree;
}

/** Each folder holds only the next one. */
function endless(forge: Forge, levels: number): string {
  let tree = forge.tree([fileNode('leaf', [], { size: 0 })]);
  for (let level = 0; level < levels; level++) tree = forge.tree([folderNode('d', tree)]);
  return tree;
}

describe('folders that multiply to more than any disk holds', () => {
  it('a restore, its plan and a full listing end with a clear error', async () => {
    const { folder } = await forged((forge) => multiplying(forge, 60));
    const target = join(scratch('sizes'), 'target');
    for (const verb of ['ls', 'plan', 'restore'] as const) {
      const { report, maxMB } = await runVerb(verb, folder, target);
      expect(report.error).toMatchObject({ code: 'snapshot-too-large' });
      expect(maxMB).toBeLessThan(boundedMB);
    }
    expect(existsSync(target) ? readdirSync(target) : []).toEqual([]);
  });

  it('a check reads each of them once and finds nothing wrong with them', async () => {
    const { folder } = await forged((forge) => multiplying(forge, 60));
    const { report, maxMB } = await runVerb('check', folder);
    expect(report).toMatchObject({ errors: 0, trees: 61 });
    expect(maxMB).toBeLessThan(boundedMB);
  });

  it('a check that names what damage affects ends too', async () => {
    const { folder } = await forged((forge) => {
      let tree = forge.tree([fileNode('leaf', ['ab'.repeat(32)], { size: 5 })]);
      for (let level = 0; level < 60; level++) tree = forge.tree([folderNode('a', tree), folderNode('b', tree)]);
      return tree;
    });
    const { report, maxMB } = await runVerb('check', folder);
    expect(report.errors).toBeGreaterThan(0);
    expect(maxMB).toBeLessThan(boundedMB);
  });

  it('one folder of many that are the same is restored all the same', async () => {
    const { repository } = await forged((forge) => {
      const empty = forge.tree([]);
      const names = Array.from({ length: 3_000 }, (_, i) => `d${String(i).padStart(6, '0')}`);
      return forge.tree(names.map((name) => folderNode(name, empty)));
    });
    const target = join(scratch('sizes'), 'target');
    const { problems, figures } = await restore(repository, target, hasty);
    expect(problems).toEqual([]);
    expect(figures.folders).toBe(3_000);
    expect(readdirSync(target)).toHaveLength(3_000);
  });
});

describe('folders without end', () => {
  it('100,000 levels: no verb falls over, and what no path can name is reported', async () => {
    const { folder } = await forged((forge) => endless(forge, 100_000));
    const target = join(scratch('sizes'), 'target');
    const check = await runVerb('check', folder);
    expect(check.report).toMatchObject({ errors: 0, trees: 100_001 });
    expect(check.maxMB).toBeLessThan(boundedMB);
    for (const verb of ['ls', 'plan', 'restore'] as const) {
      const { report, maxMB } = await runVerb(verb, folder, target);
      expect(report.error).toBeUndefined();
      expect(report.problems).toHaveLength(1);
      expect(maxMB).toBeLessThan(boundedMB);
    }
  });

  it('a folder of 150,000 folders does not overflow any stack', async () => {
    const { folder } = await forged((forge) => {
      const empty = forge.tree([]);
      return forge.tree(Array.from({ length: 150_000 }, (_, i) => folderNode(`d${String(i).padStart(6, '0')}`, empty)));
    });
    const { report, maxMB } = await runVerb('plan', folder, join(scratch('sizes'), 'target'));
    expect(report.error).toBeUndefined();
    expect(report.figures).toMatchObject({ folders: 150_000 });
    expect(maxMB).toBeLessThan(2 * boundedMB);
  });
});

describe('sizes that are not true', () => {
  it('a file that says another size than its blobs have gets what they hold, and it is said', async () => {
    const { repository } = await forged(
      (forge) => {
        const five = forge.data('12345');
        const sizes: [string, number, string[]][] = [
          ['empty but large', 1000, []],
          ['huge', Number.MAX_SAFE_INTEGER, [five]],
          ['long', 12, [five, five]],
          ['petabytes', 2 ** 50, [five, five]],
          ['right', 10, [five, five]],
          ['short', 4, [five]],
          ['zero', 0, [five]],
        ];
        return forge.tree(sizes.map(([name, size, content]) => fileNode(name, content, { size })));
      },
      { summary: { total_bytes_processed: 50, total_files_processed: 7 } },
    );
    const target = join(scratch('sizes'), 'target');
    const { problems } = await restore(repository, target, hasty);
    expect(problemLines(problems)).toEqual(
      ['empty but large', 'huge', 'long', 'petabytes', 'short', 'zero'].map((name) => `metadata: ${join(target, name)}`),
    );
    const contents = Object.fromEntries(readdirSync(target).map((name) => [name, readFileSync(join(target, name), 'utf8')]));
    const [five, ten] = ['12345', '1234512345'];
    expect(contents).toEqual({ 'empty but large': '', huge: five, long: ten, petabytes: ten, right: ten, short: five, zero: five });
  });

  it('a snapshot that is too large for the target is refused before anything is written', async () => {
    const { repository } = await forged((forge) => forge.tree([fileNode('f', [forge.data('12345')], { size: 2 ** 52 })]));
    const target = join(scratch('sizes'), 'target');
    await expect(restore(repository, target, hasty)).rejects.toMatchObject({ code: 'target-too-small' });
    expect(existsSync(target)).toBe(false);
  });

  it.each([
    ['4 GiB of data', 2 ** 32 - 1],
    ['64 MiB and a byte', 2 ** 26 + 1],
    ['less than there is', 3],
    ['more than there is', 9],
  ])('a blob that claims %s is reported', async (_, claimed) => {
    const { repository } = await forged((forge) => {
      const lie = forge.data('AAAAAAAA', { compressed: claimed });
      return forge.tree([fileNode('bad', [lie], { size: claimed }), fileNode('good', [forge.data('good')], { size: 4 })]);
    });
    const target = scratch('sizes');
    writeFileSync(join(target, 'bad'), 'x'.repeat(Math.min(claimed, 100)));
    const { problems } = await restore(repository, target, hasty);
    expect(problemLines(problems)).toEqual([`damaged: ${join(target, 'bad')}`]);
    expect(lstatSync(join(target, 'bad')).size).toBe(Math.min(claimed, 100));
    expect(readFileSync(join(target, 'good'), 'utf8')).toBe('good');
  });

  it('frames that unfold to gigabytes are refused, whatever they are said to hold', async () => {
    const { folder } = await forged(
      (forge) => {
        const bomb = zstdFrame([{ byte: 0, count: 2 ** 31 - 1 }]);
        const small = forge.data('never', { compressed: 100, frame: bomb });
        const large = forge.data('never ever', { compressed: 2 ** 31 - 1, frame: bomb });
        const files = [fileNode('a', [small], { size: 100 }), fileNode('b', [large], { size: 2 ** 31 - 1 })];
        return forge.tree([...files, folderNode('c', forge.tree('never', { compressed: 10, frame: bomb }))]);
      },
      { summary: { total_bytes_processed: 1 } },
    );
    const target = join(scratch('sizes'), 'target');
    const { report, maxMB } = await runVerb('restore', folder, target);
    expect(report.problems.map((line) => line.slice(0, 9))).toEqual(['damaged: ', 'damaged: ', 'damaged: ']);
    expect(maxMB).toBeLessThan(boundedMB);
  });

  it.each([
    ['index files', 'index'],
    ['snapshots', 'snapshot'],
    ['locks', 'lock'],
  ] as const)('%s that unfold to gigabytes of brackets are refused', async (_, kind) => {
    const { folder, repository } = await forged((forge) => forge.tree([fileNode('good', [forge.data('good')], { size: 4 })]));
    const forge = new Forge(repository);
    const count = kind === 'index' ? 120 << 20 : 30 << 20;
    const brackets = [...'[]'].map((bracket) => ({ byte: bracket.charCodeAt(0), count }));
    await forge.item(kind, Buffer.concat([Buffer.of(2), zstdFrame([Buffer.from('{"packs":'), ...brackets, Buffer.from('}')])]));
    for (const verb of ['ls', 'restore'] as const) {
      const { report, maxMB } = await runVerb(verb, folder, join(scratch('sizes'), 'target'));
      if (kind === 'lock') expect(report.error).toMatchObject({ code: 'lock-unreadable' });
      else expect(report.error).toBeUndefined();
      if (kind === 'index') expect(report.damage).toBe(1);
      expect(maxMB).toBeLessThan(2 * boundedMB);
    }
  });
});
