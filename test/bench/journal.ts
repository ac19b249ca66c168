/** A run after 10 files changed among very many: by the service, which watches them, beside restic, which looks at all. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isFinal, type Run } from '../../src/contract/run.ts';
import { usualSchedule } from '../../src/contract/schedule.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { ServiceClient } from '../../src/service/rpc/client.ts';
import { resticPath } from '../support/restic.ts';
import { changeTinyTree } from './data.ts';
import { median } from './measure.ts';
import { password, passwordEnvironment } from './programs.ts';
import { ticksPerSecond } from './process-facts.ts';
import { serving } from './serving.ts';

const changes = 10;
const rounds = 7;
const roundsWithDelay = 3;
const resticRounds = 3;
/** Until a service is at rest, in milliseconds. */
const restMs = 20_000;
/** So many looks at everything in a row are no journal. */
const mostFull = 5;

export interface FewChangesFigures {
  readonly files: number;
  /** Medians; milliseconds of wall time and of the processor. */
  readonly holdfast: {
    readonly wall: number;
    readonly cpu: number;
    readonly first: number;
    readonly foldersVisited: number;
    /** Runs that looked at everything all the same, since something was in doubt. */
    readonly full: number;
    /** Of all processes of the service, in bytes. */
    readonly memory: number;
  };
  readonly restic: { readonly wall: number; readonly cpu: number; readonly first: number };
  /** From a change until the snapshot that holds it is there, less the plan's delay of 5 seconds; milliseconds, the most of 3. */
  readonly afterDelay: number;
}

/** `source` holds so many files, as `tinyTree` makes them. What is stored goes below `folder`. */
export async function fewChanges(
  folder: string,
  source: string,
  files: number,
  tell: (text: string) => void = () => {},
): Promise<FewChangesFigures> {
  let round = 0;
  const change = (): void => changeTinyTree(source, files, changes, round++);
  const holdfast = await byService(folder, source, change, tell);
  return { files, ...holdfast, restic: byRestic(join(folder, 'restic'), source, change, tell) };
}

async function byService(
  folder: string,
  source: string,
  change: () => void,
  tell: (text: string) => void,
): Promise<Pick<FewChangesFigures, 'holdfast' | 'afterDelay'>> {
  return serving(folder, async ({ client, cpu, memory }) => {
    const destination = await client.destinations.connect({ place: join(folder, 'repository'), password, create: true });
    const input = {
      name: 'Many',
      sources: [{ kind: 'folder' as const, path: source }],
      destinations: [{ destination: destination.id, role: 'primary' as const }],
      schedule: {
        ...usualSchedule,
        triggers: [{ kind: 'change' as const, delaySeconds: 86_400 }],
        strategy: { otherwise: 'incremental' as const },
      },
    };
    const plan = await client.plans.create(input);
    const run = async (): Promise<Run> => {
      const ended = await endOf(client, (await client.runs.start({ plan: plan.id })).id);
      const { scan } = ended.figures ?? {};
      tell(`run ${ended.id}: ${tookOf(ended)} ms, ${scan?.isPartial ? 'what changed' : 'everything'} (${scan?.because ?? ''})`);
      return ended;
    };
    const first = tookOf(await run());
    let full = 0;
    /** One that went by the journal; what is in doubt costs another look at everything. */
    const byJournal = async (before: () => void): Promise<{ run: Run; cpu: number }> => {
      for (let attempt = 1; ; attempt++) {
        before();
        // Events come a little later than what they tell of.
        await systemClock.sleep(1000);
        const began = cpu();
        const ended = await run();
        if (ended.figures?.scan?.isPartial === true) return { run: ended, cpu: cpu() - began };
        full += 1;
        if (attempt === mostFull) throw new Error(`${mostFull} runs in a row looked at everything (${ended.figures?.scan?.because})`);
      }
    };
    await byJournal(() => {});
    full = 0;
    const all: { run: Run; cpu: number }[] = [];
    while (all.length < rounds) all.push(await byJournal(change));
    await client.plans.change({
      id: plan.id,
      plan: { ...input, schedule: { ...input.schedule, triggers: [{ kind: 'change', delaySeconds: 5 }] } },
    });
    let afterDelay = 0;
    for (let round = 0; round < roundsWithDelay; round++) {
      const newest = (await client.runs.list({})).runs[0].id;
      change();
      const changed = systemClock.now();
      const next = await endOfNext(client, newest);
      tell(`run ${next.id}: ${next.ended! - changed} ms after the change`);
      afterDelay = Math.max(afterDelay, next.ended! - changed - 5000);
    }
    // Threads wait some seconds for another run.
    await systemClock.sleep(restMs);
    return {
      holdfast: {
        wall: median(all.map((each) => tookOf(each.run))),
        cpu: median(all.map((each) => each.cpu)),
        first,
        foldersVisited: all.at(-1)!.run.figures!.scan!.foldersVisited,
        full,
        memory: memory(),
      },
      afterDelay,
    };
  });
}

const tookOf = ({ started, ended }: Run): number => ended! - started!;

/** Throws when it has not made a whole snapshot: then nothing is measured. */
async function endOf(client: ServiceClient, id: number): Promise<Run> {
  for (;;) {
    const run = await client.runs.get({ id });
    if (run.status === 'succeeded') return run;
    if (isFinal(run.status)) throw new Error(`run ${id} ended as ${run.status}: ${run.error?.message ?? ''}`);
    await systemClock.sleep(20);
  }
}

/** Of the first run after this one. */
async function endOfNext(client: ServiceClient, newest: number): Promise<Run> {
  for (;;) {
    const next = (await client.runs.list({})).runs.findLast(({ id }) => id > newest);
    if (next) return endOf(client, next.id);
    await systemClock.sleep(20);
  }
}

function byRestic(repository: string, source: string, change: () => void, tell: (text: string) => void): FewChangesFigures['restic'] {
  const restic = (...args: string[]): { wall: number; cpu: number } => {
    const [began, before] = [systemClock.monotonic(), childTicks()];
    execFileSync(resticPath(), ['-r', repository, '--no-cache', '--quiet', ...args], { env: { ...process.env, ...passwordEnvironment } });
    const took = { wall: systemClock.monotonic() - began, cpu: ((childTicks() - before) / ticksPerSecond) * 1000 };
    tell(`restic ${args[0]}: ${Math.round(took.wall)} ms`);
    return took;
  };
  restic('init');
  const first = restic('backup', source).wall;
  const all: { wall: number; cpu: number }[] = [];
  while (all.length < resticRounds) {
    change();
    all.push(restic('backup', source));
  }
  return { wall: median(all.map(({ wall }) => wall)), cpu: median(all.map(({ cpu }) => cpu)), first };
}

/** User and system time of children that have ended, in ticks. */
function childTicks(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ');
  return Number(fields[13]) + Number(fields[14]);
}
