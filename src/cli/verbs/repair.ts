/** repair: makes a damaged repository whole again, as far as anything can be had. */
import type { Command } from 'commander';
import { fail } from '../../contract/errors.ts';
import { planRepairIndex } from '../../engine/repair/index-plan.ts';
import { planRepairPacks, type RepairPacksRequest } from '../../engine/repair/packs-plan.ts';
import { executeRepairIndex } from '../../engine/repair/repair-index.ts';
import { executeRepairPacks } from '../../engine/repair/repair-packs.ts';
import { executeRepairSnapshots } from '../../engine/repair/repair-snapshots.ts';
import { planRepairSnapshots, type RepairSnapshotsRequest } from '../../engine/repair/snapshots-plan.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import {
  indexPlanFields,
  packsPlanFields,
  reportIndexPlan,
  reportPacksPlan,
  reportSnapshotsPlan,
  snapshotsPlanFields,
} from '../repair-report.ts';
import type { VerbFacts } from '../run-verb.ts';
import { withRepositoryItself } from '../session.ts';
import { counted, formatBytes } from '../../platform/sizes.ts';
import { addSnapshotFilter, matchesFilter, type SnapshotFilter } from '../snapshot-filter.ts';
import type { Verbs } from '../verbs.ts';

const cancelled: VerbFacts = { whenCancelled: 'Cancelled. Nothing is lost by that; run it again to carry on.' };
const dryRunHelp = 'say what would be done, and change nothing';

export function addRepair(verbs: Verbs): void {
  const repair = verbs.program
    .command('repair')
    .description('make a damaged repository whole again, as far as anything can be had')
    .addHelpText(
      'after',
      `
After "check" has found damage: first the index, then packs that are damaged, and last the snapshots that lack something. A backup
in between stores again what still exists on this computer, and that may be all. Nothing that can still be had is given up, and
what is lost is named.

Examples:
  holdfast --repo /media/disk/backup repair index
  holdfast --repo /media/disk/backup repair packs --damaged --keep-in ~/damaged-packs
  holdfast --repo /media/disk/backup repair snapshots --dry-run`,
    );
  addRepairIndex(repair, verbs);
  addRepairPacks(repair, verbs);
  addRepairSnapshots(repair, verbs);
}

interface IndexOptions {
  readonly readAllPacks?: boolean;
  readonly dryRun?: boolean;
}

function addRepairIndex(repair: Command, { run }: Verbs): void {
  repair
    .command('index')
    .description('make the index say what the packs hold')
    .option('--read-all-packs', 'compare the index with the header of every pack, for an index that lies')
    .option('-n, --dry-run', dryRunHelp)
    .addHelpText(
      'after',
      `
Packs that no index names are added, entries of packs that are missing are dropped, index files that are damaged are replaced. Where
a pack's own list of its blobs is damaged, each blob that proves to be there stays in the index.

Examples:
  holdfast --repo /media/disk/backup repair index --dry-run
  holdfast --repo /media/disk/backup repair index --read-all-packs`,
    )
    .action((options: IndexOptions, command: Command) =>
      run(command, cancelled, (invocation) =>
        withRepositoryItself(invocation, async (repository) => {
          const { output } = invocation;
          const request = { readAllPacks: options.readAllPacks };
          if (options.dryRun) {
            const plan = await planRepairIndex(repository, request, invocation.options);
            const code = reportIndexPlan(output, plan);
            output.lines('Nothing was changed.');
            output.object('summary', { dryRun: true, ...indexPlanFields(plan) });
            return code;
          }
          let code: ExitCode = exitCodes.done;
          const { plan, stored, removed } = await executeRepairIndex(repository, request, {
            ...invocation.options,
            onPlan: (found) => void (code = reportIndexPlan(output, found)),
          });
          output.endProgress();
          if (stored + removed > 0) output.lines(`Stored ${counted(stored, 'index file')}, removed ${counted(removed, 'index file')}.`);
          output.object('summary', { ...indexPlanFields(plan), stored, removed });
          return code;
        }),
      ),
    );
}

interface PacksOptions {
  readonly damaged?: boolean;
  readonly keepIn?: string;
  readonly dryRun?: boolean;
}

function addRepairPacks(repair: Command, { run }: Verbs): void {
  repair
    .command('packs')
    .description('save what can be had of damaged packs, and remove them')
    .argument('[pack...]', 'the packs, by their IDs or the beginnings of them')
    .option('--damaged', 'read all packs, and repair those that are damaged')
    .option('--keep-in <folder>', 'where copies of the damaged packs are kept, as pack-ID (default: the current folder)')
    .option('-n, --dry-run', dryRunHelp)
    .addHelpText(
      'after',
      `
Every blob that still is what its ID says is stored in a new pack, unless another pack holds it too. A damaged pack is removed when
that is done and a copy of it is kept outside of the repository. What is lost is named, with the files that need it.

Examples:
  holdfast --repo /media/disk/backup repair packs --damaged --dry-run
  holdfast --repo /media/disk/backup repair packs 1a2b3c4d --keep-in ~/damaged-packs`,
    )
    .action((packs: string[], options: PacksOptions, command: Command) =>
      run(command, cancelled, (invocation) => {
        const request = packsRequest(packs, options);
        return withRepositoryItself(invocation, async (repository) => {
          const { output } = invocation;
          if (options.dryRun) {
            const plan = await planRepairPacks(repository, request, invocation.options);
            const code = reportPacksPlan(output, plan);
            output.lines('Nothing was changed.');
            output.object('summary', { dryRun: true, ...packsPlanFields(plan) });
            return code;
          }
          let code: ExitCode = exitCodes.done;
          const { plan, storedBytes, kept } = await executeRepairPacks(repository, request, {
            ...invocation.options,
            keepIn: options.keepIn ?? process.cwd(),
            onPlan: (found) => void (code = reportPacksPlan(output, found)),
          });
          output.endProgress();
          for (const path of kept) output.lines(`A copy of the damaged pack is kept as ${path}.`);
          if (plan.repairs.length > 0)
            output.lines(`Stored ${formatBytes(storedBytes)} in new packs, removed ${counted(kept.length, 'pack')}.`);
          output.object('summary', { ...packsPlanFields(plan), storedBytes, kept });
          return code;
        });
      }),
    );
}

function packsRequest(packs: readonly string[], { damaged, keepIn }: PacksOptions): RepairPacksRequest {
  if (keepIn === '')
    return fail('bad-usage', { problem: '--keep-in names no folder.', guidance: 'Name one; it is made when it is not there.' });
  if (packs.length > 0 === (damaged === true))
    return fail('bad-usage', {
      problem: damaged ? 'Packs cannot be named and found at the same time.' : 'It is not said which packs to repair.',
      guidance: 'Name packs, or let the damaged ones be found with --damaged.',
    });
  return { packs: damaged ? 'all' : packs };
}

interface SnapshotsOptions extends SnapshotFilter {
  readonly forget?: boolean;
  readonly dryRun?: boolean;
}

function addRepairSnapshots(repair: Command, { run }: Verbs): void {
  addSnapshotFilter(
    repair
      .command('snapshots')
      .description('store snapshots that lack something anew, without what is lost')
      .argument('[snapshot...]', 'IDs, beginnings of IDs or "latest" (default: all)'),
  )
    .option('--forget', 'remove the snapshots that were replaced, and those of which nothing can be had')
    .option('-n, --dry-run', dryRunHelp)
    .addHelpText(
      'after',
      `
As restic does it: a file keeps the pieces that are there, so it may be shorter and is not what it was; a folder whose listing is lost
is empty. Each is named. Without --forget the new snapshot gets the tag "repaired" and the old one stays. Repair the index first, and
make a backup: what still exists on this computer need not be given up.

Examples:
  holdfast --repo /media/disk/backup repair snapshots --dry-run
  holdfast --repo /media/disk/backup repair snapshots --forget 1a2b3c4d`,
    )
    .action((snapshots: string[], options: SnapshotsOptions, command: Command) =>
      run(command, cancelled, (invocation) =>
        withRepositoryItself(invocation, async (repository) => {
          const { output } = invocation;
          const request: RepairSnapshotsRequest = {
            snapshots: snapshots.length === 0 ? undefined : snapshots,
            filter: (snapshot) => matchesFilter(snapshot, options),
            forget: options.forget,
          };
          if (options.dryRun) {
            const plan = await planRepairSnapshots(repository, request, invocation.options);
            const code = reportSnapshotsPlan(output, plan);
            output.lines('Nothing was changed.');
            output.object('summary', { dryRun: true, ...snapshotsPlanFields(plan) });
            return code;
          }
          let code: ExitCode = exitCodes.done;
          const { plan, stored, removed } = await executeRepairSnapshots(repository, request, {
            ...invocation.options,
            onPlan: (found) => void (code = reportSnapshotsPlan(output, found)),
          });
          output.endProgress();
          for (const [old, id] of stored) output.lines(`Snapshot ${id.slice(0, 8)} is stored instead of ${old.slice(0, 8)}.`);
          if (removed.length > 0) output.lines(`${counted(removed.length, 'snapshot')} removed.`);
          output.object('summary', { ...snapshotsPlanFields(plan), stored: Object.fromEntries(stored), removed });
          return code;
        }),
      ),
    );
}
