/** Forgets all snapshots of a plan that is removed together with its data. */
import type { Destination } from '../../contract/destination.ts';
import { hasCode } from '../../contract/errors.ts';
import type { Plan } from '../../contract/plan.ts';
import { executeForget, planForget } from '../../engine/forget.ts';
import type { RunControl } from '../../platform/cancellation.ts';
import type { Clock } from '../../platform/clock.ts';
import type { HostIdentity } from '../../platform/host.ts';
import type { Repository } from '../../repository/repository.ts';
import { tagOfPlan } from '../../engine/own-tags.ts';

interface Opener {
  open(destination: string, how: { readonly signal: AbortSignal }): Promise<Repository>;
}

export interface Forgotten {
  readonly snapshotsForgotten: number;
  /** Names of destinations that could not be reached. */
  readonly notReached: string[];
  /** Names of destinations that another run, or another program, held. */
  readonly inUse: string[];
}

/** The space comes back with the next prune. Throws `cancelled`; what could not be reached is named. */
export async function forgetSnapshotsOf(
  plan: Plan,
  destinations: readonly Destination[],
  opener: Opener,
  { clock, identity, control }: { clock: Clock; identity: HostIdentity; control: RunControl },
): Promise<Forgotten> {
  let snapshotsForgotten = 0;
  const notReached: string[] = [];
  const inUse: string[] = [];
  for (const { destination: id } of plan.destinations) {
    let repository: Repository | undefined;
    await control.checkpointAsync();
    try {
      repository = await opener.open(id, { signal: control.signal });
      const tag = tagOfPlan(plan.id);
      const snapshots = (await repository.snapshots(() => {})).filter(({ tags }) => tags?.includes(tag)).map((snapshot) => snapshot.id);
      if (snapshots.length === 0) continue;
      const request = { snapshots, force: true };
      const opened = repository;
      const options = { control, clock, holder: { ...identity, pid: process.pid } };
      snapshotsForgotten += (await executeForget(opened, () => planForget(opened, request), options)).removed.length;
    } catch (error) {
      if (hasCode(error, 'cancelled')) throw error;
      (hasCode(error, 'locked') ? inUse : notReached).push(destinations.find((each) => each.id === id)?.name ?? id);
    } finally {
      await repository?.storage.close().catch(() => {});
    }
  }
  return { snapshotsForgotten, notReached, inUse };
}
