/** Which files and folders of the snapshots blobs belong to. */
import type { BlobIndex, BlobType } from '../../repository/blob-index.ts';
import { bytesOfId } from '../../repository/ids.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import type { IndexSurvey } from '../check/index-survey.ts';
import { asked, pathsForEach } from '../check/paths-job.ts';
import type { WorkerPool } from '../workers/pool.ts';

export interface NamedBlob {
  readonly type: BlobType;
  /** 64 hex digits. */
  readonly blob: string;
}

export interface BlobWithPaths extends NamedBlob {
  /** The first few paths that need it, as text for people; none when no snapshot does. */
  readonly paths: readonly string[];
}

/** `snapshots`: the newest first. `best`: see bestRecords. */
export async function findPathsOf(
  blobs: readonly NamedBlob[],
  snapshots: readonly Snapshot[],
  best: Uint32Array,
  {
    pool,
    index,
    survey,
  }: { readonly pool: WorkerPool; readonly index: BlobIndex; readonly survey: Pick<IndexSurvey, 'records' | 'packOf'> },
): Promise<BlobWithPaths[]> {
  if (blobs.length === 0) return [];
  const wanted = new Uint8Array(new SharedArrayBuffer(survey.records));
  const missing: string[] = [];
  const keys = blobs.map(({ type, blob }) => {
    const record = index.entryOf(bytesOfId(blob), 0, type);
    if (record >= 0) wanted[record] = asked.blob;
    else missing.push(`${type} ${blob}`);
    return record >= 0 ? `b${record}` : `${type} ${blob}`;
  });
  const paths = new Map(keys.map((key) => [key, [] as string[]]));
  const seen = new Uint8Array(new SharedArrayBuffer(survey.records));
  const { packOf } = survey;
  const jobs = snapshots.map(async ({ tree, id }) => {
    const root = index.entryOf(bytesOfId(tree), 0, 'tree');
    const found = await pool.run('findPaths', { root, seen, wanted, packOf, best, missing });
    if (root < 0) found.push({ key: `tree ${tree}`, path: `/ (snapshot ${id.slice(0, 8)})` });
    return found;
  });
  for (const { key, path } of (await Promise.all(jobs)).flat()) {
    const found = paths.get(key);
    if (found && found.length < pathsForEach && !found.includes(path)) found.push(path);
  }
  return blobs.map(({ type, blob }, i) => ({ type, blob, paths: paths.get(keys[i])! }));
}
