/** forget: removes snapshots, by rules or by name. */
import type { Command } from 'commander';
import { fail } from '../../contract/errors.ts';
import { executeForget, type ForgetPlan, type ForgetRequest, planForget } from '../../engine/forget.ts';
import { planPrune } from '../../engine/prune/plan.ts';
import { groupName, parseGroupBy } from '../../engine/retention.ts';
import { describePolicy, isEmptyPolicy, parsePolicy, type RetentionOptions } from '../../engine/retention/policy.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { collect } from '../arguments.ts';
import { formatTimeText } from '../dates.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { printable } from '../printable.ts';
import { prunePlanFields, reportPruned, reportPrunePlan } from '../prune-report.ts';
import type { Invocation } from '../run-verb.ts';
import { withRepository } from '../session.ts';
import { counted } from '../../platform/sizes.ts';
import { addSnapshotFilter, matchesFilter, type SnapshotFilter } from '../snapshot-filter.ts';
import { tableLines } from '../table.ts';
import type { Verbs } from '../verbs.ts';
import { maxUnusedHelp, pruneRequest } from './prune.ts';

interface ForgetOptions extends RetentionOptions, SnapshotFilter {
  readonly groupBy?: string;
  readonly dryRun?: boolean;
  readonly prune?: boolean;
  readonly maxUnused?: string;
  readonly force?: boolean;
}

export function addForget({ program, run }: Verbs): void {
  const command = program
    .command('forget')
    .description('remove snapshots: those that no rule keeps, or those that are named')
    .argument('[snapshot...]', 'IDs, beginnings of IDs or "latest"; without any, the rules decide');
  addSnapshotFilter(addRules(command))
    .option('--group-by <what>', 'apply the rules to each of these alone: host, paths, tags (default: host,paths)')
    .option('--force', 'a snapshot that is named may go even if it is the last one of its folders')
    .option('-n, --dry-run', 'say what would be removed and why the others stay, and change nothing')
    .option('--prune', 'then delete the data that no snapshot needs any more')
    .option('--max-unused <limit>', maxUnusedHelp)
    .addHelpText(
      'after',
      `
A snapshot stays when any rule keeps it. Durations look like 1y5m7d2h and count from the newest snapshot. Rules that would leave
nothing of a group are refused. What the removed snapshots needed stays stored until a prune.

Examples:
  holdfast --repo /media/disk/backup forget --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --dry-run
  holdfast --repo /media/disk/backup forget --keep-within 30d --keep-tag important --prune
  holdfast --repo /media/disk/backup forget 1a2b3c4d`,
    )
    .action((snapshots: string[], options: ForgetOptions) =>
      run(command, { whenCancelled: 'Cancelled. Snapshots that were not removed yet are whole and stay.' }, async (invocation) => {
        const request = requestOf(snapshots, options, invocation);
        return withRepository(invocation, async (repository) => {
          const { output } = invocation;
          let incomplete: ExitCode = exitCodes.done;
          const makePlan = async (): Promise<ForgetPlan> => {
            const plan = await planForget(repository, request);
            showPlan(output, plan, options.dryRun === true);
            if (plan.damaged.length > 0) incomplete = exitCodes.incomplete;
            return plan;
          };
          if (options.dryRun) {
            const plan = await makePlan();
            const prune = options.prune
              ? await planPrune(repository, { ...pruneRequest(options), without: plan.remove }, invocation.options)
              : undefined;
            if (prune) reportPrunePlan(output, prune, true);
            output.lines('Nothing was changed.');
            output.object('summary', { dryRun: true, remove: plan.remove, ...(prune ? { prune: prunePlanFields(prune) } : {}) });
            return incomplete;
          }
          const { removed, prune } = await executeForget(repository, makePlan, {
            ...invocation.options,
            prune: options.prune ? pruneRequest(options) : undefined,
            onPrunePlan: (prunePlan) => reportPrunePlan(output, prunePlan, false),
          });
          output.lines(`${counted(removed.length, 'snapshot')} removed.`);
          if (prune) reportPruned(output, prune);
          output.object('summary', {
            removed,
            ...(prune
              ? { prune: { ...prunePlanFields(prune.plan), storedBytes: prune.storedBytes, deletedBytes: prune.deletedBytes } }
              : {}),
          });
          return incomplete;
        });
      }),
    );
}

function addRules(command: Command): Command {
  const of = ['hour', 'day', 'week', 'month', 'year'];
  const names = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'];
  command.option('--keep-last <n>', 'keep the newest n (or "unlimited")');
  names.forEach((name, i) => command.option(`--keep-${name} <n>`, `keep the newest of each of the last n ${of[i]}s that have any`));
  command.option('--keep-within <duration>', 'keep all that are younger');
  names.forEach((name, i) => command.option(`--keep-within-${name} <duration>`, `keep the newest of each ${of[i]} that are younger`));
  return command.option('--keep-tag <tag[,tag…]>', 'keep those with all these tags (may be repeated)', collect);
}

function requestOf(snapshots: readonly string[], options: ForgetOptions, { output, clock }: Invocation): ForgetRequest {
  const policy = parsePolicy(options);
  if (options.maxUnused !== undefined && !options.prune)
    return fail('bad-usage', { problem: '--max-unused is about pruning.', guidance: 'Add --prune.' });
  const hasFilter = options.host !== undefined || options.path !== undefined || options.tag !== undefined;
  if (snapshots.length > 0) {
    if (isEmptyPolicy(policy) && !hasFilter && options.groupBy === undefined) return { snapshots, force: options.force };
    return fail('bad-usage', {
      problem: 'Snapshots cannot be named and chosen by rules at the same time.',
      guidance: 'Name them, or give rules and filters.',
    });
  }
  if (options.force)
    return fail('bad-usage', {
      problem: '--force is for snapshots that are named.',
      guidance: 'Rules never remove the last snapshot of a group.',
    });
  if (isEmptyPolicy(policy)) {
    return fail('bad-usage', {
      problem: 'It is not said which snapshots to keep, nor which to remove.',
      guidance: 'Give a rule such as --keep-daily 7, or name snapshots.',
    });
  }
  output.lines(describePolicy(policy));
  const groupBy = options.groupBy === undefined ? undefined : parseGroupBy(options.groupBy);
  return { policy, groupBy, now: clock.now(), filter: hasFilter ? (snapshot) => matchesFilter(snapshot, options) : undefined };
}

function showPlan(output: Output, { groups, remove, damaged }: ForgetPlan, dryRun: boolean): void {
  for (const { key, keep, remove: going } of groups) {
    output.lines('', `${groupName(key)}:`);
    const rows = [
      ...keep.map(({ snapshot, reasons }) => row('keep', snapshot, reasons.join(', '))),
      ...going.map((snapshot) => row('remove', snapshot, '')),
    ];
    output.lines(...tableLines([{ title: '' }, { title: 'ID' }, { title: 'Time' }, { title: 'Tags' }, { title: 'Reasons' }], rows));
    for (const { snapshot, reasons } of keep)
      output.object('snapshot', { action: 'keep', id: snapshot.id, time: snapshot.time, reasons, group: key });
    for (const { id, time } of going) output.object('snapshot', { action: 'remove', id, time, group: key });
  }
  for (const { id, error } of damaged)
    output.problem({ path: undefined, kind: 'snapshot-damaged', detail: `Snapshot ${id.slice(0, 8)} is kept: ${error.message}` });
  output.lines('', `${counted(remove.length, 'snapshot')} ${dryRun ? 'would be removed' : 'to remove'}.`);
}

const row = (action: string, { id, time, tags }: Snapshot, reasons: string): string[] => [
  action,
  id.slice(0, 8),
  formatTimeText(time),
  printable((tags ?? []).join(', ')),
  reasons,
];
