import { describe, expect, test } from 'vitest';
import { FaultyStorage } from '../../src/storage/faulty.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { SnapshotReadAhead } from '../../src/repository/read-ahead.ts';
import { Repository } from '../../src/repository/repository.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { makeRepository, password } from '../support/engine.ts';
import { scratch } from '../support/tree-literal.ts';

const fields = (hour: number) => ({ time: `2026-01-02T${String(hour).padStart(2, '0')}:00:00Z`, tree: 'ab'.repeat(32), paths: ['/home'] });
const open = (storage: Storage): Promise<Repository> => Repository.open(storage, password, { readAhead: {} });

describe.each([
  ['in a folder', () => new LocalStorage(scratch('read-ahead'))],
  ['elsewhere', () => new MemoryStorage()],
])('snapshots read while the key is derived, %s', (_, place) => {
  test('are the same as those read later', async () => {
    const storage = place();
    const repository = await makeRepository(storage);
    for (let hour = 0; hour < 20; hour++) await repository.saveSnapshot(fields(hour));
    const ahead = await open(storage);
    expect(await ahead.snapshots()).toEqual(await repository.snapshots());
    // Each is given once; then they are read as ever.
    expect(await ahead.snapshots()).toEqual(await repository.snapshots());
  });

  test('that came or went since are seen as they are', async () => {
    const storage = place();
    const repository = await makeRepository(storage);
    const gone = await repository.saveSnapshot(fields(1));
    const ahead = await open(storage);
    await storage.remove({ kind: 'snapshot', name: gone });
    const come = await repository.saveSnapshot(fields(2));
    expect((await ahead.snapshots()).map(({ id }) => id)).toEqual([come]);
  });
});

test('where round trips are spared, the first listing is that of the opening, and the next one is not', async () => {
  const storage = new MemoryStorage();
  const repository = await makeRepository(storage);
  const first = await repository.saveSnapshot(fields(1));
  const ahead = await Repository.open(storage, password, { readAhead: { listing: true } });
  const second = await repository.saveSnapshot(fields(2));
  expect(await ahead.names('snapshot')).toEqual([first]);
  expect(await ahead.names('snapshot')).toEqual([first, second].sort());
});

test('a snapshot that cannot be read early is read, or reported, when it is needed', async () => {
  const memory = new MemoryStorage();
  const repository = await makeRepository(memory);
  const id = await repository.saveSnapshot(fields(1));
  const storage = new FaultyStorage(memory);
  storage.script([{ at: { call: 'load', kind: 'snapshot' }, effect: { do: 'fail' } }]);
  expect((await (await open(storage)).snapshots()).map((snapshot) => snapshot.id)).toEqual([id]);
});

test('what was not asked for is not kept for ever: an ended one gives only what it has', async () => {
  const memory = new MemoryStorage();
  const repository = await makeRepository(memory);
  const id = await repository.saveSnapshot(fields(1));
  const ahead = new SnapshotReadAhead(memory);
  void ahead.end();
  expect(ahead.take(id)).toBeUndefined();
});
