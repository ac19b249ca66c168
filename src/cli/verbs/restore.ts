/** restore: brings back what a snapshot holds. */
import { Option } from 'commander';
import { fail } from '../../contract/errors.ts';
import { nameBytes } from '../../engine/backup/name-text.ts';
import { type OverwritePolicy, overwritePolicies } from '../../engine/restore/policy.ts';
import { executeRestore, planRestore, type RestoreResult } from '../../engine/restore/restore.ts';
import type { RestoreRequest } from '../../engine/restore/plan.ts';
import type { PlannedEntry, RestoreProblem, WalkFigures } from '../../engine/restore/walk-task.ts';
import { displayPath } from '../../platform/byte-paths.ts';
import { parseChoice, parsePlace } from '../arguments.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type Output, pathFields } from '../output.ts';
import { withRepository } from '../session.ts';
import { counted, formatBytes } from '../sizes.ts';
import type { Verbs } from '../verbs.ts';

interface RestoreOptions {
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
    .argument('<snapshot[:path]>', 'an ID, the beginning of one or "latest"; with a path only what is there')
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

Examples:
  holdfast --repo /media/disk/backup restore latest --target ~/restored
  holdfast --repo /media/disk/backup restore latest:/home/me/Documents letters photo.jpg --target ~/restored --verify
  holdfast --repo /media/disk/backup restore 1a2b3c:/home/me/Documents --original --overwrite keep-both --dry-run`,
    )
    .action((place: string, items: string[], options: RestoreOptions, command) =>
      run(
        command,
        { whenCancelled: 'Cancelled. What was restored so far is kept; run the same restore again to finish it.' },
        async (invocation) => {
          const { output } = invocation;
          const request = requestOf(place, items, options);
          return withRepository(invocation, async (repository) => {
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
            return report(output, await executeRestore(repository, request, invocation.options));
          });
        },
      ),
    );
}

function requestOf(text: string, items: readonly string[], options: RestoreOptions): RestoreRequest {
  const { target, original, overwrite } = options;
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

function showEntry(output: Output, { path, other, type, action, size, existingSize }: PlannedEntry): void {
  const isFile = type === 'file' && action !== 'delete';
  const beside = other === undefined ? '' : ` as ${displayPath(Buffer.from(other))}`;
  output.lines(
    `${action.padEnd(8)} ${displayPath(Buffer.from(path))}${type === 'dir' ? '/' : ''}${isFile ? ` (${formatBytes(size)})` : ''}${beside}`,
  );
  const otherFields = other === undefined ? undefined : pathFields(other);
  output.object('entry', {
    ...pathFields(path),
    kind: type,
    action,
    size,
    ...(existingSize === undefined ? {} : { existingSize }),
    ...(otherFields === undefined
      ? {}
      : { other: otherFields.path, ...(otherFields.pathBytes === undefined ? {} : { otherBytes: otherFields.pathBytes }) }),
  });
}

function figuresText({ create, replace, beside, same, keep, delete: deleted, bytes }: WalkFigures, to = ''): string {
  const parts = [`${counted(create, 'item')} ${to}create`];
  if (to === '') parts[0] = `${counted(create, 'item')} created`;
  const add = (count: number, plain: string, past: string): void => {
    if (count > 0) parts.push(`${counted(count, 'item')} ${to === '' ? past : `${to}${plain}`}`);
  };
  add(replace, 'replace', 'replaced');
  add(beside, 'restore beside another', 'restored beside another');
  add(deleted, 'delete', 'deleted');
  if (same > 0) parts.push(`${counted(same, 'item')} the same already`);
  if (keep > 0) parts.push(`${counted(keep, 'item')} left as they were`);
  return `${parts.join(', ')}; ${formatBytes(bytes)} ${to === '' ? 'written' : `${to}write`}`;
}

function reportProblems(output: Output, problems: readonly RestoreProblem[]): void {
  const words: Readonly<Record<RestoreProblem['kind'], string>> = {
    damaged: 'was not restored: the repository lacks data of it',
    failed: 'was not restored',
    metadata: 'was restored, but not all of its properties could be set',
    differs: 'was restored, but is not what the snapshot holds',
  };
  for (const { path, kind, detail } of problems)
    output.problem({ path, kind, detail: `${words[kind]}${detail === '' ? '' : ` (${detail})`}` });
}

function report(output: Output, { snapshot, target, figures, problems, verified, damage }: RestoreResult): ExitCode {
  output.endProgress();
  reportProblems(output, problems);
  // Only where something is missing does it matter why.
  if (problems.length > 0) for (const error of damage) output.problem({ path: undefined, kind: error.code, detail: error.message });
  output.lines(`Snapshot ${snapshot.slice(0, 8)} is restored into ${target}: ${figuresText(figures)}.`);
  if (verified) output.lines(`Verified: ${counted(verified.entries, 'item')}, ${formatBytes(verified.bytes)} read again and compared.`);
  if (problems.length > 0) output.note(`${counted(problems.length, 'item')} could not be restored as they were; see above.`);
  output.object('summary', { snapshot, target, ...figures, problems: problems.length, ...(verified ? { verified } : {}) });
  return problems.length > 0 ? exitCodes.incomplete : exitCodes.done;
}
