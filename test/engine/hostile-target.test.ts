/** Whatever links lie in a target, and whatever links a snapshot brings: nothing outside the target is ever touched. */
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { overwritePolicies } from '../../src/engine/restore/policy.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { makeRepository, problemLines, restore } from '../support/engine.ts';
import { fileNode, folderNode, Forge, linkNode } from '../support/forge.ts';
import { hasty, inventory } from '../support/hostile.ts';
import { scratch } from '../support/tree-literal.ts';

/** An outside world with files that nobody may touch, and a target in it. */
function world(): { outside: string; target: string; victims: string } {
  const outside = scratch('target');
  const victims = join(outside, 'victims');
  mkdirSync(join(victims, 'folder'), { recursive: true });
  writeFileSync(join(victims, 'file'), 'precious');
  writeFileSync(join(victims, 'same'), 'evil');
  writeFileSync(join(victims, 'folder', 'inner'), 'precious too');
  const target = join(outside, 'target');
  mkdirSync(target);
  return { outside, target, victims };
}

/** folder/inner, folder/deep/leaf, file (one blob), large (two blobs), empty, and a link: all with content `evil`. */
async function evilRepository(): Promise<Repository> {
  const forge = new Forge(await makeRepository(new MemoryStorage()));
  const evil = forge.data('evil');
  const file = (name: string): object => fileNode(name, [evil], { size: 4, mtime: '2099-01-01T00:00:00Z' });
  const deep = forge.tree([file('leaf')]);
  const folder = forge.tree([folderNode('deep', deep), file('inner')]);
  const nodes = [
    fileNode('empty', [], { size: 0, mtime: '2099-01-01T00:00:00Z' }),
    file('file'),
    folderNode('folder', folder),
    fileNode('large', [evil, evil], { size: 8, mtime: '2099-01-01T00:00:00Z' }),
    linkNode('link', 'folder'),
    file('same'),
  ];
  await forge.snapshot(forge.tree(nodes), { paths: ['/'] });
  return forge.repository;
}

const runs = overwritePolicies.flatMap((overwrite) =>
  [false, true].map((remove) => [overwrite, remove ? 'deleting' : 'keeping', remove] as const),
);

describe('links that wait in the target', () => {
  it.each(runs)('lead nobody outside: overwriting %s, %s the rest', async (overwrite, _, remove) => {
    const repository = await evilRepository();
    const { outside, target, victims } = world();
    symlinkSync(join(victims, 'folder'), join(target, 'folder'));
    symlinkSync(join(victims, 'file'), join(target, 'file'));
    symlinkSync(join(victims, 'file'), join(target, 'large'));
    symlinkSync(join(victims, 'nothing yet'), join(target, 'empty'));
    symlinkSync(join(victims, 'folder'), join(target, 'link'));
    symlinkSync(victims, join(target, 'foreign'));
    const before = inventory(outside, target);
    await restore(repository, target, { ...hasty, overwrite, delete: remove, verify: true });
    expect(inventory(outside, target)).toEqual(before);
    const replaced = overwrite === 'always' || overwrite === 'if-changed';
    if (!replaced && overwrite !== 'if-newer') expect(readlinkSync(join(target, 'folder'))).toBe(join(victims, 'folder'));
    if (replaced) {
      expect(readFileSync(join(target, 'folder', 'deep', 'leaf'), 'utf8')).toBe('evil');
      expect(lstatSync(join(target, 'file')).isFile()).toBe(true);
      expect(existsSync(join(target, 'foreign'))).toBe(!remove);
    }
  });

  it.each(runs)('deeper down, too: overwriting %s, %s the rest', async (overwrite, _, remove) => {
    const repository = await evilRepository();
    const { outside, target, victims } = world();
    mkdirSync(join(target, 'folder'));
    symlinkSync(join(victims, 'folder'), join(target, 'folder', 'deep'));
    symlinkSync(join(victims, 'folder', 'inner'), join(target, 'folder', 'inner'));
    symlinkSync('../../victims', join(target, 'folder', 'zz'));
    const before = inventory(outside, target);
    await restore(repository, target, { ...hasty, overwrite, delete: remove, verify: true });
    expect(inventory(outside, target)).toEqual(before);
  });

  it('a link under the name of the target is followed once, since the person named it', async () => {
    const repository = await evilRepository();
    const { target, outside } = world();
    const alias = join(outside, 'alias');
    symlinkSync(target, alias);
    const { problems } = await restore(repository, alias, hasty);
    expect(problems).toEqual([]);
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('evil');
  });
});

describe('further names of outside files that wait in the target', () => {
  it.each(runs)('are replaced, never written through: overwriting %s, %s the rest', async (overwrite, _, remove) => {
    const repository = await evilRepository();
    const { outside, target, victims } = world();
    mkdirSync(join(target, 'folder'));
    const places = ['empty', 'file', 'large', 'same', 'foreign', join('folder', 'inner')];
    for (const place of places) linkSync(join(victims, place === 'same' ? 'same' : 'file'), join(target, place));
    const contents = (): string[] => inventory(outside, target).map((line) => line.split(' ').toSpliced(5, 1).toSpliced(6, 1).join(' '));
    const before = contents();
    await restore(repository, target, { ...hasty, overwrite, delete: remove, verify: true });
    // Their number of names, and with it the time of change, may change; content, mode, owner and time must not.
    expect(contents()).toEqual(before);
    expect(readFileSync(join(victims, 'file'), 'utf8')).toBe('precious');
  });
});

describe('links that a snapshot brings', () => {
  it('lead none of a later restore outside, whatever stands under the same name there', async () => {
    const storage = new MemoryStorage();
    const forge = new Forge(await makeRepository(storage));
    const { outside, target, victims } = world();
    const evil = forge.data('evil');
    const first = await forge.snapshot(
      forge.tree([folderNode('a', forge.tree([linkNode('x', join(victims, 'folder'))])), linkNode('y', join(victims, 'file'))]),
    );
    const leaf = forge.tree([fileNode('inner', [evil], { size: 4 }), fileNode('new', [evil], { size: 4 })]);
    const nodes = [folderNode('a', forge.tree([folderNode('x', leaf)])), fileNode('y', [evil], { size: 4 })];
    const second = await forge.snapshot(forge.tree(nodes), { time: '2026-01-03T00:00:00Z' });
    const before = inventory(outside, target);
    for (const overwrite of overwritePolicies) {
      rmSync(target, { recursive: true });
      mkdirSync(target);
      await restore(forge.repository, target, { ...hasty, snapshot: first });
      expect(readlinkSync(join(target, 'a', 'x'))).toBe(join(victims, 'folder'));
      await restore(forge.repository, target, { ...hasty, snapshot: second, overwrite });
      expect(inventory(outside, target)).toEqual(before);
      await restore(forge.repository, target, { ...hasty, snapshot: first, overwrite, delete: true });
      expect(inventory(outside, target)).toEqual(before);
    }
  });

  it('a file that claims to be a further name of another has its own content', async () => {
    const forge = new Forge(await makeRepository(new MemoryStorage()));
    const linked = { links: 2, inode: 42, device_id: 7 };
    const [mine, yours] = [forge.data('mine'), forge.data('yours')];
    const nodes = [
      fileNode('a', [mine], { size: 4, ...linked }),
      fileNode('b', [yours], { size: 5, ...linked }),
      fileNode('c', [mine], { size: 4, ...linked }),
      fileNode('d', ['ab'.repeat(32)], { size: 4, ...linked }),
      fileNode('e', ['ab'.repeat(32)], { size: 4, ...linked }),
    ];
    await forge.snapshot(forge.tree(nodes));
    const { target } = world();
    const { problems } = await restore(forge.repository, target, { ...hasty, verify: true });
    expect(problemLines(problems)).toEqual([`damaged: ${join(target, 'd')}`, `damaged: ${join(target, 'e')}`]);
    expect(readdirSync(target)).toEqual(['a', 'b', 'c']);
    expect([readFileSync(join(target, 'a'), 'utf8'), readFileSync(join(target, 'b'), 'utf8')]).toEqual(['mine', 'yours']);
    expect(lstatSync(join(target, 'c')).ino).toBe(lstatSync(join(target, 'a')).ino);
  });

  it('a selection through a link finds nothing: only folders have something in them', async () => {
    const repository = await evilRepository();
    const { target, outside } = world();
    const before = inventory(outside, target);
    const path = Buffer.from('/link/inner');
    await expect(restore(repository, target, { ...hasty, path })).rejects.toMatchObject({ code: 'snapshot-path-not-found' });
    for (const name of ['..', '.', 'folder/../..', '../victims']) {
      await expect(restore(repository, target, { ...hasty, path: Buffer.from(name) })).rejects.toMatchObject({
        code: 'snapshot-path-not-found',
      });
      await expect(restore(repository, target, { ...hasty, items: [Buffer.from(name)] })).rejects.toMatchObject({
        code: 'snapshot-path-not-found',
      });
    }
    expect(inventory(outside, target)).toEqual(before);
    expect(readdirSync(target)).toEqual([]);
  });
});
