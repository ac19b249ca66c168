/** destination show, budget and price: how much it holds, what it costs, and what is allowed. */
import type { Command } from 'commander';
import { fail } from '../../contract/errors.ts';
import { parseSize } from '../../platform/sizes.ts';
import { capacityLines } from '../capacity-text.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { cancelledReading, type Invocation } from '../run-verb.ts';
import type { ServiceClient } from '../../service/rpc/client.ts';
import { findDestination, withService } from '../service-session.ts';
import type { Verbs } from '../verbs.ts';
import { stateText } from './destination-text.ts';

interface BudgetOptions {
  readonly bytes?: string;
  readonly money?: string;
}

export function addDestinationCapacity(group: Command, run: Verbs['run']): void {
  const show = group
    .command('show')
    .description('show how much a destination holds, how it grows, when it is full, and what it costs')
    .argument('<destination>', 'its name or ID')
    .option('--measure', 'measure it now')
    .addHelpText('after', '\nExample:\n  holdfast destination show "Black disk"')
    .action((wanted: string, { measure = false }: { measure?: boolean }) =>
      run(show, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const { id } = findDestination(await client.state(), wanted);
          if (measure) await client.capacity.measure({ destination: id });
          return tell(client, id, invocation);
        }),
      ),
    );

  const budget = group
    .command('budget')
    .description('say how much a destination may hold or cost; that is warned about, and keeps no backup from being made')
    .argument('<destination>', 'its name or ID')
    .option('--bytes <size>', 'at most so much stored: 500G, 2T, or none')
    .option('--money <amount>', 'at most so much a month, in the currency of its price: "5 USD", or none')
    .addHelpText('after', '\nExample:\n  holdfast destination budget Cloud --money "5 USD"')
    .action((wanted: string, options: BudgetOptions) =>
      run(budget, cancelledReading, (invocation) => {
        const bytes = options.bytes === undefined ? undefined : options.bytes === 'none' ? null : parseSize(options.bytes, '--bytes');
        const money = options.money === undefined ? undefined : options.money === 'none' ? null : parseMoney(options.money);
        if (bytes === undefined && money === undefined)
          return fail('bad-usage', {
            problem: 'No budget is named.',
            guidance: 'Write --bytes or --money, with “none” to have none any more.',
          });
        return withService(invocation, async (client) => {
          const { id: destination } = findDestination(await client.state(), wanted);
          const before = (await client.capacity.of({ destination })).budget;
          const after = { bytes: bytes === undefined ? before.bytes : bytes, money: money === undefined ? before.money : money };
          await client.capacity.setBudget({ destination, budget: after });
          return tell(client, destination, invocation);
        });
      }),
    );

  const price = group
    .command('price')
    .description('say what a destination is paid by')
    .argument('<destination>', 'its name or ID')
    .argument('<price>', 'an ID of "holdfast prices list", none, or by-place: as its place tells')
    .addHelpText('after', '\nExample:\n  holdfast destination price Cloud s3-standard-ia')
    .action((wanted: string, id: string) =>
      run(price, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const { id: destination } = findDestination(await client.state(), wanted);
          await client.capacity.setPrice({ destination, price: id });
          return tell(client, destination, invocation);
        }),
      ),
    );
}

async function tell(client: ServiceClient, id: string, { output }: Invocation): Promise<ExitCode> {
  const [state, capacity, prices] = [await client.state(), await client.capacity.of({ destination: id }), await client.prices.list()];
  const destination = findDestination(state, id);
  const { at } = await client.home.facts();
  output.lines(`${destination.name} (${id.slice(0, 8)})`, `Place: ${destination.place}`, `State: ${stateText(destination.now)}`);
  output.lines(...capacityLines(capacity, prices, at));
  output.object('destination', { ...destination, capacity });
  return exitCodes.done;
}

/** `5 USD` or `USD 5`. Throws `bad-usage`. */
function parseMoney(text: string): { amount: number; currency: string } {
  const m = /^(?:([A-Z]{3})\s*)?(\d+(?:\.\d+)?)(?:\s*([A-Z]{3}))?$/i.exec(text.trim());
  const currency = m?.[1] ?? m?.[3];
  if (!m || currency === undefined || (m[1] !== undefined && m[3] !== undefined) || Number(m[2]) <= 0)
    return fail('bad-usage', { problem: `--money: “${text}” is no amount of money.`, guidance: 'Write for example "5 USD".' });
  return { amount: Number(m[2]), currency: currency.toUpperCase() };
}
