/** The measurements that stats is made of, each over many snapshots and with all workers. */
import { HoldfastError } from '../../contract/errors.ts';
import { bytesOfId } from '../../repository/ids.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import type { Reading } from '../reading.ts';
import { type DamagedTree, DamagedTrees } from '../trees/damaged-trees.ts';
import { shareOut } from '../trees/share-out.ts';
import { contentsMemory } from './contents-job.ts';
import { addOwner } from './owners-job.ts';
import type { BlobCounts } from './raw-job.ts';
import { known, totalsMemory, type TotalsMemory } from './totals-job.ts';

/** What a restore of a snapshot, or of a folder, brings back. */
export interface RestoreSize {
  /** Files, folders, links and so on. */
  readonly entries: number;
  readonly files: number;
  /** A file with several names counts once. */
  readonly bytes: number;
}

export class Measuring {
  readonly #reading: Reading;
  readonly #damaged = new DamagedTrees();
  readonly #roots = new Set<string>();
  #totals: TotalsMemory | undefined;
  /** References to data that no index names. */
  unknownBlobs = 0;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /** Trees that could not be read: all figures lack what is in them. */
  damagedTrees(): Promise<DamagedTree[]> {
    const { pool, index } = this.#reading;
    const roots = Array.from(this.#roots, (tree) => ({ tree: bytesOfId(tree) }));
    return this.#damaged.named(pool, index, roots);
  }

  /** In the order of the trees, which are given by their IDs (64 hex digits). */
  async restoreSizes(trees: readonly string[], areRoots = true): Promise<RestoreSize[]> {
    const { pool, index } = this.#reading;
    const records = this.#recordsOf(trees, areRoots);
    this.#totals ??= totalsMemory(index.blobCount);
    const memory = this.#totals;
    const wanted = Uint32Array.from(new Set(records.filter((record) => record >= 0)));
    for (const damage of await pool.runOnEach('countTotals', { memory, trees: wanted })) this.#damaged.add(damage);
    const links = new Map<number, number>();
    await Promise.all(
      Array.from(wanted, async (tree) => {
        if ((memory.states[tree] & known.links) !== 0) links.set(tree, await pool.run('countLinks', { memory, tree }));
      }),
    );
    return records.map((record) => {
      if (record < 0) return { entries: 0, files: 0, bytes: 0 };
      return { entries: memory.entries[record], files: memory.files[record], bytes: memory.bytes[record] + (links.get(record) ?? 0) };
    });
  }

  /** Blobs of the first `lookedAt` snapshots, and what each of all needs alone. */
  async blobs(snapshots: readonly Snapshot[], lookedAt: number): Promise<BlobCounts> {
    const { pool, index } = this.#reading;
    const owners = new Uint32Array(new SharedArrayBuffer(index.blobCount * 4));
    const pairs: number[] = [];
    this.#recordsOf(snapshots.map(({ tree }) => tree)).forEach((record, number) => {
      if (record >= 0 && addOwner(owners, record, number, number < lookedAt)) pairs.push(record, number);
    });
    await shareOut(
      pool,
      Uint32Array.from(pairs),
      (part) => pool.run('findOwners', { owners, lookedAt, pairs: part }),
      ({ damage, unknownBlobs }) => {
        this.#damaged.add(damage);
        this.unknownBlobs += unknownBlobs;
      },
      2,
    );
    return pool.run('countBlobs', { owners, snapshots: snapshots.length });
  }

  /** Files with different contents. */
  async contents(trees: readonly string[]): Promise<{ files: number; bytes: number }> {
    const { pool, index } = this.#reading;
    const memory = contentsMemory(index.blobCount);
    const pairs: number[] = [];
    for (const record of new Set(this.#recordsOf(trees))) {
      if (record < 0) continue;
      memory.met[record] = 1;
      pairs.push(record, 0);
    }
    const sum = { files: 0, bytes: 0 };
    await shareOut(
      pool,
      Uint32Array.from(pairs),
      (part) => pool.run('countContents', { memory, pairs: part }),
      ({ files, bytes, damage }) => {
        sum.files += files;
        sum.bytes += bytes;
        this.#damaged.add(damage);
      },
      2,
    );
    return sum;
  }

  /** Blobs of files by path. */
  async references(trees: readonly string[]): Promise<{ files: number; blobs: number; bytes: number }> {
    const { pool, index } = this.#reading;
    const memory = contentsMemory(index.blobCount);
    const records = Uint32Array.from(this.#recordsOf(trees).filter((record) => record >= 0));
    const { files, blobs, bytes, unknownBlobs, damage } = await pool.run('countReferences', { memory, trees: records });
    this.#damaged.add(damage);
    this.unknownBlobs += unknownBlobs;
    return { files, blobs, bytes };
  }

  /** -1 for a tree that is missing, which is noted. */
  #recordsOf(trees: readonly string[], areRoots = true): number[] {
    return trees.map((tree) => {
      if (areRoots) this.#roots.add(tree);
      const record = this.#reading.index.entryOf(bytesOfId(tree), 0, 'tree');
      if (record < 0) this.#damaged.add([{ tree, error: new HoldfastError('blob-missing', { blob: tree, type: 'tree' }).toJSON() }]);
      return record;
    });
  }
}
