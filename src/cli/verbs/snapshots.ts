/** snapshots: lists what there is to restore from. */
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot.ts';
import { parseCount } from '../arguments.ts';
import { formatTimeText } from '../dates.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { printable } from '../printable.ts';
import type { Verbs } from '../verbs.ts';
import { cancelledReading } from '../run-verb.ts';
import { withRepository } from '../session.ts';
import { counted, formatBytes } from '../../platform/sizes.ts';
import { addSnapshotFilter, filteredSnapshots, type SnapshotFilter } from '../snapshot-filter.ts';
import { tableLines } from '../table.ts';

export function addSnapshots({ program, run }: Verbs): void {
  addSnapshotFilter(program.command('snapshots'))
    .description('list the snapshots')
    .option('--latest <n>', 'only the newest n of each computer and its folders')
    .addHelpText(
      'after',
      `
No lock is needed: a listing shows what there is at this moment.

Examples:
  holdfast --repo /media/disk/backup snapshots
  holdfast --repo /media/disk/backup snapshots --host laptop --latest 3`,
    )
    .action((options: SnapshotFilter & { readonly latest?: string }, command) =>
      run(command, cancelledReading, async (invocation) => {
        const latest = options.latest === undefined ? undefined : parseCount(options.latest, '--latest');
        const { output } = invocation;
        const list = async (repository: Repository): Promise<ExitCode> => {
          const { snapshots: all, damaged } = await filteredSnapshots(repository, options, output);
          const snapshots = latest === undefined ? all : newest(all, latest);
          output.lines(...tableOf(snapshots), counted(snapshots.length, 'snapshot'));
          for (const snapshot of snapshots) output.object('snapshot', snapshot);
          output.object('summary', { snapshots: snapshots.length, damaged });
          return damaged > 0 ? exitCodes.incomplete : exitCodes.done;
        };
        return withRepository(invocation, list, { readAhead: 'always' });
      }),
    );
}

/** The newest `count` of each host and paths, in the order given (oldest first). */
function newest(snapshots: readonly Snapshot[], count: number): Snapshot[] {
  const groups = Map.groupBy(snapshots, ({ hostname, paths }) => JSON.stringify([hostname, [...paths].sort()]));
  const kept = new Set([...groups.values()].flatMap((group) => group.slice(-count)));
  return snapshots.filter((snapshot) => kept.has(snapshot));
}

export function tableOf(snapshots: readonly Snapshot[]): string[] {
  if (snapshots.length === 0) return [];
  const rows = snapshots.map(({ id, time, hostname, tags, summary, paths }) => [
    id.slice(0, 8),
    formatTimeText(time),
    printable(hostname ?? ''),
    printable((tags ?? []).join(', ')),
    typeof summary?.total_bytes_processed === 'number' ? formatBytes(summary.total_bytes_processed) : '',
    printable(paths.join(', ')),
  ]);
  return tableLines(
    [{ title: 'ID' }, { title: 'Time' }, { title: 'Host' }, { title: 'Tags' }, { title: 'Size', right: true }, { title: 'Paths' }],
    rows,
  );
}
