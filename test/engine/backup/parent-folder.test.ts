import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ParentFolder } from '../../../src/engine/backup/parent-folder.ts';
import { listSnapshot } from '../../../src/engine/ls.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { backup, makeRepository, runOptions } from '../../support/engine.ts';
import { seededRandom } from '../../support/seeded.ts';
import { scratch } from '../../support/tree-literal.ts';
import { check, told } from '../check-fixture.ts';

const nodeOf = (name: string, more = ''): string =>
  `{"name":"${name}","type":"file","mtime":"2026-01-02T03:04:05Z","atime":"2026-01-02T03:04:05Z","ctime":"2026-01-02T03:04:05Z","uid":1,"gid":1,"content":[]${more}}`;
const folderOf = (...nodes: string[]): ParentFolder => new ParentFolder(new Uint8Array(32), Buffer.from(`{"nodes":[${nodes.join(',')}]}`));

describe('the listing of a folder in the parent snapshot', () => {
  test('finds what is asked for in order, and notices what is passed over', () => {
    const folder = folderOf(...['a', 'b', 'd'].map((name) => nodeOf(name)));
    expect(folder.find(Buffer.from('a'))?.name.toString()).toBe('a');
    expect(folder.find(Buffer.from('a0'))).toBeUndefined();
    expect(folder.allFound).toBe(true);
    expect(folder.find(Buffer.from('c'))).toBeUndefined();
    expect(folder.allFound).toBe(false);
    expect(folder.hasMore).toBe(true);
    expect(folder.find(Buffer.from('d'))?.raw?.toString()).toBe(nodeOf('d'));
    expect(folder.hasMore).toBe(false);
    expect(folder.find(Buffer.from('e'))).toBeUndefined();
    const names: string[] = [];
    folder.forFirst(2, ({ name }) => names.push(name.toString()));
    expect(names).toEqual(['a', 'b']);
  });

  test('of an empty folder has nothing', () => {
    const folder = folderOf();
    expect(folder.hasMore).toBe(false);
    expect(folder.find(Buffer.from('a'))).toBeUndefined();
  });

  test('gives what is sound before it throws at what is not', () => {
    const folder = folderOf(nodeOf('a'), nodeOf('b'), nodeOf('a'));
    expect(folder.find(Buffer.from('a'))?.name.toString()).toBe('a');
    expect(() => folder.find(Buffer.from('b'))).toThrowError(expect.objectContaining({ code: 'tree-invalid' }));
  });
});

/** All but the times of access, which reading changes. */
async function entriesOf(repository: Repository, id: string, path: Buffer): Promise<string[]> {
  const lines: string[] = [];
  await listSnapshot(repository, { snapshot: await repository.snapshot(id), path, recursive: true }, runOptions(), (entries) => {
    for (const { path: entry, type, size, mtimeNs, inode } of entries)
      lines.push(`${entry.toString()} ${type} ${size} ${mtimeNs} ${inode}`);
  });
  return lines;
}

// Folders large enough to be shared out among workers in their middle, so that a task begins in the middle of the parent's list.
test.each([1, 2, 3, 4])('whatever changes in a large folder, an incremental backup stores what a full one does (%i)', async (seed) => {
  const random = seededRandom(seed);
  const source = scratch('parent-folder');
  const folders = ['large', 'large/deeper', 'other'];
  const nameOf = (i: number): string => `file ${String(i).padStart(4, '0')}`;
  for (const folder of folders) {
    mkdirSync(join(source, folder), { recursive: true });
    for (let i = 0; i < 400; i++) writeFileSync(join(source, folder, nameOf(i)), `content ${i}`);
  }
  const repository = await makeRepository(new MemoryStorage());
  await backup(repository, source, { threads: 3 });
  for (let round = 0; round < 3; round++) {
    for (const folder of folders) {
      for (let change = 0; change < 6; change++) {
        const place = join(source, folder, nameOf(Math.floor(random() * 400)));
        const kind = random();
        if (kind < 0.4) rmSync(place, { force: true });
        else if (kind < 0.7) writeFileSync(place, `changed ${round} ${change}`);
        else if (kind < 0.9) writeFileSync(`${place} new`, 'new');
        else {
          rmSync(place, { force: true });
          mkdirSync(`${place} folder`, { recursive: true });
          renameSync(`${place} folder`, `${place} folder, renamed ${round} ${change}`);
        }
      }
    }
    const incremental = await backup(repository, source, { threads: 3 });
    const full = await backup(repository, source, { threads: 1, strategy: 'full' });
    expect(await entriesOf(repository, incremental.snapshot, Buffer.from(source))).toEqual(
      await entriesOf(repository, full.snapshot, Buffer.from(source)),
    );
    expect(incremental.summary.total_files_processed).toBe(full.summary.total_files_processed);
    expect(incremental.damage).toEqual([]);
  }
  expect(told(await check(repository, { readData: 'all' }))).toEqual([]);
});
