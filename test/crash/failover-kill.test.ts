/** The service killed with SIGKILL while a standby takes over, and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Run } from '../../src/contract/run.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { profileAt } from '../../src/service/profile.ts';
import { attach, type Attached } from '../../src/service/rpc/client.ts';
import { expectRestores } from '../support/failing-over.ts';
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

async function untilBackedUp({ client }: Attached): Promise<Run[]> {
  for (;;) {
    const { runs } = await client.runs.list({ kinds: ['backup'] });
    if (runs.every((run) => run.ended !== null)) return runs;
    await systemClock.sleep(20);
  }
}

test('killed at any moment of a takeover: the next service begins with the primary anew, and every snapshot restores', async () => {
  const folder = scratch();
  const random = seededRandom(5);
  const source = tree(
    join(folder, 'src'),
    Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f${i}`, seededBytes(random, 200_000)])),
  );
  const [first, second] = [join(folder, 'first'), join(folder, 'second')];
  const { config } = await repositoryAt(first);
  await repositoryAt(second, password, config.chunker_polynomial);
  let service = await start(folder);
  const primary = await service.client.destinations.connect({ place: first, password });
  const standby = await service.client.destinations.connect({ place: second, password });
  const plan = await createPlan({ ...service, folder } as never, source, primary, {
    destinations: [
      { destination: primary.id, role: 'primary' },
      { destination: standby.id, role: 'standby' },
    ],
  });
  renameSync(first, `${first}-away`);
  for (const after of [0, 20, 60, 150, 400]) {
    writeFileSync(join(source, 'f0'), seededBytes(random, 3_000_000));
    const run = await service.client.runs.start({ plan: plan.id });
    await systemClock.sleep(after);
    await kill(service);
    service = await start(folder);
    const [newest, ...older] = await untilBackedUp(service);
    expect(newest).toMatchObject({ status: 'succeeded', destination: standby.id, takeovers: [{ from: primary.id, to: standby.id }] });
    const before = older.find(({ id }) => id === run.id);
    if (before) {
      expect(before.status).toBe('interrupted');
      expect(newest.cause).toBe('resumed');
    }
    await expectRestores(second, newest, source);
  }
  renameSync(`${first}-away`, first);
  for (;;) {
    // Until it is tried again.
    const back = await ended(service, (await service.client.runs.start({ plan: plan.id, destination: primary.id })).id);
    if (back.destination !== primary.id) {
      await service.client.destinations.look({ id: primary.id });
      continue;
    }
    expect(back).toMatchObject({ status: 'succeeded' });
    await expectRestores(first, back, source);
    break;
  }
  await kill(service);
});
