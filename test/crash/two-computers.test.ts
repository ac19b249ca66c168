/** Two computers on one repository: one deletes and prunes while the other backs up, and either is killed at any moment. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { DestinationView } from '../../src/contract/destination.ts';
import type { Plan } from '../../src/contract/plan.ts';
import type { Run } from '../../src/contract/run.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { profileAt } from '../../src/service/profile.ts';
import { attach, type Attached } from '../../src/service/rpc/client.ts';
import { expectSameTree } from '../support/judge.ts';
import { allKinds } from '../support/kinds.ts';
import { Restic } from '../support/restic.ts';
import { seededBytes, seededRandom } from '../support/seeded.ts';
import { createPlan, ended, password } from '../support/service.ts';
import { scratch, tree } from '../support/tree-literal.ts';

interface Computer {
  readonly name: string;
  readonly folder: string;
  readonly source: string;
  service: Attached & { readonly process: ChildProcess };
  destination: DestinationView;
  plan: Plan;
}

async function startOn(name: string, folder: string): Promise<Computer['service']> {
  const program = join(import.meta.dirname, '../support/service-process.ts');
  const child = spawn(process.execPath, [program, folder, 'free', name], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [Buffer | number];
  expect(String(said)).toBe('ready\n');
  return { ...(await attach(profileAt(join(folder, 'profile')))), process: child };
}

async function killAndStart(computer: Computer): Promise<void> {
  const { process: child, closed } = computer.service;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  await closed;
  computer.service = await startOn(computer.name, computer.folder);
}

async function computerAt(place: string, name: string, create: boolean): Promise<Computer> {
  const folder = scratch();
  mkdirSync(folder, { recursive: true });
  const source = tree(join(folder, 'src'), { data: { of: name, big: seededBytes(seededRandom(name.length), 400_000) } });
  const service = await startOn(name, folder);
  const destination = await service.client.destinations.connect({ place, password, create });
  const plan = await createPlan({ client: service.client }, source, destination, { name });
  return { name, folder, source, service, destination, plan };
}

/** Until nothing of it waits or works any more. */
async function rest({ service: { client } }: Computer): Promise<Run[]> {
  for (;;) {
    const { runs } = await client.runs.list({});
    if (runs.every((run) => run.ended !== null)) return runs;
    await systemClock.sleep(20);
  }
}

/** A lock of the other one is calm news, and the run is made again. */
async function backUp(computer: Computer): Promise<Run> {
  for (;;) {
    const { client } = computer.service;
    const run = await ended(computer.service, (await client.runs.start({ plan: computer.plan.id })).id);
    if (run.status === 'succeeded') return run;
    expect(run.error).toMatchObject({ code: 'locked', retryable: true });
  }
}

test.each(['a local folder', 'restic’s rest-server'] as const)('on %s', async (kind) => {
  const server = await allKinds[kind](scratch());
  onTestFinished(() => server.stop());
  const place = server.place('shared');
  const anna = await computerAt(place, 'laptop', true);
  const bert = await computerAt(place, 'desktop', false);
  for (const each of [anna, bert, anna, bert]) await backUp(each);
  const random = seededRandom(5);
  for (let round = 0; round < 4; round++) {
    const [pruning, writing] = round % 2 === 0 ? [anna, bert] : [bert, anna];
    const own = (await pruning.service.client.snapshots.list({ plan: pruning.plan.id })).snapshots;
    const oldest = own.at(-1)!;
    writeFileSync(join(writing.source, `data/new${round}`), seededBytes(seededRandom(100 + round), 300_000));
    const asked = [
      pruning.service.client.snapshots.delete({ snapshots: [oldest.key], allowLast: true }),
      writing.service.client.runs.start({ plan: writing.plan.id }),
    ] as const;
    await Promise.all(asked);
    await systemClock.sleep(Math.floor(random() * 400));
    await killAndStart(random() < 0.5 ? pruning : writing);
    for (const run of [...(await rest(pruning)), ...(await rest(writing))])
      if (run.status === 'failed') expect(run.error).toMatchObject({ code: 'locked', retryable: true });
  }
  const last = [await backUp(anna), await backUp(bert)];
  // Whoever finished a snapshot has it still, unless its own person has deleted it.
  const restic = new Restic(server.resticPlace!(place), password);
  const there = new Set((await restic.snapshots()).map(({ id }) => id));
  for (const { snapshot } of last) expect(there).toContain(snapshot);
  await restic.must(['check', '--read-data']);
  for (const [i, each] of [anna, bert].entries()) {
    await restic.must(['restore', `${last[i].snapshot}:${each.source}`, '--target', join(each.folder, 'back')]);
    await expectSameTree(join(each.source, 'data'), join(each.folder, 'back/data'));
    const { plans } = await each.service.client.state();
    expect(plans.map(({ id }) => id)).toEqual([each.plan.id]);
    // What the other one has stored is seen, and is nobody's plan here.
    const { snapshots } = await each.service.client.snapshots.list({ fresh: true, limit: 200 });
    const others = snapshots.filter(({ hostname }) => hostname !== each.name);
    expect(others.length).toBeGreaterThan(0);
    for (const other of others) expect(other.planName).toBeNull();
    expect(snapshots.filter(({ plan }) => plan === each.plan.id).every(({ hostname }) => hostname === each.name)).toBe(true);
  }
});
