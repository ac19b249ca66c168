/** stats: what snapshots hold, and what they take. */
import { fail } from '../../contract/errors.ts';
import { nameBytes } from '../../engine/backup/name-text.ts';
import {
  measureMode,
  measureRepository,
  type ModeFigures,
  type RepositoryStats,
  type StatsGaps,
  statsModes,
} from '../../engine/stats/stats.ts';
import { parseChoice, parseCount } from '../arguments.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { reportDamagedTrees, reportUnknownBlobs } from '../reading-report.ts';
import { cancelledReading } from '../run-verb.ts';
import { withRepository } from '../session.ts';
import { counted, formatBytes, formatCount } from '../../platform/sizes.ts';
import { addSnapshotFilter, chosenSnapshots, type SnapshotFilter } from '../snapshot-filter.ts';
import { breakdownLines, breakdownObjects, statsLines } from '../stats-page.ts';
import type { Verbs } from '../verbs.ts';

interface StatsOptions extends SnapshotFilter {
  readonly mode?: string;
  readonly below?: string;
  readonly depth?: string;
  readonly top?: string;
}

const usualTop = 10;

export function addStats({ program, run }: Verbs): void {
  const command = program
    .command('stats')
    .description('show what snapshots hold and what they take')
    .argument('[snapshot...]', 'IDs, beginnings of IDs or "latest" (default: all)');
  addSnapshotFilter(command)
    .option('--below <folder>', 'say what takes the room in this folder of the newest snapshot (default: where its files begin)')
    .option('--depth <n>', 'tell folders apart that lie so many levels below it (default: 1)')
    .option('--top <n>', `list so many of the largest folders and types (default: ${usualTop})`)
    .option('--mode <mode>', `only the figures of restic's stats of the same mode: ${statsModes.join(', ')}`)
    .addHelpText(
      'after',
      `
"Alone" is what no other snapshot needs: forgetting the snapshot and pruning would free it. A file with several names (hard links)
counts once in each snapshot.

Modes:
  restore-size       what restoring all these snapshots brings back
  files-by-contents  files with different contents, each once
  blobs-per-file     the pieces of these files, each once for each path that needs it
  raw-data           the pieces as they are stored, each once

Examples:
  holdfast --repo /media/disk/backup stats
  holdfast --repo /media/disk/backup stats latest --below /home/me --depth 2 --top 20
  holdfast --repo /media/disk/backup stats --host laptop --mode raw-data`,
    )
    .action((named: string[], options: StatsOptions) =>
      run(command, cancelledReading, async (invocation) => {
        const { output } = invocation;
        const mode = options.mode === undefined ? undefined : parseChoice(options.mode, statsModes, '--mode');
        const { below } = options;
        const depth = options.depth === undefined ? undefined : parseCount(options.depth, '--depth');
        const top = options.top === undefined ? undefined : parseCount(options.top, '--top');
        if (mode !== undefined && (below ?? depth ?? top) !== undefined)
          return fail('bad-usage', { problem: 'A mode gives no folders.', guidance: 'Leave out --mode, or --below, --depth and --top.' });
        return withRepository(invocation, async (repository) => {
          const { snapshots, others, damaged } = await chosenSnapshots(repository, named, options, output);
          if (mode) {
            const figures = await measureMode(repository, { snapshots, mode }, invocation.options);
            return reportMode(output, figures, damaged);
          }
          const newest = snapshots.reduce<(typeof snapshots)[number] | undefined>(
            (latest, each) => (latest && Date.parse(latest.time) > Date.parse(each.time) ? latest : each),
            undefined,
          );
          const path = below === undefined ? undefined : nameBytes(below);
          const breakdown = newest && { snapshot: newest, path, depth, top: top ?? usualTop };
          const stats = await measureRepository(repository, { snapshots, others, breakdown }, invocation.options);
          return reportStats(output, stats, damaged);
        });
      }),
    );
}

/** Tells what the figures lack; true when they lack anything. */
function reportGaps(output: Output, { damagedTrees, unknownBlobs, damage }: StatsGaps, damaged: number): boolean {
  output.endProgress();
  reportDamagedTrees(output, damagedTrees);
  reportUnknownBlobs(output, unknownBlobs);
  for (const error of damage) output.problem({ path: undefined, kind: error.code, detail: error.message });
  return damagedTrees.length + unknownBlobs + damage.length + damaged > 0;
}

function reportMode(output: Output, figures: ModeFigures, damaged: number): ExitCode {
  const isIncomplete = reportGaps(output, figures, damaged);
  const { mode, snapshots, files, blobs, bytes, uncompressedBytes, compression } = figures;
  output.lines(`Mode ${mode}, ${counted(snapshots, 'snapshot')}:`);
  if (files !== undefined) output.lines(`  ${mode === 'restore-size' ? 'Files and folders' : 'Files'}: ${formatCount(files)}`);
  if (blobs !== undefined) output.lines(`  Blobs: ${formatCount(blobs)}`);
  output.lines(`  Size: ${formatBytes(bytes)}`);
  if (uncompressedBytes !== undefined) output.lines(`  Uncompressed: ${formatBytes(uncompressedBytes)}`);
  if (compression) {
    const { ratio, progress, spaceSaving } = compression;
    output.lines(
      `  Compression: ${ratio.toFixed(2)}x of the ${progress.toFixed(1)}% that are compressed; it saves ${spaceSaving.toFixed(1)}%`,
    );
  }
  output.object('summary', {
    mode,
    snapshots,
    ...(files === undefined ? {} : { files }),
    ...(blobs === undefined ? {} : { blobs }),
    bytes,
    ...(uncompressedBytes === undefined ? {} : { uncompressedBytes }),
    ...(compression ? { compression } : {}),
    ...gapFields(figures, damaged),
  });
  return isIncomplete ? exitCodes.incomplete : exitCodes.done;
}

const gapFields = ({ damagedTrees, unknownBlobs }: StatsGaps, damaged: number): object => ({
  unreadableFolders: damagedTrees.length,
  unknownBlobs,
  damaged,
});

function reportStats(output: Output, stats: RepositoryStats, damaged: number): ExitCode {
  const { breakdown } = stats;
  const isIncomplete = reportGaps(output, stats, damaged);
  const places = breakdown?.problems ?? [];
  // These trees were named already; where they are in this snapshot, too, is worth a line.
  if (stats.damagedTrees.length === 0)
    for (const { path, error } of places) output.problem({ path, kind: error.code, detail: error.message });
  output.lines(...statsLines(stats, damaged));
  if (breakdown) output.lines(...breakdownLines(breakdown));
  for (const { snapshot, size, alone } of stats.snapshots)
    output.object('snapshot', {
      id: snapshot.id,
      time: snapshot.time,
      hostname: snapshot.hostname,
      paths: snapshot.paths,
      tags: snapshot.tags,
      size,
      alone,
    });
  if (breakdown) for (const { type, fields } of breakdownObjects(breakdown)) output.object(type, fields);
  const { total, raw, compression, stored, unused } = stats;
  output.object('summary', {
    snapshots: stats.snapshots.length,
    total,
    raw,
    compression,
    stored,
    ...(damaged > 0 ? {} : { unused }),
    ...gapFields(stats, damaged),
  });
  return isIncomplete || places.length > 0 ? exitCodes.incomplete : exitCodes.done;
}
