/** Restore: brings files of a snapshot back, and proves it when asked to. */
import { closeSync, openSync } from 'node:fs';
import { fail, type HoldfastError } from '../../contract/errors.ts';
import { joinList, splitList } from '../../platform/byte-list.ts';
import { displayPath } from '../../platform/byte-paths.ts';
import { syncFileSystem } from '../../platform/posix.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Rescue } from '../heal/rescue.ts';
import { type Reading, withReading } from '../reading.ts';
import { type Phase, reportProgress, type RunOptions } from '../run.ts';
import type { WorkerPool } from '../workers/pool.ts';
import { unfoldingLimit } from '../trees/unfold.ts';
import { syncsWhole } from './content.ts';
import { throwIfFatal } from './failures.ts';
import { beginParts, type PartNames } from './part-file.ts';
import { freeBytes, prepareTarget, type RestoreRequest, type RestoreStart, resolveStart } from './plan.ts';
import { forgetOld } from '../undo/forget.ts';
import { UndoJournal, type UndoSummary } from '../undo/journal.ts';
import { topsOf } from '../undo/tops.ts';
import type { Keeping } from './keeping.ts';
import { reservedPlaces } from './reserved.ts';
import { addAll, SegmentWriter } from './segment-writer.ts';
import {
  fileFlags,
  fileSizeOf,
  flagsOf,
  type FolderTask,
  noWalkFigures,
  type PlannedEntry,
  type RestoreProblem,
  type WalkFigures,
  type WalkOptions,
  type WalkResult,
} from './walk-task.ts';

/** So many files are written together. */
const segmentFiles = 16_384;
const foldersAtOnce = 64;
/** Every file passes through several lists on its way; collecting them late saves a tenth of the time. */
const youngGenerationMb = 24;

export interface RestoreOptions extends RunOptions {
  /** Brings what is damaged here from elsewhere, in the middle of the restore; see rescue.ts. */
  readonly rescue?: Rescue['blob'] | undefined;
  /** So many files are written together; only tests set it. */
  readonly segmentFiles?: number | undefined;
  /** What is replaced or deleted is kept, so that the restore can be undone; see undo.ts. Not for mirrors. */
  readonly undo?: UndoOptions | undefined;
}

export interface UndoOptions {
  /** Where journals are kept; it is left alone, wherever it lies. May throw when it is asked for and there is none. */
  readonly folder: string;
  /** False: nothing is kept this time. */
  readonly keep?: boolean | undefined;
  /** Told of what can be undone, however the restore ended. */
  readonly onKept?: ((summary: UndoSummary) => void) | undefined;
}

export interface RestorePlan {
  readonly snapshot: string;
  /** Absolute. */
  readonly target: string;
  readonly figures: WalkFigures;
  readonly problems: readonly RestoreProblem[];
}

export interface RestoreResult extends RestorePlan {
  /** What `--verify` compared: entries and bytes; undefined when it was not asked for. */
  readonly verified: { readonly entries: number; readonly bytes: number } | undefined;
  /** Index files, and when the newest snapshot was asked for snapshots, that could not be used. */
  readonly damage: readonly HoldfastError[];
  /** Undefined when nothing that was there was changed, or nothing is kept. */
  readonly undo: UndoSummary | undefined;
}

/**
 * Says exactly what a restore would do, and changes nothing. `onEntry` is called for each entry. Throws
 * `snapshot-not-found`, `snapshot-path-not-found`, `snapshot-too-large`, `locked`, `cancelled` or what the storage throws.
 */
export const planRestore = (
  repository: Repository,
  request: RestoreRequest,
  options: RestoreOptions,
  onEntry?: (entry: PlannedEntry) => void,
): Promise<RestorePlan> =>
  withReading(repository, options, async (reading) => {
    const start = await resolveStart(repository, reading, request, options);
    return (await trial(reading, start, request, options, onEntry)).result;
  });

/**
 * Restores. Everything that can be restored is; each entry that cannot is in the result's problems. Throws `target-full`,
 * `target-too-small`, `target-read-only`, `target-gone`, `target-unusable`, with an undo `undo-unavailable` and `target-busy`,
 * and what {@link planRestore} throws. After any
 * of them the same restore can be run again: what is there already is compared, not written.
 */
export const executeRestore = (repository: Repository, request: RestoreRequest, options: RestoreOptions): Promise<RestoreResult> =>
  withReading(repository, { ...options, youngGenerationMb }, async (reading) => {
    const start = await resolveStart(repository, reading, request, options);
    await refuseTooSmall(reading, start, request, options);
    prepareTarget(start);
    const parts = beginParts();
    let journal: UndoJournal | undefined;
    let undo: UndoSummary | undefined;
    const end = (): void => {
      undo = journal?.end();
      journal = undefined;
      if (undo) options.undo?.onKept?.(undo);
    };
    try {
      journal = beginJournal(repository, start, options, parts.names.run);
      const restore = new Restore(reading, start, request, options, parts.names, journal);
      const verified = await restore.run();
      end();
      if (undo) await forgetOld(options.undo!.folder, options);
      return { ...restore.result, verified, damage: [...start.damage, ...reading.damage], undo };
    } finally {
      end();
      parts.end();
    }
  });

const keeps = ({ undo }: RestoreOptions): boolean => undo !== undefined && undo.keep !== false;

function journalFolderOf({ undo }: RestoreOptions): string | undefined {
  try {
    return undo?.folder;
  } catch {
    // There is none, so nothing lies in it.
    return undefined;
  }
}

/** Undefined when no undo is wanted, or nothing stands where the restore goes to. */
function beginJournal(repository: Repository, start: RestoreStart, options: RestoreOptions, parts: string): UndoJournal | undefined {
  const tops = keeps(options) ? topsOf(start) : undefined;
  if (!tops) return undefined;
  const { snapshot, target, own } = start;
  const facts = { target: displayPath(target), snapshot: snapshot.id, repository: repository.config.id, tops, parts, own: own?.[1] };
  return UndoJournal.begin(options.undo!.folder, facts, options.clock);
}

const noParts: PartNames = { run: '', living: [] };

async function trial(
  reading: Reading,
  start: RestoreStart,
  request: RestoreRequest,
  options: RestoreOptions,
  onEntry?: (entry: PlannedEntry) => void,
): Promise<Restore> {
  const restore = new Restore(reading, start, request, options, noParts);
  await restore.walk(false, onEntry);
  return restore;
}

/**
 * Throws `target-too-small` when what is to be written surely does not fit, also with the space that replaced and deleted
 * files give back. Looks at every entry only when the snapshot as a whole would not fit.
 */
async function refuseTooSmall(reading: Reading, start: RestoreStart, request: RestoreRequest, options: RestoreOptions): Promise<void> {
  if (request.sparse) return;
  const free = freeBytes(start.spacePaths);
  const atMost = start.snapshot.summary?.total_bytes_processed;
  if (free === undefined || (atMost !== undefined && atMost <= free)) return;
  const { result, freed } = await trial(reading, start, request, options);
  const isKept = keeps(options) && topsOf(start) !== undefined;
  const needed = result.figures.bytes - (isKept ? 0 : freed);
  if (needed > free) fail('target-too-small', { path: displayPath(start.spacePaths[0]), needed, free, keeps: isKept });
}

class Restore {
  readonly #pool: WorkerPool;
  readonly #reading: Reading;
  readonly #start: RestoreStart;
  readonly #request: RestoreRequest;
  readonly #options: RestoreOptions;
  readonly #parts: PartNames;
  readonly #journal: UndoJournal | undefined;
  readonly #figures = noWalkFigures();
  readonly #problems: RestoreProblem[] = [];
  readonly #met: Uint8Array[] = [];
  readonly #elsewhere: Uint8Array[] = [];
  readonly #mounts: Uint8Array[] = [];
  readonly #writer: SegmentWriter;
  /** Space that replaced and deleted files give back, in bytes. */
  freed = 0;

  constructor(
    reading: Reading,
    start: RestoreStart,
    request: RestoreRequest,
    options: RestoreOptions,
    parts: PartNames,
    journal?: UndoJournal,
  ) {
    this.#reading = reading;
    this.#pool = reading.pool;
    this.#start = start;
    this.#request = request;
    this.#options = options;
    this.#parts = parts;
    this.#journal = journal;
    const settings = {
      index: reading.index,
      control: options.control,
      run: parts.run,
      segmentFiles: options.segmentFiles ?? segmentFiles,
      sparse: request.sparse === true,
      durable: request.verify === true && !syncsWhole,
      far: reading.far,
    };
    this.#writer = new SegmentWriter(reading.pool, settings, this.#problems);
  }

  get result(): RestorePlan {
    const { snapshot, target } = this.#start;
    return { snapshot: snapshot.id, target: displayPath(target), figures: this.#figures, problems: this.#problems };
  }

  /** Everything; returns what was verified. */
  async run(): Promise<RestoreResult['verified']> {
    let failure: Error | undefined;
    let verified: RestoreResult['verified'];
    try {
      await this.walk(true);
      if (this.#request.verify) verified = await this.#verify();
    } catch (error) {
      failure = error as Error;
    }
    // Last, since a folder's mode may close it and everything put into it changes its time; but also after a failure.
    try {
      await this.#finishFolders();
    } catch (error) {
      failure ??= error as Error;
    }
    if (failure !== undefined) throw failure;
    if (this.#request.verify) this.#sync();
    return verified;
  }

  get #keeping(): Keeping {
    const dated = this.#request.mirror?.dated;
    if (this.#journal) return { kind: 'undo', undo: this.#journal.task };
    return dated && { kind: 'dated', dated };
  }

  /** Meets every folder; with `act`, restores everything but the folders' own metadata. */
  async walk(act: boolean, onEntry?: (entry: PlannedEntry) => void): Promise<void> {
    const { policy, delete: remove, stamp, isOriginal, repository } = this.#start;
    const options: WalkOptions = {
      act,
      policy,
      delete: remove,
      stamp,
      isOriginal,
      repository: repository && new Uint8Array(repository),
      parts: this.#parts,
      keeping: this.#keeping,
      reserved: reservedPlaces(this.#request.mirror?.reserved, journalFolderOf(this.#options)),
    };
    const list = onEntry !== undefined;
    const stop = this.#progress(act ? 'restoring' : 'scanning');
    const { pool, index } = this.#reading;
    const refuseEndless = unfoldingLimit({ pool, index, snapshot: this.#start.snapshot.id, root: this.#start.root.tree });
    try {
      const folders: FolderTask[] = [this.#start.root];
      while (folders.length > 0) {
        const results = await Promise.all(
          this.#batches(folders).map((batch) => this.#pool.run('walkFolders', { folders: batch, options, list })),
        );
        for (const result of results) {
          this.#take(result, onEntry);
          for (let i = result.folders.length - 1; i >= 0; i--) folders.push(result.folders[i]);
        }
        await refuseEndless(this.#figures.folders);
        if (act) await this.#writer.writeIfFull();
        else this.#writer.discard();
      }
      if (act) await this.#writer.writeRest();
    } finally {
      // A failed walk must not leave anything behind that is still being written.
      await this.#writer.settled();
      await this.#pool.settled();
      stop();
    }
  }

  /** Takes the last folders, which are the deepest: their files lie near each other in the packs. */
  #batches<T>(folders: T[]): T[][] {
    const batches: T[][] = [];
    for (let i = 0; i < this.#pool.size && folders.length > 0; i++)
      batches.push(folders.splice(-Math.ceil(Math.min(foldersAtOnce, folders.length / (this.#pool.size - i)))).reverse());
    return batches;
  }

  async #finishFolders(): Promise<void> {
    const { own } = this.#start;
    const met = own ? [joinList(own), ...this.#met] : this.#met;
    // Each list was met after those before it, so the last ones are the deepest; within a list the job goes backwards too.
    const undo = this.#journal?.task;
    for (const list of met.reverse()) addAll(this.#problems, await this.#pool.run('finishFolders', { met: list, undo }));
  }

  /** Brings everything written so far onto the disks. */
  #sync(): void {
    if (!syncsWhole) return;
    for (const folder of [this.#start.target, ...this.#mounts.flatMap((list) => splitList(list))]) {
      let fd: number;
      try {
        fd = openSync(folder, 'r');
      } catch {
        // A folder that is closed to this user: what is written there is compared, though perhaps not from the disk.
        continue;
      }
      try {
        syncFileSystem(fd);
      } catch (error) {
        throwIfFatal(error, folder);
        throw error;
      } finally {
        closeSync(fd);
      }
    }
  }

  async #verify(): Promise<{ entries: number; bytes: number }> {
    const stop = this.#progress('verifying');
    const since = this.#request.mirror?.verifySince;
    const elsewhere = joinList(this.#elsewhere.flatMap((list) => splitList(list)));
    const affected = new Set(
      this.#problems.filter(({ kind }) => kind !== 'metadata').map(({ path }) => Buffer.from(path).toString('latin1')),
    );
    const sum = { entries: 0, bytes: 0 };
    const folders: Pick<FolderTask, 'tree' | 'path' | 'selection'>[] = [this.#start.root];
    try {
      this.#sync();
      while (folders.length > 0) {
        const results = await Promise.all(
          this.#batches(folders).map((batch) => this.#pool.run('verifyFolders', { folders: batch, elsewhere, since })),
        );
        for (const result of results) {
          sum.entries += result.compared;
          sum.bytes += result.bytes;
          // What could not be restored is said already.
          for (const problem of result.problems)
            if (!affected.has(Buffer.from(problem.path).toString('latin1'))) this.#problems.push(problem);
          for (let i = result.folders.length - 1; i >= 0; i--) folders.push(result.folders[i]);
        }
      }
    } finally {
      stop();
    }
    return sum;
  }

  #progress(phase: Phase): () => void {
    const { pool } = this.#reading;
    const summary = this.#start.snapshot.summary;
    const whole = this.#start.isWhole;
    const [items, bytes] = [pool.total('files'), pool.total('bytes')];
    return reportProgress(this.#options, pool, {
      phase,
      items: () => pool.total('files') - items,
      bytes: () => pool.total('bytes') - bytes,
      totalItems: whole ? summary?.total_files_processed : undefined,
      totalBytes: whole ? summary?.total_bytes_processed : undefined,
    });
  }

  #take(result: WalkResult, onEntry?: (entry: PlannedEntry) => void): void {
    for (const name of Object.keys(this.#figures) as (keyof WalkFigures)[]) this.#figures[name] += result.figures[name];
    this.freed += result.freed;
    addAll(this.#problems, result.problems);
    if (result.met.length > 0) this.#met.push(result.met);
    if (result.elsewhere.length > 0) this.#elsewhere.push(result.elsewhere);
    if (result.mounts.length > 0) this.#mounts.push(result.mounts);
    if (onEntry) for (const entry of result.entries) onEntry(entry);
    if (result.recorded) this.#journal?.take(splitList(result.recorded.asides), result.recorded.entries, result.recorded.bytes);
    const items = splitList(result.files);
    for (let i = 0; i < items.length; i += 5) {
      const flags = flagsOf(items[i + 3]);
      const bytes = this.#writer.add(items[i], items[i + 1], items[i + 2], flags, fileSizeOf(items[i + 3]), items[i + 4]);
      // The walk has counted those with one name.
      if ((flags & fileFlags.hardLinked) !== 0) this.#figures.bytes += bytes;
    }
  }
}
