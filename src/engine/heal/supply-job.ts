/** Job: which of the blobs that are marked in a second repository the pool's own repository lacks. */
import { type IndexSurvey, recordKind } from '../check/index-survey.ts';
import type { WorkerContext } from '../workers/context.ts';

export interface SupplyArgs {
  /** Of the second repository, as all that follows. */
  readonly survey: IndexSurvey;
  /** For each record that lookups give, the record to read its blob from. */
  readonly best: Uint32Array;
  /** File size of each pack in bytes, -1 when it is missing. */
  readonly stored: Float64Array;
  readonly marks: Uint8Array;
}

/** Records of the second repository by pack, then by offset. */
export function findSupply({ survey, best, stored, marks }: SupplyArgs, context: WorkerContext): Uint32Array<ArrayBuffer> {
  const { order, primary, packOf, kinds } = survey;
  const source = context.source!.index;
  const found: number[] = [];
  for (const record of order) {
    const known = primary[record];
    if (marks[known] === 0 || best[known] !== record || stored[packOf[record]] < 0) continue;
    const type = (kinds[record] & recordKind.tree) === 0 ? 'data' : 'tree';
    if (!context.index.has(source.idViewAt(record), 0, type)) found.push(record);
  }
  return Uint32Array.from(found);
}
