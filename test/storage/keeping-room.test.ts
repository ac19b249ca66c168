import { expect, test } from 'vitest';
import type { HoldfastError } from '../../src/contract/errors.ts';
import { KeepingRoomStorage } from '../../src/storage/keeping-room.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';

const gib = 1024 ** 3;
const pack = { kind: 'pack', name: 'ab'.repeat(32) } as const;
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: HoldfastError) => error.code,
  );

test.each([
  ['a tenth of a small disk', 50 * gib, 5 * gib],
  ['ten gigabytes of a large one', 4000 * gib, 10 * gib],
])('%s stays free', async (_, size, kept) => {
  let free = kept + 100;
  const storage = new KeepingRoomStorage(new MemoryStorage(), async () => ({ free, size }));
  await storage.create();
  expect(await codeOf(storage.save(pack, [new Uint8Array(100)]))).toBe('done');
  free = kept;
  expect(await codeOf(storage.save({ ...pack, name: 'cd'.repeat(32) }, [new Uint8Array(100)]))).toBe('room-kept');
  // So that what is going on can be ended in order.
  expect(await codeOf(storage.save({ kind: 'lock', name: 'ef'.repeat(32) }, [new Uint8Array(100)]))).toBe('done');
  expect(await codeOf(storage.remove(pack))).toBe('done');
});
