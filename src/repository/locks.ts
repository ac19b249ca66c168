/**
 * Locks: files that tell other programs what is going on in a repository. See restic's design document, "Locks".
 *
 * - A *shared* lock lets others read and add; an *exclusive* one conflicts with every other.
 * - A lock is *stale* when it is older than 30 minutes, or its process on this host is gone.
 * - A lock is *frozen* when it was not refreshed for 22.5 minutes (standby): nothing may be written until the lock file is
 *   seen to exist still; if it is gone, another program may have changed the repository, and the run must end.
 */
import { HoldfastError, hasCode } from '../contract/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { isProcessAlive } from '../platform/processes.ts';
import type { Storage, StoredFile } from '../storage/storage.ts';
import type { Sealer } from './crypto.ts';
import { sha256 } from './ids.ts';
import { openItem, sealItem } from './item.ts';
import { localTime } from './tree/go-time.ts';

const refreshMs = 5 * 60_000;
const frozenMs = 22.5 * 60_000;
const staleMs = 30 * 60_000;
const settleMs = 200;
const retryMs = 500;

export interface LockHolder {
  readonly hostname: string;
  readonly username: string;
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

export interface LockRecord {
  readonly time: string;
  readonly exclusive: boolean;
  readonly hostname: string;
  readonly username: string;
  readonly pid: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface FoundLock {
  readonly name: string;
  /** Undefined when the file cannot be read as a lock. */
  readonly record: LockRecord | undefined;
  readonly problem: string | undefined;
}

/** What locking needs of a repository. */
export interface Lockable {
  readonly storage: Storage;
  readonly sealer: Sealer;
}

const lockFile = (name: string): StoredFile => ({ kind: 'lock', name });

/** All locks of the repository. Empty files (another program is writing them) and those that vanish meanwhile are left out. */
export async function listLocks({ storage, sealer }: Lockable, clock: Clock): Promise<FoundLock[]> {
  const found: FoundLock[] = [];
  for await (const { name, size } of storage.list('lock')) {
    if (size === 0) continue;
    for (let attempt = 1; ; attempt++) {
      try {
        const record = JSON.parse(openItem(sealer, await storage.load(lockFile(name))).toString('utf8')) as LockRecord;
        if (Number.isNaN(Date.parse(record.time))) throw new Error('its time is not one');
        found.push({ name, record, problem: undefined });
        break;
      } catch (error) {
        if (hasCode(error, 'file-not-found')) break;
        if (attempt === 3) {
          found.push({ name, record: undefined, problem: error instanceof Error ? error.message : String(error) });
          break;
        }
        await clock.sleep(retryMs);
      }
    }
  }
  return found;
}

export function isStale(record: LockRecord, hostname: string, clock: Clock): boolean {
  if (clock.now() - Date.parse(record.time) > staleMs) return true;
  return record.hostname === hostname && !isProcessAlive(record.pid);
}

/** Removes stale locks, or with `all` every lock. Returns those that it removed. */
export async function removeLocks(repository: Lockable, hostname: string, clock: Clock, all = false): Promise<FoundLock[]> {
  const removed: FoundLock[] = [];
  for (const lock of await listLocks(repository, clock)) {
    if (!all && !(lock.record && isStale(lock.record, hostname, clock))) continue;
    await removeQuietly(repository.storage, lock.name);
    removed.push(lock);
  }
  return removed;
}

async function removeQuietly(storage: Storage, name: string): Promise<void> {
  try {
    await storage.remove(lockFile(name));
  } catch (error) {
    if (!hasCode(error, 'file-not-found')) throw error;
  }
}

export class Lock {
  readonly #repository: Lockable;
  readonly #holder: LockHolder;
  readonly #exclusive: boolean;
  readonly #clock: Clock;
  #name = '';
  #refreshed = 0;
  #refreshing: Promise<void> | undefined;
  #stop: (() => void) | undefined;
  #lost: HoldfastError | undefined;
  /** Stale locks that were removed to get this one: the traces of runs that were cut off. */
  removed: FoundLock[] = [];

  /** Name of the lock's file at this moment. */
  get name(): string {
    return this.#name;
  }

  private constructor(repository: Lockable, holder: LockHolder, exclusive: boolean, clock: Clock) {
    this.#repository = repository;
    this.#holder = holder;
    this.#exclusive = exclusive;
    this.#clock = clock;
  }

  /** Locks the repository. Throws `locked` when another lock conflicts, `lock-unreadable` when one cannot be read. */
  static async acquire(repository: Lockable, holder: LockHolder, exclusive: boolean, clock: Clock): Promise<Lock> {
    const lock = new Lock(repository, holder, exclusive, clock);
    lock.removed = await removeLocks(repository, holder.hostname, clock);
    await lock.#refuseConflict();
    lock.#name = await lock.#write();
    lock.#refreshed = clock.now();
    try {
      // Another program may have looked at the same moment: both see each other now.
      await clock.sleep(settleMs);
      await lock.#refuseConflict();
    } catch (error) {
      await removeQuietly(repository.storage, lock.#name);
      throw error;
    }
    lock.#stop = clock.every(refreshMs, () => void lock.#refresh().catch(() => {}));
    return lock;
  }

  /** To be awaited before every write. Throws `lock-lost` when others may have taken this lock for stale. */
  async ensure(): Promise<void> {
    if (this.#lost) throw this.#lost;
    const age = this.#clock.now() - this.#refreshed;
    // A clock that was set back tells nothing about the age.
    if (age > frozenMs || age < -refreshMs) await this.#refresh();
    if (this.#lost) throw this.#lost;
  }

  async release(): Promise<void> {
    this.#stop?.();
    await this.#refreshing?.catch(() => {});
    await removeQuietly(this.#repository.storage, this.#name);
  }

  async #refresh(): Promise<void> {
    this.#refreshing ??= this.#replace().finally(() => (this.#refreshing = undefined));
    await this.#refreshing;
  }

  async #replace(): Promise<void> {
    const { storage } = this.#repository;
    const old = this.#name;
    const age = this.#clock.now() - this.#refreshed;
    if (age > frozenMs || age < -refreshMs) {
      try {
        await storage.size(lockFile(old));
      } catch (error) {
        if (hasCode(error, 'file-not-found')) this.#lost = new HoldfastError('lock-lost');
        throw this.#lost ?? error;
      }
    }
    this.#name = await this.#write();
    this.#refreshed = this.#clock.now();
    await removeQuietly(storage, old);
  }

  async #write(): Promise<string> {
    const { storage, sealer } = this.#repository;
    const { hostname, username, pid, uid, gid } = this.#holder;
    const record: LockRecord = {
      time: localTime.format(BigInt(Math.round(this.#clock.now())) * 1_000_000n),
      exclusive: this.#exclusive,
      hostname,
      username,
      pid,
      ...(uid > 0 ? { uid } : {}),
      ...(gid > 0 ? { gid } : {}),
    };
    const sealed = sealItem(sealer, Buffer.from(JSON.stringify(record)), { compressed: true });
    const name = sha256(sealed).toString('hex');
    await storage.save(lockFile(name), [sealed]);
    return name;
  }

  async #refuseConflict(): Promise<void> {
    for (const { name, record, problem } of await listLocks(this.#repository, this.#clock)) {
      if (name === this.#name) continue;
      if (!record) throw new HoldfastError('lock-unreadable', { cause: problem });
      if (!this.#exclusive && !record.exclusive) continue;
      throw new HoldfastError('locked', {
        host: record.hostname,
        program: `process ${record.pid} of ${record.username}`,
        since: record.time,
        exclusive: record.exclusive,
      });
    }
  }
}
