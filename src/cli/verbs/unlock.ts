/** unlock: removes locks that nobody holds any more. */
import { listLocks, removeLocks } from '../../repository/locks.ts';
import { formatTimeText } from '../dates.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Verbs } from '../verbs.ts';
import { withRepository } from '../session.ts';
import { counted } from '../../platform/sizes.ts';

export function addUnlock({ program, run }: Verbs): void {
  program
    .command('unlock')
    .description('remove locks that runs left behind which were cut off')
    .option('--remove-all', 'remove every lock, also of runs that may still be at work')
    .addHelpText(
      'after',
      `
Locks of processes that are gone, and those older than half an hour, are removed by every run anyway. Use --remove-all only
when you know that nothing else uses the repository: a run that lost its lock may clash with the next one.

Examples:
  holdfast --repo /media/disk/backup unlock
  holdfast --repo /media/disk/backup unlock --remove-all`,
    )
    .action(({ removeAll }: { readonly removeAll?: boolean }, command) =>
      run(command, { whenCancelled: 'Cancelled. Locks that were not removed yet are still there.' }, async (invocation) => {
        const { output, clock, identity } = invocation;
        return withRepository(invocation, async (repository) => {
          const removed = await removeLocks(repository, identity.hostname, clock, removeAll === true);
          const left = await listLocks(repository, clock);
          output.lines(removed.length === 0 ? 'There was no lock to remove.' : `${counted(removed.length, 'lock')} removed.`);
          for (const { record } of left) {
            const holder = record
              ? `process ${record.pid} of ${record.username} on ${record.hostname}, since ${formatTimeText(record.time)}`
              : 'a run nobody knows, since the lock cannot be read';
            output.note(`A lock is left in place: ${holder}.`);
          }
          output.object('summary', { removed: removed.length, left: left.length });
          return exitCodes.done;
        });
      }),
    );
}
