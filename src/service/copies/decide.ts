/**
 * Which copies are to be made now, and when to look again. Pure.
 *
 * A destination is given one copy at a time; a backup of the same plan comes first. What failed is tried again after a pause that grows; a
 * destination that is away, or left alone by its circuit breaker, is waited for.
 */
import type { Plan } from '../../contract/plan.ts';
import type { Run } from '../../contract/run.ts';
import type { Blocker } from '../schedule/due.ts';
import type { OwedSnapshot } from './owed.ts';

export interface Debt {
  readonly plan: Plan;
  readonly target: string;
  /** What can be copied: oldest first. */
  readonly owed: readonly OwedSnapshot[];
}

export interface CopyFacts {
  readonly now: number;
  readonly debts: readonly Debt[];
  readonly unfinished: readonly Pick<Run, 'kind' | 'plan' | 'destination'>[];
  /** Why runs of the plan must not start by themselves now. */
  readonly blocker: (plan: Plan) => Blocker | undefined;
  readonly isThere: (destination: string) => boolean;
  /** Whether a source or target may be tried; else when. */
  readonly closedUntil: (destination: string) => number | undefined;
  /** Not before; milliseconds since 1970. */
  readonly retryAt: (plan: string, target: string) => number | undefined;
}

export interface CopyDecision {
  readonly ask: readonly { readonly plan: Plan; readonly target: string }[];
  /** Milliseconds since 1970; Infinity when nothing but an event changes anything. */
  readonly lookAt: number;
}

export function decideCopies(facts: CopyFacts): CopyDecision {
  const { now, debts, unfinished, blocker, isThere, closedUntil, retryAt } = facts;
  const ask: { plan: Plan; target: string }[] = [];
  let lookAt = Infinity;
  const wait = (until: number | undefined): false => {
    if (until !== undefined) lookAt = Math.min(lookAt, until);
    return false;
  };
  const taken = new Set(unfinished.flatMap(({ kind, destination }) => (kind === 'copy' && destination !== null ? destination : [])));
  const mayStart = ({ plan, target, owed }: Debt): boolean => {
    const first = Math.min(...owed.map(({ dueAt }) => dueAt));
    if (first > now) return wait(first);
    if (taken.has(target) || unfinished.some((run) => (run.kind === 'backup' || run.kind === 'move') && run.plan === plan.id)) return false;
    if (!isThere(target)) return false;
    for (const until of [closedUntil(target), retryAt(plan.id, target)]) if (until !== undefined && until > now) return wait(until);
    const sources = new Set(owed.filter(({ dueAt }) => dueAt <= now).flatMap((each) => each.sources));
    const open = [...sources].filter((id) => isThere(id));
    const soonest = Math.min(...open.map((id) => closedUntil(id) ?? now));
    if (soonest > now) return wait(soonest);
    const held = blocker(plan);
    if (held) return wait('until' in held ? held.until : undefined);
    return true;
  };
  for (const debt of debts) {
    if (debt.owed.length === 0 || !debt.plan.enabled || !mayStart(debt)) continue;
    taken.add(debt.target);
    ask.push(debt);
  }
  return { ask, lookAt };
}
