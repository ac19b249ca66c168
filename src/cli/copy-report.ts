/** What a person is told about a copy. */
import type { CopiedSnapshot, CopyResult } from '../engine/copy/copy.ts';
import type { CopyPlan, PlannedCopy } from '../engine/copy/plan.ts';
import type { Finding } from '../engine/check/finding.ts';
import type { Snapshot } from '../repository/snapshot.ts';
import { formatTimeText } from './dates.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { Output } from './output.ts';
import { counted, formatBytes } from '../platform/sizes.ts';

const shownAs = ({ id, time, hostname, paths }: Snapshot): string =>
  `${id.slice(0, 8)} of ${formatTimeText(time)} (${[hostname, paths.join(', ')].filter(Boolean).join(': ')})`;

export const copiedLine = ({ snapshot, copy }: CopiedSnapshot): string => `Copied ${shownAs(snapshot)} as ${copy.slice(0, 8)}.`;

/** `id` is the snapshot's in the other repository, `copy` its copy's in this one. */
export const copyObject = (action: string, { id, time, hostname, paths, tags }: Snapshot, copy: string | undefined): object => ({
  action,
  id,
  copy,
  time,
  hostname,
  paths,
  tags,
});

const count = ({ snapshots }: CopyPlan, action: PlannedCopy['action']): number =>
  snapshots.filter((snapshot) => snapshot.action === action).length;

/** What a copy will do, or would. Returns the exit code that it means. */
export function reportCopyPlan(output: Output, plan: CopyPlan, dryRun: boolean): ExitCode {
  output.endProgress();
  if (plan.cutsAnew && count(plan, 'copy') > 0) {
    output.note(
      'The two repositories cut files at different places. Their contents are read and cut anew, so that this repository can share them with ' +
        'its own backups; nothing of them is shared otherwise. (See --keep-chunks, and "init --copy-chunker-params" for new repositories.)',
    );
  }
  if (plan.keepsChunks && count(plan, 'copy') > 0)
    output.note('The two repositories cut files at different places: what is copied shares nothing with what is backed up here.');
  for (const error of plan.targetDamage)
    output.problem({ path: undefined, kind: error.code, detail: `${error.message} ${error.guidance}` });
  for (const { snapshot, action, copy } of plan.snapshots) {
    if (action === 'present') output.object('snapshot', copyObject(action, snapshot, copy));
    if (!dryRun || action === 'present') continue;
    if (action === 'copy') {
      output.lines(`Would copy ${shownAs(snapshot)}.`);
      output.object('snapshot', copyObject(action, snapshot, copy));
    }
  }
  const whole = `${counted(count(plan, 'copy'), 'snapshot')} to copy, ${count(plan, 'present')} there already; ${formatBytes(plan.bytes)} to read.`;
  if (!dryRun) {
    output.lines(whole);
    return exitCodes.done;
  }
  const damaged = plan.snapshots.filter(({ action }) => action === 'damaged').map(({ snapshot }) => snapshot);
  const code = reportDamage(output, plan, damaged, plan.damage);
  output.lines(whole, 'Nothing was changed.');
  output.object('summary', { dryRun: true, ...figuresOf(plan, damaged.length), copy: count(plan, 'copy') });
  return code;
}

const figuresOf = (plan: CopyPlan, damaged: number): object => ({
  present: count(plan, 'present'),
  damaged,
  unreadable: plan.unreadable.length,
  blobs: plan.blobs,
  bytes: plan.bytes,
  cutsAnew: plan.cutsAnew,
});

/** Names what could not be copied, and why. */
function reportDamage(output: Output, plan: CopyPlan, damaged: readonly Snapshot[], findings: readonly Finding[]): ExitCode {
  for (const { message, code, paths } of findings) {
    const harms = paths.length > 0 ? ` It harms ${paths.join(', ')}.` : '';
    output.problem({ path: undefined, kind: code, detail: `${message}${harms}` });
  }
  for (const snapshot of damaged) {
    const detail = `Snapshot ${shownAs(snapshot)} cannot be copied: something that it needs is damaged or missing.`;
    output.problem({ path: undefined, kind: 'snapshot-not-copied', detail });
    output.object('snapshot', copyObject('damaged', snapshot, undefined));
  }
  for (const { id, error } of plan.unreadable)
    output.problem({ path: undefined, kind: 'snapshot-damaged', detail: `Snapshot ${id.slice(0, 8)} cannot be copied: ${error.message}` });
  const isIncomplete = damaged.length + plan.unreadable.length + plan.targetDamage.length > 0;
  return isIncomplete ? exitCodes.incomplete : exitCodes.done;
}

/** Tells the result; returns the exit code that it means. */
export function reportCopied(output: Output, { plan, copied, damaged, damage, storedBytes, adoptedPacks }: CopyResult): ExitCode {
  output.endProgress();
  const code = reportDamage(output, plan, damaged, damage);
  if (adoptedPacks > 0) output.note(`${counted(adoptedPacks, 'pack')} of a run that was cut off could be used.`);
  const taken = `, which takes ${formatBytes(storedBytes)} in this repository`;
  output.lines(copied.length === 0 ? 'Nothing was copied.' : `${counted(copied.length, 'snapshot')} copied${taken}.`);
  if (damaged.length > 0) output.note(`${counted(damaged.length, 'snapshot')} could not be copied; see above.`);
  output.object('summary', { ...figuresOf(plan, damaged.length), copied: copied.length, storedBytes, adoptedPacks });
  return code;
}
