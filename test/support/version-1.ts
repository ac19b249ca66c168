/** Repositories of format version 1, made by restic, and storages that cannot replace a config in one step. */
import { join } from 'node:path';
import { openForMigration } from '../../src/engine/migrate/migrate.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { fileKinds, type Storage } from '../../src/storage/storage.ts';
import { identity, password } from './engine.ts';
import { noCost } from './no-cost-key.ts';
import { Restic } from './restic.ts';

/**
 * Makes a repository of version 1 in `folder` with a snapshot of each of `sources`, opened with the usual password at
 * no cost.
 */
export async function makeVersion1(folder: string, sources: readonly string[]): Promise<void> {
  const first = new Restic(folder, 'the first password');
  await first.must(['init', '--repository-version', '1']);
  // restic's own key would cost each of its runs half a second.
  const repository = await openForMigration(new LocalStorage(folder), first.password, join(folder, 'none'));
  await repository.addKey(password, identity, systemClock, noCost);
  await repository.storage.remove({ kind: 'key', name: repository.keyId });
  const restic = new Restic(folder, password);
  for (const source of sources) await restic.backup([source]);
}

/** The files of a repository on disk, in memory. */
export async function inMemory(folder: string): Promise<MemoryStorage> {
  const disk = new LocalStorage(folder);
  const memory = new MemoryStorage('the destination');
  for (const kind of fileKinds) {
    for await (const { name } of disk.list(kind)) await memory.save({ kind, name }, [await disk.load({ kind, name })]);
  }
  return memory.clone();
}

/** As a server that refuses to save over a file. */
export const withoutReplace = (inner: Storage): Storage => ({
  location: inner.location,
  create: () => inner.create(),
  save: (file, parts) => inner.save(file, parts),
  load: (file, range) => inner.load(file, range),
  size: (file) => inner.size(file),
  list: (kind) => inner.list(kind),
  remove: (file) => inner.remove(file),
  close: () => inner.close(),
});
