/** prune: deletes data that no snapshot needs any more. */
import { parseMaxUnused } from '../../engine/prune/max-unused.ts';
import { planPrune, type PruneRequest } from '../../engine/prune/plan.ts';
import { executePrune } from '../../engine/prune/prune.ts';
import { exitCodes } from '../exit-codes.ts';
import { prunePlanFields, reportPruned, reportPrunePlan } from '../prune-report.ts';
import { withRepository } from '../session.ts';
import type { Verbs } from '../verbs.ts';

interface PruneOptions {
  readonly maxUnused?: string;
  readonly dryRun?: boolean;
}

export const whenPruneCancelled = 'Cancelled. All snapshots are whole; the next prune carries on.';

export const maxUnusedHelp = 'how much that nobody needs may stay, since removing it means copying: 5%, 500M, 0 or unlimited (default: 5%)';

export const pruneRequest = ({ maxUnused }: PruneOptions): PruneRequest => ({
  maxUnused: maxUnused === undefined ? undefined : parseMaxUnused(maxUnused),
});

export function addPrune({ program, run }: Verbs): void {
  program
    .command('prune')
    .description('delete data that no snapshot needs any more')
    .option('--max-unused <limit>', maxUnusedHelp)
    .option('-n, --dry-run', 'say what would be done, and change nothing')
    .addHelpText(
      'after',
      `
Nothing else can use the repository meanwhile. Nothing is deleted if the repository is damaged.

Examples:
  holdfast --repo /media/disk/backup prune --dry-run
  holdfast --repo /media/disk/backup prune --max-unused 0`,
    )
    .action((options: PruneOptions, command) =>
      run(command, { whenCancelled: whenPruneCancelled }, async (invocation) => {
        const { output } = invocation;
        const request = pruneRequest(options);
        return withRepository(invocation, async (repository) => {
          if (options.dryRun) {
            const plan = await planPrune(repository, request, invocation.options);
            reportPrunePlan(output, plan, true);
            output.lines('Nothing was changed.');
            output.object('summary', { dryRun: true, ...prunePlanFields(plan) });
            return exitCodes.done;
          }
          const result = await executePrune(repository, request, {
            ...invocation.options,
            onPlan: (plan) => reportPrunePlan(output, plan, false),
          });
          reportPruned(output, result);
          output.object('summary', { ...prunePlanFields(result.plan), storedBytes: result.storedBytes, deletedBytes: result.deletedBytes });
          return exitCodes.done;
        });
      }),
    );
}
