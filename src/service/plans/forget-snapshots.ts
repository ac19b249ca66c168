/** Forgets all snapshots of a plan that is removed together with its data. */
import type { Destination } from '../../contract/destination.ts';
import type { Plan } from '../../contract/plan.ts';
import { executeForget, planForget } from '../../engine/forget.ts';
import { RunControl } from '../../platform/cancellation.ts';
import type { Clock } from '../../platform/clock.ts';
import type { HostIdentity } from '../../platform/host.ts';
import type { Repository } from '../../repository/repository.ts';
import { tagOfPlan } from '../../engine/own-tags.ts';

interface Opener {
  open(destination: string): Promise<Repository>;
}

/** The space comes back with the next prune. Never throws: what could not be reached is named. */
export async function forgetSnapshotsOf(
  plan: Plan,
  destinations: readonly Destination[],
  opener: Opener,
  { clock, identity }: { clock: Clock; identity: HostIdentity },
): Promise<{ snapshotsForgotten: number; notReached: string[] }> {
  let snapshotsForgotten = 0;
  const notReached: string[] = [];
  const control = new RunControl();
  for (const { destination: id } of plan.destinations) {
    let repository: Repository | undefined;
    try {
      repository = await opener.open(id);
      const tag = tagOfPlan(plan.id);
      const snapshots = (await repository.snapshots(() => {})).filter(({ tags }) => tags?.includes(tag)).map((snapshot) => snapshot.id);
      if (snapshots.length === 0) continue;
      const request = { snapshots, force: true };
      const opened = repository;
      const options = { control, clock, holder: { ...identity, pid: process.pid } };
      snapshotsForgotten += (await executeForget(opened, () => planForget(opened, request), options)).removed.length;
    } catch {
      notReached.push(destinations.find((each) => each.id === id)?.name ?? id);
    } finally {
      await repository?.storage.close().catch(() => {});
    }
  }
  control.release();
  return { snapshotsForgotten, notReached };
}
