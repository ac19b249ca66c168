/** mirror: keeps a plain folder equal to a snapshot. */
import { join } from 'node:path';
import { fail } from '../../contract/errors.ts';
import { nameBytes } from '../../engine/backup/name-text.ts';
import { executeMirror, type MirrorRequest, type MirrorResult, planMirror, removalPlaces } from '../../engine/mirror/mirror.ts';
import { dataFolder } from '../../platform/host.ts';
import { parseChoice } from '../arguments.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { figuresText, reportProblems, showEntry } from '../restore-report.ts';
import { withRepository } from '../session.ts';
import { counted, formatBytes } from '../../platform/sizes.ts';
import type { Verbs } from '../verbs.ts';

interface MirrorOptions {
  readonly to?: string;
  readonly path?: string;
  readonly deleteTo?: string;
  readonly adopt?: boolean;
  readonly verify?: boolean;
  readonly dryRun?: boolean;
}

export function addMirror({ program, run }: Verbs): void {
  program
    .command('mirror')
    .description('keep a plain folder equal to a snapshot, for use without any program')
    .argument('[snapshot]', 'an ID, the beginning of one or "latest" (the default)')
    .option('--to <folder>', 'the mirror; it is made when it is not there')
    .option('--path <path>', 'only this folder of the snapshot; what it holds is put into the mirror')
    .option('--delete-to <place>', `what becomes of what is no longer in the snapshot: ${removalPlaces.join(', ')} (default: dated)`)
    .option('--adopt', 'make a mirror of a folder that holds other things; what differs goes')
    .option('--verify', 'compare every byte of every file, not only of those that are written')
    .option('-n, --dry-run', 'list exactly what would be done, and change nothing')
    .addHelpText(
      'after',
      `
Only what has changed is written, then read again from the disk and compared. What is no longer in the snapshot is moved to
.NAME.holdfast-mirror/removed/DATE beside the mirror NAME (dated), or deleted (remove). That folder also says of what NAME is
the mirror; it belongs beside it, whatever name NAME gets. A mirror that was cut off is completed by the next run. A folder
that is not empty and no mirror is refused, and so is the empty place of a drive that is not plugged in.

At the root of a drive nothing can stand beside the mirror; there the folder is .holdfast-mirror in it. Choose a folder on the
drive instead if the mirror shall hold nothing else.

Examples:
  holdfast --repo /media/disk/backup mirror --to /media/stick/documents --path /home/me/Documents
  holdfast --repo /media/disk/backup mirror latest --to /media/stick/all --delete-to remove --dry-run`,
    )
    .action((snapshot: string | undefined, options: MirrorOptions, command) =>
      run(
        command,
        { whenCancelled: 'Cancelled. What is in the mirror so far is whole; run it again to finish it.' },
        async (invocation) => {
          const { output } = invocation;
          const request = requestOf(snapshot, options);
          const runOptions = { ...invocation.options, known: join(dataFolder(), 'mirrors') };
          return withRepository(invocation, async (repository) => {
            if (!options.dryRun) return report(output, await executeMirror(repository, request, runOptions));
            const plan = await planMirror(repository, request, runOptions, (entry) => showEntry(output, entry));
            output.endProgress();
            reportProblems(output, plan.problems);
            output.lines(`Mirror ${plan.target}: ${figuresText(plan.figures, 'to ')}. Nothing was changed.`);
            const { snapshot: id, target, figures, problems } = plan;
            output.object('summary', { dryRun: true, snapshot: id, target, ...figures, problems: problems.length });
            return problems.length > 0 ? exitCodes.incomplete : exitCodes.done;
          });
        },
      ),
    );
}

function requestOf(snapshot: string | undefined, { to, path, deleteTo, adopt, verify }: MirrorOptions): MirrorRequest {
  if (to === undefined || to === '')
    return fail('bad-usage', { problem: 'It is not said where the mirror is.', guidance: 'Name its folder with --to.' });
  return {
    snapshot: snapshot ?? 'latest',
    path: path === undefined ? undefined : nameBytes(path),
    to,
    deleteTo: deleteTo === undefined ? undefined : parseChoice(deleteTo, removalPlaces, '--delete-to'),
    adopt,
    verify,
  };
}

function report(output: Output, { snapshot, target, figures, problems, verified, damage, removedTo, inside }: MirrorResult): ExitCode {
  output.endProgress();
  reportProblems(output, problems);
  // Only where something is missing does it matter why.
  if (problems.length > 0) for (const error of damage) output.problem({ path: undefined, kind: error.code, detail: error.message });
  const state = problems.length > 0 ? 'is not yet equal to' : 'is equal to';
  output.lines(`${target} ${state} snapshot ${snapshot.slice(0, 8)}: ${figuresText(figures)}.`);
  if (verified) output.lines(`Verified: ${counted(verified.entries, 'item')}, ${formatBytes(verified.bytes)} read again and compared.`);
  if (removedTo !== undefined) output.lines(`What is no longer in the snapshot is in ${removedTo}.`);
  if (inside !== undefined) output.note(`${inside} is Holdfast's own, and no part of the mirror; nothing can stand beside this mirror.`);
  if (problems.length > 0) output.note(`${counted(problems.length, 'item')} could not be mirrored; see above.`);
  const own = { ...(removedTo === undefined ? {} : { removedTo }), ...(inside === undefined ? {} : { inside }) };
  output.object('summary', { snapshot, target, ...figures, problems: problems.length, ...(verified ? { verified } : {}), ...own });
  return problems.length > 0 ? exitCodes.incomplete : exitCodes.done;
}
