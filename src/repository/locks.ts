/**
 * Locks: files that tell other programs what is going on in a repository. See restic's design document, "Locks".
 *
 * - A *shared* lock lets others read and add; an *exclusive* one conflicts with every other.
 * - A lock is *stale* when it is older than 30 minutes, or its process on this host is gone.
 * - A lock is *frozen* when it was not refreshed for 22.5 minutes (standby): nothing may be written until the lock file is
 *   seen to exist still; if it is gone, another program may have changed the repository, and the run must end. A lock that is
 *   gone when it is to be refreshed is lost just the same.
 */
import { type ErrorCode, HoldfastError, hasCode } from '../contract/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { isProcessAlive } from '../platform/processes.ts';
import type { Storage, StoredFile } from '../storage/storage.ts';
import type { Config } from './config.ts';
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
  /** Empty when the system could not tell. */
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
  readonly config?: Pick<Config, 'version'>;
  /** Whether no lock was there a moment ago; tells it only once. */
  takeNoLocks?(): boolean;
}

/** Locks of this process that may still lie in a storage which was out of reach when they should have been removed. */
const leftBehind = new Set<string>();

/** What makes a lock file one that cannot be read, unlike a storage that cannot be reached. */
const unreadable = new Set<ErrorCode>(['item-tampered', 'file-short']);

const lockFile = (name: string): StoredFile => ({ kind: 'lock', name });

/** All locks of the repository. Empty files (another program is writing them) and those that vanish meanwhile are left out, as is the one named `own`. */
export async function listLocks({ storage, sealer }: Lockable, clock: Clock, own?: string): Promise<FoundLock[]> {
  const found: FoundLock[] = [];
  for await (const { name, size } of storage.list('lock')) {
    if (size === 0 || name === own) continue;
    for (let attempt = 1; ; attempt++) {
      try {
        found.push({ name, record: parseLock(openItem(sealer, await storage.load(lockFile(name)))), problem: undefined });
        break;
      } catch (error) {
        if (hasCode(error, 'file-not-found')) break;
        if (attempt === 3) {
          // Whether a lock is there cannot be told by a storage that fails: that says nothing about the lock.
          if (error instanceof HoldfastError && !unreadable.has(error.code)) throw error;
          found.push({ name, record: undefined, problem: error instanceof Error ? error.message : String(error) });
          break;
        }
        await clock.sleep(retryMs);
      }
    }
  }
  return found;
}

/** Throws an Error whose message says what is wrong: a lock that somebody else may hold is never guessed at. */
function parseLock(text: Buffer): LockRecord {
  const {
    time,
    exclusive = false,
    hostname = '',
    username = '',
    pid = 0,
  } = (JSON.parse(text.toString('utf8')) ?? {}) as Partial<LockRecord>;
  if (typeof time !== 'string' || Number.isNaN(Date.parse(time))) throw new Error('its time is not one');
  if (typeof exclusive !== 'boolean') throw new Error('it does not say whether it is exclusive');
  if (typeof hostname !== 'string' || typeof username !== 'string' || typeof pid !== 'number') throw new Error('its holder is malformed');
  return { time, exclusive, hostname, username, pid };
}

export function isStale(record: LockRecord, hostname: string, clock: Clock): boolean {
  if (clock.now() - Date.parse(record.time) > staleMs) return true;
  return record.hostname === hostname && !isProcessAlive(record.pid);
}

/** Removes stale locks and those that this process left behind, or with `all` every lock. Returns those that it removed. */
export async function removeLocks(repository: Lockable, hostname: string, clock: Clock, all = false): Promise<FoundLock[]> {
  const found = await listLocks(repository, clock);
  const removed = all ? found : found.filter((lock) => isDead(lock, hostname, clock));
  await removeFound(repository, removed);
  // Nobody is still writing the empty ones when a person says that no lock counts.
  if (all)
    for await (const { name, size } of repository.storage.list('lock')) if (size === 0) await removeQuietly(repository.storage, name);
  return removed;
}

/** Whether it is stale, or one that this process could not remove. */
const isDead = ({ name, record }: FoundLock, hostname: string, clock: Clock): boolean =>
  (record !== undefined && isStale(record, hostname, clock)) || leftBehind.has(name);

async function removeFound({ storage }: Lockable, locks: readonly FoundLock[]): Promise<void> {
  for (const { name } of locks) {
    await removeQuietly(storage, name);
    leftBehind.delete(name);
  }
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
  /** When the lock file was written, by both clocks: each of them hides what the other shows. */
  #refreshed = 0;
  #refreshedMonotonic = 0;
  #released = false;
  /** Files of this lock that could not be removed when they should have been. */
  readonly #unremoved = new Set<string>();
  #settled: Promise<void> = Promise.resolve();
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
    const lock = await Lock.begin(repository, holder, exclusive, clock);
    await lock.#settled;
    return lock;
  }

  /**
   * As {@link acquire}, but returns while it cannot be told yet whether another program has locked at the same moment. Until
   * `ensure` or {@link whileSettling} says so, nothing that was read counts. Both throw what `acquire` throws then.
   */
  static async begin(repository: Lockable, holder: LockHolder, exclusive: boolean, clock: Clock): Promise<Lock> {
    const lock = new Lock(repository, holder, exclusive, clock);
    const wasClear = !exclusive && repository.takeNoLocks?.() === true;
    if (!wasClear) await lock.#clearWay();
    lock.#refreshed = clock.now();
    lock.#refreshedMonotonic = clock.monotonic();
    lock.#name = await lock.#write(lock.#refreshed);
    const settling = clock.sleep(settleMs);
    // An exclusive lock that came and went since then would otherwise be seen by nobody, and what is read from now on be older than
    // what its holder changed.
    if (wasClear) await lock.#refuseOthers();
    lock.#settled = lock.#settle(settling);
    // Whoever awaits it hears of a failure.
    lock.#settled.catch(() => {});
    return lock;
  }

  /** Removes stale locks, and refuses to go on beside others that conflict. */
  async #clearWay(): Promise<void> {
    const found = await listLocks(this.#repository, this.#clock);
    this.removed = found.filter((each) => isDead(each, this.#holder.hostname, this.#clock));
    await removeFound(this.#repository, this.removed);
    this.#refuseConflict(found.filter((each) => !this.removed.includes(each)));
  }

  async #settle(settling: Promise<void>): Promise<void> {
    // Another program may have looked at the same moment: both see each other now.
    await settling;
    await this.#refuseOthers();
    this.#stop = this.#clock.every(refreshMs, () => void this.#refresh().catch(() => {}));
  }

  /** Takes the lock back when there is a conflicting one beside it. */
  async #refuseOthers(): Promise<void> {
    try {
      this.#refuseConflict(await listLocks(this.#repository, this.#clock, this.#name));
    } catch (error) {
      // What went wrong before matters more than that this goes wrong too; the next run removes the lock then.
      await this.#discard(this.#name).catch(() => {});
      throw error;
    }
  }

  /** What `work` reads, once it is certain that nobody with a conflicting lock could change it meanwhile. */
  async whileSettling<T>(work: Promise<T>): Promise<T> {
    // A conflict explains whatever goes wrong in the work.
    work.catch(() => {});
    await this.#settled;
    return work;
  }

  /**
   * To be awaited before every write. Throws `lock-lost` when others may have taken this lock for stale, or what the
   * storage throws when that cannot be found out now.
   */
  async ensure(): Promise<void> {
    await this.#settled;
    // More than once: a refresh that was under way may have begun before a standby.
    for (this.#refuseLost(); this.#isFrozen; this.#refuseLost()) await this.#refresh();
  }

  /** Removes the lock; afterwards `ensure` refuses every write. Throws what the storage throws. */
  async release(): Promise<void> {
    this.#released = true;
    await this.#settled.catch(() => {});
    this.#stop?.();
    await this.#refreshing?.catch(() => {});
    for (const name of [this.#name, ...this.#unremoved]) await this.#discard(name);
  }

  get #isFrozen(): boolean {
    const age = this.#clock.now() - this.#refreshed;
    // Standby shows in wall time alone, a clock that was set back in monotonic time alone; one set back far tells nothing.
    return age > frozenMs || age < -refreshMs || this.#clock.monotonic() - this.#refreshedMonotonic > frozenMs;
  }

  #refuseLost(): void {
    if (this.#released) throw new HoldfastError('lock-lost');
    if (this.#lost) throw this.#lost;
  }

  async #refresh(): Promise<void> {
    if (this.#lost || this.#released) return;
    this.#refreshing ??= this.#replace().finally(() => (this.#refreshing = undefined));
    await this.#refreshing;
  }

  async #replace(): Promise<void> {
    const old = this.#name;
    const wasFrozen = this.#isFrozen;
    if (wasFrozen) await this.#refuseRemoved(old);
    const [refreshed, refreshedMonotonic] = [this.#clock.now(), this.#clock.monotonic()];
    const name = await this.#write(refreshed);
    try {
      if (wasFrozen || this.#isFrozen) {
        // Whoever took the old lock for stale before the new one was there has removed it by then.
        await this.#clock.sleep(settleMs);
        await this.#refuseRemoved(old);
      }
    } catch (error) {
      await this.#discard(name).catch(() => {});
      throw error;
    }
    this.#name = name;
    this.#refreshed = refreshed;
    this.#refreshedMonotonic = refreshedMonotonic;
    const earlier = [...this.#unremoved];
    // Somebody else removed it: for that one this run does not exist any more, whatever the new lock says.
    if (!(await this.#discard(old).catch(() => true))) this.#lost = new HoldfastError('lock-lost');
    for (const left of earlier) await this.#discard(left).catch(() => {});
  }

  async #refuseRemoved(name: string): Promise<void> {
    try {
      await this.#repository.storage.size(lockFile(name));
    } catch (error) {
      if (hasCode(error, 'file-not-found')) this.#lost = new HoldfastError('lock-lost', {}, { cause: error });
      throw this.#lost ?? error;
    }
  }

  /** Removes a file of this lock and returns whether it was there. When the storage fails it is tried again later. */
  async #discard(name: string): Promise<boolean> {
    let wasThere = true;
    try {
      await this.#repository.storage.remove(lockFile(name));
    } catch (error) {
      wasThere = false;
      if (!hasCode(error, 'file-not-found')) {
        this.#unremoved.add(name);
        leftBehind.add(name);
        throw error;
      }
    }
    this.#unremoved.delete(name);
    leftBehind.delete(name);
    return wasThere;
  }

  /** Writes a lock file as of `now` (wall time) and returns its name. */
  async #write(now: number): Promise<string> {
    const { storage, sealer, config } = this.#repository;
    const { hostname, username, pid, uid, gid } = this.#holder;
    const record: LockRecord = {
      time: localTime.format(BigInt(Math.round(now)) * 1_000_000n),
      exclusive: this.#exclusive,
      hostname,
      username,
      pid,
      ...(uid > 0 ? { uid } : {}),
      ...(gid > 0 ? { gid } : {}),
    };
    // Programs at work in a repository of version 1 cannot read what is compressed.
    const sealed = sealItem(sealer, Buffer.from(JSON.stringify(record)), { compressed: config?.version !== 1 });
    const name = sha256(sealed).toString('hex');
    try {
      await storage.save(lockFile(name), [sealed]);
    } catch (error) {
      // It may have been stored all the same.
      await this.#discard(name).catch(() => {});
      throw error;
    }
    return name;
  }

  #refuseConflict(others: readonly FoundLock[]): void {
    for (const { record, problem } of others) {
      if (!record) throw new HoldfastError('lock-unreadable', { cause: problem });
      if (!this.#exclusive && !record.exclusive) continue;
      throw new HoldfastError('locked', {
        location: this.#repository.storage.location,
        host: record.hostname,
        program: record.username === '' ? `process ${record.pid}` : `process ${record.pid} of ${record.username}`,
        since: record.time,
        exclusive: record.exclusive,
      });
    }
  }
}
