/** plan: what is protected, where to, when, and how long it is kept. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fail } from '../../contract/errors.ts';
import type { PlanFile, PlanInput, PlanRequest } from '../../contract/plan.ts';
import type { Schedule, Trigger } from '../../contract/schedule.ts';
import type { State } from '../../contract/state.ts';
import { parseSizeLimit } from '../../engine/backup/exclude-facts.ts';
import { collect } from '../arguments.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { cancelledReading, type Invocation } from '../run-verb.ts';
import { findPlan, withService } from '../service-session.ts';
import { parseSize } from '../../platform/sizes.ts';
import { tableLines } from '../table.ts';
import type { Verbs } from '../verbs.ts';
import { addPlanMove } from './moves.ts';
import { scheduleLines } from '../schedule-text.ts';
import { parseMinutes } from './minutes.ts';
import { type DestinationOptions, destinationsOf, retentionOf } from './plan-destinations.ts';
import { planLines } from './plan-show.ts';

interface PlanOptions extends DestinationOptions {
  readonly name?: string;
  readonly source?: readonly string[];
  readonly onChange?: string;
  readonly every?: string;
  readonly daily?: readonly string[];
  readonly cron?: readonly string[];
  readonly onDrive?: boolean;
  readonly atLogin?: boolean;
  readonly manual?: boolean;
  readonly exclude?: readonly string[];
  readonly iexclude?: readonly string[];
  readonly preset?: readonly string[];
  readonly excludeIfPresent?: readonly string[];
  readonly excludeCaches?: boolean;
  readonly excludeLargerThan?: string;
  readonly oneFileSystem?: boolean;
  readonly keep?: readonly string[];
  readonly onThisComputer?: boolean;
  readonly rpo?: string;
  readonly rto?: string;
}

export function addPlan({ program, run }: Verbs): void {
  const group = program
    .command('plan')
    .description('list, create, change and remove the plans of the service')
    .addHelpText('after', '\nExamples:\n  holdfast plan create Documents --source ~/Documents --to "Black disk"\n  holdfast plan list');

  const list = group
    .command('list')
    .description('list the plans')
    .addHelpText('after', '\nExample:\n  holdfast plan list')
    .action(() =>
      run(list, cancelledReading, (invocation) => withService(invocation, async (client) => listPlans(await client.state(), invocation))),
    );

  const show = group
    .command('show')
    .description('say what a plan does: sources, destinations, times, and what is kept where')
    .argument('<plan>', 'its name or ID')
    .addHelpText('after', '\nExample:\n  holdfast plan show Documents')
    .action((wanted: string) =>
      run(show, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const state = await client.state();
          const plan = findPlan(state, wanted);
          invocation.output.lines(...planLines(plan, state));
          invocation.output.object('plan', plan);
          return exitCodes.done;
        }),
      ),
    );

  const create = planOptions(group.command('create'))
    .description('create a plan: it runs by itself from then on')
    .argument('<name>', 'what to call it')
    .addHelpText(
      'after',
      `
Without another time a plan runs 15 minutes after something has changed, daily at noon, and when its drive is plugged in.

Example:
  holdfast plan create Documents --source ~/Documents --to "Black disk" --daily 12:00 --keep daily=14 --keep monthly=12`,
    )
    .action((name: string, options: PlanOptions) =>
      run(create, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const made = await client.plans.create(await planOf({ ...options, name }, undefined, await client.state()));
          invocation.output.lines(`The plan “${made.name}” is made (${made.id.slice(0, 8)}).`);
          invocation.output.object('plan', made);
          return exitCodes.done;
        }),
      ),
    );

  const change = planOptions(group.command('change'))
    .description('change what the options name of a plan')
    .argument('<plan>', 'its name or ID')
    .option('--name <name>', 'call it otherwise')
    .addHelpText('after', '\nExample:\n  holdfast plan change Documents --daily 18:00')
    .action((wanted: string, options: PlanOptions) =>
      run(change, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const state = await client.state();
          const { id, ...before } = findPlan(state, wanted);
          const made = await client.plans.change({ id, plan: await planOf(options, before, state) });
          invocation.output.lines(`The plan “${made.name}” is changed.`);
          invocation.output.object('plan', made);
          return exitCodes.done;
        }),
      ),
    );

  for (const [verb, enabled, description] of [
    ['enable', true, 'let a plan run by itself again'],
    ['disable', false, 'let a plan run only when it is told to'],
  ] as const) {
    const command = group
      .command(verb)
      .description(description)
      .argument('<plan>', 'its name or ID')
      .addHelpText('after', `\nExample:\n  holdfast plan ${verb} Documents`)
      .action((wanted: string) =>
        run(command, cancelledReading, (invocation) =>
          withService(invocation, async (client) => {
            const plan = await client.plans.setEnabled({ id: findPlan(await client.state(), wanted).id, enabled });
            invocation.output.lines(`The plan “${plan.name}” ${enabled ? 'runs by itself' : 'runs only when it is told to'}.`);
            invocation.output.object('plan', plan);
            return exitCodes.done;
          }),
        ),
      );
  }

  const trust = group
    .command('trust')
    .description('let a plan go by what it watches again, though its watch has missed a change')
    .argument('<plan>', 'its name or ID')
    .addHelpText(
      'after',
      `
After a missed change every run looks at everything until none was missed for a week; nothing is lost by that but time.

Example:
  holdfast plan trust Documents`,
    )
    .action((wanted: string) =>
      run(trust, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const { id, name } = findPlan(await client.state(), wanted);
          const defect = (await client.watching.defects()).find(({ plan }) => plan === id);
          await client.watching.trust({ plan: id });
          invocation.output.lines(
            defect ? `The runs of “${name}” look at what changed again.` : `The watch of “${name}” has missed nothing that is known.`,
          );
          invocation.output.object('trusted', { plan: id, defect: defect ?? null });
          return exitCodes.done;
        }),
      ),
    );

  addPlanMove(group, run);

  const remove = group
    .command('remove')
    .description('remove a plan, and say what becomes of its snapshots')
    .argument('<plan>', 'its name or ID')
    .option('--keep-snapshots', 'they stay on all its destinations')
    .option('--forget-snapshots', 'they are forgotten on those of its destinations that can be reached')
    .addHelpText('after', '\nExample:\n  holdfast plan remove Documents --keep-snapshots')
    .action((wanted: string, options: { keepSnapshots?: boolean; forgetSnapshots?: boolean }) =>
      run(remove, cancelledReading, (invocation) => {
        if (options.keepSnapshots === options.forgetSnapshots)
          return fail('bad-usage', {
            problem: 'It is not said what becomes of its snapshots.',
            guidance: 'Choose --keep-snapshots or --forget-snapshots.',
          });
        return withService(invocation, (client) => removePlan(client, wanted, options.forgetSnapshots ? 'forget' : 'keep', invocation));
      }),
    );

  const advise = group
    .command('advise')
    .description('propose schedule, strategy and destinations for what you want, with the reasons')
    .requiredOption('--size <size>', 'how much there is: 200G')
    .requiredOption('--change <size>', 'how much of it changes in a day: 1G')
    .requiredOption('--rpo <time>', 'how old the newest backup may be: 1d')
    .requiredOption('--rto <time>', 'how long a full restore may take: 4h')
    .addHelpText('after', '\nExample:\n  holdfast plan advise --size 200G --change 1G --rpo 1d --rto 4h')
    .action((wishes: { size: string; change: string; rpo: string; rto: string }) =>
      run(advise, cancelledReading, (invocation) => {
        const asked = {
          sizeBytes: parseSize(wishes.size, '--size'),
          changePerDayBytes: parseSize(wishes.change, '--change'),
          rpoMinutes: parseMinutes(wishes.rpo, '--rpo'),
          rtoMinutes: parseMinutes(wishes.rto, '--rto'),
        };
        return withService(invocation, async (client) => {
          const { output } = invocation;
          const proposal = await client.advice(asked);
          const { destinations } = await client.state();
          output.lines(`Run ${scheduleLines(proposal.schedule).join(', ')}.`, ...proposal.reasons.map(({ text }) => `  ${text}`));
          for (const { id, kind, role, reasons } of proposal.destinations) {
            const name = destinations.find((each) => each.id === id)?.name;
            output.lines(
              name === undefined ? `A new ${placeNames[kind]} as ${role}:` : `“${name}” as ${role}:`,
              ...reasons.map(({ text }) => `  ${text}`),
            );
          }
          output.object('proposal', proposal);
          return exitCodes.done;
        });
      }),
    );

  const save = group
    .command('export')
    .description('write plans to standard output, for "plan import" here or elsewhere; without passwords')
    .argument('[plan...]', 'names or IDs (default: all)')
    .addHelpText('after', '\nExample:\n  holdfast plan export > plans.json')
    .action((wanted: string[]) =>
      run(save, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          const state = await client.state();
          const file = await client.plans.export(wanted.length === 0 ? {} : { ids: wanted.map((each) => findPlan(state, each).id) });
          if (invocation.output.json) invocation.output.object('plans', file);
          else await invocation.output.list(JSON.stringify(file, undefined, 2).split('\n'));
          return exitCodes.done;
        }),
      ),
    );

  const load = group
    .command('import')
    .description('create the plans of a file that "plan export" has written')
    .argument('<file>')
    .addHelpText('after', '\nExample:\n  holdfast plan import plans.json')
    .action((file: string) =>
      run(load, cancelledReading, (invocation) => {
        const content = readPlanFile(file);
        return withService(invocation, async (client) => {
          const made = await client.plans.import({ file: content });
          for (const plan of made) {
            invocation.output.lines(`The plan “${plan.name}” is made (${plan.id.slice(0, 8)}).`);
            invocation.output.object('plan', plan);
          }
          return exitCodes.done;
        });
      }),
    );
}

const placeNames = {
  computer: 'folder on this computer',
  external: 'drive',
  server: 'server at home',
  remote: 'place away from home',
} as const;

const planOptions = (command: Command): Command =>
  command
    .option('--source <folder>', 'what to protect (may be repeated)', collect)
    .option('--to <destination>', 'the primary destination, by name or ID')
    .option('--standby <destination>', 'takes over when those before it cannot be reached (may be repeated)', collect)
    .option('--copy <destination>', 'is given what the others have (may be repeated)', collect)
    .option('--on-this-computer', 'put backups beside your files while no destination can be used, and move them on later')
    .option('--no-on-this-computer', 'never do that (as without it)')
    .option('--on-change <delay>', 'run so long after a change: 15m')
    .option('--every <time>', 'run every 30m, 2h, 1d')
    .option('--daily <time>', 'run daily at this time: 12:00 (may be repeated)', collect)
    .option('--cron <expression>', 'run by a cron expression of five fields (may be repeated)', collect)
    .option('--on-drive', 'run when its drive is plugged in')
    .option('--at-login', 'run at login')
    .option('--manual', 'run only when told to')
    .option('--exclude <pattern>', 'leave out what matches, as in .gitignore (may be repeated)', collect)
    .option('--iexclude <pattern>', 'the same, whatever the case (may be repeated)', collect)
    .option('--preset <name>', 'leave out a set of things, as for "backup" (may be repeated)', collect)
    .option('--exclude-if-present <name[:header]>', 'leave out folders that hold this file (may be repeated)', collect)
    .option('--exclude-caches', 'leave out folders that are marked as caches')
    .option('--exclude-larger-than <size>', 'leave out files above this size')
    .option('-x, --one-file-system', 'do not enter other file systems')
    .option(
      '--keep <rule=number>',
      'keep so many: last=, hourly=, daily=, weekly=, monthly=, yearly=, or within=1y6m (may be repeated)',
      collect,
    )
    .option(
      '--keep-on <destination:rule=number>',
      'keep otherwise on one destination: "Cloud:monthly=12"; "Cloud:all" for everything, "Cloud:plan" as the plan (may be repeated)',
      collect,
    )
    .option(
      '--copy-at <destination:time>',
      'when a copy is given what it lacks: "Cloud:03:00", "Cloud:6h"; "Cloud:runs" after each run, as without it (may be repeated)',
      collect,
    )
    .option('--rpo <time>', 'how old the newest backup may be before you are told: 2d')
    .option('--rto <time>', 'how long a full restore may take: 4h');

/** What the options say, over what the plan was before. */
async function planOf(options: PlanOptions, before: PlanInput | undefined, state: State): Promise<PlanRequest> {
  const { usualSchedule } = await import('../../contract/schedule.ts');
  const { name, source, rpo, rto, onThisComputer } = options;
  if (!before && !options.to)
    return fail('bad-usage', {
      problem: 'It is not said where to back up.',
      guidance: 'Name a destination with --to; see "holdfast destination list".',
    });
  const given = <T>(value: T | undefined, make: (value: T) => object): object => (value === undefined ? {} : make(value));
  return {
    ...(before ?? { name: '', sources: [], destinations: [], schedule: usualSchedule }),
    ...given(name, (text) => ({ name: text })),
    ...given(source, (folders) => ({ sources: folders.map((path) => ({ kind: 'folder', path: resolve(path) })) })),
    ...given(onThisComputer, (isAllowed) => ({ onThisComputer: isAllowed })),
    destinations: destinationsOf(options, before, state),
    schedule: scheduleOf(options, before?.schedule ?? usualSchedule),
    excludes: { ...before?.excludes, ...excludesOf(options) },
    retention: { ...before?.retention, ...retentionOf(options.keep) },
    targets: {
      ...before?.targets,
      ...given(rpo, (text) => ({ rpoMinutes: parseMinutes(text, '--rpo') })),
      ...given(rto, (text) => ({ rtoMinutes: parseMinutes(text, '--rto') })),
    },
  };
}

function scheduleOf(options: PlanOptions, before: Schedule): Schedule {
  const { onChange, every, daily, cron, onDrive, atLogin, manual } = options;
  const triggers: Trigger[] = [];
  if (onChange !== undefined) triggers.push({ kind: 'change', delaySeconds: parseMinutes(onChange, '--on-change') * 60 });
  if (every !== undefined) triggers.push({ kind: 'interval', minutes: parseMinutes(every, '--every') });
  for (const at of daily ?? []) triggers.push({ kind: 'daily', at });
  for (const expression of cron ?? []) triggers.push({ kind: 'cron', expression });
  if (onDrive) triggers.push({ kind: 'drive' });
  if (atLogin) triggers.push({ kind: 'login' });
  if (manual && triggers.length > 0)
    return fail('bad-usage', { problem: '--manual does not go with a time.', guidance: 'Leave one of them out.' });
  return triggers.length > 0 || manual ? { ...before, triggers } : before;
}

function excludesOf(options: PlanOptions): NonNullable<PlanRequest['excludes']> {
  const { exclude, iexclude, preset, excludeIfPresent, excludeCaches, excludeLargerThan, oneFileSystem } = options;
  return {
    ...(exclude ? { patterns: [...exclude] } : {}),
    ...(iexclude ? { patternsIgnoringCase: [...iexclude] } : {}),
    ...(preset ? { presets: [...preset] } : {}),
    ...(excludeIfPresent ? { ifPresent: [...excludeIfPresent] } : {}),
    ...(excludeCaches === undefined ? {} : { caches: excludeCaches }),
    ...(excludeLargerThan === undefined ? {} : { largerThan: parseSizeLimit(excludeLargerThan) }),
    ...(oneFileSystem === undefined ? {} : { oneFileSystem }),
  };
}

function readPlanFile(path: string): PlanFile {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as PlanFile;
  } catch (error) {
    return fail('input-unreadable', { path, purpose: 'the file of plans', cause: (error as Error).message }, error);
  }
}

function listPlans({ plans, destinations }: State, { output }: Invocation): ExitCode {
  const nameOf = (id: string): string => destinations.find((each) => each.id === id)?.name ?? id;
  if (plans.length === 0) output.lines('There is no plan yet. See "holdfast plan create --help".');
  else {
    const rows = plans.map(({ id, name, sources, destinations: to, schedule, enabled }) => [
      id.slice(0, 8),
      name,
      sources.map(({ path }) => path).join(', '),
      to.map(({ destination }) => nameOf(destination)).join(', '),
      enabled ? scheduleLines(schedule).join(', ') : 'switched off',
    ]);
    output.lines(
      ...tableLines([{ title: 'ID' }, { title: 'Name' }, { title: 'Sources' }, { title: 'Destinations' }, { title: 'Runs' }], rows),
    );
  }
  for (const plan of plans) output.object('plan', plan);
  return exitCodes.done;
}

async function removePlan(
  client: Parameters<Parameters<typeof withService>[1]>[0],
  wanted: string,
  data: 'keep' | 'forget',
  { output }: Invocation,
): Promise<ExitCode> {
  const { id, name } = findPlan(await client.state(), wanted);
  const { snapshotsForgotten, notReached, inUse } = await client.plans.remove({ id, data });
  output.lines(
    `The plan “${name}” is removed. ${data === 'keep' ? 'Its snapshots stay.' : `${snapshotsForgotten} of its snapshots are forgotten.`}`,
  );
  for (const destination of notReached) output.note(`“${destination}” could not be reached: the snapshots there stay.`);
  for (const destination of inUse)
    output.note(
      `“${destination}” is in use by another run or program: the snapshots there stay. Forget them there with "holdfast forget".`,
    );
  output.object('summary', { removed: id, snapshotsForgotten, notReached, inUse });
  return notReached.length + inUse.length === 0 ? exitCodes.done : exitCodes.incomplete;
}
