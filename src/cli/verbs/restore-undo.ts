/** restore --undo, --list-undo and --forget-undo: brings back what was there before a restore. */
import { join } from 'node:path';
import { fail } from '../../contract/errors.ts';
import { durationMs } from '../../engine/retention/duration.ts';
import { executeForgetUndo, type ForgetUndoRequest, forgetOld, planForgetUndo } from '../../engine/undo/forget.ts';
import type { UndoSummary } from '../../engine/undo/journal.ts';
import { type ListedUndo, listUndos } from '../../engine/undo/list.ts';
import { executeUndo, planUndo, type UndoResult } from '../../engine/undo/undo.ts';
import type { UndoneEntry } from '../../engine/undo/undo-report.ts';
import { displayPath } from '../../platform/byte-paths.ts';
import { dataFolder } from '../../platform/host.ts';
import { formatTime, timeText } from '../dates.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type Output, pathFields } from '../output.ts';
import { printable } from '../printable.ts';
import { reportProblems } from '../restore-report.ts';
import type { Invocation, Verb, VerbFacts } from '../run-verb.ts';
import { counted, formatBytes, formatCount } from '../../platform/sizes.ts';
import { tableLines } from '../table.ts';

export interface UndoVerbOptions {
  /** An ID; false: --no-undo. */
  readonly undo?: string | false;
  readonly listUndo?: boolean;
  /** True: those that --older-than says. */
  readonly forgetUndo?: string | true;
  readonly olderThan?: string;
  readonly journal?: string;
  readonly dryRun?: boolean;
}

/** Where the journals of this person's restores are. Throws `home-unknown`. */
export const journalFolder = ({ journal }: UndoVerbOptions): string => journal ?? join(dataFolder(), 'undo');

/** What is kept for the undo of restores goes after 30 days; for verbs that run every day. */
export async function forgetOldUndos({ options }: Invocation): Promise<void> {
  try {
    await forgetOld(journalFolder({}), options);
  } catch {
    // Without a home folder there is nothing to forget.
  }
}

/** Undefined when the options are about restoring. Throws nothing: what is wrong with them is the verb's to say. */
export function undoVerb(place: string | undefined, options: UndoVerbOptions): { facts: VerbFacts; verb: Verb } | undefined {
  const { undo, listUndo, forgetUndo, olderThan } = options;
  const wanted = [typeof undo === 'string', listUndo === true, forgetUndo !== undefined].filter(Boolean).length;
  const facts = { whenCancelled: 'Cancelled. Run the same again to finish it.' };
  if (wanted > 1 || (wanted === 1 && place !== undefined) || (olderThan !== undefined && forgetUndo !== true)) {
    const problem = 'Restoring, undoing, listing and forgetting cannot be done at the same time.';
    return { facts, verb: () => fail('bad-usage', { problem, guidance: 'See "holdfast restore --help".' }) };
  }
  if (typeof undo === 'string') {
    // Whoever takes it for a verb of its own is understood.
    if (undo === 'list') return { facts, verb: ({ output }) => list(output, journalFolder(options)) };
    return { facts, verb: ({ output, options: run }) => runUndo(output, options, undo, run) };
  }
  if (listUndo) return { facts, verb: ({ output }) => list(output, journalFolder(options)) };
  if (forgetUndo !== undefined) return { facts, verb: ({ output, options: run }) => forget(output, options, run) };
  return undefined;
}

/** After a restore, however it ended. */
export function tellKept(output: Output, kept: UndoSummary | undefined, { journal }: UndoVerbOptions): void {
  if (!kept) return;
  const size = kept.bytes > 0 ? `, ${formatBytes(kept.bytes)} are kept for it` : '';
  const place = journal === undefined ? '' : ` --journal ${journal}`;
  output.note(`To bring back what was there before: holdfast restore --undo ${kept.id}${place} (for 30 days${size}).`);
}

type RunOptions = Parameters<Verb>[0]['options'];

async function runUndo(output: Output, options: UndoVerbOptions, id: string, run: RunOptions): Promise<ExitCode> {
  const folder = journalFolder(options);
  const result = options.dryRun
    ? await planUndo(folder, id, run, (entry) => showUndone(output, entry))
    : await executeUndo(folder, id, run);
  output.endProgress();
  reportUndo(output, result, options.dryRun === true);
  return result.problems.length > 0 ? exitCodes.incomplete : exitCodes.done;
}

function reportUndo(output: Output, { id, target, figures, kept, problems }: UndoResult, dryRun: boolean): void {
  reportProblems(output, problems);
  if (!dryRun) for (const entry of kept) showUndone(output, entry);
  const { putBack, removed, set, kept: keptCount } = figures;
  const parts = [`${counted(putBack, 'item')} put back`, `${counted(removed, 'item')} removed`];
  if (set > 0) parts.push(`properties of ${counted(set, 'item')} set back`);
  if (keptCount > 0) parts.push(`${counted(keptCount, 'item')} changed since and kept`);
  const words = dryRun
    ? 'An undo would do this'
    : problems.length > 0
      ? 'The restore is undone as far as possible'
      : 'The restore is undone';
  output.lines(`${words} in ${target}: ${parts.join(', ')}.${dryRun ? ' Nothing was changed.' : ''}`);
  if (!dryRun && problems.length > 0) output.note('What is still kept stays; run the undo again when the causes are gone.');
  output.object('summary', { ...(dryRun ? { dryRun } : {}), id, target, ...figures, problems: problems.length });
}

function showUndone(output: Output, { path, action, other }: UndoneEntry): void {
  const shown = displayPath(Buffer.from(path));
  const words = { 'put-back': 'put back', remove: 'remove', set: 'set back', keep: 'keep' } as const;
  const beside = other === undefined ? '' : ` as ${displayPath(Buffer.from(other))}`;
  output.lines(`${words[action].padEnd(8)} ${shown}${beside}`);
  const otherFields = other === undefined ? undefined : pathFields(other);
  output.object('entry', {
    ...pathFields(path),
    action,
    ...(otherFields === undefined
      ? {}
      : { other: otherFields.path, ...(otherFields.pathBytes ? { otherBytes: otherFields.pathBytes } : {}) }),
  });
}

const states: Readonly<Record<ListedUndo['state'], string>> = {
  whole: '',
  'cut-off': 'cut off',
  running: 'at work',
  away: 'drive away',
  damaged: 'damaged',
};

async function list(output: Output, folder: string): Promise<ExitCode> {
  const undos = listUndos(folder);
  if (undos.length > 0) output.lines(...tableOf(undos));
  output.lines(`${counted(undos.length, 'restore')} can be undone.`);
  showUndos(output, undos);
  output.object('summary', { undos: undos.length });
  return exitCodes.done;
}

const tableOf = (undos: readonly ListedUndo[]): string[] =>
  tableLines(
    [
      { title: 'ID' },
      { title: 'Time' },
      { title: 'Snapshot' },
      { title: 'Changed', right: true },
      { title: 'Kept', right: true },
      { title: 'State' },
      { title: 'Target' },
    ],
    undos.map(({ id, head, entries, bytes, state }) => [
      id,
      formatTime(BigInt(Math.round(head.time)) * 1_000_000n),
      head.snapshot.slice(0, 8),
      formatCount(entries),
      formatBytes(bytes),
      states[state],
      printable(head.target),
    ]),
  );

function showUndos(output: Output, undos: readonly ListedUndo[]): void {
  for (const { id, head, entries, bytes, state } of undos) {
    const { time, target, snapshot, repository } = head;
    output.object('undo', {
      id,
      time: timeText(BigInt(Math.round(time)) * 1_000_000n),
      target,
      snapshot,
      repository,
      entries,
      bytes,
      state,
    });
  }
}

async function forget(output: Output, options: UndoVerbOptions, run: RunOptions): Promise<ExitCode> {
  const folder = journalFolder(options);
  const request = forgetRequest(options);
  if (options.dryRun) {
    const undos = planForgetUndo(folder, request, run);
    if (undos.length > 0) output.lines(...tableOf(undos));
    output.lines(`${counted(undos.length, 'restore')} could no longer be undone. Nothing was changed.`);
    showUndos(output, undos);
    output.object('summary', { dryRun: true, forgotten: undos.length });
    return exitCodes.done;
  }
  const { forgotten, problems } = await executeForgetUndo(folder, request, run);
  for (const { path, kind, detail } of problems) output.problem({ path, kind, detail: `was not removed (${detail})` });
  const bytes = forgotten.reduce((sum, undo) => sum + undo.bytes, 0);
  output.lines(`${counted(forgotten.length, 'restore')} can no longer be undone; ${formatBytes(bytes)} freed.`);
  showUndos(output, forgotten);
  output.object('summary', { forgotten: forgotten.length, bytes, problems: problems.length });
  return problems.length > 0 ? exitCodes.incomplete : exitCodes.done;
}

function forgetRequest({ forgetUndo, olderThan }: UndoVerbOptions): ForgetUndoRequest {
  if (typeof forgetUndo === 'string') return { id: forgetUndo };
  if (olderThan !== undefined) return { olderThanMs: durationMs(olderThan, '--older-than') };
  return fail('bad-usage', {
    problem: 'It is not said what to forget.',
    guidance: 'Give an ID, or --older-than with a duration such as 30d.',
  });
}
