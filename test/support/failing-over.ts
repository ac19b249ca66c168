/** A service whose plan has a primary behind a server that can die, and standbys in folders. */
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { DestinationView } from '../../src/contract/destination.ts';
import type { Plan, PlanRequest } from '../../src/contract/plan.ts';
import type { Run } from '../../src/contract/run.ts';
import { type Clock, nextTurn, systemClock } from '../../src/platform/clock.ts';
import { contentOf, within } from './content-of.ts';
import { type MortalProxy, openMortalProxy } from './mortal-proxy.ts';
import { Restic } from './restic.ts';
import { startRestServer } from './servers.ts';
import { createPlan, ended, password, repositoryAt, type RunningService, startService } from './service.ts';
import { scratch, type TreeLiteral, tree } from './tree-literal.ts';

/** The real time, but nobody waits for a retry; `skip` lets wall time pass. */
export function skippingClock(): { clock: Clock; skip: (ms: number) => void } {
  let skipped = 0;
  const clock: Clock = {
    ...systemClock,
    now: () => systemClock.now() + skipped,
    sleep: (ms, signal) => (ms <= 10_000 ? nextTurn() : systemClock.sleep(ms, signal)),
  };
  return { clock, skip: (ms) => void (skipped += ms) };
}

export interface Scene extends RunningService {
  readonly source: string;
  /** Lets wall time pass. */
  readonly skip: (ms: number) => void;
  readonly proxy: MortalProxy;
  /** The folder of the server's repository. */
  readonly primaryFolder: string;
  readonly primary: DestinationView;
  readonly standbys: readonly DestinationView[];
  readonly plan: Plan;
  /** Backs up by hand, and waits for the end. */
  readonly backUp: () => Promise<Run>;
}

export async function failoverScene(files: TreeLiteral, standbyCount = 1, more: Partial<PlanRequest> = {}): Promise<Scene> {
  const { clock, skip } = skippingClock();
  const server = await startRestServer();
  onTestFinished(() => server.stop());
  const proxy = await openMortalProxy(server.port);
  onTestFinished(() => proxy.close());
  await repositoryAt(server.folder);
  const service = await startService({ clock });
  const source = tree(join(service.folder, 'src'), files);
  const place = `rest:http://127.0.0.1:${proxy.port}/`;
  const primary = await service.client.destinations.connect({ name: 'Far', place, password });
  const standbys: DestinationView[] = [];
  for (let i = 0; i < standbyCount; i++) {
    const folder = join(service.folder, `standby-${i}`);
    await repositoryAt(folder, password, primary.polynomial);
    standbys.push(await service.client.destinations.connect({ place: folder, password }));
  }
  const plan = await createPlan(service, source, primary, {
    destinations: [
      { destination: primary.id, role: 'primary' },
      ...standbys.map(({ id }) => ({ destination: id, role: 'standby' as const })),
    ],
    ...more,
  });
  const backUp = async (): Promise<Run> => ended(service, (await service.client.runs.start({ plan: plan.id })).id);
  return { ...service, source, skip, proxy, primaryFolder: server.folder, primary, standbys, plan, backUp };
}

/** restic finds nothing wrong in the repository, and restores the run's snapshot from it as the sources are. */
export async function expectRestores(folder: string, run: Run, source: string, secret = password): Promise<void> {
  const restic = new Restic(folder, secret);
  // Copies may be at work there.
  await restic.must(['check', '--read-data', '--no-lock']);
  const target = scratch('restored');
  await restic.must(['restore', run.snapshot!, '--target', target, '--no-lock']);
  expect(within(contentOf(target, target), source)).toEqual(contentOf(source));
}
