/** recover: makes a snapshot of what is stored and belongs to no snapshot any more. */
import { executeRecover, planRecover } from '../../engine/recover.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { reportRecoverPlan } from '../repair-report.ts';
import { withRepositoryItself } from '../session.ts';
import { counted } from '../../platform/sizes.ts';
import type { Verbs } from '../verbs.ts';

export function addRecover({ program, run }: Verbs): void {
  program
    .command('recover')
    .description('find what is stored and belongs to no snapshot any more, and make a snapshot of it')
    .option('-n, --dry-run', 'say what would be recovered, and change nothing')
    .addHelpText(
      'after',
      `
For snapshots that were forgotten by mistake and not pruned yet, and for those that are damaged. The new snapshot has the tag
"recovered"; its root holds a folder for each that nothing leads to, named by the beginning of its ID.

Examples:
  holdfast --repo /media/disk/backup recover --dry-run
  holdfast --repo /media/disk/backup recover`,
    )
    .action((options: { readonly dryRun?: boolean }, command) =>
      run(command, { whenCancelled: 'Cancelled. No snapshot was made; nothing else was changed.' }, (invocation) =>
        withRepositoryItself(invocation, async (repository) => {
          const { output, identity } = invocation;
          const figures = ({ folders, orphans, unreadable, missing }: Awaited<ReturnType<typeof planRecover>>): object => ({
            folders: folders.length,
            orphans,
            unreadable: unreadable.length,
            missing,
          });
          if (options.dryRun) {
            const plan = await planRecover(repository, invocation.options);
            const code = reportRecoverPlan(output, plan);
            output.lines('Nothing was changed.');
            output.object('summary', { dryRun: true, ...figures(plan) });
            return code;
          }
          let code: ExitCode = exitCodes.done;
          const { plan, snapshot } = await executeRecover(repository, {
            ...invocation.options,
            identity,
            onPlan: (found) => void (code = reportRecoverPlan(output, found)),
          });
          output.endProgress();
          if (snapshot !== undefined)
            output.lines(`Snapshot ${snapshot.slice(0, 8)} is stored, with ${counted(plan.folders.length, 'recovered folder')}.`);
          output.object('summary', { snapshot, ...figures(plan) });
          return code;
        }),
      ),
    );
}
