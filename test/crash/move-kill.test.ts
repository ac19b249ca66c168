/** Moves whose service is killed with SIGKILL at every stage: the old place is in use until the switch, and the move goes on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Run } from '../../src/contract/run.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { profileAt } from '../../src/service/profile.ts';
import { attach, type Attached } from '../../src/service/rpc/client.ts';
import { Restic } from '../support/restic.ts';
import { seededBytes, seededRandom } from '../support/seeded.ts';
import { createPlan, ended, password, repositoryAt } from '../support/service.ts';
import { scratch, tree } from '../support/tree-literal.ts';

interface Running extends Attached {
  readonly process: ChildProcess;
}

async function start(folder: string): Promise<Running> {
  const program = join(import.meta.dirname, '../support/service-process.ts');
  const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [Buffer | number];
  expect(String(said)).toBe('ready\n');
  return { ...(await attach(profileAt(join(folder, 'profile')))), process: child };
}

async function kill(service: Running): Promise<void> {
  const gone = once(service.process, 'exit');
  service.process.kill('SIGKILL');
  await gone;
  await service.closed;
}

const filesIn = (folder: string): number =>
  existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile()).length : 0;

test('a destination is moved though its service is killed while it copies, checks, switches and removes', async () => {
  const folder = scratch();
  const [from, to] = [join(folder, 'old'), join(folder, 'new')];
  const source = tree(
    join(folder, 'src'),
    Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, seededBytes(seededRandom(i), 400_000)])),
  );
  await repositoryAt(from);
  let service = await start(folder);
  const destination = await service.client.destinations.connect({ place: from, password });
  const plan = await createPlan({ ...service, folder } as never, source, destination);
  // Packs that are not full, so that there are many files.
  for (let i = 0; i < 4; i++) {
    tree(source, { [`more${i}`]: seededBytes(seededRandom(100 + i), 300_000) });
    await ended(service, (await service.client.runs.start({ plan: plan.id })).id);
  }
  const all = filesIn(from);
  const runId = (await service.client.moves.destination({ destination: destination.id, place: to, removeOld: true })).id;
  const newest = async (): Promise<Run> => (await service.client.runs.list({ kinds: ['move'], limit: 1 })).runs[0];
  const hasEnded = async (): Promise<boolean> => (await newest()).ended !== null;
  const stages: readonly (() => boolean)[] = [
    () => filesIn(to) >= 1,
    () => filesIn(to) >= all / 2,
    () => existsSync(join(to, 'config')),
    () => filesIn(from) < all - 1,
    () => filesIn(from) <= all / 2,
  ];
  for (const isReached of stages) {
    while (!isReached() && !(await hasEnded())) await systemClock.sleep(1);
    await kill(service);
    const { place } = await placeIn(folder);
    // What the state names is a complete repository, whatever was going on.
    await new Restic(place, password).must(['check', '--read-data', '--no-lock']);
    service = await start(folder);
  }
  const last = await ended({ client: service.client }, (await newest()).id);
  expect(last).toMatchObject({ kind: 'move', status: 'succeeded' });
  expect(last.id).toBeGreaterThanOrEqual(runId);
  expect((await service.client.state()).destinations[0].place).toBe(to);
  // Named, so that what is left can be told.
  expect(
    existsSync(from)
      ? readdirSync(from, { recursive: true, withFileTypes: true }).flatMap((each) =>
          each.isFile() ? join(each.parentPath, each.name) : [],
        )
      : [],
  ).toEqual([]);
  expect(await ended(service, (await service.client.runs.start({ plan: plan.id })).id)).toMatchObject({ status: 'succeeded' });
  await kill(service);
  const restic = new Restic(to, password);
  expect(await restic.snapshots()).toHaveLength(5);
  await restic.must(['check', '--read-data']);
});

/** Of a service that does not run. */
async function placeIn(folder: string): Promise<{ place: string }> {
  const { StateStore } = await import('../../src/service/state/store.ts');
  const state = new StateStore(profileAt(join(folder, 'profile')).stateFile, systemClock);
  const [{ place }] = state.destinations();
  state.close();
  return { place };
}
