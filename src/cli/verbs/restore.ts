/** restore: brings back what a snapshot holds. */
import { Option } from 'commander';
import { fail } from '../../contract/errors.ts';
import { nameBytes } from '../../engine/backup/name-text.ts';
import { type OverwritePolicy, overwritePolicies } from '../../engine/restore/policy.ts';
import { executeRestore, planRestore, type RestoreResult, type UndoOptions } from '../../engine/restore/restore.ts';
import type { RestoreRequest } from '../../engine/restore/plan.ts';
import type { UndoSummary } from '../../engine/undo/journal.ts';
import { parseChoice, parsePlace } from '../arguments.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { figuresText, reportProblems, showEntry } from '../restore-report.ts';
import { withRepository } from '../session.ts';
import { counted, formatBytes } from '../../platform/sizes.ts';
import type { Verbs } from '../verbs.ts';
import { journalFolder, tellKept, undoVerb, type UndoVerbOptions } from './restore-undo.ts';

interface RestoreOptions extends UndoVerbOptions {
  readonly target?: string;
  readonly original?: boolean;
  readonly overwrite?: string;
  readonly delete?: boolean;
  readonly dryRun?: boolean;
  readonly verify?: boolean;
  readonly sparse?: boolean;
}

export function addRestore({ program, run }: Verbs): void {
  program
    .command('restore')
    .description('restore a snapshot, or a part of it')
    .argument('[snapshot[:path]]', 'an ID, the beginning of one or "latest"; with a path only what is there')
    .argument('[item...]', 'only these files and folders: paths below PATH, or full paths in the snapshot')
    .option('-t, --target <folder>', 'where to restore to; it is made when it is not there')
    .option('--original', 'restore to where everything was')
    .addOption(
      new Option('--overwrite <when>', 'what to do with files that are there already (default: always)').choices(overwritePolicies),
    )
    .option('--delete', 'remove what is in the restored folders and not in the snapshot')
    .option('-n, --dry-run', 'list exactly what would be done, and change nothing')
    .option('--verify', 'read every restored file again from the disk and compare it with the snapshot')
    .option('--sparse', 'leave holes in files where they hold nothing but zeros')
    .option('--no-undo', 'do not keep what is replaced or deleted')
    .option('--undo <id>', 'instead of restoring, bring back what was there before the restore of this ID (with --dry-run: say how)')
    .option('--list-undo', 'list the restores that can be undone')
    .option('--forget-undo [id]', 'remove what is kept for an undo: of one restore, or with --older-than of all that are older')
    .option('--older-than <duration>', 'for --forget-undo, for example 30d')
    .option('--journal <folder>', "where undo keeps its journals (default: in Holdfast's own folder)")
    .addHelpText(
      'after',
      `
With a path, what that folder holds is put into the target; without one the full paths are rebuilt below it. A restore that was
cut off can be run again: what is there already is compared, not written.

What to do with a file that is there already:
  always      make it what the snapshot holds
  if-changed  the same, but take equal size and time of change for equal content
  if-newer    only if the snapshot's is newer
  never       leave it
  keep-both   leave it, and restore the other one beside it under another name

A restore into a folder that holds things can be undone for 30 days: what it replaces or deletes is moved to hidden folders
(.holdfast-undo-ID) there. An undo needs no repository. What was changed since the restore is kept and named.

Examples:
  holdfast --repo /media/disk/backup restore latest --target ~/restored
  holdfast --repo /media/disk/backup restore latest:/home/me/Documents letters photo.jpg --target ~/restored --verify
  holdfast --repo /media/disk/backup restore 1a2b3c:/home/me/Documents --original --overwrite keep-both --dry-run
  holdfast restore --list-undo
  holdfast restore --undo 1f2e3d4c`,
    )
    .action((place: string | undefined, items: string[], options: RestoreOptions, command) => {
      const undo = undoVerb(place, options);
      if (undo) return run(command, undo.facts, undo.verb);
      return run(
        command,
        { whenCancelled: 'Cancelled. What was restored so far is kept; run the same restore again to finish it.' },
        async (invocation) => {
          const { output } = invocation;
          const request = requestOf(place, items, options);
          return withRepository(
            invocation,
            async (repository) => {
              if (options.dryRun) {
                const plan = await planRestore(repository, request, invocation.options, (entry) => showEntry(output, entry));
                output.endProgress();
                reportProblems(output, plan.problems);
                output.lines(`Into ${plan.target}: ${figuresText(plan.figures, 'to ')}. Nothing was changed.`);
                output.object('summary', {
                  dryRun: true,
                  snapshot: plan.snapshot,
                  target: plan.target,
                  ...plan.figures,
                  problems: plan.problems.length,
                });
                return plan.problems.length > 0 ? exitCodes.incomplete : exitCodes.done;
              }
              let kept: UndoSummary | undefined;
              const undo: UndoOptions = {
                // Only a restore that needs it asks for it.
                get folder() {
                  return journalFolder(options);
                },
                keep: options.undo !== false,
                onKept: (summary) => (kept = summary),
              };
              const run = { ...invocation.options, undo };
              try {
                return report(output, await executeRestore(repository, request, run), options);
              } catch (error) {
                tellKept(output, kept, options);
                throw error;
              }
            },
            { readAhead: 'far' },
          );
        },
      );
    });
}

function requestOf(text: string | undefined, items: readonly string[], options: RestoreOptions): RestoreRequest {
  const { target, original, overwrite } = options;
  if (text === undefined) {
    return fail('bad-usage', {
      problem: 'It is not said which snapshot to restore.',
      guidance: 'Give an ID or "latest"; see "holdfast restore --help".',
    });
  }
  if ((target === undefined) === (original !== true)) {
    return fail('bad-usage', {
      problem: 'It must be said where to restore to.',
      guidance: 'Give either --target FOLDER, or --original for where everything was.',
    });
  }
  if (target === '')
    return fail('bad-usage', { problem: '--target names no folder.', guidance: 'Name one; it is made when it is not there.' });
  const policy: OverwritePolicy = overwrite === undefined ? 'always' : parseChoice(overwrite, overwritePolicies, '--overwrite');
  return {
    ...parsePlace(text),
    items: items.length === 0 ? undefined : items.map(nameBytes),
    target,
    overwrite: policy,
    delete: options.delete,
    sparse: options.sparse,
    verify: options.verify,
  };
}

function report(
  output: Output,
  { snapshot, target, figures, problems, verified, damage, undo }: RestoreResult,
  options: RestoreOptions,
): ExitCode {
  output.endProgress();
  reportProblems(output, problems);
  // Only where something is missing does it matter why.
  if (problems.length > 0) for (const error of damage) output.problem({ path: undefined, kind: error.code, detail: error.message });
  output.lines(`Snapshot ${snapshot.slice(0, 8)} is restored into ${target}: ${figuresText(figures)}.`);
  if (verified) output.lines(`Verified: ${counted(verified.entries, 'item')}, ${formatBytes(verified.bytes)} read again and compared.`);
  if (problems.length > 0) output.note(`${counted(problems.length, 'item')} could not be restored as they were; see above.`);
  tellKept(output, undo, options);
  output.object('summary', {
    snapshot,
    target,
    ...figures,
    problems: problems.length,
    ...(verified ? { verified } : {}),
    ...(undo ? { undo } : {}),
  });
  return problems.length > 0 ? exitCodes.incomplete : exitCodes.done;
}
