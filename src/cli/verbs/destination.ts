/** destination: where the service backs up to. */
import type { DestinationView } from '../../contract/destination.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { knownPassword, newPassword } from '../passwords.ts';
import { cancelledReading, type Invocation } from '../run-verb.ts';
import { findDestination, withService } from '../service-session.ts';
import { credentialsFileOf, passwordSourceOf } from '../session.ts';
import { collectCredentials } from '../../storage/credentials.ts';
import { kindOf } from '../../storage/place.ts';
import { behindText } from '../copies-text.ts';
import { tableLines } from '../table.ts';
import type { Verbs } from '../verbs.ts';
import { addDestinationCapacity } from './destination-capacity.ts';
import { addDestinationMove } from './moves.ts';
import { stateText } from './destination-text.ts';

interface ConnectOptions {
  readonly name?: string;
  readonly create?: boolean;
  readonly eject?: boolean;
}

export function addDestination({ program, run }: Verbs): void {
  const group = program
    .command('destination')
    .description('list, connect and remove the destinations of the service')
    .addHelpText(
      'after',
      `
Examples:
  holdfast destination connect /media/disk/backup --create --name "Black disk"
  holdfast destination list`,
    );

  const list = group
    .command('list')
    .description('list the destinations, and how they are')
    .addHelpText('after', '\nExample:\n  holdfast destination list')
    .action(() =>
      run(list, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const { destinations, plans } = await client.state();
          const states = await client.copies.states();
          const behind = new Map<string, string[]>();
          for (const state of states) {
            const text = behindText(state);
            const plan = plans.find(({ id }) => id === state.plan)?.name ?? '';
            if (text) behind.set(state.destination, [...(behind.get(state.destination) ?? []), `“${plan}”: ${text}`]);
          }
          return tell(destinations, invocation, behind);
        }),
      ),
    );

  const connect = group
    .command('connect')
    .description('connect a repository, whose password and credentials the keychain keeps from then on')
    .argument('<place>', 'as for --repo')
    .option('--name <name>', 'what to call it (default: by its place)')
    .option('--create', 'make a repository where there is none')
    .option('--eject', 'eject its drive after each run')
    .addHelpText(
      'after',
      `
The password comes from --password-file, the environment, or is asked for; what opens a server, from the environment or
--credentials-file. Neither is ever written to the service's own files.

Example:
  holdfast destination connect s3:https://s3.example.com/bucket/backup --create`,
    )
    .action((place: string, options: ConnectOptions) =>
      run(connect, cancelledReading, async (invocation) => {
        const { env, control } = invocation;
        const password = await newPassword(passwordSourceOf(invocation), place, { env, signal: control.signal });
        const kind = kindOf(place)?.kind ?? 'local';
        const credentials = collectCredentials(kind, env, credentialsFileOf(invocation));
        const { name, create = false, eject: ejectAfterRun = false } = options;
        return withService(invocation, async (client) => {
          const made = await client.destinations.connect({
            place,
            password,
            credentials,
            create,
            ejectAfterRun,
            ...(name ? { name } : {}),
          });
          invocation.output.lines(`“${made.name}” is connected.`);
          if (!made.sharesBlobs)
            invocation.output.note(
              'It cuts files otherwise than your first destination: both can be used, but copies between them take more time and space.',
            );
          invocation.output.object('destination', made);
          return exitCodes.done;
        });
      }),
    );

  const look = group
    .command('look')
    .description('ask a destination how it is')
    .argument('<destination>', 'its name or ID')
    .addHelpText('after', '\nExample:\n  holdfast destination look "Black disk"')
    .action((wanted: string) =>
      run(look, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const view = await client.destinations.look({ id: findDestination(await client.state(), wanted).id });
          await tell([view], invocation);
          return view.now.state === 'connected' ? exitCodes.done : exitCodes.failed;
        }),
      ),
    );

  addDestinationCapacity(group, run);
  addDestinationMove(group, run);

  const rename = group
    .command('rename')
    .description('call a destination otherwise')
    .argument('<destination>', 'its name or ID')
    .argument('<name>', 'the new name')
    .addHelpText('after', '\nExample:\n  holdfast destination rename "Black disk" "Red disk"')
    .action((wanted: string, name: string) =>
      run(rename, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const view = await client.destinations.rename({ id: findDestination(await client.state(), wanted).id, name });
          invocation.output.lines(`The destination is called “${view.name}” now.`);
          invocation.output.object('destination', view);
          return exitCodes.done;
        }),
      ),
    );

  const renew = group
    .command('renew')
    .description('give a destination its password and credentials again, or its new place; they are tried before they are kept')
    .argument('<destination>', 'its name or ID')
    .option('--place <place>', 'where its repository lies now, when it was moved')
    .addHelpText('after', '\nExample:\n  holdfast --password-file new.txt destination renew "Black disk"')
    .action((wanted: string, { place: moved }: { place?: string }) =>
      run(renew, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const { env, control } = invocation;
          const { id, name, place: before } = findDestination(await client.state(), wanted);
          const place = moved ?? before;
          const password = await knownPassword(passwordSourceOf(invocation), place, { env, signal: control.signal });
          const credentials = collectCredentials(kindOf(place)?.kind ?? 'local', env, credentialsFileOf(invocation));
          const view = await client.destinations.renew({
            id,
            password,
            ...(Object.keys(credentials).length > 0 ? { credentials } : {}),
            ...(moved === undefined ? {} : { place: moved }),
          });
          invocation.output.lines(`“${name}” can be used.`);
          invocation.output.object('destination', view);
          return exitCodes.done;
        }),
      ),
    );

  const remove = group
    .command('remove')
    .description('forget a destination; its repository stays as it is')
    .argument('<destination>', 'its name or ID')
    .addHelpText('after', '\nExample:\n  holdfast destination remove "Black disk"')
    .action((wanted: string) =>
      run(remove, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const { id, name } = findDestination(await client.state(), wanted);
          await client.destinations.remove({ id });
          invocation.output.lines(`“${name}” is forgotten. Its repository and its snapshots stay as they are.`);
          invocation.output.object('summary', { removed: id });
          return exitCodes.done;
        }),
      ),
    );
}

async function tell(
  destinations: readonly DestinationView[],
  { output }: Invocation,
  behind: ReadonlyMap<string, readonly string[]> = new Map(),
): Promise<ExitCode> {
  if (destinations.length === 0) output.lines('No destination is connected yet. See "holdfast destination connect --help".');
  else {
    const rows = destinations.map(({ id, name, place, now }) => [id.slice(0, 8), name, place, stateText(now)]);
    output.lines(...tableLines([{ title: 'ID' }, { title: 'Name' }, { title: 'Place' }, { title: 'State' }], rows));
    for (const { id, name } of destinations)
      for (const text of behind.get(id) ?? []) output.lines(`“${name}” lacks what others hold of ${text}.`);
  }
  for (const destination of destinations) output.object('destination', destination);
  return exitCodes.done;
}
