/**
 * Jobs that decide which blobs are copied for which snapshot, in typed arrays on shared memory and without an object for a blob.
 *
 * - Snapshots are numbered from 1 in the order in which they are copied; the *turn* of a blob is the number of the first one that
 *   needs it, if the target lacks it; else 0.
 * - Marks are *settled* once the snapshot whose walk has set them is sure to be copied.
 */
import { type IndexSurvey, recordKind } from '../check/index-survey.ts';
import type { WorkerContext } from '../workers/context.ts';
import { copyMark } from './mark-job.ts';

export interface CopyTables {
  /** Of the source. */
  readonly survey: IndexSurvey;
  /** For each record that lookups give, the record to read its blob from. */
  readonly best: Uint32Array<SharedArrayBuffer>;
  /** File size of each pack in bytes, -1 when it is missing. */
  readonly stored: Float64Array<SharedArrayBuffer>;
  /** For each record that lookups give: bits of {@link copyMark}. */
  readonly marks: Uint8Array<SharedArrayBuffer>;
  /** Those of the marks that are settled. */
  readonly settled: Uint8Array<SharedArrayBuffer>;
  /** For each record that lookups give. */
  readonly turns: Uint32Array<SharedArrayBuffer>;
}

export interface AssignArgs {
  readonly tables: CopyTables;
  readonly turn: number;
  /** Trees are made anew, and some contents cut anew. */
  readonly isCut: boolean;
}

export interface AssignResult {
  /** Packs that are missing and hold what is needed: when there are any, nothing was assigned and the marks are as before the walk. */
  readonly missing: Uint32Array;
  /** Blobs that the target lacks, or whose bytes are to be cut anew. */
  readonly blobs: number;
  /** What they take in the source, in bytes. */
  readonly bytes: number;
}

/** Gives everything that is newly marked its turn and settles the marks; `context.source` is where it lies. */
export function assignTurn({ tables, turn, isCut }: AssignArgs, context: WorkerContext): AssignResult {
  const { survey, best, stored, marks, settled, turns } = tables;
  const source = context.source!.index;
  const missing = new Set<number>();
  for (let record = 0; record < marks.length; record++) {
    const pack = survey.packOf[best[record]];
    if (marks[record] !== settled[record] && stored[pack] < 0) missing.add(pack);
  }
  if (missing.size > 0) {
    takeBack(tables);
    return { missing: Uint32Array.from(missing), blobs: 0, bytes: 0 };
  }
  let blobs = 0;
  let bytes = 0;
  for (let record = 0; record < marks.length; record++) {
    const added = marks[record] & ~settled[record];
    if (added === 0) continue;
    settled[record] = marks[record];
    const isTree = (survey.kinds[record] & recordKind.tree) !== 0;
    const isWanted =
      (added & copyMark.asIs) !== 0 && !(isTree && isCut) && !context.index.has(source.idViewAt(record), 0, isTree ? 'tree' : 'data');
    if (isWanted) turns[record] = turn;
    if (!isWanted && (added & copyMark.bytes) === 0) continue;
    blobs += 1;
    bytes += survey.lengths[best[record]];
  }
  return { missing: new Uint32Array(0), blobs, bytes };
}

/** Job: makes the marks those that are settled, as if the last walk had not been. */
export const takeBack = ({ marks, settled }: CopyTables): void => marks.set(settled);

export interface CopySequence {
  /** Records to be read, by turn, then by pack, then by offset. On shared memory. */
  readonly records: Uint32Array<SharedArrayBuffer>;
  /** Turn t has those at starts[t] to starts[t + 1]. */
  readonly starts: Uint32Array<SharedArrayBuffer>;
}

/** Job: the order in which blobs are read, for turns up to `last`. */
export function arrangeCopy({ tables, last }: { readonly tables: CopyTables; readonly last: number }): CopySequence {
  const { survey, best, turns } = tables;
  const starts = new Uint32Array(new SharedArrayBuffer((last + 2) * 4));
  const turnOf = (record: number): number => (best[survey.primary[record]] === record ? turns[survey.primary[record]] : 0);
  for (const record of survey.order) starts[turnOf(record) + 1] += turnOf(record) === 0 ? 0 : 1;
  for (let turn = 0; turn <= last; turn++) starts[turn + 1] += starts[turn];
  const records = new Uint32Array(new SharedArrayBuffer(starts[last + 1] * 4));
  const next = starts.slice(0, last + 1);
  for (const record of survey.order) if (turnOf(record) > 0) records[next[turnOf(record)]++] = record;
  return { records, starts };
}
