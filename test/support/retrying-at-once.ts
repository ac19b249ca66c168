/** Tries again without waiting and without chance. */
import { RetryingStorage } from '../../src/storage/retrying.ts';
import type { Storage } from '../../src/storage/storage.ts';

/** What it would have waited is noted in `waits`, in milliseconds. */
export const retryingAtOnce = (storage: Storage, waits: number[] = []): Storage =>
  new RetryingStorage(storage, { clock: { sleep: async (ms) => void waits.push(ms) }, random: () => 0 });
