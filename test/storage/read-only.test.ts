import { expect, test } from 'vitest';
import { LocalStorage } from '../../src/storage/local.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { ReadOnlyStorage } from '../../src/storage/read-only.ts';
import { codeOf, describeStorage, fileFor } from '../support/storage-suite.ts';

describeStorage('reading half of a read-only storage', async () => {
  const memory = new MemoryStorage();
  return { storage: new ReadOnlyStorage(memory), writer: memory };
});

test('fails every change with storage-read-only and passes none on', async () => {
  const memory = new MemoryStorage();
  const file = fileFor(Buffer.from('kept'));
  await memory.save(file, [Buffer.from('kept')]);
  const storage = new ReadOnlyStorage(memory);
  for (const call of [
    () => storage.create(),
    () => storage.save(file, []),
    () => storage.save(fileFor(Buffer.of()), []),
    () => storage.remove(file),
    () => storage.replaceConfig([]),
  ])
    expect(await codeOf(call())).toBe('storage-read-only');
  expect(memory.mutations).toBe(1);
  expect(await storage.size(file)).toBe(4);
});

test('names local files exactly where the storage within does', () => {
  const file = fileFor(Buffer.of());
  expect(new ReadOnlyStorage(new MemoryStorage()).localPath).toBeUndefined();
  const local = new LocalStorage('somewhere');
  expect(new ReadOnlyStorage(local).localPath?.(file)).toBe(local.localPath(file));
});
