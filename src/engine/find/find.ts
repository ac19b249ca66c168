/**
 * find: where entries of some name, or files that need some blobs, are in many snapshots. Snapshots are searched one after the other:
 * first all workers look into the trees that no earlier snapshot had, and mark those that hold something; then the hits of this
 * snapshot are collected, going only where there are some. So a tree that many snapshots share is looked into once, and is gone through
 * again only to name what it holds. Memory: a byte for each blob of the repository, and 8 bytes for each new folder of one snapshot.
 */
import { errorFromJSON, fail, type HoldfastError } from '../../contract/errors.ts';
import { splitList } from '../../platform/byte-list.ts';
import { bytesOfId, isId } from '../../repository/ids.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { type Entry, entriesOf } from '../entry.ts';
import { type Reading, withReading } from '../reading.ts';
import { reportProgress, type RunOptions } from '../run.ts';
import { shareOut } from '../trees/share-out.ts';
import { unfoldingLimit } from '../trees/unfold.ts';
import type { FindFrame, FoundBlob } from './collect-job.ts';
import { everything, type Level, levelsOf } from './levels.ts';
import { mark, SearchMarks, type SearchMemory, searchMemory } from './marks.ts';
import type { EntryQuery, Query } from './query.ts';
import type { IdRequest } from './wanted-job.ts';

export interface FindRequest {
  /** They are searched in this order. */
  readonly snapshots: readonly Snapshot[];
  readonly query: EntryQuery | IdRequest;
}

export interface BlobHit extends FoundBlob {
  readonly path: Buffer;
}

/** What was found next, all of one snapshot. */
export interface FindBatch {
  readonly snapshot: Snapshot;
  readonly entries: readonly Entry[];
  /** When blobs were looked for. */
  readonly blobs: readonly BlobHit[];
  /** Folders in which nobody knows what there is. */
  readonly problems: readonly { readonly path: Buffer; readonly error: HoldfastError }[];
}

export interface FindResult {
  readonly hits: number;
  /** Snapshots with hits. */
  readonly snapshots: number;
  /** Folders that could not be searched, each counted in each snapshot. */
  readonly problems: number;
  /** Index files that could not be used. */
  readonly damage: readonly HoldfastError[];
}

const hitsPerBatch = 2_000;

/**
 * Hands over the hits, snapshot by snapshot and in the order of paths. `take` is awaited before the next batch is read.
 * Throws `bad-usage` for a pattern that cannot be read, `id-not-found`, `snapshot-too-large`, `locked`, `cancelled`, and what `take`
 * throws.
 */
export async function findInSnapshots(
  repository: Repository,
  { snapshots, query }: FindRequest,
  options: RunOptions,
  take: (batch: FindBatch) => void | Promise<void>,
): Promise<FindResult> {
  const root = query.kind === 'entries' ? levelsOf(query).root : everything;
  return withReading(repository, options, async (reading) => {
    const { pool, index, damage } = reading;
    const result = { hits: 0, snapshots: 0, problems: 0, damage };
    if (!root) return result;
    const ready = query.kind === 'entries' ? query : await wantedOf(query, reading);
    const memory = searchMemory(index.blobCount);
    const stop = reportProgress(options, pool, { phase: 'searching', items: () => pool.total('files'), bytes: () => 0 });
    try {
      const finder = new Finder(reading, ready, memory, async (batch) => {
        const found = batch.entries.length + batch.blobs.length;
        result.hits += found;
        result.problems += batch.problems.length;
        if (found + batch.problems.length > 0) await take(batch);
        return found > 0;
      });
      for (const snapshot of snapshots) if (await finder.search(snapshot, root)) result.snapshots += 1;
    } finally {
      stop();
    }
    return result;
  });
}

async function wantedOf(request: IdRequest, { pool }: Reading): Promise<Query> {
  const { wanted, unknown } = await pool.run('findWanted', request);
  const missing = unknown.map((id) => {
    // A blob that is missing can still be needed.
    if (request.of !== 'pack' && isId(id)) return `${request.of} ${id}`;
    const what = { pack: 'pack', data: 'piece of data', tree: 'folder listing' }[request.of];
    return fail('id-not-found', { what, id });
  });
  return { kind: 'blobs', wanted, missing };
}

class Finder {
  readonly #reading: Reading;
  readonly #query: Query;
  readonly #memory: SearchMemory;
  readonly #marks: SearchMarks;
  /** Says whether there was a hit. */
  readonly #take: (batch: FindBatch) => Promise<boolean>;

  constructor(reading: Reading, query: Query, memory: SearchMemory, take: (batch: FindBatch) => Promise<boolean>) {
    this.#reading = reading;
    this.#query = query;
    this.#memory = memory;
    this.#marks = new SearchMarks(memory);
    this.#take = take;
  }

  /** Whether there was a hit. */
  async search(snapshot: Snapshot, level: Level): Promise<boolean> {
    const { index } = this.#reading;
    const tree = bytesOfId(snapshot.tree);
    const atRoot = await this.#rootHit(snapshot, tree);
    const record = index.entryOf(tree, 0, 'tree');
    const place = record < 0 ? -1 : this.#marks.placeOf(record, level);
    if (place >= 0) {
      if ((this.#marks.set(place, mark.seen) & mark.seen) === 0) await this.#look(record, level.id);
      if ((this.#marks.get(place) & mark.holds) === 0) return atRoot;
    }
    return (await this.#collect(snapshot, tree)) || atRoot;
  }

  /** The root of a snapshot has no entry, but its list may be what is looked for. */
  async #rootHit(snapshot: Snapshot, tree: Buffer): Promise<boolean> {
    if (this.#query.kind === 'entries') return false;
    const { wanted, missing } = this.#query;
    const record = this.#reading.index.entryOf(tree, 0, 'tree');
    if (record < 0 ? !missing.includes(`tree ${snapshot.tree}`) : wanted[record] === 0) return false;
    const hit: BlobHit = { type: 'tree', blob: snapshot.tree, parent: undefined, path: Buffer.from('/') };
    return this.#take({ snapshot, entries: [], blobs: [hit], problems: [] });
  }

  /** Looks into what no earlier snapshot had. */
  async #look(record: number, level: number): Promise<void> {
    const { pool } = this.#reading;
    const [query, memory] = [this.#query, this.#memory];
    const edges: Uint32Array[] = [];
    await shareOut(
      pool,
      Uint32Array.of(record, level),
      (pairs) => pool.run('searchTrees', { query, memory, pairs }),
      (searched) => void edges.push(searched.edges),
      2,
    );
    const all = new Uint32Array(edges.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const list of edges) {
      all.set(list, at);
      at += list.length;
    }
    await pool.run('spreadMarks', { memory, edges: all }, [all.buffer]);
  }

  async #collect(snapshot: Snapshot, tree: Buffer): Promise<boolean> {
    const { pool, index } = this.#reading;
    const [query, memory] = [this.#query, this.#memory];
    const refuseEndless = unfoldingLimit({ pool, index, snapshot: snapshot.id, root: tree });
    let frames: readonly FindFrame[] = [{ tree: new Uint8Array(tree), path: new Uint8Array(Buffer.from('/')), at: 0 }];
    let folders = 0;
    let isHit = false;
    while (frames.length > 0) {
      const found = await pool.run('collectHits', { query, memory, frames, atMost: hitsPerBatch });
      frames = found.frames;
      folders += found.folders;
      await refuseEndless(folders);
      const paths = splitList(found.paths);
      const batch: FindBatch = {
        snapshot,
        entries: entriesOf(found.entries),
        blobs: found.blobs.map((blob, i) => ({ ...blob, path: paths[i] })),
        problems: found.problems.map(({ path, error }) => ({ path: Buffer.from(path), error: errorFromJSON(error) })),
      };
      if (await this.#take(batch)) isHit = true;
    }
    return isHit;
  }
}
