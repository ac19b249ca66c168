/** The service at rest: 100,000 watched files in 10,000 folders, and 10,000 runs in its history. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { planSchema } from '../../src/contract/plan.ts';
import { usualSchedule } from '../../src/contract/schedule.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { makeProfile, profileAt } from '../../src/service/profile.ts';
import { attach, type ServiceClient } from '../../src/service/rpc/client.ts';
import { StateStore } from '../../src/service/state/store.ts';
import { cliProgram } from '../support/cli.ts';
import { median } from './measure.ts';
import { childrenOf, memoryOf, ticksOf, ticksPerSecond } from './process-facts.ts';

const folders = 10_000;
const filesInEach = 10;
const runs = 10_000;
const idleMs = 20_000;

export interface ServiceFigures {
  /** From the start of the process until a client can ask, in milliseconds. */
  readonly readyMs: number;
  /** Of one core, at rest. */
  readonly idleShare: number;
  /** Of all its processes, its host among them, in bytes; what they share counts once. */
  readonly memory: number;
  /** The slowest of the queries, each the median of 20, in milliseconds; with its name. */
  readonly slowestMs: number;
  readonly slowest: string;
}

export async function serviceAtRest(folder: string): Promise<ServiceFigures> {
  const source = join(folder, 'watched');
  makeTree(source);
  const profile = profileAt(join(folder, 'profile'));
  fill(profile, source);
  const env = { ...process.env, HOLDFAST_PROFILE: profile.folder, HOLDFAST_SECRETS_FILE: join(folder, 'secrets.json') };
  const began = systemClock.monotonic();
  const child = spawn(process.execPath, [cliProgram, 'serve'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', () => reject(new Error('the service ended')));
  });
  const readyMs = systemClock.monotonic() - began;
  try {
    const { client, close } = await attach(profile);
    const [slowest, slowestMs] = await slowestQuery(client);
    close();
    // What the start has left to do is not rest.
    await systemClock.sleep(idleMs);
    const processes = [child.pid!, ...childrenOf(child.pid!)];
    const ticks = (): number => sum(processes.map(ticksOf));
    const before = ticks();
    await systemClock.sleep(idleMs);
    const idleShare = (ticks() - before) / ticksPerSecond / (idleMs / 1000);
    return { readyMs, idleShare, memory: memoryOf(processes), slowestMs, slowest };
  } finally {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
  }
}

async function slowestQuery(client: ServiceClient): Promise<[string, number]> {
  const queries: Record<string, () => Promise<unknown>> = {
    state: () => client.state(),
    'runs, newest': () => client.runs.list({}),
    'runs, last page': () => client.runs.list({ before: 101 }),
    'runs of a plan': () => client.runs.list({ plan: 'plan-7' }),
    'runs of a destination': () => client.runs.list({ destination: 'disk-1' }),
    'runs that failed': () => client.runs.list({ statuses: ['failed'] }),
    'a run': () => client.runs.get({ id: 5000 }),
    log: () => client.runs.log({ id: 5000 }),
  };
  let slowest: [string, number] = ['', 0];
  for (const [name, ask] of Object.entries(queries)) {
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      const began = systemClock.monotonic();
      await ask();
      times.push(systemClock.monotonic() - began);
    }
    if (median(times) > slowest[1]) slowest = [name, median(times)];
  }
  return slowest;
}

function makeTree(source: string): void {
  for (let i = 0; i < folders; i++) {
    const folder = join(source, String(i % 100), String(i));
    mkdirSync(folder, { recursive: true });
    for (let j = 0; j < filesInEach; j++) writeFileSync(join(folder, `file ${j}`), '');
  }
}

/** Ten plans, of which one watches, and a history. */
function fill(profile: ReturnType<typeof profileAt>, source: string): void {
  makeProfile(profile);
  const state = new StateStore(profile.stateFile, systemClock);
  const now = systemClock.now();
  for (const id of ['disk-1', 'disk-2'])
    state.saveDestination({
      id,
      name: id,
      place: join(profile.folder, id),
      repository: 'a'.repeat(64),
      polynomial: 'abc',
      ejectAfterRun: false,
    });
  for (let i = 0; i < 10; i++) {
    const schedule = { ...usualSchedule, triggers: i === 0 ? usualSchedule.triggers : [{ kind: 'daily', at: '12:00' }] };
    const plan = {
      id: `plan-${i}`,
      name: `Plan ${i}`,
      sources: [{ kind: 'folder', path: i === 0 ? source : join(source, String(i)) }],
      schedule,
    };
    state.savePlan(planSchema.parse({ ...plan, destinations: [{ destination: `disk-${1 + (i % 2)}`, role: 'primary' }] }));
  }
  for (let i = 0; i < runs; i++) {
    const destination = `disk-${1 + (i % 2)}`;
    const facts = {
      kind: 'backup',
      cause: 'schedule',
      strategy: 'incremental',
      attempt: 1,
      planName: 'Plan',
      destinationName: 'Disk',
    } as const;
    const { id } = state.runs.add({ ...facts, plan: `plan-${i % 10}`, destination, created: now - i });
    state.runs.change(id, { status: i % 9 === 0 ? 'failed' : 'succeeded', started: now - i, ended: now - i });
    state.runs.log(id, { at: now, level: 'info', text: 'Snapshot 12345678 is stored.' });
  }
  state.close();
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
