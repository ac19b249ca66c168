/** The packs that the storage really holds, beside those that the index names. */
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

export async function listPacks(repository: Repository, index: BlobIndex): Promise<PackListing> {
  const stored = new Float64Array(new SharedArrayBuffer(index.packCount * 8)).fill(-1);
  const unindexed: ListedFile[] = [];
  for await (const file of repository.storage.list('pack')) {
    const pack = index.packNumber(bytesOfId(file.name));
    if (pack < 0) unindexed.push(file);
    else stored[pack] = file.size;
  }
  return { stored, unindexed };
}
