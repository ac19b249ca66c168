/** Brings what a repository lacks from wherever it is whole: other repositories, then files that are unchanged. */
import { fail, hasCode, type HoldfastError, toHoldfastError } from '../../contract/errors.ts';
import { BlobIndex } from '../../repository/blob-index.ts';
import { bytesOfId } from '../../repository/ids.ts';
import type { Lock } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { bestRecords, fitness, type IndexSurvey } from '../check/index-survey.ts';
import { listPacks } from '../check/pack-listing.ts';
import { runSome } from '../copy/run-some.ts';
import { loadIndex } from '../index/load.ts';
import { PackStore } from '../pack-store.ts';
import { lockIfWritable } from '../reading.ts';
import { findPathsOf, type BlobWithPaths, type NamedBlob } from '../repair/lost-paths.ts';
import { reportProgress, type RunOptions } from '../run.ts';
import { storeRest } from '../store-rest.ts';
import { isDamage } from '../trees/damage-codes.ts';
import { markUsedBlobs } from '../trees/mark.ts';
import { WorkerPool } from '../workers/pool.ts';
import { healFromFiles } from './from-files.ts';
import { findLacking, type Lacking, samePlaces } from './lacking.ts';
import { fromFiles, type HealedBlob, type HealedFrom, type HealRequest, type HealSource } from './request.ts';

/** Bytes of blobs that are one job. */
const jobBytes = 16 << 20;
const jobBlobs = 16_384;
/** Blobs that are named one by one. */
const listedBlobs = 1000;

export interface FillingOptions extends RunOptions {
  readonly packSize?: number | undefined;
}

/** What another repository offers. */
export interface Offer {
  readonly name: string;
  /** All that can be read. */
  readonly snapshots: readonly Snapshot[];
}

export class Filling {
  readonly #repository: Repository;
  readonly #request: HealRequest;
  readonly #options: FillingOptions;
  readonly #index: BlobIndex;
  readonly #store: PackStore | undefined;
  readonly #tallies = new Map<string, { -readonly [K in keyof HealedFrom]: HealedFrom[K] }>();
  readonly #healed: (NamedBlob & { readonly from: string })[] = [];
  /** A set: each blob is told of once. */
  readonly #told = BlobIndex.create();
  #moreHealed = 0;
  readonly unavailable = new Map<string, HoldfastError>();
  /** Of the repositories that could be asked; for those who look for snapshots. */
  readonly offers: Offer[] = [];

  /** `index`: all that is there and whole, as far as it is known. Without a lock nothing is stored, but noted as if it were. */
  constructor(repository: Repository, request: HealRequest, index: BlobIndex, lock: Lock | undefined, options: FillingOptions) {
    this.#repository = repository;
    this.#request = request;
    this.#options = options;
    this.#index = index;
    this.#store = lock && new PackStore(repository, index, lock, options.clock, options.packSize);
  }

  get storedBytes(): number {
    return this.#store?.storedBytes ?? 0;
  }

  get from(): HealedFrom[] {
    return [...this.#tallies.values()];
  }

  /** Calls `use` with workers for the repository, and for another one to read from. */
  async withPool<T>(use: (pool: WorkerPool) => Promise<T>, source?: { repository: Repository; index: BlobIndex }): Promise<T> {
    const { control, packSize, threads, corruptBlob } = this.#options;
    const store = this.#store;
    const pool = new WorkerPool(this.#repository, {
      control,
      index: this.#index,
      source,
      packSize,
      threads,
      corruptBlob,
      ...(store ? { storePack: store.store } : {}),
    });
    try {
      return await use(pool);
    } catch (error) {
      throw hasCode(error, 'cancelled') ? (pool.failure ?? error) : error;
    } finally {
      await pool.close();
    }
  }

  /** What is lacking of what these trees need. */
  async lacking(roots: readonly string[]): Promise<Lacking> {
    return this.withPool(async (pool) => {
      const stop = reportProgress(this.#options, pool, { phase: 'checking', items: () => pool.total('dirs'), bytes: () => 0 });
      return findLacking(pool, this.#index, roots).finally(stop);
    });
  }

  /** Brings what it can; `wanted` is a set. Returns whether anything came. `alsoRoots` gives trees of an offer that are wanted, too. */
  async bring(wanted: BlobIndex, alsoRoots: (offer: Offer) => readonly string[]): Promise<boolean> {
    const before = this.#brought;
    for (const source of this.#request.others) {
      await this.#options.control.checkpointAsync();
      try {
        await this.#bringFrom(source, wanted, alsoRoots);
        this.unavailable.delete(source.name);
      } catch (thrown) {
        const error = toHoldfastError(thrown);
        // Only the other repository may be away: this one must be there, and the run wanted.
        if (this.#options.control.isCancelled || !(await this.#repository.answers())) throw error;
        if (hasCode(error, 'encoding-failed') || hasCode(error, 'lock-lost') || hasCode(error, 'internal')) throw error;
        this.unavailable.set(source.name, error);
      }
      this.#note(wanted, source.name);
    }
    await this.#bringFromFiles(wanted);
    return this.#brought > before;
  }

  get #brought(): number {
    let sum = 0;
    for (const { blobs } of this.#tallies.values()) sum += blobs;
    return sum;
  }

  async #bringFrom(source: HealSource, wanted: BlobIndex, alsoRoots: (offer: Offer) => readonly string[]): Promise<void> {
    const other = await source.open();
    const lock = await lockIfWritable(other, this.#options);
    try {
      // Snapshots before the index, as whoever adds one stores them the other way round.
      const snapshots = await (lock ? lock.whileSettling(readableSnapshots(other)) : readableSnapshots(other));
      const offer = { name: source.name, snapshots };
      if (!this.offers.some(({ name }) => name === source.name)) this.offers.push(offer);
      await this.#bringBlobs(other, source.name, wanted, alsoRoots(offer));
    } finally {
      await lock?.release().catch(() => {});
    }
  }

  async #bringBlobs(other: Repository, name: string, wanted: BlobIndex, also: readonly string[]): Promise<void> {
    const index = BlobIndex.create();
    const store = this.#store;
    await this.withPool(
      async (pool) => {
        await loadIndex(other, pool.source);
        const survey = await pool.source.run('surveyIndex', undefined);
        const { stored } = await listPacks(other, index);
        const best = bestRecords(survey, fitness(survey, stored));
        const marks = new Uint8Array(new SharedArrayBuffer(survey.records));
        const roots = [...also];
        for (let at = 0; at < wanted.blobCount; at++) {
          const id = wanted.idAt(at);
          const type = wanted.typeAt(at);
          const record = index.entryOf(id, 0, type);
          if (record < 0) continue;
          if (type === 'tree') roots.push(id.toString('hex'));
          else marks[record] = 1;
        }
        // What lies below a tree that is lacking may be lacking, too.
        await markUsedBlobs(pool.source, index, best, roots, {
          marks,
          walk: (args) => pool.source.run('markToCopy', { ...args, contents: undefined }),
        });
        const records = await pool.run('findSupply', { survey, best, stored, marks });
        const bytes = records.reduce((sum, record) => sum + survey.lengths[record], 0);
        if (!store) {
          for (const record of records) this.#index.claim(index.idAt(record), 0, index.typeAt(record));
          this.#tally({ name, kind: 'repository', blobs: records.length, bytes });
          return;
        }
        await this.#fetch(pool, other, records, survey, name, bytes);
      },
      { repository: other, index },
    );
  }

  async #fetch(
    pool: WorkerPool,
    other: Repository,
    records: Uint32Array,
    survey: IndexSurvey,
    name: string,
    totalBytes: number,
  ): Promise<void> {
    const stop = reportProgress(this.#options, pool, {
      phase: 'healing',
      items: () => pool.total('files'),
      bytes: () => pool.total('bytes'),
      totalItems: records.length,
      totalBytes,
    });
    let anyDamage = false;
    try {
      await runSome(pool.size, batches(records, survey.lengths), async (batch) => {
        await this.#options.control.checkpointAsync();
        const damage = await pool.run('copyBlobs', { records: batch, packOf: survey.packOf });
        const bad = new Set(damage.map(({ record }) => record));
        anyDamage ||= bad.size > 0;
        const whole = batch.filter((record) => !bad.has(record));
        const bytes = whole.reduce((sum, record) => sum + survey.lengths[record], 0);
        this.#tally({ name, kind: 'repository', blobs: whole.length, bytes });
      });
    } finally {
      stop();
      // What was had is kept, though the rest may not come; another failure is what ends the run.
      if (!this.#options.control.isCancelled) await storeRest(pool, this.#store!);
    }
    if (anyDamage && !(await other.answers()))
      fail('storage-gone', { location: other.storage.location, cause: 'its config file cannot be read' });
  }

  async #bringFromFiles(wanted: BlobIndex): Promise<void> {
    const folders = this.#request.sources ?? [];
    if (folders.length === 0) return;
    const lacking = BlobIndex.create();
    for (let at = 0; at < wanted.blobCount; at++) {
      const id = wanted.idAt(at);
      if (wanted.typeAt(at) === 'data' && !this.#index.has(id, 0, 'data')) lacking.claim(id, 0, 'data');
    }
    if (lacking.blobCount === 0) return;
    await this.withPool(async (pool) => {
      const snapshots = await readableSnapshots(this.#repository);
      const taken = await healFromFiles(pool, this.#index, lacking, snapshots, folders, this.#store !== undefined);
      if (this.#store) await storeRest(pool, this.#store);
      this.#tally({ name: fromFiles, kind: 'files', ...taken });
    });
    this.#note(wanted, fromFiles);
  }

  #tally({ name, kind, blobs, bytes }: HealedFrom): void {
    if (blobs === 0) return;
    const known = this.#tallies.get(name);
    if (!known) {
      this.#tallies.set(name, { name, kind, blobs, bytes });
      return;
    }
    known.blobs += blobs;
    known.bytes += bytes;
  }

  /** Notes which of the wanted have come. */
  #note(wanted: BlobIndex, from: string): void {
    for (let at = 0; at < wanted.blobCount; at++) {
      const id = wanted.idAt(at);
      const type = wanted.typeAt(at);
      if (!this.#index.has(id, 0, type) || !this.#told.claim(id, 0, type)) continue;
      if (this.#healed.length < listedBlobs) this.#healed.push({ type, blob: id.toString('hex'), from });
      else this.#moreHealed += 1;
    }
  }

  /** What has come and what of `wanted` has not, the first of both with the files that need them. */
  async tell(wanted: BlobIndex): Promise<{ healed: HealedBlob[]; moreHealed: number; unhealed: BlobWithPaths[]; moreUnhealed: number }> {
    const gone: NamedBlob[] = [];
    let moreUnhealed = 0;
    for (let at = 0; at < wanted.blobCount; at++) {
      const id = wanted.idAt(at);
      const type = wanted.typeAt(at);
      if (this.#index.has(id, 0, type)) continue;
      if (gone.length < listedBlobs) gone.push({ type, blob: id.toString('hex') });
      else moreUnhealed += 1;
    }
    const asked = [...this.#healed, ...gone];
    if (asked.length === 0) return { healed: [], moreHealed: 0, unhealed: [], moreUnhealed: 0 };
    const snapshots = await readableSnapshots(this.#repository);
    const named = await this.withPool((pool) => {
      const places = samePlaces(this.#index);
      const survey = { records: this.#index.blobCount, packOf: places };
      return findPathsOf(asked, snapshots, places, { pool, index: this.#index, survey });
    });
    return {
      healed: this.#healed.map(({ from }, i) => ({ ...named[i], from })),
      moreHealed: this.#moreHealed,
      unhealed: named.slice(this.#healed.length),
      moreUnhealed,
    };
  }

  /** For each of these trees (64 hex digits): whether all that it needs is there. */
  async isWhole(tree: string): Promise<boolean> {
    if (!this.#index.has(bytesOfId(tree), 0, 'tree')) return false;
    return (await this.lacking([tree])).blobs.blobCount === 0;
  }
}

/** Newest first. That a snapshot cannot be read is for others to say; throws when the storage fails. */
export async function readableSnapshots(repository: Repository): Promise<Snapshot[]> {
  const snapshots = await repository.snapshots((_, error) => {
    if (!isDamage(error) || hasCode(error, 'storage-failed')) throw error;
  });
  return snapshots.reverse();
}

/** Records by pack and offset in pieces of about {@link jobBytes}. */
function* batches(records: Uint32Array, lengths: Uint32Array): Generator<Uint32Array> {
  for (let from = 0; from < records.length; ) {
    let bytes = 0;
    let to = from;
    while (to < records.length && bytes < jobBytes && to - from < jobBlobs) bytes += lengths[records[to++]];
    yield records.slice(from, to);
    from = to;
  }
}
