/** destination move and plan move: to another place, the old kept until the new one checks clean. */
import type { Command } from 'commander';
import { collectCredentials } from '../../storage/credentials.ts';
import { kindOf } from '../../storage/place.ts';
import { startAndFollow } from '../follow-run.ts';
import { findDestination, findPlan, withService } from '../service-session.ts';
import { credentialsFileOf } from '../session.ts';
import type { Verbs } from '../verbs.ts';

const whenCancelled = 'Cancelled. The move itself goes on; see "holdfast status".';

interface DestinationMoveOptions {
  readonly removeOld?: boolean;
  readonly wait?: boolean;
}

export function addDestinationMove(group: Command, run: Verbs['run']): void {
  const move = group
    .command('move')
    .description("bring a destination's repository to another place")
    .argument('<destination>', 'its name or ID')
    .argument('<place>', 'where to, as for --repo: a new or an empty folder, or a server')
    .option('--remove-old', 'remove the old one, once the new one is proved to be whole and in use')
    .option('--no-wait', 'do not wait for its end')
    .addHelpText(
      'after',
      `
The old place is in use until all that was copied has been read at the new one and is whole; only then plans back up there. Without
--remove-old the old place keeps everything as it was. A move that is cut off goes on when the service runs again. Other computers that
back up to the old place go on doing so until they are told of the new one: "holdfast destination renew --place".

What opens a server comes from the environment or --credentials-file.

Example:
  holdfast destination move "Black disk" /media/larger/backup`,
    )
    .action((wanted: string, place: string, { removeOld = false, wait = true }: DestinationMoveOptions) =>
      run(move, { whenCancelled }, (invocation) =>
        withService(invocation, async (client) => {
          const { id: destination } = findDestination(await client.state(), wanted);
          const credentials = collectCredentials(kindOf(place)?.kind ?? 'local', invocation.env, credentialsFileOf(invocation));
          return startAndFollow(client, invocation, wait, () => client.moves.destination({ destination, place, credentials, removeOld }));
        }),
      ),
    );
}

interface PlanMoveOptions {
  readonly from?: string;
  readonly forgetOld?: boolean;
  readonly wait?: boolean;
}

export function addPlanMove(group: Command, run: Verbs['run']): void {
  const move = group
    .command('move')
    .description('let a plan use another destination in place of one of its own, and take its snapshots along')
    .argument('<plan>', 'its name or ID')
    .argument('<destination>', 'the one to use: its name or ID')
    .option('--from <destination>', 'the one to leave (default: the primary)')
    .option('--forget-old', 'forget its snapshots there, once the copies are proved to be whole')
    .option('--no-wait', 'do not wait for its end')
    .addHelpText(
      'after',
      `
The plan uses the old destination until its snapshots are copied and every byte of the copies was read. Without --forget-old the old ones
stay.

Example:
  holdfast plan move Documents "Larger disk"`,
    )
    .action((wanted: string, target: string, { from, forgetOld = false, wait = true }: PlanMoveOptions) =>
      run(move, { whenCancelled }, (invocation) =>
        withService(invocation, async (client) => {
          const state = await client.state();
          const { id: plan } = findPlan(state, wanted);
          const to = findDestination(state, target).id;
          const leave = from === undefined ? {} : { from: findDestination(state, from).id };
          return startAndFollow(client, invocation, wait, () => client.moves.plan({ plan, to, ...leave, forgetOld }));
        }),
      ),
    );
}
