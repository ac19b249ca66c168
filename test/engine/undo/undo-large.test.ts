import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeRepository } from '../../support/engine.ts';
import { fileNode, folderNode, Forge } from '../../support/forge.ts';
import { runTarget } from '../../support/targeting.ts';
import { scratch, tree } from '../../support/tree-literal.ts';

test('50,000 files that are replaced, made and deleted need little memory, and so does their undo', async () => {
  const dir = scratch('large');
  const folder = join(dir, 'repository');
  const forge = new Forge(await makeRepository(folder));
  const content = Array.from({ length: 50 }, (_, i) => forge.data(`content ${i}`));
  const files = (count: number, prefix: string) =>
    forge.tree(
      Array.from({ length: count }, (_, i) =>
        fileNode(`${prefix} ${String(i).padStart(5, '0')}`, [content[i % 50]!], { size: `content ${i % 50}`.length }),
      ),
    );
  const folders = Array.from({ length: 20 }, (_, f) => folderNode(`folder ${String(f).padStart(2, '0')}`, files(1000, 'made')));
  await forge.snapshot(forge.tree([...folders, folderNode('large', files(20_000, 'file'))]), { paths: ['/'] });
  const target = join(dir, 'target');
  // 10,000 of the large folder are replaced, 10,000 made beside them, 10,000 deleted.
  tree(target, { large: {}, 'folder 00': { mine: 'mine' } });
  for (let i = 0; i < 10_000; i++) {
    writeFileSync(join(target, 'large', `file ${String(i).padStart(5, '0')}`), `mine ${i}`);
    writeFileSync(join(target, 'large', `gone ${i}`), 'gone');
  }
  const undo = { folder: join(dir, 'journals') };
  const restored = await runTarget('restore', folder, { target, delete: true, undo });
  expect(restored.problems).toEqual([]);
  expect(restored.figures).toMatchObject({ create: 30_019, replace: 10_000, delete: 10_001 });
  // What is in folders of its own is not written down one by one.
  const lines = readdirSync(join(undo.folder, restored.undo!))
    .filter((name) => name.endsWith('.log'))
    .flatMap((name) => readFileSync(join(undo.folder, restored.undo!, name), 'utf8').split('\n'));
  expect(lines.length).toBeGreaterThan(31_000);
  expect(lines.length).toBeLessThan(31_200);
  const undone = await runTarget('undo', undo.folder, { id: restored.undo });
  expect(undone.problems).toEqual([]);
  expect(undone.figures).toMatchObject({ putBack: 20_001, kept: 0 });
  expect(readdirSync(target).sort()).toEqual(['folder 00', 'large']);
  expect(readdirSync(join(target, 'folder 00'))).toEqual(['mine']);
  expect(readdirSync(join(target, 'large')).length).toBe(20_000);
  expect(readFileSync(join(target, 'large', 'file 09999'), 'utf8')).toBe('mine 9999');
  expect(restored.maxMB).toBeLessThan(450);
  expect(undone.maxMB).toBeLessThan(250);
});
