/** Keys that are opened at once: tests open repositories thousands of times, with restic and with our own programs. */
import { hostIdentity } from '../../src/platform/host.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { KeyCost } from '../../src/repository/keys.ts';
import { Repository } from '../../src/repository/repository.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import type { Storage } from '../../src/storage/storage.ts';

/** The least that scrypt allows, and both programs open. */
export const noCost: KeyCost = { N: 2, r: 8, p: 1 };

/** The same password opens the repository in `folder` with a key that costs nothing, and with no other. */
export const replaceKey = (folder: string, password: string): Promise<void> => replaceKeyIn(new LocalStorage(folder), password);

/** As {@link replaceKey}; closes the storage. */
export async function replaceKeyIn(storage: Storage, password: string): Promise<void> {
  await (await Repository.open(storage, password)).changePassword(password, hostIdentity(), systemClock, noCost);
  await storage.close();
}
