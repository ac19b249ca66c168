/** Job: which blobs are meant by the beginnings of their IDs, or of those of their packs. */
import { type BlobType, emptyLocation } from '../../repository/blob-index.ts';
import type { WorkerContext } from '../workers/context.ts';

export interface IdRequest {
  readonly kind: 'blobs';
  /** What the IDs are of: pieces of files, lists of folders, or packs, which stands for everything in them. */
  readonly of: BlobType | 'pack';
  /** Lower-case hex digits, at least one each. */
  readonly ids: readonly string[];
}

export interface WantedBlobs {
  /** For each record of the index that lookups give: 1 when it is meant. On shared memory. */
  readonly wanted: Uint8Array<SharedArrayBuffer>;
  /** IDs that nothing in the index has. */
  readonly unknown: readonly string[];
}

export function findWanted({ of: kind, ids }: IdRequest, { index, control }: WorkerContext): WantedBlobs {
  const wanted = new Uint8Array(new SharedArrayBuffer(index.blobCount));
  const found = new Set<string>();
  const isMeant = (id: Buffer): boolean => {
    const digits = id.toString('hex');
    const meant = ids.filter((beginning) => digits.startsWith(beginning));
    for (const beginning of meant) found.add(beginning);
    return meant.length > 0;
  };
  const packs = new Uint8Array(index.packCount);
  if (kind === 'pack') for (let pack = 0; pack < packs.length; pack++) packs[pack] = isMeant(index.packId(pack)) ? 1 : 0;
  const location = emptyLocation();
  for (let record = 0; record < wanted.length; record++) {
    if ((record & 0xfff) === 0) control.checkpoint();
    if (
      kind === 'pack'
        ? index.at(record, location) && packs[location.pack] === 1
        : index.typeAt(record) === kind && isMeant(index.idAt(record))
    )
      wanted[index.primaryOf(record)] = 1;
  }
  return { wanted, unknown: ids.filter((id) => !found.has(id)) };
}
