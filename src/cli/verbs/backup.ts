/** backup: adds a snapshot of folders and files. */
import { type Command, Option } from 'commander';
import { fail } from '../../contract/errors.ts';
import type { Strategy } from '../../contract/schedule.ts';
import { executeBackup } from '../../engine/backup/backup.ts';
import { compileExcludes, type ExcludeRules } from '../../engine/backup/exclude.ts';
import { parseSizeLimit } from '../../engine/backup/exclude-facts.ts';
import { nameBytes } from '../../engine/backup/name-text.ts';
import { planBackup } from '../../engine/backup/plan.ts';
import { favourSmallestMemory } from '../../platform/memory.ts';
import { packSizeLimits } from '../../repository/pack.ts';
import type { Repository } from '../../repository/repository.ts';
import { collect, parseChoice, splitTags } from '../arguments.ts';
import { reportBackup, reportNotes } from '../backup-report.ts';
import type { ExitCode } from '../exit-codes.ts';
import { addPatternOptions, patternsOf, type PatternOptions, presetsHelp } from '../exclude-options.ts';
import { withRepository } from '../session.ts';
import { parseSize } from '../../platform/sizes.ts';
import { namedSources, type SourceOptions } from '../sources.ts';
import type { Verbs } from '../verbs.ts';
import { forgetOldUndos } from './restore-undo.ts';

interface BackupOptions extends SourceOptions, PatternOptions {
  readonly strategy?: string;
  readonly full?: boolean;
  readonly differential?: boolean;
  readonly excludeIfPresent?: readonly string[];
  readonly excludeCaches?: boolean;
  readonly excludeLargerThan?: string;
  readonly oneFileSystem?: boolean;
  readonly tag?: readonly string[];
  readonly host?: string;
  readonly packSize?: string;
}

export const strategies = ['incremental', 'differential', 'full'] as const satisfies readonly Strategy[];
const mebibyte = 1 << 20;

export const whenBackupCancelled = 'Cancelled. What was stored is kept; the next run carries on from it.';

export function addBackup({ program, run }: Verbs): void {
  const command = program
    .command('backup')
    .description('back up folders and files: adds a snapshot')
    .argument('[source...]', 'folders and files')
    .addOption(new Option('--strategy <name>', 'what files are compared with (default: incremental)').choices(strategies))
    .option('--full', 'read every byte again, whatever earlier snapshots say')
    .option('--differential', 'compare with the newest full snapshot instead of the newest one');
  addExcludeOptions(command)
    .option('--tag <tag[,tag…]>', 'mark the snapshot (may be repeated)', collect)
    .option('--host <name>', 'the name of this computer in the snapshot')
    .option('--pack-size <MiB>', 'fill packs up to this size: 4 to 128 (default: 16)')
    .option('--files-from <file>', 'read more sources from a file, one a line; - is standard input (may be repeated)', collect)
    .option('--files-from-raw <file>', 'the same, with a NUL byte behind each, for names of any bytes (may be repeated)', collect)
    .addHelpText(
      'after',
      `
Excludes are patterns as in .gitignore: "*.tmp", "/build/", "!keep.tmp"; those with a slash at the start or in the middle are
anchored at the source. Sets of excludes for --preset:
${presetsHelp}

Whatever the strategy, a snapshot is complete and can be restored alone. What cannot be read is named, the rest is stored, and
the exit code is 3.

Examples:
  holdfast --repo /media/disk/backup backup ~/Documents ~/Pictures
  holdfast --repo /media/disk/backup backup ~ --preset caches --preset trash --exclude "*.iso" --tag home
  find ~ -name "*.tex" -print0 | holdfast --repo /media/disk/backup backup --files-from-raw -`,
    )
    .action((args: string[], options: BackupOptions) =>
      run(command, { whenCancelled: whenBackupCancelled }, async (invocation) => {
        const { output, identity } = invocation;
        // Everything that can be wrong about the options is told before a password is asked for.
        const strategy = strategyOf(options);
        const rules = rulesOf(options);
        const packSize = packSizeOf(options);
        const sources = namedSources(args, options);
        if (sources.length === 0)
          return fail('bad-usage', { problem: 'No folder or file to back up was named.', guidance: 'Name at least one.' });
        favourSmallestMemory();
        const run = async (repository: Repository): Promise<ExitCode> => {
          const plan = await planBackup(repository, {
            ...identity,
            ...(options.host === undefined ? {} : { hostname: options.host }),
            sources,
            strategy,
            rules,
            excludes: [...(options.exclude ?? []), ...(options.iexclude ?? [])].map((pattern) => nameBytes(pattern).toString()),
            tags: splitTags(options.tag),
          });
          reportNotes(output, plan);
          const result = await executeBackup(repository, plan, { ...invocation.options, packSize });
          await forgetOldUndos(invocation);
          return reportBackup(output, plan, result);
        };
        return withRepository(invocation, run, { readAhead: 'far' });
      }),
    );
}

const addExcludeOptions = (command: Command): Command =>
  addPatternOptions(command)
    .option('--exclude-if-present <name[:header]>', 'leave out folders that hold this file (may be repeated)', collect)
    .option('--exclude-caches', 'leave out folders that are marked as caches with CACHEDIR.TAG')
    .option('--exclude-larger-than <size>', 'leave out files above this size, as in 500K, 100M or 2G')
    .option('-x, --one-file-system', 'do not enter other file systems');

function strategyOf({ strategy, full, differential }: BackupOptions): Strategy {
  const wanted = new Set<Strategy>();
  if (strategy !== undefined) wanted.add(parseChoice(strategy, strategies, '--strategy'));
  if (full) wanted.add('full');
  if (differential) wanted.add('differential');
  if (wanted.size > 1)
    return fail('bad-usage', {
      problem: `A backup cannot be ${[...wanted].join(' and ')} at the same time.`,
      guidance: 'Choose one strategy.',
    });
  return [...wanted][0] ?? 'incremental';
}

function rulesOf(options: BackupOptions): ExcludeRules {
  return compileExcludes({
    ...patternsOf(options),
    ifPresent: options.excludeIfPresent,
    caches: options.excludeCaches,
    largerThan: options.excludeLargerThan === undefined ? undefined : parseSizeLimit(options.excludeLargerThan),
    oneFileSystem: options.oneFileSystem,
  });
}

function packSizeOf({ packSize }: BackupOptions): number | undefined {
  if (packSize === undefined) return undefined;
  const bytes = parseSize(packSize, '--pack-size', mebibyte);
  if (bytes >= packSizeLimits.least && bytes <= packSizeLimits.most) return bytes;
  return fail('bad-usage', { problem: `--pack-size: packs cannot be filled up to “${packSize}”.`, guidance: 'Choose from 4 to 128 MiB.' });
}
