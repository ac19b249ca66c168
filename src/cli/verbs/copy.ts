/** copy: brings snapshots from another repository into this one. */
import { fail } from '../../contract/errors.ts';
import { executeCopy, planCopy } from '../../engine/copy/copy.ts';
import type { CopyRequest } from '../../engine/copy/plan.ts';
import { copiedLine, copyObject, reportCopied, reportCopyPlan } from '../copy-report.ts';
import { fromVariables } from '../passwords.ts';
import { openRepository, withRepository } from '../session.ts';
import { addSnapshotFilter, matchesFilter, type SnapshotFilter } from '../snapshot-filter.ts';
import type { Verbs } from '../verbs.ts';

interface CopyOptions extends SnapshotFilter {
  readonly fromRepo?: string;
  readonly fromPasswordFile?: string;
  readonly fromCredentialsFile?: string;
  readonly keepChunks?: boolean;
  readonly dryRun?: boolean;
}

export function addCopy({ program, run }: Verbs): void {
  const command = program
    .command('copy')
    .description('copy snapshots from another repository into this one')
    .argument('[snapshot...]', 'IDs, beginnings of IDs or "latest" (default: all that the other repository holds)')
    .option('--from-repo <place>', 'the repository to copy from')
    .option('--from-password-file <file>', 'a file that holds the password of that repository')
    .option('--from-credentials-file <file>', 'a file of NAME=value lines with what opens the server of that repository');
  addSnapshotFilter(command)
    .option('--keep-chunks', 'copy data as it is cut there, also where this repository cuts files at other places')
    .option('-n, --dry-run', 'say what would be copied, and change nothing')
    .addHelpText(
      'after',
      `
Snapshots that are there already, copied by this program or by restic, are not copied again, and only data that this repository
lacks is read. One that was forgotten here, but not there, comes back unless the choice leaves it out. The password of the other
repository can also be given in HOLDFAST_FROM_PASSWORD or HOLDFAST_FROM_PASSWORD_FILE.

Two repositories share data if the second was made with "init --from-repo … --copy-chunker-params". Otherwise files are cut anew,
which takes longer, so that what is copied and what is backed up here is not stored twice; --keep-chunks leaves that out.

What is damaged there is named, and snapshots that need it are not copied; the exit code is 3 then.

Examples:
  holdfast --repo /media/other/backup copy --from-repo /media/disk/backup
  holdfast --repo /media/other/backup copy --from-repo /media/disk/backup latest --dry-run
  holdfast --repo /media/other/backup copy --from-repo /media/disk/backup --host laptop --tag important`,
    )
    .action((snapshots: string[], options: CopyOptions) =>
      run(command, { whenCancelled: 'Cancelled. What was copied is kept; the next copy carries on from it.' }, async (invocation) => {
        const { output } = invocation;
        const request = requestOf(snapshots, options);
        const { fromRepo, fromPasswordFile, fromCredentialsFile: credentialsFile } = options;
        if (fromRepo === undefined)
          return fail('bad-usage', { problem: 'It is not said where to copy from.', guidance: 'Name a repository with --from-repo.' });
        const source = await openRepository(fromRepo, { file: fromPasswordFile, variables: fromVariables }, invocation, {
          credentialsFile,
        });
        try {
          return await withRepository(invocation, async (target) => {
            const ends = { source, target };
            if (options.dryRun) return reportCopyPlan(output, await planCopy(ends, request, invocation.options), true);
            const result = await executeCopy(ends, request, {
              ...invocation.options,
              onPlan: (plan) => void reportCopyPlan(output, plan, false),
              onCopied: (copied) => {
                output.lines(copiedLine(copied));
                output.object('snapshot', copyObject('copied', copied.snapshot, copied.copy));
              },
            });
            return reportCopied(output, result);
          });
        } finally {
          await source.storage.close().catch(() => {});
        }
      }),
    );
}

function requestOf(snapshots: readonly string[], options: CopyOptions): CopyRequest {
  const { host, path, tag, keepChunks } = options;
  const hasFilter = host !== undefined || path !== undefined || tag !== undefined;
  if (snapshots.length === 0) return { filter: hasFilter ? (snapshot) => matchesFilter(snapshot, options) : undefined, keepChunks };
  if (!hasFilter) return { snapshots, keepChunks };
  return fail('bad-usage', {
    problem: 'Snapshots cannot be named and chosen by --host, --path or --tag at the same time.',
    guidance: 'Name them, or give filters.',
  });
}
