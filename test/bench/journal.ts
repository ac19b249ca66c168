/** A run after 10 files changed among very many: by the service, which watches them, beside restic, which looks at all. */
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isFinal, type Run } from '../../src/contract/run.ts';
import { usualSchedule } from '../../src/contract/schedule.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { profileAt } from '../../src/service/profile.ts';
import { attach, type ServiceClient } from '../../src/service/rpc/client.ts';
import { cliProgram } from '../support/cli.ts';
import { resticPath } from '../support/restic.ts';
import { median } from './measure.ts';
import { password, passwordEnvironment } from './programs.ts';
import { residentBytes, ticksOf, ticksPerSecond } from './process-facts.ts';

const filesInEach = 50;
const changes = 10;
const rounds = 5;

export interface FewChangesFigures {
  readonly files: number;
  /** Medians; milliseconds of wall time and of the processor. */
  readonly holdfast: { readonly wall: number; readonly cpu: number; readonly foldersVisited: number; readonly memory: number };
  readonly restic: { readonly wall: number; readonly cpu: number };
  /** From a change until the snapshot that holds it is there, less the plan's delay of 5 seconds; milliseconds, the most of 3. */
  readonly afterDelay: number;
}

export async function fewChanges(folder: string, files: number): Promise<FewChangesFigures> {
  const source = join(folder, 'many');
  for (let i = 0; i < files / filesInEach; i++) {
    const below = join(source, String(i % 200), String(i));
    mkdirSync(below, { recursive: true });
    for (let j = 0; j < filesInEach; j++) writeFileSync(join(below, `file ${j}`), `${i} ${j}`);
  }
  const change = (round: number): void => {
    for (let i = 0; i < changes; i++) {
      const n = Math.floor((i * files) / filesInEach / changes);
      appendFileSync(join(source, String(n % 200), String(n), `file ${round % filesInEach}`), 'more');
    }
  };
  const holdfast = await byService(folder, source, change);
  return { files, ...holdfast, restic: byRestic(join(folder, 'restic'), source, change) };
}

async function byService(
  folder: string,
  source: string,
  change: (round: number) => void,
): Promise<Pick<FewChangesFigures, 'holdfast' | 'afterDelay'>> {
  const profile = profileAt(join(folder, 'profile'));
  const env = {
    ...process.env,
    HOLDFAST_PROFILE: profile.folder,
    HOLDFAST_SECRETS_FILE: join(folder, 'secrets.json'),
    HOLDFAST_KEYCHAIN: 'off',
  };
  const child = spawn(process.execPath, [cliProgram, 'serve'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', () => reject(new Error('the service ended')));
  });
  const { client, close } = await attach(profile);
  try {
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
    const run = async (): Promise<Run> => ended(client, (await client.runs.start({ plan: plan.id })).id);
    await run();
    // Until nothing is in doubt any more: then the journal is what is measured.
    while ((await run()).figures?.scan?.isPartial !== true);
    const walls: number[] = [];
    const cpus: number[] = [];
    let foldersVisited = 0;
    for (let round = 0; round < rounds; round++) {
      change(round);
      await systemClock.sleep(1000);
      const before = ticksOf(child.pid!);
      const { started, ended: at, figures } = await run();
      if (figures?.scan?.isPartial !== true) continue;
      foldersVisited = figures.scan.foldersVisited;
      cpus.push(((ticksOf(child.pid!) - before) / ticksPerSecond) * 1000);
      walls.push(at! - started!);
    }
    const memory = residentBytes(child.pid!);
    await client.plans.change({
      id: plan.id,
      plan: { ...input, schedule: { ...input.schedule, triggers: [{ kind: 'change', delaySeconds: 5 }] } },
    });
    let afterDelay = 0;
    for (let round = 0; round < 3; round++) {
      const newest = (await client.runs.list({})).runs[0]!.id;
      change(rounds + round);
      const changed = systemClock.now();
      let next: Run | undefined;
      while (!next) {
        await systemClock.sleep(50);
        next = (await client.runs.list({})).runs.find(({ id, status }) => id > newest && isFinal(status));
      }
      afterDelay = Math.max(afterDelay, next.ended! - changed - 5000);
    }
    return { holdfast: { wall: median(walls), cpu: median(cpus), foldersVisited, memory }, afterDelay };
  } finally {
    close();
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
  }
}

async function ended(client: ServiceClient, id: number): Promise<Run> {
  for (;;) {
    const run = await client.runs.get({ id });
    if (isFinal(run.status)) return run;
    await systemClock.sleep(20);
  }
}

function byRestic(repository: string, source: string, change: (round: number) => void): FewChangesFigures['restic'] {
  const restic = (...args: string[]): void =>
    void execFileSync(resticPath(), ['-r', repository, '--no-cache', '--quiet', ...args], {
      env: { ...process.env, ...passwordEnvironment },
    });
  restic('init');
  restic('backup', source);
  const walls: number[] = [];
  const cpus: number[] = [];
  for (let round = 0; round < 3; round++) {
    change(round);
    const [began, before] = [systemClock.monotonic(), childTicks()];
    restic('backup', source);
    walls.push(systemClock.monotonic() - began);
    cpus.push(((childTicks() - before) / ticksPerSecond) * 1000);
  }
  return { wall: median(walls), cpu: median(cpus) };
}

/** User and system time of children that have ended, in ticks. */
function childTicks(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ');
  return Number(fields[13]) + Number(fields[14]);
}
