/**
 * Keys of repositories that were opened lately, so that a run after a few changes does not begin with half a second of deriving one.
 *
 * They are in memory alone. One counts only for the password that opened it, which is asked of the keychain each time, and only while the
 * repository lists its key file (see Repository.open): a password that was changed, here or elsewhere, opens as if nothing were kept. One
 * goes after some time without use; all go when the computer falls asleep, and with the service.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../../platform/clock.ts';
import type { OpenedKey, Repository } from '../../repository/repository.ts';

const longestIdleMs = 30 * 60_000;
const lookEveryMs = 60_000;

interface Kept extends OpenedKey {
  readonly of: Buffer;
  usedAt: number;
}

export class OpenedKeys {
  readonly #clock: Pick<Clock, 'every' | 'monotonic'>;
  /** By repository. */
  readonly #kept = new Map<string, Kept>();
  /** Tells passwords apart without keeping them. */
  readonly #secret = randomBytes(32);
  #stopLooking: (() => void) | undefined;

  constructor(clock: Pick<Clock, 'every' | 'monotonic'>) {
    this.#clock = clock;
  }

  /** What this password opened the repository with; undefined when that is not known. */
  of(repository: string, password: string): OpenedKey | undefined {
    const kept = this.#kept.get(repository);
    return kept?.of.equals(this.#mark(password)) ? kept : undefined;
  }

  keep({ config, key, keyId }: Pick<Repository, 'config' | 'key' | 'keyId'>, password: string): void {
    this.#kept.set(config.id, { key, keyId, of: this.#mark(password), usedAt: this.#clock.monotonic() });
    this.#stopLooking ??= this.#clock.every(lookEveryMs, () => this.#look());
  }

  clear(): void {
    this.#kept.clear();
    this.#stopLooking?.();
    this.#stopLooking = undefined;
  }

  #look(): void {
    const now = this.#clock.monotonic();
    for (const [repository, { usedAt }] of this.#kept) if (now - usedAt >= longestIdleMs) this.#kept.delete(repository);
    if (this.#kept.size === 0) this.clear();
  }

  #mark(password: string): Buffer {
    return createHmac('sha256', this.#secret).update(password).digest();
  }
}
