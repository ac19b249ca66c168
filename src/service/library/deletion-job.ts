/** Deletes snapshots that a person has chosen: as one run for each destination that holds them. */
import { z } from 'zod';
import { hashSchema } from '../../contract/destination.ts';
import { fail } from '../../contract/errors.ts';
import type { Run } from '../../contract/run.ts';
import { originalOf } from '../../engine/copy/copies.ts';
import { executeForget, planForget } from '../../engine/forget.ts';
import { counted, formatBytes } from '../../platform/sizes.ts';
import { noteUnwanted } from '../copies/given.ts';
import type { Destinations } from '../destinations/destinations.ts';
import type { Common } from '../parts.ts';
import type { Desk } from '../runs/desk.ts';
import type { TaskJob } from '../runs/task.ts';
import type { Outcome } from '../runs/work.ts';
import { type Deleting, idsByDestination } from './deleting.ts';
import type { Library } from './library.ts';
import { Notes, recallNotes } from './notes.ts';

export interface DeletionOptions extends Pick<Common, 'state'> {
  readonly library: Library;
  readonly deleting: Deleting;
  readonly destinations: Pick<Destinations, 'open'>;
  readonly desk: Pick<Desk, 'askTask'>;
}

export interface DeletionWish {
  readonly snapshots: readonly string[];
  readonly destinations?: readonly string[] | undefined;
  readonly allowLast: boolean;
}

/** IDs on the run's destination. */
const requestSchema = z.strictObject({ snapshots: z.array(hashSchema) });

/** Throws `snapshot-not-found`, `snapshot-pinned`, `last-of-group`. */
export async function askToDelete({ library, deleting, desk, state }: DeletionOptions, wish: DeletionWish): Promise<Run[]> {
  const found = await Promise.all(wish.snapshots.map((id) => library.get(id)));
  const views = [...new Map(found.map((view) => [view.key, view])).values()];
  const pinned = views.filter((view) => view.pinned).length;
  if (pinned > 0) fail('snapshot-pinned', { snapshots: pinned });
  const byDestination = idsByDestination(views, wish.destinations);
  const lastOf = wish.allowLast ? [] : await deleting.lastOf(byDestination);
  if (lastOf.length > 0) fail('last-of-group', { group: lastOf.join(', '), snapshots: views.length });
  const plans = new Set(views.map(({ plan }) => plan));
  const plan = plans.size === 1 ? views[0]!.plan : null;
  return [...byDestination].map(([destination, snapshots]) =>
    desk.askTask({
      kind: 'forget',
      plan,
      destination,
      planName: plan === null ? '' : (views[0]!.planName ?? ''),
      destinationName: state.destination(destination).name,
      cause: 'person',
      request: { snapshots },
    }),
  );
}

/** The run. What was pinned since it was asked for stays. */
export async function workOnDeletion(
  { run, options, log }: TaskJob,
  { state, destinations }: Pick<DeletionOptions, 'state' | 'destinations'>,
): Promise<Outcome> {
  const { snapshots: wanted } = requestSchema.parse(state.runDetails.request(run.id));
  const repository = await destinations.open(run.destination!, {
    signal: options.control.signal,
    onRetry: ({ error, waitMs }) => log('warning', `${error.message} It is tried again in ${Math.round(waitMs / 1000)} seconds.`),
    onNote: (text) => log('info', text),
  });
  try {
    const plan = async (): ReturnType<typeof planForget> => {
      const notes = new Notes(recallNotes(state));
      const there = (await repository.snapshots(() => {})).filter((each) => wanted.includes(each.id));
      const chosen = there.filter((each) => !notes.isPinned(each)).map(({ id }) => id);
      // Somebody else was quicker, or an earlier try has done it.
      if (chosen.length === 0) return { groups: [], remove: [], damaged: [] };
      return planForget(repository, { snapshots: chosen, force: true });
    };
    const there = (await repository.snapshots(() => {})).filter((each) => wanted.includes(each.id));
    // First, lest a copy brings back what is being deleted.
    noteUnwanted(state, run.destination!, there.map(originalOf));
    const { removed, prune } = await executeForget(repository, plan, { ...options, prune: {} });
    const freed = prune ? Math.max(0, prune.deletedBytes - prune.storedBytes) : 0;
    log('info', `${counted(removed.length, 'snapshot')} deleted; ${formatBytes(freed)} freed.`);
    return { change: { status: 'succeeded' }, problems: [] };
  } finally {
    await repository.storage.close().catch(() => {});
  }
}
