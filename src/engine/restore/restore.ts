/** Restore: brings files of a snapshot back, and proves it when asked to. */
import { type HoldfastError } from '../../contract/errors.ts';
import { joinList, splitList } from '../../platform/byte-list.ts';
import type { Repository } from '../../repository/repository.ts';
import { parseNode } from '../../repository/tree/parse.ts';
import { type Reading, withReading } from '../reading.ts';
import { type Phase, reportProgress, type RunOptions } from '../run.ts';
import type { JobArgs, WorkerPool } from '../workers/pool.ts';
import { prepareTarget, type RestoreRequest, type RestoreStart, resolveStart, refuseTooSmall } from './plan.ts';
import { arrangeSegment, type SegmentFile } from './segment.ts';
import { fileFlags, type FolderTask, noWalkFigures, type PlannedEntry, type RestoreProblem, type WalkFigures, type WalkOptions, type WalkResult } from './walk-job.ts';

/** A segment is written when it holds so many files, or so much content (bytes). */
const segmentFiles = 16_384;
const segmentBytes = 512 << 20;
const foldersAtOnce = 64;

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
  /** Index files that could not be used. */
  readonly damage: readonly HoldfastError[];
}

/**
 * Says exactly what a restore would do, and changes nothing. `onEntry` is called for each entry. Throws
 * `snapshot-not-found`, `snapshot-path-not-found`, `locked`, `cancelled` or what the storage throws.
 */
export const planRestore = (
  repository: Repository,
  request: RestoreRequest,
  options: RunOptions,
  onEntry?: (entry: PlannedEntry) => void,
): Promise<RestorePlan> =>
  withReading(repository, options, async (reading) => {
    const start = await resolveStart(repository, reading, request, options);
    const restore = new Restore(reading, start, request, options);
    await restore.walk(false, onEntry);
    return restore.result;
  });

/**
 * Restores. Everything that can be restored is; each entry that cannot is in the result's problems. Throws `target-full`,
 * `target-too-small`, `target-read-only`, `target-gone`, `target-unusable` and what {@link planRestore} throws. After any
 * of them the same restore can be run again: what is there already is compared, not written.
 */
export const executeRestore = (repository: Repository, request: RestoreRequest, options: RunOptions): Promise<RestoreResult> =>
  withReading(repository, options, async (reading) => {
    const start = await resolveStart(repository, reading, request, options);
    const upperBound = start.snapshot.summary?.total_bytes_processed;
    if (upperBound === undefined || !start.hasRoomFor(upperBound)) {
      const trial = new Restore(reading, start, request, options);
      await trial.walk(false);
      refuseTooSmall(start, trial.result.figures.bytes);
    }
    prepareTarget(start);
    const restore = new Restore(reading, start, request, options);
    await restore.walk(true);
    await restore.finishFolders();
    const verified = request.verify ? await restore.verify() : undefined;
    return { ...restore.result, verified, damage: reading.damage };
  });

class Restore {
  readonly #pool: WorkerPool;
  readonly #reading: Reading;
  readonly #start: RestoreStart;
  readonly #request: RestoreRequest;
  readonly #options: RunOptions;
  readonly #figures = noWalkFigures();
  readonly #problems: RestoreProblem[] = [];
  readonly #met: Uint8Array[] = [];
  readonly #elsewhere: Uint8Array[] = [];
  /** By device and inode: where the first name of a file with several was restored. */
  readonly #firstNames = new Map<string, Buffer>();
  #segment: SegmentFile[] = [];
  #segmentBytes = 0;
  #links: Uint8Array[] = [];

  constructor(reading: Reading, start: RestoreStart, request: RestoreRequest, options: RunOptions) {
    this.#reading = reading;
    this.#pool = reading.pool;
    this.#start = start;
    this.#request = request;
    this.#options = options;
  }

  get result(): RestorePlan {
    return { snapshot: this.#start.snapshot.id, target: this.#start.target, figures: this.#figures, problems: this.#problems };
  }

  /** Meets every folder; with `act`, restores everything but the folders' own metadata. */
  async walk(act: boolean, onEntry?: (entry: PlannedEntry) => void): Promise<void> {
    const { policy, delete: remove, stamp } = this.#start;
    const walkOptions: WalkOptions = { act, policy, delete: remove, stamp };
    const stop = this.#progress(act ? 'restoring' : 'scanning');
    try {
      const folders: FolderTask[] = [...this.#start.folders];
      while (folders.length > 0) {
        // The last folders are the deepest: their files lie near each other in the packs.
        const batches: FolderTask[][] = [];
        for (let i = 0; i < this.#pool.size && folders.length > 0; i++) batches.push(folders.splice(-Math.ceil(Math.min(foldersAtOnce, folders.length / (this.#pool.size - i)))).reverse());
        const results = await Promise.all(batches.map((batch) => this.#pool.run('walkFolders', { folders: batch, options: walkOptions, list: onEntry !== undefined })));
        for (const result of results) {
          this.#take(result, onEntry);
          folders.push(...[...result.folders].reverse());
        }
        if (this.#segment.length >= segmentFiles || this.#segmentBytes >= segmentBytes) await this.#writeSegment();
      }
      await this.#writeSegment();
    } finally {
      stop();
    }
  }

  async finishFolders(): Promise<void> {
    const { own } = this.#start;
    const met = own ? [joinList(own), ...this.#met] : this.#met;
    // Each list was met after those before it, so the last ones are the deepest; within a list the job goes backwards too.
    for (const list of met.reverse()) this.#problems.push(...(await this.#pool.run('finishFolders', { met: list })));
  }

  async verify(): Promise<{ entries: number; bytes: number }> {
    const stop = this.#progress('verifying');
    const elsewhere = joinList(this.#elsewhere.flatMap((list) => splitList(list)));
    const affected = new Set(this.#problems.filter(({ kind }) => kind !== 'metadata').map(({ path }) => Buffer.from(path).toString('latin1')));
    const sum = { entries: 0, bytes: 0 };
    let folders: FolderTask[] = [...this.#start.folders];
    try {
      while (folders.length > 0) {
        const batches: FolderTask[][] = [];
        for (let i = 0; i < this.#pool.size && folders.length > 0; i++) batches.push(folders.splice(-Math.ceil(Math.min(foldersAtOnce, folders.length / (this.#pool.size - i)))).reverse());
        const results = await Promise.all(batches.map((batch) => this.#pool.run('verifyFolders', { folders: batch, elsewhere })));
        for (const result of results) {
          sum.entries += result.compared;
          sum.bytes += result.bytes;
          // What could not be restored is said already.
          for (const problem of result.problems) if (!affected.has(Buffer.from(problem.path).toString('latin1'))) this.#problems.push(problem);
          folders.push(...([...result.folders].reverse() as FolderTask[]));
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
    this.#problems.push(...result.problems);
    if (result.met.length > 0) this.#met.push(result.met);
    if (result.elsewhere.length > 0) this.#elsewhere.push(result.elsewhere);
    if (onEntry) for (const entry of result.entries) onEntry(entry);
    const items = splitList(result.files);
    for (let i = 0; i < items.length; i += 4) this.#addFile(items[i], items[i + 1], items[i + 2], items[i + 3][0]);
  }

  #addFile(path: Buffer, node: Buffer, content: Buffer, flags: number): void {
    if ((flags & fileFlags.hardLinked) !== 0) {
      const { deviceId, inode } = parseNode(node);
      const key = `${deviceId}:${inode}`;
      const first = this.#firstNames.get(key);
      if (first) {
        this.#links.push(first, path, node);
        return;
      }
      this.#firstNames.set(key, path);
    }
    if ((flags & fileFlags.isThere) !== 0) return;
    this.#segment.push({ path, node, content, exists: (flags & fileFlags.exists) !== 0 });
    this.#segmentBytes += parseNode(node).size;
  }

  async #writeSegment(): Promise<void> {
    const files = this.#segment;
    const links = this.#links;
    this.#segment = [];
    this.#segmentBytes = 0;
    this.#links = [];
    const list = (some: readonly SegmentFile[]): Uint8Array => joinList(some.flatMap(({ path, node }) => [path, node]));
    const empty = files.filter(({ content }) => content.length === 0);
    const full = files.filter(({ content }) => content.length > 0);
    await this.#runAll('makeEmptyFiles', slices(empty).map((files) => ({ files: list(files) })));
    const arranged = arrangeSegment(full, this.#reading.index, { sparse: this.#request.sparse === true, durable: this.#request.verify === true });
    this.#problems.push(...arranged.problems);
    for (const numbers of slices(arranged.prepared)) {
      const { failed, problems } = await this.#pool.run('prepareFiles', { files: list(numbers.map((number) => full[number])) });
      for (const row of failed) arranged.failed[numbers[row]] = 1;
      this.#problems.push(...problems);
    }
    await this.#runAll('writeBlobs', arranged.tasks);
    for (const some of slices(links, 3 * 256)) this.#problems.push(...(await this.#pool.run('makeHardLinks', { links: joinList(some) })));
  }

  async #runAll<N extends 'makeEmptyFiles' | 'writeBlobs'>(job: N, tasks: readonly JobArgs<N>[]): Promise<void> {
    const results = await Promise.allSettled(tasks.map((task) => this.#pool.run(job, task)));
    for (const result of results) {
      if (result.status === 'rejected') throw result.reason;
      this.#problems.push(...(result.value as RestoreProblem[]));
    }
  }
}

function slices<T>(items: readonly T[], size = 512): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < items.length; at += size) parts.push(items.slice(at, at + size));
  return parts;
}
