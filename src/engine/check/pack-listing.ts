/** The packs that the storage really holds, beside those that the index names. */
import { hasCode } from '../../contract/errors.ts';
import type { BlobIndex } from '../../repository/blob-index.ts';
import { bytesOfId } from '../../repository/ids.ts';
import type { Repository } from '../../repository/repository.ts';
import type { ListedFile } from '../../storage/storage.ts';

export interface PackListing {
  /** For each pack of the index: the size of its file in bytes, -1 when there is none. On shared memory. */
  readonly stored: Float64Array<SharedArrayBuffer>;
  /** Packs that no index names. */
  readonly unindexed: readonly ListedFile[];
}

/** So many packs that a listing leaves out are looked for at a time. */
const parallelLooks = 16;

/**
 * `listing` may be older than the index, and a server may leave out what is new: what the index names and the listing does not is
 * looked for by itself before it counts as missing.
 */
export async function listPacks(
  repository: Repository,
  index: BlobIndex,
  listing: AsyncIterable<ListedFile> = repository.storage.list('pack'),
): Promise<PackListing> {
  const stored = new Float64Array(new SharedArrayBuffer(index.packCount * 8)).fill(-1);
  const unindexed: ListedFile[] = [];
  for await (const file of listing) {
    const pack = index.packNumber(bytesOfId(file.name));
    if (pack < 0) unindexed.push(file);
    else stored[pack] = file.size;
  }
  let next = 0;
  const look = async (): Promise<void> => {
    for (let pack = next++; pack < stored.length; pack = next++) if (stored[pack] < 0) stored[pack] = await sizeOf(repository, index, pack);
  };
  await Promise.all(Array.from({ length: parallelLooks }, look));
  return { stored, unindexed };
}

async function sizeOf({ storage }: Repository, index: BlobIndex, pack: number): Promise<number> {
  try {
    return await storage.size({ kind: 'pack', name: index.packId(pack).toString('hex') });
  } catch (error) {
    if (hasCode(error, 'file-not-found')) return -1;
    throw error;
  }
}
