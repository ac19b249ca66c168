import { expect, test } from 'vitest';
import { BlobIndex } from '../../../src/repository/blob-index.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { ResidentIndexes } from '../../../src/service/runs/resident-indexes.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { makeRepository } from '../../support/engine.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const keep = (indexes: ResidentIndexes, destination: string, repository: Repository): void =>
  indexes.of(destination).keep(repository, { index: BlobIndex.create(), loaded: new Set() });

test('an index that nobody has used for half an hour is let go', async () => {
  const clock = new FakeClock();
  const repository = await makeRepository(new MemoryStorage());
  const indexes = new ResidentIndexes(clock);
  keep(indexes, 'a', repository);
  await clock.advance(20 * 60_000);
  keep(indexes, 'b', repository);
  const both = indexes.byteLength;
  await clock.advance(15 * 60_000);
  expect(indexes.byteLength).toBe(both / 2);
  expect(await indexes.of('a').take(repository)).toBeUndefined();
  expect(await indexes.of('b').take(repository)).toBeDefined();
  indexes.close();
});

test('those used longest ago are let go when all take more than their share, and all when memory is short', async () => {
  const clock = new FakeClock();
  const repository = await makeRepository(new MemoryStorage());
  let available = 1 << 30;
  const probe = BlobIndex.create().byteLength;
  const indexes = new ResidentIndexes(clock, { most: probe * 2, least: 1 << 20, available: () => available });
  for (const destination of ['a', 'b', 'c']) keep(indexes, destination, repository);
  indexes.of('a');
  indexes.look();
  expect(indexes.byteLength).toBe(probe * 2);
  expect(await indexes.of('b').take(repository)).toBeUndefined();
  available = 0;
  indexes.look();
  expect(indexes.byteLength).toBe(0);
  indexes.close();
});

test('who only looks is given an index as long as it is all that the repository names, and it stays kept', async () => {
  const repository = await makeRepository(new MemoryStorage());
  const indexes = new ResidentIndexes(new FakeClock());
  expect(indexes.known('a')).toBeUndefined();
  const name = await repository.saveItem('index', Buffer.from('{"packs":[]}'));
  const index = BlobIndex.create();
  indexes.of('a').keep(repository, { index, loaded: new Set([name]) });
  expect(await indexes.known('a')?.look(repository)).toBe(index);
  expect(await indexes.known('a')?.look(repository)).toBe(index);
  const other = await repository.saveItem('index', Buffer.from('{"packs":[],"supersedes":[]}'));
  expect(await indexes.known('a')?.look(repository)).toBeUndefined();
  await repository.storage.remove({ kind: 'index', name: other });
  expect(await indexes.known('a')?.look(repository)).toBe(index);
  await repository.storage.remove({ kind: 'index', name });
  expect(await indexes.known('a')?.look(repository)).toBeUndefined();
  await indexes.of('a').take(repository);
  expect(await indexes.known('a')?.look(repository)).toBeUndefined();
  indexes.close();
});
