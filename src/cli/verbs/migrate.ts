/** migrate: makes a repository of format version 1 one of version 2. */
import { join } from 'node:path';
import { executeMigrate, hasKeptConfigs, type MigratePlan, openForMigration, planMigrate } from '../../engine/migrate/migrate.ts';
import { dataFolder } from '../../platform/host.ts';
import { findingLines } from '../check-report.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { withRepository } from '../session.ts';
import type { Verbs } from '../verbs.ts';

const meaning = [
  'Version 2 of the repository format can compress what is stored. Only the config file changes: everything that is stored stays as it',
  'is, and every snapshot with it; what later backups add is compressed. There is no way back to version 1, and restic older than',
  '0.14 cannot open the repository any more.',
];

export function addMigrate({ program, run }: Verbs): void {
  program
    .command('migrate')
    .description('upgrade a repository of format version 1 (restic before 0.14) to version 2')
    .option('-n, --dry-run', 'check the repository, say what would be done, and change nothing')
    .addHelpText(
      'after',
      `
${meaning.join('\n')}

The repository is checked first, and nothing is changed if anything is damaged. Nothing else can use it meanwhile.

Examples:
  holdfast --repo /media/disk/backup migrate --dry-run
  holdfast --repo /media/disk/backup migrate`,
    )
    .action(({ dryRun }: { readonly dryRun?: boolean }, command) =>
      run(
        command,
        { whenCancelled: 'Cancelled. The repository has its old version or the new one; the same again completes it.' },
        async (invocation) => {
          const { output, options } = invocation;
          const copies = join(dataFolder(), 'config-copies');
          const opening = {
            open: (storage: Parameters<typeof openForMigration>[0], password: string) => openForMigration(storage, password, copies),
            withoutConfig: await hasKeptConfigs(copies),
            bypassCache: true,
          };
          return withRepository(
            invocation,
            async (repository) => {
              if (repository.config.version !== 2) output.lines(...meaning, '');
              const plan = dryRun
                ? await planMigrate(repository, options)
                : await executeMigrate(repository, { ...options, copies, onPlan: (made) => showFindings(output, made) });
              if (dryRun) showFindings(output, plan);
              output.endProgress();
              output.lines(resultOf(plan, dryRun === true));
              output.object('summary', { ...planFields(plan), ...(dryRun ? { dryRun } : {}) });
              return (plan.check?.errors ?? 0) > 0 ? exitCodes.failed : exitCodes.done;
            },
            opening,
          );
        },
      ),
    );
}

function showFindings(output: Output, { check }: MigratePlan): void {
  output.endProgress();
  for (const finding of check?.findings ?? []) {
    if (finding.severity === 'note') continue;
    output.lines(...findingLines(finding));
    output.object('finding', finding);
  }
}

function resultOf({ version, target, isNeeded, isInterrupted, check }: MigratePlan, dryRun: boolean): string {
  if (!isNeeded) return `The repository has format version ${version} already. Nothing was changed.`;
  if (!dryRun && isInterrupted) return `An upgrade that was cut off is complete: the repository has format version ${target} now.`;
  if (!dryRun) return `The repository has format version ${target} now.`;
  if (check && check.errors > 0) return 'The upgrade would be refused: what is named above is damaged. Nothing was changed.';
  return `The repository would be upgraded from format version ${version} to ${target}. Nothing was changed.`;
}

const planFields = ({ version, target, isNeeded, isInterrupted, check }: MigratePlan): object => ({
  version,
  target,
  isNeeded,
  isInterrupted,
  ...(check ? { errors: check.errors, warnings: check.warnings } : {}),
});
