/** How large a repository is: what its storage lists, without reading a file. */
import type { SizeSample } from '../../contract/capacity.ts';
import type { RunControl } from '../../platform/cancellation.ts';
import type { Repository } from '../../repository/repository.ts';
import { freeBytes } from '../../engine/restore/plan.ts';
import { localFolderOf } from '../../storage/local-folder.ts';
import type { FileKind } from '../../storage/storage.ts';

const measured = ['pack', 'index', 'snapshot', 'key'] as const satisfies readonly FileKind[];

/** Throws `cancelled` and what the storage throws. */
export async function measure(
  { storage }: Pick<Repository, 'storage'>,
  { day, at }: Pick<SizeSample, 'day' | 'at'>,
  control: Pick<RunControl, 'checkpointAsync'>,
): Promise<SizeSample> {
  let bytes = 0;
  const counts = { pack: 0, index: 0, snapshot: 0, key: 0 };
  for (const kind of measured) {
    await control.checkpointAsync();
    for await (const { size } of storage.list(kind)) {
      bytes += size;
      counts[kind] += 1;
    }
  }
  const folder = localFolderOf(storage);
  const free = folder === undefined ? undefined : freeBytes([Buffer.from(folder)]);
  return { day, at, bytes, packs: counts.pack, snapshots: counts.snapshot, freeBytes: free ?? null };
}
