/**
 * Moves what a plan has on one destination to another.
 *
 * 1. the plan's snapshots are copied, and every byte of the copies is read: until then the plan uses the old destination
 * 2. the plan uses the new one in its place
 * 3. only if that is wanted, the snapshots on the old one are forgotten: those of which the copy was checked, and no other
 */
import type { MoveRequest } from '../../contract/moves.ts';
import { fail, hasCode, toHoldfastError } from '../../contract/errors.ts';
import { inRole, type Plan } from '../../contract/plan.ts';
import { executeCheck } from '../../engine/check/check.ts';
import { planCheck } from '../../engine/check/plan.ts';
import { executeCopy } from '../../engine/copy/copy.ts';
import { executeForget, planForget } from '../../engine/forget.ts';
import { tagOfPlan } from '../../engine/own-tags.ts';
import { counted } from '../../platform/sizes.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Destinations } from '../destinations/destinations.ts';
import { inputOf } from '../plans/plan-file.ts';
import type { Plans } from '../plans/plans.ts';
import type { TaskJob } from '../runs/task.ts';
import type { Outcome } from '../runs/work.ts';
import type { StateStore } from '../state/store.ts';

export interface PlanMoving {
  readonly state: StateStore;
  readonly destinations: Pick<Destinations, 'open'>;
  readonly plans: Pick<Plans, 'change'>;
}

type Request = Extract<MoveRequest, { what: 'plan' }>;

/** Throws `plan-not-found`, `move-stopped`, what opening, copying and checking throw. */
export async function movePlan(
  job: TaskJob,
  { from, to, forgetOld }: Request,
  { state, destinations, plans }: PlanMoving,
): Promise<Outcome> {
  const { run, options, log } = job;
  const plan = state.plan(run.plan!);
  const uses = (id: string): boolean => plan.destinations.some(({ destination }) => destination === id);
  if (!uses(from) && !uses(to)) return fail('request-invalid', { problem: 'the plan was given other destinations meanwhile' });
  const how = { signal: options.control.signal };
  const source = await destinations.open(from, how);
  try {
    const target = await destinations.open(to, how);
    try {
      const moved = await copyAndCheck(source, target, plan, job);
      const now = state.plan(plan.id);
      if (now.destinations.some(({ destination }) => destination === from)) {
        plans.change(plan.id, { ...inputOf(now), destinations: inPlaceOf(now, from, to) });
        log('info', `The plan uses “${state.destination(to).name}” from now on.`);
      }
      if (!forgetOld || moved.length === 0) return { change: { status: 'succeeded' }, problems: [] };
      return await forgetMoved(source, moved, job);
    } finally {
      await target.storage.close().catch(() => {});
    }
  } finally {
    await source.storage.close().catch(() => {});
  }
}

/** Returns the IDs, on the old destination, of the snapshots of which a checked copy is on the new one. */
async function copyAndCheck(source: Repository, target: Repository, { id, name }: Plan, { options, log }: TaskJob): Promise<string[]> {
  const tag = tagOfPlan(id);
  const { plan, copied, damaged } = await executeCopy(
    { source, target },
    { filter: ({ tags }) => tags?.includes(tag) === true },
    { ...options, onCopied: ({ snapshot }) => log('info', `The snapshot ${snapshot.id.slice(0, 8)} is copied.`) },
  );
  const lost = damaged.length + plan.unreadable.length;
  if (lost > 0)
    return fail('move-stopped', {
      location: source.storage.location,
      problem: `${counted(lost, 'snapshot')} of “${name}” cannot be read whole`,
    });
  const copies = new Map(copied.map(({ snapshot, copy }) => [snapshot.id, copy]));
  for (const { snapshot, copy } of plan.snapshots) if (copy !== undefined) copies.set(snapshot.id, copy);
  if (copies.size === 0) return [];
  const request = await planCheck(target, { snapshots: [...copies.values()], readData: 'snapshot' });
  const { errors, findings } = await executeCheck(target, request, options);
  if (errors > 0) {
    for (const { message } of findings.slice(0, 20)) log('error', message);
    return fail('move-stopped', {
      location: source.storage.location,
      problem: `the check of ${target.storage.location} found damage there`,
    });
  }
  log('info', `${counted(copies.size, 'snapshot')} are there; every byte of them was read and is whole.`);
  return [...copies.keys()];
}

/** `to` takes the place and the role of `from`, and keeps there what `from` kept. */
function inPlaceOf({ destinations }: Plan, from: string, to: string): Plan['destinations'] {
  return destinations
    .filter(({ destination }) => destination !== to)
    .map((each) => (each.destination === from ? { ...inRole(each, each.role), destination: to } : each));
}

/** What cannot be forgotten now stays: the plan is moved all the same. */
async function forgetMoved(source: Repository, moved: readonly string[], { options, log }: TaskJob): Promise<Outcome> {
  try {
    const planned = async (): ReturnType<typeof planForget> => {
      const there = new Set(await source.names('snapshot'));
      const left = moved.filter((id) => there.has(id));
      // An earlier try has done it.
      if (left.length === 0) return { groups: [], remove: [], damaged: [] };
      return planForget(source, { snapshots: left, force: true });
    };
    const { removed } = await executeForget(source, planned, { ...options, prune: {} });
    log('info', `${counted(removed.length, 'snapshot')} of the plan were let go on the old destination.`);
    return { change: { status: 'succeeded' }, problems: [] };
  } catch (error) {
    if (hasCode(error, 'cancelled')) throw error;
    const { message, guidance } = toHoldfastError(error);
    log('warning', `The snapshots on the old destination could not be let go, and stay. ${message} ${guidance}`);
    return { change: { status: 'completed-with-warnings' }, problems: [] };
  }
}
