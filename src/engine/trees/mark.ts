/** Finds every blob that snapshots need, with all workers. */
import type { BlobIndex } from '../../repository/blob-index.ts';
import { bytesOfId } from '../../repository/ids.ts';
import type { JobRunner } from '../workers/pool.ts';
import type { MarkArgs, MarkResult, TreeProblem } from './mark-job.ts';
import { shareOut } from './share-out.ts';

export interface UsedBlobs {
  /** For each record of the index that lookups give: 1 when a snapshot needs the blob. On shared memory. */
  readonly marks: Uint8Array<SharedArrayBuffer>;
  /** Each blob once. */
  readonly problems: readonly TreeProblem[];
  /** Problems beyond those that are listed. */
  readonly moreProblems: number;
}

const listedProblems = 1000;

export interface MarkOptions {
  /** Marks of an earlier walk: what is marked is not walked again. */
  readonly marks?: Uint8Array<SharedArrayBuffer> | undefined;
  /** The job; default markTrees. */
  readonly walk?: ((args: MarkArgs) => Promise<MarkResult>) | undefined;
}

/**
 * `best`: see bestRecords; on shared memory. `roots`: IDs of the snapshots' trees, 64 hex digits each. Throws `cancelled`, or what
 * makes going on senseless.
 */
export async function markUsedBlobs(
  pool: JobRunner,
  index: BlobIndex,
  best: Uint32Array,
  roots: Iterable<string>,
  options: MarkOptions = {},
): Promise<UsedBlobs> {
  const marks = options.marks ?? new Uint8Array(new SharedArrayBuffer(index.blobCount));
  const walk = options.walk ?? ((args: MarkArgs) => pool.run('markTrees', args));
  const problems = new Map<string, TreeProblem>();
  let moreProblems = 0;
  const note = (problem: TreeProblem): void => {
    const key = `${problem.type} ${problem.blob}`;
    if (problems.has(key)) return;
    if (problems.size < listedProblems) problems.set(key, problem);
    else moreProblems += 1;
  };

  const first: number[] = [];
  for (const root of new Set(roots)) {
    const record = index.entryOf(bytesOfId(root), 0, 'tree');
    if (record < 0) note({ kind: 'missing', type: 'tree', blob: root, cause: 'no index names it' });
    else if (marks[record] === 0) {
      marks[record] = 1;
      first.push(record);
    }
  }

  await shareOut(
    pool,
    Uint32Array.from(first),
    (trees) => walk({ marks, best, trees }),
    (result) => {
      for (const problem of result.problems) note(problem);
      moreProblems += result.more;
    },
  );
  return { marks, problems: [...problems.values()], moreProblems };
}
