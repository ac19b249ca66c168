/** What a check run of a destination does. */
import { z } from 'zod';
import type { CheckFacts } from '../../contract/care.ts';
import type { RunProblem } from '../../contract/run.ts';
import { type CheckResult, executeCheck } from '../../engine/check/check.ts';
import type { Finding } from '../../engine/check/finding.ts';
import { planCheck, type ReadData } from '../../engine/check/plan.ts';
import { counted, formatBytes } from '../../platform/sizes.ts';
import type { Destinations } from '../destinations/destinations.ts';
import type { TaskJob } from '../runs/task.ts';
import type { Outcome } from '../runs/work.ts';

export const checkRequestSchema = z.union([
  z.strictObject({ depth: z.literal('quick') }),
  z.strictObject({ depth: z.literal('all') }),
  /** Part `part` of `of`, counted from 1. */
  z.strictObject({ depth: z.literal('part'), part: z.int().positive(), of: z.int().positive() }),
]);
export type CheckRequest = z.infer<typeof checkRequestSchema>;

export interface CheckJobOptions {
  readonly destinations: Pick<Destinations, 'open' | 'failed'>;
  readonly request: CheckRequest;
  readonly onChecked: (result: CheckResult, facts: Pick<CheckFacts, 'depth' | 'errors' | 'bytesRead'>) => void;
}

export async function workOnCheck({ run, options, log }: TaskJob, { destinations, request, onChecked }: CheckJobOptions): Promise<Outcome> {
  const repository = await destinations.open(run.destination!, {
    signal: options.control.signal,
    onRetry: ({ error, waitMs }) => log('warning', `${error.message} It is tried again in ${Math.round(waitMs / 1000)} seconds.`),
    onNote: (text) => log('info', text),
    itself: true,
  });
  try {
    const readData: ReadData =
      request.depth === 'quick' ? 'none' : request.depth === 'all' ? 'all' : { kind: 'part', part: request.part, of: request.of };
    // Others may go on adding meanwhile: a check that somebody else has to wait for would not be welcome every week.
    const result = await executeCheck(repository, await planCheck(repository, { readData }), { ...options, lock: 'shared' });
    for (const { severity, message } of result.findings) if (severity !== 'note') log(severity, message);
    const { errors, snapshots, packs, packsRead, bytesRead } = result;
    const read = packsRead === 0 ? 'no data was read' : `${formatBytes(bytesRead)} in ${counted(packsRead, 'pack')} read and proved`;
    log('info', `${counted(snapshots, 'snapshot')} and ${counted(packs, 'pack')} checked, ${read}: ${counted(errors, 'error')}.`);
    onChecked(result, { depth: request.depth, errors, bytesRead });
    const status = errors > 0 ? 'completed-with-warnings' : 'succeeded';
    return { change: { status }, problems: result.findings.filter(({ severity }) => severity === 'error').flatMap(problemsOf) };
  } finally {
    await repository.storage.close().catch(() => {});
  }
}

/** A problem for each file that a finding harms, or one for the destination as a whole. */
const problemsOf = ({ code, message, paths }: Finding): RunProblem[] =>
  (paths.length > 0 ? paths : ['/']).map((path) => ({ path, code, message }));
