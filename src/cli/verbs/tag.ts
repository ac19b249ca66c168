/** tag: marks snapshots. */
import type { Command } from 'commander';
import { executeTag, planTag, type TagPlan, type TagRequest } from '../../engine/tag.ts';
import { collect, splitTags } from '../arguments.ts';
import { formatTimeText } from '../dates.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { printable } from '../printable.ts';
import { withRepository } from '../session.ts';
import { counted } from '../../platform/sizes.ts';
import { addSnapshotFilter, choiceOf, reportDamaged, type SnapshotFilter } from '../snapshot-filter.ts';
import { tableLines } from '../table.ts';
import type { Verbs } from '../verbs.ts';

interface TagOptions extends SnapshotFilter {
  readonly set?: readonly string[];
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
  readonly dryRun?: boolean;
}

export function addTag({ program, run }: Verbs): void {
  const command: Command = program
    .command('tag')
    .description('change the tags of snapshots')
    .argument('[snapshot...]', 'IDs, beginnings of IDs or "latest"; without any, all that the filters let through')
    .option('--add <tag[,tag…]>', 'give the snapshots these tags too (may be repeated)', collect)
    .option('--remove <tag[,tag…]>', 'take these tags away (may be repeated)', collect)
    .option('--set <tag[,tag…]>', 'these instead of all of yours that they have; "" for none (may be repeated)', collect);
  addSnapshotFilter(command)
    .option('-n, --dry-run', 'say which snapshots would change and how, and change nothing')
    .addHelpText(
      'after',
      `
A snapshot whose tags change gets a new ID; what it holds stays the same. Snapshots that have the tags already stay as they are.
Without names and filters all snapshots are meant.

The tags strategy=…, base=… and plan=… are Holdfast's own: by strategy=full a differential backup finds the full one, by plan=… a
plan its snapshots. --set leaves them unless it names others of their kind; --remove takes them away.

Examples:
  holdfast --repo /media/disk/backup tag --add important latest
  holdfast --repo /media/disk/backup tag --remove old --host laptop --dry-run
  holdfast --repo /media/disk/backup tag --set "" 1a2b3c4d`,
    )
    .action((snapshots: string[], options: TagOptions) =>
      run(
        command,
        { whenCancelled: 'Cancelled. Every snapshot is there, with the old tags or the new; the same again completes it.' },
        async (invocation) => {
          const { output } = invocation;
          const request = requestOf(snapshots, options);
          return withRepository(invocation, async (repository) => {
            if (options.dryRun) {
              const plan = await planTag(repository, request);
              showPlan(output, plan);
              output.lines(`${counted(plan.change.length, 'snapshot')} would change. Nothing was changed.`);
              output.object('summary', { dryRun: true, ...planFields(plan) });
              return codeOf(plan);
            }
            const { plan, changed } = await executeTag(repository, request, {
              ...invocation.options,
              onPlan: (made) => showPlan(output, made),
            });
            const unchanged = plan.unchanged.length > 0 ? ` ${counted(plan.unchanged.length, 'snapshot')} had these tags already.` : '';
            output.lines(`${counted(changed.length, 'snapshot')} changed.${unchanged}`);
            output.object('summary', { ...planFields(plan), changed });
            return codeOf(plan);
          });
        },
      ),
    );
}

function requestOf(snapshots: readonly string[], options: TagOptions): TagRequest {
  const list = (given: readonly string[] | undefined): string[] | undefined => given && splitTags(given);
  return { ...choiceOf(snapshots, options), set: list(options.set), add: list(options.add), remove: list(options.remove) };
}

const codeOf = ({ damaged }: TagPlan): ExitCode => (damaged.length > 0 ? exitCodes.incomplete : exitCodes.done);

const planFields = ({ change, unchanged, damaged }: TagPlan): object => ({
  change: change.map(({ snapshot }) => snapshot.id),
  unchanged: unchanged.length,
  damaged: damaged.length,
});

function showPlan(output: Output, { change, damaged }: TagPlan): void {
  reportDamaged(output, damaged);
  for (const { snapshot, tags } of change)
    output.object('snapshot', { action: 'change', id: snapshot.id, time: snapshot.time, tags: snapshot.tags ?? [], newTags: tags });
  if (change.length === 0) return;
  const text = (tags: readonly string[] | undefined): string => printable((tags ?? []).join(', '));
  const rows = change.map(({ snapshot, tags }) => [
    snapshot.id.slice(0, 8),
    formatTimeText(snapshot.time),
    printable(snapshot.hostname ?? ''),
    text(snapshot.tags),
    text(tags),
  ]);
  output.lines(...tableLines([{ title: 'ID' }, { title: 'Time' }, { title: 'Host' }, { title: 'Tags' }, { title: 'New tags' }], rows), '');
}
