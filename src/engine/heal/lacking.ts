/**
 * What a repository lacks of what its snapshots need.
 *
 * - A blob is *lacking* when no index names it in a pack that is there at its right size, or when it is a tree that cannot be read.
 * - What lies below a tree that is lacking shows only once the tree is there again.
 */
import { BlobIndex } from '../../repository/blob-index.ts';
import { bytesOfId } from '../../repository/ids.ts';
import { visitPlaces } from '../repair/places.ts';
import { shareOut } from '../trees/share-out.ts';
import type { WorkerPool } from '../workers/pool.ts';

export interface Lacking {
  /** A set of blobs. */
  readonly blobs: BlobIndex;
  /** Names of packs of which a tree cannot be read, 64 hex digits. */
  readonly suspects: ReadonlySet<string>;
  /** For each record of the index that lookups give: 1 when a snapshot needs its blob. On shared memory. */
  readonly marks: Uint8Array<SharedArrayBuffer>;
}

/** For each record itself: looked for there first, and then wherever else the index names the blob. */
export function samePlaces(index: BlobIndex): Uint32Array<SharedArrayBuffer> {
  const places = new Uint32Array(new SharedArrayBuffer(index.blobCount * 4));
  for (let record = 0; record < places.length; record++) places[record] = record;
  return places;
}

/** Walks through the trees `roots` (64 hex digits each) of the pool's repository. Throws what makes going on senseless. */
export async function findLacking(pool: WorkerPool, index: BlobIndex, roots: Iterable<string>): Promise<Lacking> {
  const blobs = BlobIndex.create();
  const suspects = new Set<string>();
  const best = samePlaces(index);
  const marks = new Uint8Array(new SharedArrayBuffer(index.blobCount));
  const first: number[] = [];
  for (const root of new Set(roots)) {
    const id = bytesOfId(root);
    const record = index.entryOf(id, 0, 'tree');
    if (record < 0) blobs.claim(id, 0, 'tree');
    else if (marks[record] === 0) {
      marks[record] = 1;
      first.push(record);
    }
  }
  await shareOut(
    pool,
    Uint32Array.from(first),
    (trees) => pool.run('findMissing', { marks, best, trees }),
    ({ missing, suspectPacks }) => {
      visitPlaces(missing, (type, _offset, _length, _plain, ids, at) => void blobs.claim(ids, at, type));
      for (const pack of suspectPacks) suspects.add(pack);
    },
  );
  return { blobs, suspects, marks };
}
