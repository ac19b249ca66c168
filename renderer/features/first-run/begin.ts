/** The end of the three steps: the destination is made, the plan written, the first backup started. */
import { HoldfastError } from '../../../src/contract/errors.ts';
import { type Schedule, usualSchedule } from '../../../src/contract/schedule.ts';
import type { WhenChoice } from './store.ts';
import { api } from '../../api.ts';
import { useLive } from '../../live.ts';
import { folderName, list } from '../../ui/format.ts';
import type { useFirstRun } from './store.ts';

type Choices = ReturnType<typeof useFirstRun.getState>;

/** What is kept: dense for the last days, then thinner, for years. */
const retention = { last: 0, hourly: 24, daily: 30, weekly: 12, monthly: 24, yearly: 10, within: null };

/** What programs can make anew is no loss. */
const excludes = { presets: ['caches', 'temporary', 'trash'], caches: true };

/**
 * Returns what was made. When a later part fails, what was made before is found again by the next attempt, which does not make it twice.
 * Throws what connecting, planning and starting throw.
 */
export async function begin(choices: Choices, usualName: string): Promise<{ destination: string; plan: string; run: number }> {
  const { place, password, chosen, when, where, advised } = choices;
  if (!place) throw new HoldfastError('request-invalid', { problem: 'no place was chosen' });
  const state = useLive.getState().state;
  const known = state?.destinations.find((each) => each.place === place.place);
  const destination = known ?? (await api.destinations.connect({ ...place, password, create: true }));
  const sources = [...chosen].map((path) => ({ kind: 'folder' as const, path }));
  const planned = state?.plans.find(({ destinations }) => destinations.some((each) => each.destination === destination.id));
  const plan =
    planned ??
    (await api.plans.create({
      name: nameFor([...chosen], usualName),
      sources,
      destinations: [{ destination: destination.id, role: 'primary' }],
      schedule: scheduleFor(when, advised ?? usualSchedule, where?.kind === 'drive'),
      excludes,
      retention,
    }));
  const run = state?.runs.find((each) => each.plan === plan.id) ?? (await api.runs.start({ plan: plan.id }));
  return { destination: destination.id, plan: plan.id, run: run.id };
}

/** A plan is called by its folders while they are few. */
export function nameFor(paths: readonly string[], usualName: string): string {
  const name = list(paths.map(folderName));
  return paths.length <= 3 && name.length <= 60 ? name : usualName;
}

/** The schedule that a choice means. */
export function scheduleFor(when: WhenChoice, advised: Schedule, hasDrive: boolean): Schedule {
  if (when === 'advised') return advised;
  if (when === 'by-hand') return { ...advised, triggers: [] };
  return { ...advised, triggers: [{ kind: 'daily', at: '12:00' }, ...(hasDrive ? [{ kind: 'drive' as const }] : [])] };
}
