/** A power cut at any moment: a recorded run as it was after each of its writes. */
import { spawnSync } from 'node:child_process';
import type { LockHolder } from '../../src/repository/locks.ts';
import type { MemoryStorage } from '../../src/storage/memory.ts';
import { identity } from './engine.ts';

/** A process that does not live any more, so that the locks of a recorded run are stale, as after a power cut. */
export const deadHolder = (): LockHolder => ({ ...identity, pid: spawnSync('true').pid });

/** Calls `act` with the storage as it was after each of the mutations `from`…, and says where it failed. */
export async function atEveryPrefix(
  storage: MemoryStorage,
  from: number,
  act: (state: MemoryStorage, mutations: number) => Promise<void>,
): Promise<void> {
  for (let mutations = from; mutations <= storage.mutations; mutations++) {
    try {
      await act(storage.replay(mutations), mutations);
    } catch (error) {
      throw new Error(`after ${mutations} of ${storage.mutations} mutations: ${(error as Error).message}`, { cause: error });
    }
  }
}
