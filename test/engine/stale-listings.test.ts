/** Servers whose listings are behind: what is new is missing from them for a while. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { executeCheck } from '../../src/engine/check/check.ts';
import { planCheck } from '../../src/engine/check/plan.ts';
import { executePrune } from '../../src/engine/prune/prune.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { type FileKind, fileKinds, type ListedFile } from '../../src/storage/storage.ts';
import { backup, makeRepository, openRepository, runOptions } from '../support/engine.ts';
import { scratch } from '../support/tree-literal.ts';
import { expectWhole } from '../support/whole-repository.ts';

class BehindStorage extends MemoryStorage {
  #hidden: ReadonlySet<string> = new Set();
  /** How many listings of each kind are still behind. */
  #left = new Map<FileKind, number>();

  /** The next `listings` listings of each kind leave these files out. */
  leaveOut(names: Iterable<string>, listings: number): void {
    this.#hidden = new Set(names);
    this.#left = new Map(fileKinds.map((kind) => [kind, listings]));
  }

  override async *list(kind: FileKind): AsyncGenerator<ListedFile> {
    const left = this.#left.get(kind) ?? 0;
    this.#left.set(kind, left - 1);
    for await (const file of super.list(kind)) if (left <= 0 || !this.#hidden.has(file.name)) yield file;
  }
}

/** A repository with two snapshots, and the names of the files that the second has brought. */
async function twoSnapshots(): Promise<{ storage: BehindStorage; source: string; added: string[] }> {
  const storage = new BehindStorage();
  const source = scratch('behind');
  mkdirSync(join(source, 'folder'));
  const repository = await makeRepository(storage);
  const names = (): string[] => storage.files().map(({ name }) => name);
  writeFileSync(join(source, 'folder/one'), 'the first');
  await backup(repository, source);
  const before = new Set(names());
  writeFileSync(join(source, 'folder/two'), 'the second');
  await backup(repository, source);
  return { storage, source, added: names().filter((name) => !before.has(name)) };
}

test('a snapshot that a listing has left out is not taken for garbage', async () => {
  const { storage, added } = await twoSnapshots();
  storage.leaveOut(added, 1);
  const before = storage.files().length;
  const pruned = executePrune(await openRepository(storage), {}, runOptions());
  await expect(pruned).rejects.toMatchObject({ code: 'prune-refused', message: expect.stringContaining('left out a moment ago') });
  expect(storage.files().length).toBe(before);
  expect((await expectWhole(storage)).snapshots.size).toBe(2);
});

test('a pack that listings leave out is there all the same', async () => {
  const { storage, source, added } = await twoSnapshots();
  const packs = storage.files().filter(({ kind, name }) => kind === 'pack' && added.includes(name));
  expect(packs.length).toBeGreaterThan(0);
  storage.leaveOut(
    packs.map(({ name }) => name),
    Number.POSITIVE_INFINITY,
  );

  const { damage, summary } = await backup(await openRepository(storage), source);
  expect({ damage, blobs: summary.data_blobs }).toEqual({ damage: [], blobs: 0 });
  const repository = await openRepository(storage);
  const { findings } = await executeCheck(repository, await planCheck(repository), runOptions());
  expect(findings).toEqual([]);
  await executePrune(await openRepository(storage), {}, runOptions());
  storage.leaveOut([], 0);
  expect((await expectWhole(storage)).snapshots.size).toBe(3);
});
