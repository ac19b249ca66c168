/**
 * Which of the runs that may start do: one a destination at a time, in the order in which they were wanted.
 *
 * One that waits for its destination keeps its turn there: nobody who came later takes it.
 */
export interface Waiting {
  readonly plan: string;
  /** Since when the run is wanted, in milliseconds since 1970. */
  readonly since: number;
  /** The destination that it would work on. */
  readonly destination: string;
}

/** @param busy destinations on which something works */
export function startable(waiting: readonly Waiting[], busy: ReadonlySet<string>): Set<string> {
  const taken = new Set(busy);
  const plans = new Set<string>();
  for (const { plan, destination } of waiting.toSorted((a, b) => a.since - b.since || (a.plan < b.plan ? -1 : 1))) {
    if (taken.has(destination)) continue;
    taken.add(destination);
    plans.add(plan);
  }
  return plans;
}
