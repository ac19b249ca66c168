/**
 * Move: brings a repository to another place, file by file as they are: same ID, same keys, same snapshots.
 *
 * 1. lock the old place, so that nothing is added or removed there
 * 2. copy every file, each proved by its name, and config last: until then the new place is no repository
 * 3. check the new place, reading all data
 * 4. only then, and only if that is wanted, remove the old one
 *
 * At every moment the old or the new place is complete. A move that is cut off can be run again: what is there is proved, not copied.
 */
import { rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { fail, HoldfastError, hasCode } from '../../contract/errors.ts';
import { BlobIndex } from '../../repository/blob-index.ts';
import { Lock } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';
import { localFolderOf } from '../../storage/local-folder.ts';
import { isMissingPlace } from '../../storage/missing-place.ts';
import { layoutFolders } from '../../storage/names.ts';
import { describeFile, type FileKind, type Storage, type StoredFile } from '../../storage/storage.ts';
import { type CheckResult, executeCheck } from '../check/check.ts';
import { planCheck } from '../check/plan.ts';
import { runSome } from '../copy/run-some.ts';
import { removeFiles } from '../remove-files.ts';
import { reportProgress, type RunOptions } from '../run.ts';
import { isDamage } from '../trees/damage-codes.ts';
import { WorkerPool } from '../workers/pool.ts';
import { configFile, type MoveFacts, type MovePlan, type SizedFile, surveyMove } from './plan.ts';

/** What would be moved, and whether it can be. Changes nothing and takes no lock. Throws `same-place`, `place-occupied`. */
export const planMove = async (repository: Repository, place: Storage): Promise<MovePlan> => (await surveyMove(repository, place)).plan;

export interface MoveOptions extends RunOptions {
  /** Removes the old place once the new one checks clean. */
  readonly removeOld?: boolean | undefined;
  /** Called once all of the new place was read and is whole; the old one is locked still, and removed only after it. What it throws ends the run. */
  readonly onClean?: (() => Promise<void>) | undefined;
  /** Told what will be done, as found under the lock, before anything is. What it throws ends the run. */
  readonly onPlan?: ((plan: MovePlan) => void) | undefined;
  /** Told of each file of the old place that cannot be moved, since it is damaged. */
  readonly onDamaged?: ((file: string, error: HoldfastError) => void) | undefined;
}

export interface MoveResult {
  readonly plan: MovePlan;
  /** Files and bytes that were copied. */
  readonly copiedFiles: number;
  readonly copiedBytes: number;
  /** Of the new place. */
  readonly check: CheckResult;
  /** Whether the old place is gone. */
  readonly isOldRemoved: boolean;
}

/** Files on their way at the same time: each is whole in memory. */
const parallelFiles = 2;

/**
 * Throws what {@link planMove} throws, `place-too-small`, `move-stopped` when a file of the old place is damaged (all were looked at),
 * `locked`, `lock-lost`, `cancelled` or what the storages throw. Whatever it throws, the old or the new place is complete.
 */
export async function executeMove(repository: Repository, place: Storage, options: MoveOptions): Promise<MoveResult> {
  const lock = await lockOld(repository, options);
  let isOldRemoved = false;
  try {
    const result = await new Move(repository, place, lock, options).run();
    if (result.check.errors === 0) await options.onClean?.();
    if (options.removeOld && lock && result.check.errors === 0) {
      await removeOld(repository, place, lock, options);
      isOldRemoved = true;
    }
    return { ...result, isOldRemoved };
  } finally {
    await lock?.release().catch(() => {});
    if (isOldRemoved) removeFolders(repository.storage);
  }
}

/** A place where nothing can be written is moved without a lock: to get away from a full or read-only disk is what moving is for. */
async function lockOld(repository: Repository, { holder, clock, removeOld: removes }: MoveOptions): Promise<Lock | undefined> {
  try {
    return await Lock.acquire(repository, holder, true, clock);
  } catch (error) {
    if (!removes && (hasCode(error, 'storage-read-only') || hasCode(error, 'storage-full'))) return undefined;
    throw error;
  }
}

class Move {
  readonly #old: Repository;
  readonly #new: Repository;
  readonly #lock: Lock | undefined;
  readonly #options: MoveOptions;
  #copiedFiles = 0;
  #copiedBytes = 0;
  #seenFiles = 0;
  #seenBytes = 0;
  #damaged = 0;

  constructor(old: Repository, place: Storage, lock: Lock | undefined, options: MoveOptions) {
    this.#old = old;
    this.#new = old.at(place);
    this.#lock = lock;
    this.#options = options;
  }

  async run(): Promise<Omit<MoveResult, 'isOldRemoved'>> {
    const place = this.#new.storage;
    if (this.#lock && (await holds(place, { kind: 'lock', name: this.#lock.name })))
      fail('same-place', { location: this.#old.storage.location });
    const facts = await surveyMove(this.#old, place);
    const { plan } = facts;
    this.#options.onPlan?.(plan);
    if (plan.free !== undefined && plan.needed > plan.free)
      fail('place-too-small', { location: place.location, needed: plan.needed, free: plan.free });
    await place.create();
    // What is a repository already may be in use.
    let newLock = plan.state === 'there' ? await this.#lockNew() : undefined;
    try {
      // A move that was killed has left them; nobody else is at work here.
      await place.removeLeftovers?.(Number.POSITIVE_INFINITY).catch(() => {});
      await this.#copyFiles(facts);
      await this.#copyConfig(plan.state === 'there');
      newLock ??= await this.#lockNew();
      const request = await planCheck(this.#new, { readData: 'all' });
      const check = await executeCheck(this.#new, request, { ...this.#options, lock: 'none' });
      await this.#lock?.ensure();
      return { plan, copiedFiles: this.#copiedFiles, copiedBytes: this.#copiedBytes, check };
    } finally {
      await newLock?.release().catch(() => {});
    }
  }

  #lockNew(): Promise<Lock> {
    return Lock.acquire(this.#new, this.#options.holder, true, this.#options.clock);
  }

  async #copyFiles({ files, present, wrong, plan }: MoveFacts): Promise<void> {
    const { control, threads } = this.#options;
    const index = BlobIndex.create();
    const pool = new WorkerPool(this.#old, { control, index, source: { repository: this.#new, index }, threads });
    const stop = reportProgress(this.#options, pool, {
      phase: 'moving',
      items: () => this.#seenFiles,
      bytes: () => this.#seenBytes,
      totalItems: plan.files,
      totalBytes: plan.bytes,
    });
    try {
      // One kind after the other: what refers to other files comes after them.
      for (const kind of new Set(files.map((file) => file.kind))) {
        const ofKind = files.filter((file) => file.kind === kind);
        await runSome(parallelFiles, ofKind, async (file) => {
          await this.#copyFile(pool, file, present.has(file) || wrong.has(file));
          this.#seenFiles += 1;
          this.#seenBytes += file.size;
        });
        if (this.#damaged > 0 && kind === 'pack') await this.#expectOld();
      }
    } catch (error) {
      throw hasCode(error, 'cancelled') ? (pool.failure ?? error) : error;
    } finally {
      stop();
      await pool.close();
    }
    if (this.#damaged === 0) return;
    await this.#expectOld();
    const problem = this.#damaged === 1 ? 'one of its files is damaged' : `${this.#damaged} of its files are damaged`;
    fail('move-stopped', { location: this.#old.storage.location, problem });
  }

  /** A place that was unplugged looks as if everything were damaged. */
  async #expectOld(): Promise<void> {
    if (await this.#old.answers()) return;
    fail('storage-gone', { location: this.#old.storage.location, cause: 'its config file cannot be read' });
  }

  /** `isThere`: the new place holds a file of this name. */
  async #copyFile(pool: WorkerPool, { kind, name }: SizedFile, isThere: boolean): Promise<void> {
    const file: StoredFile = { kind, name };
    await this.#options.control.checkpointAsync();
    if (isThere && (await this.#isRight(pool, file))) return;
    const bytes = await this.#load(pool, file);
    if (!bytes) return;
    await this.#lock?.ensure();
    const { storage } = this.#new;
    // Under this name there can be nothing but these bytes, so what differs from them is no loss.
    if (isThere) await storage.remove(file);
    await storage.save(file, [bytes]);
    this.#copiedFiles += 1;
    this.#copiedBytes += bytes.length;
  }

  async #isRight(pool: WorkerPool, file: StoredFile): Promise<boolean> {
    try {
      return (await pool.source.run('hashOf', file)) === file.name;
    } catch (error) {
      if (!isDamage(error)) throw error;
      return false;
    }
  }

  /** The bytes of a file of the old place; undefined, and noted, when it is damaged. */
  async #load(pool: WorkerPool, file: StoredFile): Promise<Uint8Array | undefined> {
    const { location } = this.#old.storage;
    let problem: HoldfastError;
    try {
      const bytes = await pool.run('loadNamed', file);
      if (bytes) return bytes;
      problem = new HoldfastError('item-tampered', { file: describeFile(file), location });
    } catch (error) {
      if (!isDamage(error)) throw error;
      problem = error;
    }
    this.#damaged += 1;
    this.#options.onDamaged?.(describeFile(file), problem);
    return undefined;
  }

  /** Makes the new place a repository. */
  async #copyConfig(isThere: boolean): Promise<void> {
    if (isThere) return;
    const { storage } = this.#new;
    const config = await this.#old.storage.load(configFile);
    await this.#options.control.checkpointAsync();
    await this.#lock?.ensure();
    await storage.save(configFile, [config]);
    // It is the only file that no name proves.
    if (Buffer.compare(await storage.load(configFile), config) === 0) return;
    await storage.remove(configFile);
    fail('storage-failed', { location: storage.location, operation: 'store', file: 'config', cause: 'other bytes came back' });
  }
}

async function holds(storage: Storage, file: StoredFile): Promise<boolean> {
  try {
    await storage.size(file);
    return true;
  } catch (error) {
    if (hasCode(error, 'file-not-found') || isMissingPlace(error)) return false;
    throw error;
  }
}

/** In this order: at every moment what is left is a sound repository, or none at all. */
const removedKinds = ['snapshot', 'index', 'pack', 'config', 'key'] as const satisfies readonly FileKind[];

/** Removes every file of the old place that the new one holds, as it was found before. */
async function removeOld(repository: Repository, place: Storage, lock: Lock, { control }: MoveOptions): Promise<void> {
  const { files, present, wrong } = await surveyMove(repository, place);
  // Nothing can have been added under the lock.
  if (present.size + wrong.size < files.length) return fail('internal', { cause: 'the new place lacks files of the old one' });
  for (const kind of removedKinds) {
    const names = kind === 'config' ? [''] : files.filter((file) => file.kind === kind).map(({ name }) => name);
    await removeFiles(repository, lock, control, kind, names);
  }
  await repository.storage.removeLeftovers?.(Number.POSITIVE_INFINITY).catch(() => {});
}

/** Removes the folders of a repository that was removed; one that is not empty stays, and so does the folder that they lie in. */
function removeFolders(storage: Storage): void {
  const folder = localFolderOf(storage);
  if (folder === undefined) return;
  for (const name of layoutFolders.toReversed()) {
    try {
      rmdirSync(join(folder, name));
    } catch {
      // It holds something, or is gone.
    }
  }
}
