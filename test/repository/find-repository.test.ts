import { cpSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { candidatesFor } from '../../src/platform/drives/drives.ts';
import { LinuxDrives } from '../../src/platform/drives/linux.ts';
import { hostIdentity } from '../../src/platform/host.ts';
import { findRepository } from '../../src/repository/find-repository.ts';
import { Repository } from '../../src/repository/repository.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { canMountDisks } from '../support/disk.ts';
import { noCost } from '../support/no-cost-key.ts';
import { scratch } from '../support/tree-literal.ts';
import { makeDrive, mountPoints, must } from '../support/volumes.ts';

async function make(folder: string, password = 'x'): Promise<string> {
  return (await Repository.init(new LocalStorage(folder), password, hostIdentity(), systemClock, { cost: noCost })).config.id;
}

test('finds the repository among other folders, other repositories and other passwords', async () => {
  const root = scratch();
  const folders = ['missing', 'empty', 'other', 'foreign', 'mine', 'file'].map((name) => join(root, name));
  const [, empty, other, foreign, mine, file] = folders as [string, string, string, string, string, string];
  mkdirSync(empty);
  writeFileSync(file, 'x');
  await make(other);
  await make(foreign, 'another password');
  const id = await make(mine);
  expect(await findRepository(id, 'x', folders)).toEqual([{ folder: mine, problem: undefined }]);
  expect(await findRepository('0'.repeat(64), 'x', folders)).toEqual([]);
});

test('finds each copy of it, and says which one cannot be read', async () => {
  const root = scratch();
  const [one, copy, damaged] = ['one', 'copy', 'damaged'].map((name) => join(root, name)) as [string, string, string];
  const id = await make(one);
  for (const each of [copy, damaged]) cpSync(one, each, { recursive: true });
  rmSync(join(damaged, 'config'));
  writeFileSync(join(damaged, 'config'), Buffer.alloc(100));
  truncateSync(join(damaged, 'config'), 150);
  const found = await findRepository(id, 'x', [one, copy, damaged]);
  expect(found.map(({ folder, problem }) => [folder, problem?.code])).toEqual([
    [one, undefined],
    [copy, undefined],
    [damaged, expect.any(String)],
  ]);
});

test.skipIf(!canMountDisks)('finds it on a real drive, wherever that is mounted, and on none that is away', async () => {
  const drives = new LinuxDrives();
  const parent = mountPoints();
  const drive = makeDrive('ext4');
  const first = drive.mount(join(parent, 'first'));
  const id = await make(join(first, 'backups/laptop'));
  const { volume, pathWithin } = await drives.identify(join(first, 'backups/laptop'));
  const place = { uuid: volume.uuid!, pathWithin };
  const find = async () => (await findRepository(id, 'x', await candidatesFor(drives, place))).map(({ folder }) => folder);
  expect(await find()).toEqual([join(first, 'backups/laptop')]);
  must('umount', first);
  expect(await find()).toEqual([]);
  const second = drive.mount(join(parent, 'second place'));
  expect(await find()).toEqual([join(second, 'backups/laptop')]);
  // Copied to a drive with another UUID: the UUID is a hint, the ID decides.
  const another = makeDrive('ext4').mount(join(parent, 'another'));
  cpSync(join(second, 'backups'), join(another, 'backups'), { recursive: true });
  expect(await find()).toEqual([join(second, 'backups/laptop'), join(another, 'backups/laptop')]);
  must('umount', second);
  expect(await find()).toEqual([join(another, 'backups/laptop')]);
});
