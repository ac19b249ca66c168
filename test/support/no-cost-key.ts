/** Keys that are opened at once: tests open repositories thousands of times, with restic and with our own programs. */
import { hostIdentity } from '../../src/platform/host.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { KeyCost } from '../../src/repository/keys.ts';
import { Repository } from '../../src/repository/repository.ts';
import { LocalStorage } from '../../src/storage/local.ts';

/** The least that scrypt allows, and both programs open. */
export const noCost: KeyCost = { N: 2, r: 8, p: 1 };

/** The same password opens the repository in `folder` with a key that costs nothing, and with no other. */
export async function replaceKey(folder: string, password: string): Promise<void> {
  const storage = new LocalStorage(folder);
  await (await Repository.open(storage, password)).changePassword(password, hostIdentity(), systemClock, noCost);
  await storage.close();
}
