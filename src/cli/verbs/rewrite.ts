/** rewrite: takes files and folders out of snapshots. */
import type { Command } from 'commander';
import { fail } from '../../contract/errors.ts';
import { compileExcludes } from '../../engine/backup/exclude.ts';
import { executeRewrite, planRewrite, type RewriteRequest } from '../../engine/rewrite/rewrite.ts';
import { parseTimeText } from '../dates.ts';
import { addPatternOptions, hasPatterns, patternsOf, type PatternOptions, presetsHelp } from '../exclude-options.ts';
import { codeOfRewrite, rewritePlanFields, showRewritePlan } from '../rewrite-report.ts';
import { withRepository } from '../session.ts';
import { counted, formatBytes } from '../../platform/sizes.ts';
import type { Clock } from '../../platform/clock.ts';
import { addSnapshotFilter, choiceOf, type SnapshotFilter } from '../snapshot-filter.ts';
import type { Verbs } from '../verbs.ts';

interface RewriteOptions extends SnapshotFilter, PatternOptions {
  readonly newHost?: string;
  readonly newTime?: string;
  readonly forget?: boolean;
  readonly dryRun?: boolean;
}

export function addRewrite({ program, run }: Verbs): void {
  const command: Command = program
    .command('rewrite')
    .description('take files and folders out of snapshots')
    .argument('[snapshot...]', 'IDs, beginnings of IDs or "latest"; without any, all that the filters let through');
  addSnapshotFilter(addPatternOptions(command))
    .option('--new-host <name>', 'another name of the computer')
    .option('--new-time <time>', 'another time, as in "2026-01-31 12:34:56" (of this computer\'s time zone)')
    .option('--forget', 'remove the old snapshots; without, they stay, and the new ones get the tag "rewrite"')
    .option('-n, --dry-run', 'say which snapshots would change and what would be left out, and change nothing')
    .addHelpText(
      'after',
      `
For each snapshot that holds something to leave out a new one is made; all others stay as they are. Patterns are those of
"holdfast backup": a name is looked for everywhere in a snapshot; a path begins at one of its sources, or is the whole path as
"holdfast ls" shows it. Put **/ in front of a path that may begin anywhere. Without names and filters all snapshots are meant.
Sets of excludes for --preset:
${presetsHelp}

What was left out stays stored until the old snapshots are gone (--forget) and a prune has removed what nobody needs.

Examples:
  holdfast --repo /media/disk/backup rewrite --exclude "*.iso" --dry-run
  holdfast --repo /media/disk/backup rewrite --exclude /home/me/secret --forget
  holdfast --repo /media/disk/backup rewrite --new-host desktop --host old-name --forget`,
    )
    .action((snapshots: string[], options: RewriteOptions) =>
      run(
        command,
        { whenCancelled: 'Cancelled. Every snapshot is there, the old one or its successor; the same again completes it.' },
        async (invocation) => {
          const { output } = invocation;
          const request = requestOf(snapshots, options, invocation.clock);
          return withRepository(invocation, async (repository) => {
            if (options.dryRun) {
              const plan = await planRewrite(repository, request, invocation.options);
              showRewritePlan(output, plan, request.rules !== undefined);
              output.lines(`${counted(plan.change.length, 'snapshot')} would be rewritten. Nothing was changed.`);
              output.object('summary', { dryRun: true, ...rewritePlanFields(plan) });
              return codeOfRewrite(plan);
            }
            const { plan, changed, storedBytes } = await executeRewrite(repository, request, {
              ...invocation.options,
              onPlan: (made) => showRewritePlan(output, made, request.rules !== undefined),
            });
            output.endProgress();
            const same = plan.unchanged.length > 0 ? ` ${counted(plan.unchanged.length, 'snapshot')} needed no change.` : '';
            const old = changed.length === 0 ? '' : options.forget ? ' The old ones were removed.' : ' The old ones stay.';
            output.lines(`${counted(changed.length, 'snapshot')} rewritten (${formatBytes(storedBytes)} stored).${old}${same}`);
            output.object('summary', { ...rewritePlanFields(plan), changed, storedBytes });
            return codeOfRewrite(plan);
          });
        },
      ),
    );
}

function requestOf(snapshots: readonly string[], options: RewriteOptions, clock: Clock): RewriteRequest {
  const { newHost, newTime, forget } = options;
  if (newHost === '') fail('bad-usage', { problem: '--new-host: the name is empty.', guidance: 'Write the name of the computer.' });
  return {
    ...choiceOf(snapshots, options),
    rules: hasPatterns(options) ? compileExcludes(patternsOf(options)) : undefined,
    hostname: newHost,
    time: newTime === undefined ? undefined : parseTimeText(newTime, '--new-time', clock),
    forget,
  };
}
