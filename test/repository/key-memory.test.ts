import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { type KeyMemory, Repository } from '../../src/repository/repository.ts';
import { CachedStorage } from '../../src/storage/cache/cached.ts';
import { FaultyStorage } from '../../src/storage/faulty.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { identity, makeRepository, password } from '../support/engine.ts';
import { noCost } from '../support/no-cost-key.ts';
import { codeOf } from '../support/storage-suite.ts';
import { scratch, sharedScratch } from '../support/tree-literal.ts';

const folder = sharedScratch('key-memory');

/** A repository, and a memory of the key that has opened it. */
async function remembered(place: string): Promise<{ storage: FaultyStorage; repository: Repository; keyMemory: KeyMemory }> {
  const memory = new MemoryStorage(place);
  const repository = await makeRepository(memory);
  const keyMemory = new CachedStorage(memory, { folder, clock: systemClock });
  await Repository.open(memory, password, { keyMemory });
  return { storage: new FaultyStorage(memory), repository, keyMemory };
}

const keyLoads = (storage: FaultyStorage): number => storage.calls.filter(({ call, kind }) => call === 'load' && kind === 'key').length;

test('a key that has opened a repository is not fetched again, and derived before the repository has answered', async () => {
  const { storage, repository, keyMemory } = await remembered('derived early');
  const listed = Promise.withResolvers<void>();
  const recalled = Promise.withResolvers<void>();
  const slow = new FaultyStorage(storage, { clock: { sleep: () => listed.promise } });
  slow.script([{ at: { call: 'list', kind: 'key' }, effect: { do: 'delay', ms: 1 } }]);
  const recalling: KeyMemory = {
    keepKey: (key) => keyMemory.keepKey(key),
    recallKey: () => keyMemory.recallKey().finally(recalled.resolve),
  };
  const opening = Repository.open(slow, password, { keyMemory: recalling });
  await recalled.promise;
  listed.resolve();
  expect((await opening).keyId).toBe(repository.keyId);
  expect(keyLoads(storage)).toBe(0);
});

test('a key that was removed from the repository opens it no more', async () => {
  const { storage, repository, keyMemory } = await remembered('removed');
  const old = repository.keyId;
  await repository.changePassword('another', identity, systemClock, noCost);
  expect(await keyMemory.recallKey()).toMatchObject({ name: old });
  expect(await codeOf(Repository.open(storage, password, { keyMemory }))).toBe('wrong-password');
  expect((await Repository.open(storage, 'another', { keyMemory })).keyId).toBe(repository.keyId);
  expect(await keyMemory.recallKey()).toMatchObject({ name: repository.keyId });
});

test('another password opens with its own key, the remembered one is not fetched to be tried again, and none opens with neither', async () => {
  const { storage, repository, keyMemory } = await remembered('several');
  const second = await repository.addKey('second', identity, systemClock, noCost);
  expect((await Repository.open(storage, 'second', { keyMemory })).keyId).toBe(second);
  expect(keyLoads(storage)).toBe(1);
  expect(await codeOf(Repository.open(storage, 'third', { keyMemory }))).toBe('wrong-password');
});

test('what is remembered of another repository at the same place opens nothing', async () => {
  const { keyMemory } = await remembered('made anew');
  const other = new MemoryStorage('made anew');
  const repository = await makeRepository(other);
  expect((await Repository.open(other, password, { keyMemory })).key.encrypt).toEqual(repository.key.encrypt);
});

test('a repository whose config is gone is not opened, whatever is remembered', async () => {
  const { storage, keyMemory } = await remembered('gone');
  await storage.remove({ kind: 'config', name: '' });
  expect(await codeOf(Repository.open(storage, password, { keyMemory, readAhead: { locks: true } }))).toBe('repository-not-found');
});

test('a memory that lies or fails costs time, and no more', async () => {
  const { storage, repository } = await remembered('lying');
  const lies = [Buffer.from('no key'), Buffer.from('{"kdf":"scrypt"}'), Buffer.alloc(0)];
  for (const bytes of lies) {
    const keyMemory: KeyMemory = { recallKey: async () => ({ name: repository.keyId, bytes }), keepKey: async () => {} };
    expect((await Repository.open(storage, password, { keyMemory })).keyId).toBe(repository.keyId);
  }
  const file = `${scratch('key-memory')}/file`;
  writeFileSync(file, '');
  const unusable = new CachedStorage(new MemoryStorage(), { folder: file, clock: systemClock });
  expect((await Repository.open(storage, password, { keyMemory: unusable })).keyId).toBe(repository.keyId);
});
