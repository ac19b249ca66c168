/** run: the runs of the service, and starting one. */
import type { Run } from '../../contract/run.ts';

import { fail } from '../../contract/errors.ts';
import type { ServiceClient } from '../../service/rpc/client.ts';
import { parseChoice } from '../arguments.ts';
import { formatMoment } from '../dates.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { cancelledReading, type Invocation } from '../run-verb.ts';
import { startAndFollow } from '../follow-run.ts';
import { runColumns, runLines, runRow } from '../run-text.ts';
import { findDestination, findPlan, parseRunId, withService } from '../service-session.ts';
import { tableLines } from '../table.ts';
import type { Verbs } from '../verbs.ts';
import { strategies } from './backup.ts';

interface StartOptions {
  readonly destination?: string;
  readonly strategy?: string;
  readonly copy?: boolean;
  /** False when it was refused. */
  readonly wait?: boolean;
}

interface ListOptions {
  readonly plan?: string;
  readonly destination?: string;
  readonly limit?: string;
}

const whenCancelled = 'Cancelled. The run itself goes on; see "holdfast status".';
const pageSize = 200;

export function addRun({ program, run }: Verbs): void {
  const group = program
    .command('run')
    .description('start, list and look at the runs of the service')
    .addHelpText('after', '\nExamples:\n  holdfast run start Documents\n  holdfast run list --plan Documents');

  const start = group
    .command('start')
    .description('back up now, as a plan says')
    .argument('<plan>', 'its name or ID')
    .option('--destination <name>', 'to this destination of the plan (default: its primary)')
    .option('--strategy <name>', `${strategies.join(', ')} (default: incremental)`)
    .option('--copy', 'no backup: give its destinations (or --destination) now what they lack of each other')
    .option('--no-wait', 'do not wait for its end')
    .addHelpText('after', '\nExample:\n  holdfast run start Documents')
    .action((plan: string, options: StartOptions) =>
      run(start, { whenCancelled }, (invocation) => withService(invocation, (client) => startRun(client, plan, options, invocation))),
    );

  const list = group
    .command('list')
    .description('list the runs, newest first')
    .option('--plan <name>', 'only those of a plan')
    .option('--destination <name>', 'only those to a destination')
    .option('--limit <number>', 'at most so many (default: 50)')
    .addHelpText('after', '\nExample:\n  holdfast run list --limit 10')
    .action((options: ListOptions) =>
      run(list, cancelledReading, (invocation) => withService(invocation, (client) => listRuns(client, options, invocation))),
    );

  const show = group
    .command('show')
    .description('show a run with its figures and its log')
    .argument('<run>', 'its number')
    .addHelpText('after', '\nExample:\n  holdfast run show 12')
    .action((id: string) =>
      run(show, cancelledReading, (invocation) => withService(invocation, (client) => showRun(client, parseRunId(id), invocation))),
    );

  const problems = group
    .command('problems')
    .description('list the files that a run could not store as they should be')
    .argument('<run>', 'its number')
    .addHelpText('after', '\nExample:\n  holdfast run problems 12')
    .action((id: string) =>
      run(problems, cancelledReading, (invocation) =>
        withService(invocation, (client) => listProblems(client, parseRunId(id), invocation)),
      ),
    );

  const acts = [
    ['cancel', 'cancel a run; what it has stored is kept', 'is cancelled'],
    ['pause', 'let a run wait until it is resumed', 'is paused'],
    ['resume', 'let a paused run go on', 'goes on'],
  ] as const;
  for (const [act, description, done] of acts) {
    const command = group
      .command(act)
      .description(description)
      .argument('<run>', 'its number')
      .addHelpText('after', `\nExample:\n  holdfast run ${act} 12`)
      .action((text: string) =>
        run(command, cancelledReading, (invocation) =>
          withService(invocation, async (client) => {
            const id = parseRunId(text);
            await client.runs[act]({ id });
            invocation.output.lines(`Run ${id} ${done}.`);
            invocation.output.object('summary', { run: id, [act]: true });
            return exitCodes.done;
          }),
        ),
      );
  }
}

async function startRun(client: ServiceClient, wanted: string, options: StartOptions, invocation: Invocation): Promise<ExitCode> {
  const state = await client.state();
  const plan = findPlan(state, wanted);
  const destination = options.destination === undefined ? undefined : findDestination(state, options.destination).id;
  const strategy = options.strategy === undefined ? undefined : parseChoice(options.strategy, strategies, '--strategy');
  if (options.copy) return startCopies(client, { plan: plan.id, ...(destination ? { destination } : {}) }, options, invocation);
  const which = { plan: plan.id, ...(destination ? { destination } : {}), ...(strategy ? { strategy } : {}) };
  return startAndFollow(client, invocation, options.wait !== false, () => client.runs.start(which));
}

/** One run for each destination that lacks something. */
async function startCopies(
  client: ServiceClient,
  which: { plan: string; destination?: string },
  { wait, strategy }: StartOptions,
  invocation: Invocation,
): Promise<ExitCode> {
  if (strategy !== undefined)
    return fail('bad-usage', { problem: '--strategy does not go with --copy.', guidance: 'Leave one of them out.' });
  const runs = await client.copies.start(which);
  if (runs.length === 0) invocation.output.lines('Nothing is to be copied: no destination that can be reached lacks anything.');
  let code: ExitCode = exitCodes.done;
  for (const run of runs) code = Math.max(code, await startAndFollow(client, invocation, wait !== false, async () => run)) as ExitCode;
  return code;
}

async function listRuns(client: ServiceClient, options: ListOptions, { output }: Invocation): Promise<ExitCode> {
  const limit = Number(options.limit ?? 50);
  if (!Number.isInteger(limit) || limit < 1)
    return fail('bad-usage', {
      problem: `--limit: “${options.limit}” is no number of runs.`,
      guidance: 'Write a whole number of 1 or more.',
    });
  const state = await client.state();
  const plan = options.plan === undefined ? undefined : findPlan(state, options.plan).id;
  const destination = options.destination === undefined ? undefined : findDestination(state, options.destination).id;
  const filter = { ...(plan ? { plan } : {}), ...(destination ? { destination } : {}) };
  const runs: Run[] = [];
  for (let before: number | null | undefined; before !== null && runs.length < limit; ) {
    const page = await client.runs.list({ ...filter, limit: Math.min(pageSize, limit - runs.length), ...(before ? { before } : {}) });
    runs.push(...page.runs);
    before = page.next;
  }
  if (runs.length === 0) output.lines('There is no run yet.');
  else await output.list(output.json ? [] : tableLines(runColumns, runs.map(runRow)));
  if (output.json) await output.objects('run', runs);
  return exitCodes.done;
}

async function showRun(client: ServiceClient, id: number, { output }: Invocation): Promise<ExitCode> {
  const run = await client.runs.get({ id });
  output.lines(...runLines(run));
  output.object('run', run);
  for (let after: number | null = 0; after !== null; ) {
    const { lines, next } = await client.runs.log({ id, after, limit: pageSize });
    for (const line of lines) {
      output.lines(`  ${formatMoment(line.at)}  ${line.text}`);
      output.object('log', line);
    }
    after = next;
  }
  return exitCodes.done;
}

async function listProblems(client: ServiceClient, id: number, { output }: Invocation): Promise<ExitCode> {
  let count = 0;
  for (let after: number | null = 0; after !== null; ) {
    const { problems, next } = await client.runs.problems({ id, after, limit: pageSize });
    count += problems.length;
    if (output.json) await output.objects('problem', problems);
    else await output.list(problems.map(({ path, code, message }) => `${path}: ${code}${message === '' ? '' : ` (${message})`}`));
    after = next;
  }
  if (count === 0) output.lines('Everything was stored as it should be.');
  return exitCodes.done;
}
