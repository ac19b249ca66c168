/** Gives a repository a new password. */
import { hasCode } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { HostIdentity } from '../../platform/host.ts';
import { Lock } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';

export interface PasswordChange {
  /** False where nothing can be removed: the old password opens it still. */
  readonly isOldGone: boolean;
  /** That open it, too. */
  readonly otherPasswords: number;
}

/**
 * `repository` was opened with the old password. The new one is tried and kept before the old one goes, so that whatever breaks off leaves one
 * that is known. Throws `password-empty`, `locked`, what `keep` and the storage throw.
 */
export async function changePassword(
  repository: Repository,
  password: string,
  { identity, clock, keep }: { identity: HostIdentity; clock: Clock; keep: () => Promise<void> },
): Promise<PasswordChange> {
  const lock = await Lock.acquire(repository, { ...identity, pid: process.pid }, true, clock);
  try {
    const added = await repository.addKey(password, identity, clock);
    const old = repository.keyId;
    await keep();
    await lock.ensure();
    const isOldGone = await repository.storage.remove({ kind: 'key', name: old }).then(
      () => true,
      (error: unknown) => {
        if (hasCode(error, 'storage-append-only')) return false;
        throw error;
      },
    );
    const names = await repository.names('key');
    return { isOldGone, otherPasswords: names.filter((name) => name !== added && name !== old).length };
  } finally {
    await lock.release().catch(() => {});
  }
}
