import { linkSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Repository } from '../../../src/repository/repository.ts';
import { canMountDisks, mountDisk } from '../../support/disk.ts';
import { backup, makeRepository, restore } from '../../support/engine.ts';
import { expectSameTree } from '../../support/judge.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { scratch, tree } from '../../support/tree-literal.ts';

const random = seededRandom(7);
const mebi = 1 << 20;

describe.skipIf(!canMountDisks)('on a small disk', () => {
  let disk: string;
  let source: string;
  let repository: Repository;

  beforeEach(async () => {
    const dir = scratch('space');
    disk = join(mountDisk(24 * mebi).folder, 'target');
    source = join(dir, 'source');
    repository = await makeRepository(join(dir, 'repository'));
  });

  /** Where the source comes to. */
  const place = (): string => join(disk, source);

  test('a restore that cannot fit is refused before anything is written', async () => {
    tree(source, { 'small.txt': 'small', 'a.bin': seededBytes(random, 20 * mebi), 'b.bin': seededBytes(random, 20 * mebi) });
    await backup(repository, source);
    await expect(restore(repository, disk)).rejects.toMatchObject({ code: 'target-too-small', context: { needed: 40 * mebi + 5 } });
    expect(readdirSync(join(disk, '..')).filter((name) => name !== 'lost+found')).toEqual([]);
    // A part of it fits.
    expect((await restore(repository, disk, { items: [Buffer.from(join(source, 'small.txt'))] })).problems).toEqual([]);
  });

  test('what is there already needs no space', async () => {
    tree(source, { 'a.bin': seededBytes(random, 12 * mebi), 'b.bin': seededBytes(random, 2 * mebi) });
    await backup(repository, source);
    await restore(repository, disk, {});
    rmSync(join(place(), 'b.bin'));
    expect((await restore(repository, disk)).problems).toEqual([]);
    await expectSameTree(source, place());
  });

  test('a file with many names needs its space once', async () => {
    tree(source, { 'a.bin': seededBytes(random, 8 * mebi) });
    for (let i = 0; i < 10; i++) linkSync(join(source, 'a.bin'), join(source, `further ${i}`));
    await backup(repository, source);
    const { problems, figures } = await restore(repository, disk, {});
    expect(problems).toEqual([]);
    expect(figures.bytes).toBe(8 * mebi);
    await expectSameTree(source, place());
  });

  test('what --delete removes makes room', async () => {
    tree(source, { 'a.bin': seededBytes(random, 12 * mebi) });
    await backup(repository, source);
    tree(place(), { 'folder that goes': { 'b.bin': seededBytes(random, 12 * mebi) } });
    await expect(restore(repository, disk)).rejects.toMatchObject({ code: 'target-too-small' });
    expect((await restore(repository, disk, { delete: true })).problems).toEqual([]);
    await expectSameTree(source, place());
  });

  test('holes need no space when they are restored as holes', async () => {
    tree(source, { 'hole.bin': 'begins with this' });
    truncateSync(join(source, 'hole.bin'), 200 * mebi);
    await backup(repository, source);
    await expect(restore(repository, disk)).rejects.toMatchObject({ code: 'target-too-small' });
    expect((await restore(repository, disk, { sparse: true })).problems).toEqual([]);
    await expectSameTree(source, place());
  });

  test('a disk that gets full all the same costs no file that was there, and leaves no part', async () => {
    tree(source, { 'a.bin': seededBytes(random, 14 * mebi), 'small.txt': 'new' });
    await backup(repository, source);
    const old = seededBytes(random, 14 * mebi);
    tree(place(), { 'a.bin': old, 'mine.txt': 'mine' });
    // The old file would make room for the new one, but only once the new one is whole.
    await expect(restore(repository, disk)).rejects.toMatchObject({ code: 'target-full' });
    expect(readFileSync(join(place(), 'a.bin')).equals(old)).toBe(true);
    expect(readdirSync(place()).filter((name) => name.endsWith('.part'))).toEqual([]);
    writeFileSync(join(place(), 'a.bin'), '');
    expect((await restore(repository, disk)).problems).toEqual([]);
    expect(readFileSync(join(place(), 'a.bin')).equals(readFileSync(join(source, 'a.bin')))).toBe(true);
  });
});
