/** recovery: plans and history that come back from a repository. */
import { fail } from '../../contract/errors.ts';
import { formatMoment } from '../dates.ts';
import { exitCodes } from '../exit-codes.ts';
import { cancelledReading } from '../run-verb.ts';
import { findDestination, withService } from '../service-session.ts';
import { tableLines } from '../table.ts';
import type { Verbs } from '../verbs.ts';

export function addRecovery({ program, run }: Verbs): void {
  const group = program
    .command('recovery')
    .description('get plans and history back from a repository, on a new computer')
    .addHelpText(
      'after',
      `
Each backup of the service takes its plans, destinations and history along (without passwords). On a new computer connect the
repository with "holdfast destination connect", then take them over.

Examples:
  holdfast recovery list "Black disk"
  holdfast recovery take "Black disk" 1a2b3c4d`,
    );
  const list = group
    .command('list')
    .description('list the computers whose settings a repository holds')
    .argument('<destination>', 'its name or ID')
    .addHelpText('after', '\nExample:\n  holdfast recovery list "Black disk"')
    .action((wanted: string) =>
      run(list, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const { output } = invocation;
          const all = await client.recovery.look({ destination: findDestination(await client.state(), wanted).id });
          if (all.length === 0) output.lines('This repository holds no settings: its backups were made by hand or by another program.');
          else {
            const rows = all.map((each) => [
              each.snapshot.slice(0, 8),
              formatMoment(each.savedAt),
              each.hostname,
              each.username,
              each.plans.join(', '),
            ]);
            output.lines(
              ...tableLines([{ title: 'Snapshot' }, { title: 'Time' }, { title: 'Computer' }, { title: 'User' }, { title: 'Plans' }], rows),
            );
          }
          for (const each of all) output.object('settings', each);
          return exitCodes.done;
        }),
      ),
    );
  const take = group
    .command('take')
    .description('take the settings of one of them over, into a profile without plans')
    .argument('<destination>', 'its name or ID')
    .argument('[snapshot]', 'the beginning of its ID (default: the newest)')
    .addHelpText('after', '\nExample:\n  holdfast recovery take "Black disk"')
    .action((wanted: string, beginning: string | undefined) =>
      run(take, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const { output } = invocation;
          const destination = findDestination(await client.state(), wanted).id;
          const all = await client.recovery.look({ destination });
          const chosen = all.find(({ snapshot }) => snapshot.startsWith(beginning ?? ''));
          if (!chosen) return fail('settings-not-found', { snapshot: beginning ?? 'latest' });
          const { plans, destinations } = await client.recovery.take({ destination, snapshot: chosen.snapshot });
          output.lines(`Taken over from ${chosen.hostname}: ${plans.map(({ name }) => `“${name}”`).join(', ') || 'no plan'}.`);
          for (const { name } of destinations)
            output.note(`“${name}” needs its password again: connect it anew with "holdfast destination renew".`);
          output.object('summary', { plans: plans.length, destinations });
          return exitCodes.done;
        }),
      ),
    );
}
