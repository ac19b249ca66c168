/** A plan as it is being edited. */
import type { DestinationView } from '../../../src/contract/destination.ts';
import { inRole, type Plan, type PlanInput, planInputSchema } from '../../../src/contract/plan.ts';
import { usualSchedule } from '../../../src/contract/schedule.ts';

export type Draft = Omit<Plan, 'id'>;

/** A plan to begin with: everything to the first destination, by the usual schedule. */
export function newDraft(destinations: readonly DestinationView[]): Draft {
  const first = destinations[0];
  return {
    name: '',
    sources: [],
    destinations: first ? [{ destination: first.id, role: 'primary' }] : [],
    schedule: usualSchedule,
    excludes: {
      presets: ['caches', 'temporary', 'trash'],
      patterns: [],
      patternsIgnoringCase: [],
      ifPresent: [],
      caches: true,
      largerThan: null,
      oneFileSystem: false,
    },
    retention: { last: 0, hourly: 24, daily: 30, weekly: 12, monthly: 24, yearly: 10, within: null },
    targets: { rpoMinutes: 2880, rtoMinutes: null },
    enabled: true,
  };
}

/** With everything that the plan has, whether or not the form shows it. */
export function draftOf(plan: Plan): Draft {
  const { id: _, ...draft } = plan;
  return draft;
}

/** What is missing, by the part of the form: keys of `plans.missing`. Empty: it can be saved. */
export function missingOf(draft: Draft): ('name' | 'sources' | 'destinations')[] {
  const missing: ('name' | 'sources' | 'destinations')[] = [];
  if (draft.name.trim() === '') missing.push('name');
  if (draft.sources.length === 0) missing.push('sources');
  if (!draft.destinations.some(({ role }) => role === 'primary')) missing.push('destinations');
  return missing;
}

/** As the service takes it. Throws a ZodError for what `missingOf` does not know. */
export const inputOf = (draft: Draft): PlanInput => planInputSchema.parse(draft);

/** To another place in the order; the first that is no copy is the primary. */
export function moveDestination(list: Draft['destinations'], from: number, to: number): Draft['destinations'] {
  const moved = list[from];
  if (!moved || to < 0 || to >= list.length) return list;
  return withPrimary(list.toSpliced(from, 1).toSpliced(to, 0, moved));
}

/** One more at the end, in this role unless it is the first. Those that are there stay as they are. */
export const withDestination = (list: Draft['destinations'], destination: string, role: 'standby' | 'copy'): Draft['destinations'] =>
  list.some((each) => each.destination === destination) ? list : withPrimary([...list, { destination, role }]);

/** Exactly one primary: the first that takes runs; the others of these are standbys. */
export function withPrimary(list: Draft['destinations']): Draft['destinations'] {
  const first = list.findIndex(({ role }) => role !== 'copy');
  const at = first === -1 ? 0 : first;
  return list.map((each, index) => (index === at ? inRole(each, 'primary') : each.role === 'copy' ? each : inRole(each, 'standby')));
}

/** Lines of a text area, without empty ones. */
export const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
