/** The service killed with SIGKILL in every state, and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Run } from '../../src/contract/run.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { Repository } from '../../src/repository/repository.ts';
import { profileAt } from '../../src/service/profile.ts';
import { attach, type Attached } from '../../src/service/rpc/client.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { expectSameTree } from '../support/judge.ts';
import { Restic } from '../support/restic.ts';
import { seededBytes, seededRandom } from '../support/seeded.ts';
import { createPlan, ended, password, repositoryAt } from '../support/service.ts';
import { scratch, tree } from '../support/tree-literal.ts';

interface Running extends Attached {
  readonly process: ChildProcess;
}

/** One that is held ends no run. */
async function start(folder: string, isHeld = false): Promise<Running> {
  const program = join(import.meta.dirname, '../support/service-process.ts');
  const child = spawn(process.execPath, [program, folder, ...(isHeld ? ['held'] : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
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

const runsOf = async ({ client }: Attached): Promise<Run[]> => (await client.runs.list({})).runs;

async function untilEnded(service: Attached): Promise<Run[]> {
  for (;;) {
    const runs = await runsOf(service);
    if (runs.every((run) => run.ended !== null)) return runs;
    await systemClock.sleep(20);
  }
}

test('killed while idle, while a run waits, works, is paused: what was said is kept, runs go on, and every snapshot restores', async () => {
  const folder = scratch();
  const source = tree(
    join(folder, 'src'),
    Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f${i}`, seededBytes(seededRandom(i), 200_000)])),
  );
  await repositoryAt(join(folder, 'repo'));
  let service = await start(folder);
  const destination = await service.client.destinations.connect({ place: join(folder, 'repo'), password });
  const plan = await createPlan({ ...service, folder } as never, source, destination);
  await service.client.settings.change({ threads: 1 });

  // Idle.
  await kill(service);
  service = await start(folder);
  expect((await service.client.state()).plans).toEqual([plan]);
  expect((await service.client.state()).settings.threads).toBe(1);

  // At work, at several moments.
  for (const after of [0, 30, 120]) {
    const run = await service.client.runs.start({ plan: plan.id });
    await systemClock.sleep(after);
    await kill(service);
    service = await start(folder);
    const [newest, ...older] = await untilEnded(service);
    const before = older.find(({ id }) => id === run.id);
    if (before === undefined) expect(newest).toMatchObject({ id: run.id, status: 'succeeded' });
    else {
      expect(before.status).toBe('interrupted');
      expect(newest).toMatchObject({ cause: 'resumed', status: 'succeeded', plan: plan.id });
    }
  }

  // Paused, by a person.
  await kill(service);
  service = await start(folder, true);
  const paused = await service.client.runs.start({ plan: plan.id, strategy: 'full' });
  await service.client.runs.pause({ id: paused.id });
  expect((await service.client.runs.get({ id: paused.id })).status).toBe('paused');
  await service.client.pause.set({ for: 'resumed' });
  await kill(service);
  service = await start(folder);
  expect((await service.client.state()).pause).toMatchObject({ until: null });
  expect((await service.client.runs.get({ id: paused.id })).status).toBe('interrupted');
  await service.client.pause.clear();
  // What a person has paused waits for a person.
  const waiting = (await runsOf(service)).find(({ status }) => status === 'paused');
  expect(waiting).toMatchObject({ cause: 'resumed', strategy: 'full' });
  await service.client.runs.resume({ id: waiting!.id });
  await untilEnded(service);

  const last = await ended(service, (await service.client.runs.start({ plan: plan.id })).id);
  expect(last).toMatchObject({ status: 'succeeded', figures: { files: 61 } });
  const gone = once(service.process, 'exit');
  await service.client.service.stop();
  await gone;
  const restic = new Restic(join(folder, 'repo'), password);
  await restic.must(['check', '--read-data']);
  const repository = await Repository.open(new LocalStorage(join(folder, 'repo')), password);
  expect((await repository.snapshots()).length).toBeGreaterThanOrEqual(5);
});

test('killed in the middle of a restore: it is recorded as interrupted, and the next service brings everything back', async () => {
  const folder = scratch();
  const source = tree(join(folder, 'src'), { a: 'a', sub: { b: seededBytes(seededRandom(7), 300_000) } });
  await repositoryAt(join(folder, 'repo'));
  let service = await start(folder);
  const destination = await service.client.destinations.connect({ place: join(folder, 'repo'), password });
  const plan = await createPlan({ ...service, folder } as never, source, destination);
  const { snapshot } = await ended(service, (await service.client.runs.start({ plan: plan.id })).id);
  await kill(service);
  service = await start(folder, true);
  const target = join(folder, 'back');
  const asked = { snapshot: snapshot!, items: [source], target: { kind: 'folder' as const, path: target } };
  expect((await service.client.restore.start(asked)).status).toBe('running');
  await kill(service);
  service = await start(folder);
  const [resumed, cutOff] = (await untilEnded(service)).filter(({ kind }) => kind === 'restore');
  expect(cutOff).toMatchObject({ status: 'interrupted', cause: 'person' });
  expect(resumed).toMatchObject({ status: 'succeeded', cause: 'resumed', problems: 0 });
  await expectSameTree(source, join(target, 'src'));
  expect((await service.client.restore.receipt({ run: resumed.id })).compared).toMatchObject({ entries: 2, different: 0 });
  await kill(service);
});
