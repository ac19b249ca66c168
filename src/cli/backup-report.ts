/** What a person is told before and after a backup. */
import type { BackupResult } from '../engine/backup/backup.ts';
import type { BackupNote, BackupPlan } from '../engine/backup/plan.ts';
import type { Problem } from '../engine/backup/scan-task.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { Output } from './output.ts';
import { counted, formatBytes, formatCount } from '../platform/sizes.ts';

export function noteText(note: BackupNote): string {
  switch (note.kind) {
    case 'source-inside-another':
      return `${note.path} lies inside ${note.other} and is stored with it.`;
    case 'destination-left-out':
      return `The repository ${note.path} lies inside what is backed up. It is left out.`;
    case 'no-full-snapshot':
      return 'There is no full snapshot to compare with, so this one becomes full: every byte is read.';
  }
}

const problemTexts: Readonly<Record<Problem['kind'], string>> = {
  vanished: 'is not there any more, so it is not in the snapshot',
  unreadable: 'could not be read, so it is not in the snapshot',
  changed: 'changed while it was read, so the snapshot may hold a mixture of its states',
  unsupported: 'is of a kind that cannot be backed up',
};

export function reportNotes(output: Output, { notes }: BackupPlan): void {
  for (const note of notes) output.note(noteText(note));
}

/** Tells the result; returns the exit code that it means. */
export function reportBackup(output: Output, plan: BackupPlan, result: BackupResult): ExitCode {
  output.endProgress();
  const { summary, snapshot, problems, damage, adoptedPacks } = result;
  for (const { path, kind, detail } of problems)
    output.problem({ path, kind, detail: `${problemTexts[kind]}${detail === '' ? '' : ` (${detail})`}` });
  for (const error of damage) output.problem({ path: undefined, kind: error.code, detail: `${error.message} ${error.guidance}` });
  // Nobody expects a socket to come back.
  const missing = problems.filter(({ kind }) => kind !== 'unsupported').length;
  if (adoptedPacks > 0) output.note(`${counted(adoptedPacks, 'pack')} of a run that was cut off could be used.`);
  output.lines(
    `Snapshot ${snapshot.slice(0, 8)} is stored: ${counted(summary.total_files_processed, 'file')}, ${formatBytes(summary.total_bytes_processed)}.`,
    `New ${formatCount(summary.files_new)}, changed ${formatCount(summary.files_changed)}, unchanged ${formatCount(summary.files_unmodified)}; ` +
      `added ${formatBytes(summary.data_added)}, which takes ${formatBytes(summary.data_added_packed)} in the repository.`,
  );
  const incomplete = missing > 0 || damage.length > 0;
  if (missing > 0) output.note(`${counted(missing, 'item')} could not be stored as they should; see above.`);
  output.object('summary', {
    snapshot,
    strategy: plan.strategy,
    parent: plan.parent?.id,
    ...summary,
    problems: missing,
    damage: damage.length,
    adoptedPacks,
  });
  return incomplete ? exitCodes.incomplete : exitCodes.done;
}
