/** catalogue: how far the catalogue knows the destinations, and whether what it says is right. */
import { counted, formatBytes } from '../../platform/sizes.ts';
import { destinationNamed, progressText } from '../catalogue.ts';
import { exitCodes } from '../exit-codes.ts';
import { cancelledReading } from '../run-verb.ts';
import { findDestination, withService } from '../service-session.ts';
import type { Verbs } from '../verbs.ts';

export function addCatalogue({ program, run }: Verbs): void {
  const group = program
    .command('catalogue')
    .description('look at what history, search, protected and usage answer from, and compare it with the destinations')
    .addHelpText('after', '\nExamples:\n  holdfast catalogue status\n  holdfast catalogue check "Black disk"');

  const status = group
    .command('status')
    .description('say of each destination how much of it the catalogue knows')
    .addHelpText('after', '\nExample:\n  holdfast catalogue status')
    .action(() =>
      run(status, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const { output } = invocation;
          const state = await client.state();
          const { destinations, bytes } = await client.catalogue.state();
          for (const each of destinations) {
            output.lines(`${destinationNamed(state, each.destination)}: ${progressText(each)}.`);
            output.object('destination', each);
          }
          output.lines(`Its file takes ${formatBytes(bytes)}.`);
          output.object('summary', { bytes });
          return destinations.every((each) => each.state === 'complete') ? exitCodes.done : exitCodes.incomplete;
        }),
      ),
    );

  const check = group
    .command('check')
    .description('compare the catalogue with all folders of all snapshots that a destination holds; what differs is built anew')
    .argument('<destination>', 'its name or ID')
    .addHelpText(
      'after',
      `
Takes as long as reading all folders does. That something differs changes nothing in the backups: the catalogue is made from them.

Example:
  holdfast catalogue check "Black disk"`,
    )
    .action((wanted: string) =>
      run(check, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const { output } = invocation;
          const { id, name } = findDestination(await client.state(), wanted);
          const { snapshots, wrong } = await client.catalogue.check({ destination: id });
          output.lines(
            wrong.length === 0
              ? `The catalogue says what “${name}” says of ${counted(snapshots, 'snapshot')}.`
              : `Of ${counted(snapshots, 'snapshot')} on “${name}” the catalogue had ${wrong.length} wrong or not at all. They are entered anew.`,
          );
          for (const snapshot of wrong) output.lines(`  ${snapshot.slice(0, 8)}`);
          output.object('summary', { destination: id, snapshots, wrong });
          return wrong.length === 0 ? exitCodes.done : exitCodes.incomplete;
        }),
      ),
    );
}
