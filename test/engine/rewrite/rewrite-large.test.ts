/** Large snapshots through a rewrite, in a process of its own whose memory is looked at. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { localTime } from '../../../src/repository/tree/go-time.ts';
import { makeRepository, openRepository, resticOn } from '../../support/engine.ts';
import { fileNode, folderNode, Forge } from '../../support/forge.ts';
import { scratch } from '../../support/tree-literal.ts';

const program = fileURLToPath(new URL('../../support/rewrite-process.ts', import.meta.url));

/** Rewrites in a process with a small heap; see rewrite-process.ts. */
async function rewriteApart(folder: string, pattern: string): Promise<{ changed: number; problems: number; maxMB: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=256', program, folder, pattern]);
  return JSON.parse(stdout) as { changed: number; problems: number; maxMB: number };
}

const name = (i: number): string => `${String(i).padStart(6, '0')}.${i % 10 === 0 ? 'tmp' : 'txt'}`;

/** A folder of files that are all the same. */
const filesOf = (forge: Forge, from: number, count: number): string => {
  const content = [forge.data('x')];
  return forge.tree(Array.from({ length: count }, (_, i) => fileNode(name(from + i), content)));
};

async function forged(make: (forge: Forge) => string, snapshots = 1): Promise<string> {
  const folder = join(scratch('rewrite-large'), 'repository');
  const forge = new Forge(await makeRepository(folder));
  const root = make(forge);
  for (let i = 0; i < snapshots; i++) {
    const time = localTime.format(BigInt(1_700_000_000 + i) * 1_000_000_000n);
    await forge.snapshot(i === 0 ? root : forge.tree([folderNode('all', root), fileNode(`of ${i}.tmp`, [])]), { paths: [], time });
  }
  return folder;
}

test('120,000 files in 1,200 folders, in 20 snapshots that share them', async () => {
  const folder = await forged((forge) => {
    const folders = Array.from({ length: 1200 }, (_, i) =>
      folderNode(`folder ${String(i).padStart(5, '0')}`, filesOf(forge, i * 100, 100)),
    );
    return forge.tree(folders);
  }, 20);
  const { changed, problems, maxMB } = await rewriteApart(folder, '*.tmp');
  expect({ changed, problems }).toEqual({ changed: 20, problems: 0 });
  expect(maxMB).toBeLessThan(300);
  const repository = await openRepository(folder);
  const all = (await repository.snapshots()).filter(({ tags }) => tags?.includes('rewrite'));
  expect(all.map(({ summary }) => summary!.total_files_processed)).toEqual(all.map(() => 108_000));
  expect((await resticOn(folder).check()).code).toBe(0);
});

test('100,000 files in one folder', async () => {
  const folder = await forged((forge) => forge.tree([folderNode('all', filesOf(forge, 0, 100_000))]));
  const { changed, problems, maxMB } = await rewriteApart(folder, '*.tmp');
  expect({ changed, problems }).toEqual({ changed: 1, problems: 0 });
  expect(maxMB).toBeLessThan(400);
});

test('a chain of 3,000 folders, the longest that a path can lead down', async () => {
  const folder = await forged((forge) => {
    let tree = forge.tree([fileNode('x.tmp', []), fileNode('y', [])]);
    for (let level = 0; level < 3000; level++) tree = forge.tree([folderNode('d', tree)]);
    return tree;
  });
  const { changed, problems } = await rewriteApart(folder, '*.tmp');
  expect({ changed, problems }).toEqual({ changed: 1, problems: 0 });
});
