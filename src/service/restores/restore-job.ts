/** What a restore run does: reads from a destination, and from the next one when that fails; compares everything; leaves a receipt. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { hasCode, type HoldfastError, isDestinationError, toHoldfastError } from '../../contract/errors.ts';
import { type RestoreReceipt, type RestoreRequest, restoreRequestSchema } from '../../contract/restore-request.ts';
import type { RunProblem } from '../../contract/run.ts';
import { OpenedSources } from '../../engine/heal/request.ts';
import { Rescue } from '../../engine/heal/rescue.ts';
import { executeExport } from '../../engine/export/export.ts';
import { writeOutputFile } from '../../engine/export/output-file.ts';
import { executeRestore } from '../../engine/restore/restore.ts';
import { isDamage } from '../../engine/trees/damage-codes.ts';
import type { RestoreProblem } from '../../engine/restore/walk-task.ts';
import { counted, formatBytes } from '../../platform/sizes.ts';
import { displayPath } from '../../platform/byte-paths.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Destinations } from '../destinations/destinations.ts';
import type { Holder, Library } from '../library/library.ts';
import type { Common } from '../parts.ts';
import type { TaskJob } from '../runs/task.ts';
import { errorOf, type Outcome } from '../runs/work.ts';
import { type ReceiptFacts, receiptOf } from './receipt.ts';
import { engineRequest, wantedOf } from './request.ts';
import { Throughput } from './throughput.ts';

export interface RestoreJobOptions extends Pick<Common, 'state' | 'clock' | 'profile'> {
  readonly library: Library;
  readonly destinations: Pick<Destinations, 'open' | 'failed' | 'views'>;
  /** What a destination holds turned out to be damaged. */
  readonly onDamage: (destination: string) => void;
}

/** What was done with one destination. */
interface Attempt {
  readonly figures: NonNullable<ReceiptFacts['figures']>;
  readonly compared: RestoreReceipt['compared'];
  readonly zipBytes?: number;
  readonly problems: readonly (RunProblem & { readonly isDamage: boolean })[];
  readonly undo?: string | undefined;
  /** Pieces that were damaged there and came from another destination. */
  readonly rescued: number;
}

export async function workOnRestore(job: TaskJob, options: RestoreJobOptions): Promise<Outcome> {
  const { run, log, options: engine } = job;
  const { state, clock, library } = options;
  const request = restoreRequestSchema.parse(state.runDetails.request(run.id));
  const view = await library.get(request.snapshot);
  const names = new Map(state.destinations().map(({ id, name }) => [id, name]));
  const nameOf = (id: string): { id: string; name: string } => ({ id, name: names.get(id) ?? id });
  const all = await library.holders(request.snapshot);
  // The one that was chosen first, or the fastest; then the others.
  const throughput = new Throughput(options);
  const holders =
    request.destination === undefined
      ? await throughput.fastestFirst(all, engine.control.signal)
      : all.toSorted((a, b) => Number(b.destination === run.destination) - Number(a.destination === run.destination));
  const failedDestinations: RestoreReceipt['failedDestinations'] = [];
  const rescued = new Map<string, number>();
  let used = holders[0]!;
  let first: Attempt | undefined;
  let last: Attempt | undefined;
  const facts = (): Omit<ReceiptFacts, 'result'> => ({
    run,
    request,
    snapshot: { key: view.key, time: view.time, hostname: view.hostname },
    destination: nameOf(used.destination),
    failedDestinations,
    rescued,
    ended: clock.now(),
    // What was there after the first counts as the same for the next, and was restored all the same.
    figures: first?.figures,
    compared: last?.compared ?? null,
    ...(last?.zipBytes === undefined ? {} : { zipBytes: last.zipBytes }),
    problems: last?.problems.map(plainProblem),
    undo: first?.undo ?? last?.undo,
  });
  try {
    for (const [i, holder] of holders.entries()) {
      const next = holders[i + 1];
      used = holder;
      log('info', `Reading from “${nameOf(holder.destination).name}”, snapshot ${holder.snapshot.id.slice(0, 8)}.`);
      const began = clock.monotonic();
      try {
        last = await attempt(job, options, first?.zipBytes === undefined ? request : replacing(request), holder, rescued);
        first ??= last;
        const damaged = last.problems.filter(({ isDamage }) => isDamage).length;
        throughput.note(holder.destination, last.figures.bytesWritten ?? 0, clock.monotonic() - began);
        if (damaged + last.rescued > 0) options.onDamage(holder.destination);
        if (damaged === 0 || !next) break;
        log(
          'warning',
          `${counted(damaged, 'entry', 'entries')} could not be read there; the rest comes from “${nameOf(next.destination).name}”.`,
        );
      } catch (thrown) {
        const error = toHoldfastError(thrown);
        if (isDestinationError(error)) options.destinations.failed(holder.destination, error);
        else if (isDamage(error) && !hasCode(error, 'storage-failed')) options.onDamage(holder.destination);
        // What an earlier one gave is there, though not all of it.
        if ((!next && !first) || !mayBeElsewhere(error)) throw error;
        failedDestinations.push({ ...nameOf(holder.destination), error: errorOf(error) });
        const instead = next ? ` “${nameOf(next.destination).name}” has the same snapshot and is read instead.` : '';
        log('warning', `${error.message}${instead}`);
      }
    }
  } catch (thrown) {
    const error = toHoldfastError(thrown);
    const isCancelled = hasCode(error, 'cancelled') && engine.control.isCancelled;
    state.runDetails.saveReceipt(run.id, receiptOf({ ...facts(), result: isCancelled ? 'cancelled' : 'failed', error }));
    throw error;
  }
  const { problems, compared, figures } = last!;
  const status = problems.length > 0 ? 'completed-with-warnings' : 'succeeded';
  const receipt = receiptOf({ ...facts(), result: status });
  state.runDetails.saveReceipt(run.id, receipt);
  if (compared)
    log(
      'info',
      `${counted(compared.entries, 'entry', 'entries')} (${formatBytes(compared.bytes)}) compared, ${compared.different} of them different.`,
    );
  const files = receipt.created + receipt.replaced + receipt.beside;
  return {
    change: {
      status,
      snapshot: view.key,
      figures: {
        files,
        bytes: figures.bytesWritten ?? 0,
        filesNew: receipt.created,
        filesChanged: receipt.replaced + receipt.beside,
        filesUnchanged: receipt.same,
        bytesAdded: 0,
        bytesStored: 0,
      },
    },
    problems: problems.map(plainProblem),
  };
}

const plainProblem = ({ path, code, message }: RunProblem): RunProblem => ({ path, code, message });

/** The file is ours by now. */
const replacing = (request: RestoreRequest): RestoreRequest =>
  request.target.kind === 'zip' ? { ...request, target: { ...request.target, replace: true } } : request;

/** About the destination and what it holds, not about the place that the files go to, nor about what was asked for. */
function mayBeElsewhere(error: HoldfastError): boolean {
  const codes = [
    'destination-not-plugged-in',
    'destination-swapped',
    'password-missing',
    'wrong-password',
    'repository-not-found',
    'config-invalid',
    'key-invalid',
    'locked',
    'lock-unreadable',
    'blob-missing',
    'item-tampered',
    'tree-invalid',
    'snapshot-not-found',
    'snapshot-invalid',
    'file-not-found',
    'storage-failed',
    'storage-denied',
  ] as const;
  return isDestinationError(error) || codes.some((code) => hasCode(error, code));
}

/** What is damaged at the holder comes from any other destination in the middle of it; `rescued` is told how much, by the name. */
async function attempt(
  task: TaskJob,
  job: RestoreJobOptions,
  request: RestoreRequest,
  holder: Holder,
  rescued: Map<string, number>,
): Promise<Attempt> {
  const { signal } = task.options.control;
  const others = job.destinations.views().filter(({ id, now }) => id !== holder.destination && now.state !== 'not-plugged-in');
  const opened = new OpenedSources(
    others.map(({ id, name }) => ({ name, open: () => job.destinations.open(id, { signal, hasStandby: true }) })),
  );
  const rescue = new Rescue(opened.sources, task.options);
  try {
    const done = await attemptAt(task, job, request, holder, rescue);
    return { ...done, rescued: [...rescue.tallies.values()].reduce((sum, count) => sum + count, 0) };
  } finally {
    await opened.close();
    for (const [name, pieces] of rescue.tallies) {
      rescued.set(name, (rescued.get(name) ?? 0) + pieces);
      task.log('warning', `${counted(pieces, 'piece')} could not be read there and came from “${name}”.`);
    }
  }
}

async function attemptAt(
  { options, log }: TaskJob,
  job: RestoreJobOptions,
  request: RestoreRequest,
  holder: Holder,
  rescue: Rescue,
): Promise<Omit<Attempt, 'rescued'>> {
  const repository = await job.destinations.open(holder.destination, {
    signal: options.control.signal,
    onRetry: ({ error, waitMs }) => log('warning', `${error.message} It is tried again in ${Math.round(waitMs / 1000)} seconds.`),
    onNote: (text) => log('info', text),
  });
  try {
    await options.control.checkpointAsync();
    if (request.target.kind === 'zip') return await toZip(repository, { ...options, rescue: rescue.blob }, request, request.target, holder);
    const { figures, problems, verified, undo } = await executeRestore(repository, engineRequest(holder.snapshot.id, request), {
      ...options,
      rescue: rescue.blob,
      undo: { folder: undoFolderOf(job.profile), keep: request.keepUndo },
    });
    const { create, replace, beside, same, keep, folders, bytes } = figures;
    const different = problems.filter(({ kind }) => kind === 'differs').length;
    return {
      figures: { created: create, replaced: replace, beside, same, kept: keep, folders, bytesWritten: bytes },
      compared: verified ? { ...verified, different } : null,
      problems: problems.map(problemOf),
      undo: undo?.id,
    };
  } finally {
    await repository.storage.close().catch(() => {});
  }
}

export const undoFolderOf = ({ folder }: Common['profile']): string => join(folder, 'undo');

export const problemOf = ({
  path,
  kind,
  detail,
}: Pick<RestoreProblem, 'path' | 'detail'> & { kind: string }): Attempt['problems'][number] => ({
  path: displayPath(Buffer.from(path)),
  code: kind,
  message: detail,
  isDamage: kind === 'damaged',
});

async function toZip(
  repository: Repository,
  options: TaskJob['options'] & { readonly rescue: Rescue['blob'] },
  request: RestoreRequest,
  { path, replace }: Extract<RestoreRequest['target'], { kind: 'zip' }>,
  { snapshot }: Holder,
): Promise<Omit<Attempt, 'rescued'>> {
  const problems: Attempt['problems'][number][] = [];
  const went = createHash('sha256');
  const result = await writeOutputFile(repository, { path, replace }, (sink) =>
    executeExport(
      repository,
      wantedOf(snapshot.id, request.items),
      { ...options, onProblem: (problem) => problems.push(problemOf(problem)) },
      {
        async write(bytes) {
          went.update(bytes);
          await sink.write(bytes);
        },
      },
    ),
  );
  const is = createHash('sha256');
  for await (const piece of createReadStream(path, { signal: options.control.signal })) is.update(piece as Buffer);
  const different = is.digest().equals(went.digest()) ? 0 : 1;
  if (different > 0) problems.push({ path, code: 'differs', message: 'the file is not what was written into it', isDamage: false });
  const { figures, zipBytes } = result;
  const entries = figures.files + figures.folders + figures.links;
  return {
    figures: { created: figures.files + figures.links, folders: figures.folders, bytesWritten: figures.bytes },
    compared: { entries, bytes: zipBytes, different },
    zipBytes,
    problems,
  };
}
