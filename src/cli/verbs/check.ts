/** check: proves that the snapshots can be restored. */
import { fail } from '../../contract/errors.ts';
import { executeCheck } from '../../engine/check/check.ts';
import { planCheck, type ReadData } from '../../engine/check/plan.ts';
import { parseSubset } from '../../engine/check/subset.ts';
import { reportCheck } from '../check-report.ts';
import { cancelledReading } from '../run-verb.ts';
import { withRepositoryItself } from '../session.ts';
import type { Verbs } from '../verbs.ts';

interface CheckOptions {
  readonly readData?: boolean;
  readonly readDataSubset?: string;
  readonly lock: boolean;
}

export function addCheck({ program, run }: Verbs): void {
  program
    .command('check')
    .description('find damage: everything that the snapshots need must be there')
    .argument('[snapshot...]', 'only what these snapshots need: IDs, beginnings of IDs or "latest" (default: the whole repository)')
    .option('--read-data', 'read all data and prove every byte; without it folders, index and sizes are looked at')
    .option('--read-data-subset <part>', 'read a part of the data: 10% or 2.5G at random, or the n-th of m parts as in 1/5')
    .option('--no-lock', 'write nothing at all, not even a lock; then nothing else should change the repository meanwhile')
    .addHelpText(
      'after',
      `
Exit code 1 means that damage was found; it is named, with the files that it harms.

Examples:
  holdfast --repo /media/disk/backup check
  holdfast --repo /media/disk/backup check --read-data-subset 1/5
  holdfast --repo /media/disk/backup check --read-data latest`,
    )
    .action((snapshots: string[], options: CheckOptions, command) =>
      run(command, cancelledReading, async (invocation) => {
        const readData = readDataOf(options, snapshots);
        return withRepositoryItself(invocation, async (repository) => {
          const plan = await planCheck(repository, { snapshots: snapshots.length === 0 ? undefined : snapshots, readData });
          return reportCheck(
            invocation.output,
            await executeCheck(repository, plan, { ...invocation.options, ...(options.lock ? {} : { lock: 'none' }) }),
          );
        });
      }),
    );
}

function readDataOf({ readData, readDataSubset }: CheckOptions, snapshots: readonly string[]): ReadData {
  if (readDataSubset === undefined) return readData ? (snapshots.length > 0 ? 'snapshot' : 'all') : 'none';
  if (readData)
    return fail('bad-usage', {
      problem: 'All data and a part of it cannot both be read.',
      guidance: 'Choose --read-data or --read-data-subset.',
    });
  return parseSubset(readDataSubset);
}
