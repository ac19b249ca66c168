/** prices: what storage costs, as Holdfast reckons with it. */
import { type Price, priceSchema, type PriceView } from '../../contract/cost.ts';
import { fail } from '../../contract/errors.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { cancelledReading, type Invocation } from '../run-verb.ts';
import { withService } from '../service-session.ts';
import { tableLines } from '../table.ts';
import type { Verbs } from '../verbs.ts';

/** By the name that a person types. */
const fields = {
  provider: ['provider', 'who sells it'],
  name: ['name', 'what the class is called'],
  currency: ['currency', 'of all amounts: USD'],
  gb: ['gb', 'what a GB is: decimal (1,000,000,000 bytes) or binary (1,073,741,824)'],
  storage: ['storage', 'for a GB and month'],
  writes: ['writes', 'for a thousand requests that store'],
  reads: ['reads', 'for a thousand requests that read'],
  retrieval: ['retrieval', 'for a GB that is read'],
  egress: ['egress', 'for a GB that leaves the cloud'],
  'free-egress-gb': ['freeEgressGb', 'GB a month that leave without a charge'],
  'free-egress-times': ['freeEgressTimes', 'the same, in times of what is stored'],
  'free-storage-gb': ['freeStorageGb', 'GB that are stored without a charge'],
  'minimum-days': ['minimumDays', 'days that are paid for what is deleted earlier'],
  'minimum-object-bytes': ['minimumObjectBytes', 'bytes that are paid for what is smaller'],
  'minimum-monthly': ['minimumMonthly', 'what a month costs at least'],
  'as-of': ['asOf', 'the month of these figures: 2026-11'],
} as const satisfies Readonly<Record<string, readonly [keyof Price, string]>>;

const texts: ReadonlySet<string> = new Set(['provider', 'name', 'currency', 'gb', 'asOf']);

/** Of an entry that a person makes; what is not said costs nothing. */
const blank = {
  provider: 'Own',
  currency: 'USD',
  gb: 'decimal',
  storage: 0,
  writes: 0,
  reads: 0,
  retrieval: 0,
  egress: 0,
  freeEgressGb: 0,
  freeEgressTimes: 0,
  freeStorageGb: 0,
  minimumDays: 0,
  minimumObjectBytes: 0,
  minimumMonthly: 0,
} as const;

export function addPrices({ program, run }: Verbs): void {
  const group = program
    .command('prices')
    .description('show and change the prices of cloud storage that costs are reckoned with')
    .addHelpText(
      'after',
      `
The prices that come with Holdfast are those of the providers' public lists in the month that each names. Providers change them: look at
theirs, and change the entry, or add one of your own.

Fields of "prices set":
${Object.entries(fields)
  .map(([name, [, meaning]]) => `  ${name.padEnd(21)} ${meaning}`)
  .join('\n')}

Examples:
  holdfast prices list
  holdfast prices set b2 storage=0.007 as-of=2026-11
  holdfast prices set box provider="My host" name="1 TB box" currency=EUR minimum-monthly=3.20 as-of=2026-11`,
    );

  const list = group
    .command('list')
    .description('list the prices')
    .addHelpText('after', '\nExample:\n  holdfast prices list')
    .action(() =>
      run(list, cancelledReading, (invocation) => withService(invocation, async (client) => tell(await client.prices.list(), invocation))),
    );

  const set = group
    .command('set')
    .description('change an entry, or make one of your own')
    .argument('<id>', 'of the entry')
    .argument('<field=value...>', 'what it is to be')
    .addHelpText('after', '\nExample:\n  holdfast prices set b2 storage=0.007')
    .action((id: string, changes: readonly string[]) =>
      run(set, cancelledReading, (invocation) => {
        const change = Object.fromEntries(changes.map(parseChange));
        return withService(invocation, async (client) => {
          const known = (await client.prices.list()).find((price) => price.id === id);
          const { origin: _, ...before } = known ?? { ...blank, id, name: id, origin: 'own' };
          const { success, data, error } = priceSchema.safeParse({ ...before, ...change });
          if (!success) return badPrice(`${error.issues[0]?.path.join('.') ?? ''}: ${error.issues[0]?.message ?? ''}`);
          const all = await client.prices.set(data);
          return tell(
            all.filter((price) => price.id === id),
            invocation,
          );
        });
      }),
    );

  const reset = group
    .command('reset')
    .description('set an entry, or all, back to what comes with Holdfast; your own are removed')
    .argument('[id]', 'of the entry (default: all)')
    .addHelpText('after', '\nExample:\n  holdfast prices reset b2')
    .action((id: string | undefined) =>
      run(reset, cancelledReading, (invocation) =>
        withService(invocation, async (client) => tell(await client.prices.reset(id === undefined ? {} : { id }), invocation)),
      ),
    );
}

function parseChange(text: string): [string, string | number] {
  const at = text.indexOf('=');
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1 || !Object.hasOwn(fields, name)) return badPrice(`“${text}” names no field`);
  const [field] = fields[name as keyof typeof fields];
  if (texts.has(field)) return [field, value];
  const number = Number(value);
  return value.trim() === '' || !Number.isFinite(number) ? badPrice(`“${value}” is no number`) : [field, number];
}

const badPrice = (problem: string): never =>
  fail('bad-usage', { problem: `The price cannot be so: ${problem}.`, guidance: 'See "holdfast prices --help" for the fields.' });

function tell(prices: readonly PriceView[], { output }: Invocation): ExitCode {
  const rows = prices.map(({ id, provider, name, currency, storage, egress, asOf, origin }) => [
    id,
    `${provider} ${name}`,
    `${currency} ${storage}`,
    `${currency} ${egress}`,
    asOf,
    origin === 'shipped' ? '' : origin,
  ]);
  const titles = ['ID', 'Class', 'GB and month', 'GB read out', 'As of', ''];
  output.lines(
    ...tableLines(
      titles.map((title) => ({ title })),
      rows,
    ),
  );
  for (const price of prices) output.object('price', price);
  return exitCodes.done;
}
