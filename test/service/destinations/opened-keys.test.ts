import { expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { Repository } from '../../../src/repository/repository.ts';
import { OpenedKeys } from '../../../src/service/destinations/opened-keys.ts';
import { FaultyStorage } from '../../../src/storage/faulty.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { identity, makeRepository, password } from '../../support/engine.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { noCost } from '../../support/no-cost-key.ts';
import { codeOf } from '../../support/storage-suite.ts';

async function opened(): Promise<{ storage: FaultyStorage; repository: Repository; keys: OpenedKeys; clock: FakeClock }> {
  const memory = new MemoryStorage();
  const repository = await makeRepository(memory);
  const clock = new FakeClock();
  const keys = new OpenedKeys(clock);
  keys.keep(repository, password);
  return { storage: new FaultyStorage(memory), repository, keys, clock };
}

const keyLoads = (storage: FaultyStorage): number => storage.calls.filter(({ call, kind }) => call === 'load' && kind === 'key').length;

test('a repository that was opened lately opens without its key being fetched and derived anew', async () => {
  const { storage, repository, keys } = await opened();
  const again = await Repository.open(storage, password, { opened: keys.of(repository.config.id, password) });
  expect(again.keyId).toBe(repository.keyId);
  expect(again.key.encrypt.equals(repository.key.encrypt)).toBe(true);
  expect(keyLoads(storage)).toBe(0);
});

test('another password has to open by itself', async () => {
  const { storage, repository, keys } = await opened();
  const known = keys.of(repository.config.id, 'another');
  expect(known).toBeUndefined();
  expect(await codeOf(Repository.open(storage, 'another', { opened: known }))).toBe('wrong-password');
});

test('a key that was removed from the repository opens it no more, though it is still kept', async () => {
  const { storage, repository, keys } = await opened();
  await repository.changePassword('another', identity, systemClock, noCost);
  expect(await codeOf(Repository.open(storage, password, { opened: keys.of(repository.config.id, password) }))).toBe('wrong-password');
});

test('a key that nobody has used for half an hour is let go, and all are when they are cleared', async () => {
  const { repository, keys, clock } = await opened();
  const { id } = repository.config;
  await clock.advance(29 * 60_000);
  expect(keys.of(id, password)).toBeDefined();
  await clock.advance(2 * 60_000);
  expect(keys.of(id, password)).toBeUndefined();
  keys.keep(repository, password);
  keys.clear();
  expect(keys.of(id, password)).toBeUndefined();
});
