/** The receipt of a restore, as it comes together. */
import type { HoldfastError } from '../../contract/errors.ts';
import type { RestoreReceipt, RestoreRequest } from '../../contract/restore-request.ts';
import type { Run, RunProblem } from '../../contract/run.ts';
import { errorOf } from '../runs/work.ts';

/** Problems that are listed; the run has all. */
const listed = 1000;

export interface ReceiptFacts {
  readonly run: Run;
  readonly request: RestoreRequest;
  readonly snapshot: RestoreReceipt['snapshot'];
  readonly destination: RestoreReceipt['destination'];
  readonly failedDestinations: readonly RestoreReceipt['failedDestinations'][number][];
  /** Pieces that came from other destinations, by their names. */
  readonly rescued?: ReadonlyMap<string, number> | undefined;
  readonly result: RestoreReceipt['result'];
  readonly ended: number;
  readonly figures?:
    | Partial<Pick<RestoreReceipt, 'created' | 'replaced' | 'beside' | 'same' | 'kept' | 'folders' | 'bytesWritten'>>
    | undefined;
  readonly compared?: RestoreReceipt['compared'] | undefined;
  readonly zipBytes?: number | undefined;
  readonly problems?: readonly RunProblem[] | undefined;
  readonly undo?: string | undefined;
  readonly error?: HoldfastError | undefined;
}

const noFigures = { created: 0, replaced: 0, beside: 0, same: 0, kept: 0, folders: 0, bytesWritten: 0 };

export function receiptOf({
  run,
  request,
  snapshot,
  destination,
  failedDestinations,
  rescued,
  result,
  ended,
  figures,
  compared = null,
  zipBytes,
  problems = [],
  undo,
  error,
}: ReceiptFacts): RestoreReceipt {
  return {
    holdfast: 'receipt',
    version: 1,
    run: run.id,
    result,
    started: run.started ?? run.created,
    ended,
    snapshot,
    destination,
    failedDestinations: [...failedDestinations],
    ...(rescued?.size ? { rescued: [...rescued].map(([name, pieces]) => ({ name, pieces })) } : {}),
    items: request.items,
    target: request.target,
    conflicts: request.conflicts,
    ...noFigures,
    ...figures,
    compared,
    zipBytes: zipBytes ?? null,
    problems: problems.slice(0, listed),
    problemCount: problems.length,
    undo: undo ?? null,
    error: error ? errorOf(error) : null,
  };
}
