/** move: brings a repository to another place. */
import { executeMove, planMove } from '../../engine/move/move.ts';
import type { MovePlan } from '../../engine/move/plan.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { storageAt, withRepositoryItself } from '../session.ts';
import { counted, formatBytes } from '../../platform/sizes.ts';
import type { Verbs } from '../verbs.ts';

interface MoveOptions {
  readonly to: string;
  readonly removeOld?: boolean;
  readonly dryRun?: boolean;
  readonly toCredentialsFile?: string;
}

export function addMove({ program, run }: Verbs): void {
  program
    .command('move')
    .description('bring the repository to another place, as it is')
    .requiredOption('--to <place>', 'where to: a new or an empty folder, or a server')
    .option('--to-credentials-file <file>', 'a file of NAME=value lines with what opens the server there')
    .option('--remove-old', 'remove the old one, once the new one is proved to be whole')
    .option('-n, --dry-run', 'say how much would be moved and whether it fits, and change nothing')
    .addHelpText(
      'after',
      `
The new place gets the same files: snapshots, passwords and ID stay. Nothing else can use the repository meanwhile. Every file is
proved when it is copied, then the new place is checked and all its data read. Without --remove-old the old one stays as it is; from
then on use only one of them. A move that was cut off can be run again.

Examples:
  holdfast --repo /media/disk/backup move --to /media/larger/backup --dry-run
  holdfast --repo /media/disk/backup move --to /media/larger/backup
  holdfast --repo /media/disk/backup move --to /media/larger/backup --remove-old`,
    )
    .action((options: MoveOptions, command) =>
      run(
        command,
        { whenCancelled: 'Cancelled. The old or the new place is complete; run the same move again to finish it.' },
        async (invocation) => {
          const { output } = invocation;
          const place = await storageAt(options.to, invocation, options.toCredentialsFile);
          try {
            return await withRepositoryItself(invocation, async (repository) => {
              if (options.dryRun) return reportPlan(output, await planMove(repository, place));
              const { check, isOldRemoved, copiedFiles, copiedBytes } = await executeMove(repository, place, {
                ...invocation.options,
                removeOld: options.removeOld,
                onPlan: (plan) => output.lines(...planLines(plan)),
                onDamaged: (file, error) => output.problem({ path: undefined, kind: error.code, detail: `${file}: ${error.message}` }),
              });
              output.endProgress();
              for (const finding of check.errors > 0 ? check.findings : [])
                output.problem({ path: undefined, kind: finding.code, detail: finding.message });
              const facts = { location: place.location, files: copiedFiles, bytes: copiedBytes, oldRemoved: isOldRemoved };
              if (check.errors > 0) {
                output.lines(`Everything is at ${place.location}, but its check found damage; see above. The old place was kept.`);
                output.object('summary', { ...facts, errors: check.errors });
                return exitCodes.failed;
              }
              output.lines(
                `The repository is at ${place.location} now; all its data was read there and is whole.`,
                isOldRemoved
                  ? `${repository.storage.location} holds it no more.`
                  : `The old one at ${repository.storage.location} was kept: remove it when you like, and back up only to the new one.`,
              );
              output.object('summary', { ...facts, errors: 0 });
              return exitCodes.done;
            });
          } finally {
            await place.close().catch(() => {});
          }
        },
      ),
    );
}

function planLines({ location, state, files, bytes, presentFiles, presentBytes, needed, free }: MovePlan): string[] {
  const lines = [`To ${location}: ${counted(files, 'file')}, ${formatBytes(bytes)}.`];
  if (state !== 'empty') lines.push(`${counted(presentFiles, 'file')} of them, ${formatBytes(presentBytes)}, are there already.`);
  if (free !== undefined) lines.push(`${formatBytes(needed)} are needed there, ${formatBytes(free)} are free.`);
  return lines;
}

function reportPlan(output: Output, plan: MovePlan): ExitCode {
  const fits = plan.free === undefined ? undefined : plan.needed <= plan.free;
  output.lines(...planLines(plan), ...(fits === false ? ['That does not fit.'] : []), 'Nothing was changed.');
  output.object('summary', { dryRun: true, ...plan, fits });
  return fits === false ? exitCodes.failed : exitCodes.done;
}
