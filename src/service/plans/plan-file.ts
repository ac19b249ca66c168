/** Plans as a file that a person can keep, and take to another computer. */
import type { Destination } from '../../contract/destination.ts';
import { fail } from '../../contract/errors.ts';
import type { Plan, PlanFile, PlanInput } from '../../contract/plan.ts';

/** What a person has said of a plan. */
export function inputOf(plan: Plan): PlanInput {
  const { id: _id, ...input } = plan;
  return input;
}

export function exportPlans(plans: readonly Plan[], destinations: readonly Destination[]): PlanFile {
  const used = new Set(plans.flatMap((plan) => plan.destinations.map(({ destination }) => destination)));
  return {
    holdfast: 'plans',
    version: 1,
    destinations: destinations.filter(({ id }) => used.has(id)).map(({ id, name, place, repository }) => ({ id, name, place, repository })),
    plans: plans.map((plan) => inputOf(plan)),
  };
}

/** With the destinations of this profile that hold the same repositories. Throws `plan-without-destination`. */
export function importPlans(file: PlanFile, destinations: readonly Destination[]): PlanInput[] {
  const here = (id: string): Destination | undefined => {
    const meant = file.destinations.find((each) => each.id === id);
    return meant && destinations.find(({ repository }) => repository === meant.repository);
  };
  return file.plans.map((plan) => {
    const missing = plan.destinations.filter(({ destination }) => !here(destination));
    if (missing.length > 0) {
      const names = missing.map(({ destination }) => file.destinations.find(({ id }) => id === destination)?.name ?? destination);
      return fail('plan-without-destination', { plan: plan.name, destinations: names.join(', ') });
    }
    return { ...plan, destinations: plan.destinations.map((each) => ({ ...each, destination: here(each.destination)!.id })) };
  });
}
