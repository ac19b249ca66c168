/** What a snapshot holds at a path, to be compared with another snapshot's: of a folder its own metadata and the ID of its tree. */
import { loadIndex } from '../../src/engine/index/load.ts';
import { resolveSnapshotPath } from '../../src/engine/snapshot-path.ts';
import { WorkerPool } from '../../src/engine/workers/pool.ts';
import { RunControl } from '../../src/platform/cancellation.ts';
import { BlobIndex } from '../../src/repository/blob-index.ts';
import type { Repository } from '../../src/repository/repository.ts';

/** The nodes (JSON) at this path in each of the snapshots. The folders above belong to the machine, on which others are at work, too. */
export async function nodesAt(repository: Repository, path: string, snapshots: readonly string[]): Promise<string[]> {
  const index = BlobIndex.create();
  const pool = new WorkerPool(repository, { control: new RunControl(), index, threads: 1 });
  try {
    await loadIndex(repository, pool);
    const nodes: string[] = [];
    for (const id of snapshots) {
      const { raw } = await resolveSnapshotPath(pool, await repository.snapshot(id), Buffer.from(path));
      nodes.push(Buffer.from(raw!).toString());
    }
    return nodes;
  } finally {
    await pool.close();
  }
}
