/** What a person is told about a rewrite. */
import { leavesNothing, type PlannedRewrite, type RewritePlan } from '../engine/rewrite/rewrite.ts';
import { formatTimeText } from './dates.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { type Output, pathFields } from './output.ts';
import { printable, printablePath } from './printable.ts';
import { counted, formatBytes } from '../platform/sizes.ts';
import { reportDamaged } from './snapshot-filter.ts';
import { tableLines } from './table.ts';

/** Paths that a person is shown; with --json all that the plan names. */
const shownPaths = 50;

/** What a rewrite will do, or would. `leavesOut`: whether anything was to be left out, or only host and time change. */
export function showRewritePlan(output: Output, plan: RewritePlan, leavesOut: boolean): void {
  output.endProgress();
  reportDamaged(output, plan.damaged);
  for (const { snapshot, path, error } of plan.problems)
    output.problem({ path, kind: error.code, detail: `Snapshot ${snapshot.slice(0, 8)} stays as it is: ${error.message}` });
  for (const error of plan.damage) output.problem({ path: undefined, kind: error.code, detail: error.message });
  for (const { path, type, size } of plan.leftOut) output.object('entry', { action: 'leave-out', ...pathFields(path), kind: type, size });
  for (const planned of plan.change) output.object('snapshot', { action: 'rewrite', ...plannedFields(planned) });
  if (leavesOut) showLeftOut(output, plan);
  if (plan.change.length > 0) output.lines(...tableOf(plan.change), '');
  for (const { snapshot, figures } of plan.change)
    if (figures && leavesNothing(figures)) output.note(`Nothing but empty folders stays of snapshot ${snapshot.id.slice(0, 8)}.`);
}

function showLeftOut(output: Output, { leftOut, change }: RewritePlan): void {
  if (change.length === 0) return;
  output.lines('Left out:');
  for (const { path, type, size } of leftOut.slice(0, shownPaths))
    output.lines(
      `  ${printablePath(path)}${type === 'dir' ? '/ and all that is in it' : type === 'file' ? ` (${formatBytes(size)})` : ''}`,
    );
  if (leftOut.length > shownPaths) output.lines('  … and more');
  output.lines('');
}

function tableOf(change: readonly PlannedRewrite[]): string[] {
  const rows = change.map(({ snapshot, figures }) => [
    snapshot.id.slice(0, 8),
    formatTimeText(snapshot.time),
    printable(snapshot.hostname ?? ''),
    figures ? counted(figures.goneFiles, 'file') : '',
    figures ? counted(figures.goneFolders, 'folder') : '',
    figures ? `${counted(figures.files, 'file')}, ${formatBytes(figures.bytes)}` : '',
  ]);
  return tableLines(
    [
      { title: 'ID' },
      { title: 'Time' },
      { title: 'Host' },
      { title: 'Left out', right: true },
      { title: '', right: true },
      { title: 'Stays', right: true },
    ],
    rows,
  );
}

const plannedFields = ({ snapshot, tree, figures, successor }: PlannedRewrite): object => ({
  id: snapshot.id,
  time: snapshot.time,
  tree: snapshot.tree,
  newTree: tree,
  ...(figures ? { figures } : {}),
  ...(successor === undefined ? {} : { successor }),
});

/** The figures of a plan for programs. */
export const rewritePlanFields = ({ change, unchanged, problems, damaged }: RewritePlan): object => ({
  change: change.map(({ snapshot }) => snapshot.id),
  unchanged: unchanged.length,
  notRewritten: problems.length,
  damaged: damaged.length,
});

export const codeOfRewrite = ({ problems, damaged, damage }: RewritePlan): ExitCode =>
  problems.length + damaged.length + damage.length > 0 ? exitCodes.incomplete : exitCodes.done;
