/** Whose snapshots one looks at: those of a plan, all of this computer's, or another computer's. A scope is a text, as a select has it. */
import type { Plan } from '../../../src/contract/plan.ts';
import type { Computer } from '../../../src/contract/snapshots.ts';

const between = '\u001f';

/** What `snapshots.list` is asked for. */
export interface ScopeQuery {
  readonly plan?: string;
  readonly computer?: { readonly hostname: string; readonly username: string };
}

export const planScope = (id: string): string => `plan${between}${id}`;
export const computerScope = ({ hostname, username }: Pick<Computer, 'hostname' | 'username'>): string =>
  ['computer', hostname, username].join(between);

/** Undefined for a text that is no scope. */
export function queryOf(scope: string): ScopeQuery | undefined {
  const [kind, first, second] = scope.split(between);
  if (kind === 'plan' && first !== undefined) return { plan: first };
  if (kind === 'computer' && first !== undefined && second !== undefined) return { computer: { hostname: first, username: second } };
  return undefined;
}

/** Where one begins: with the first plan, else with the computer that has the newest snapshot. */
export function firstScope(plans: readonly Plan[], computers: readonly Computer[]): string | undefined {
  if (plans[0]) return planScope(plans[0].id);
  const newest = computers.toSorted((a, b) => Number(b.isOwn) - Number(a.isOwn) || b.last - a.last)[0];
  return newest && computerScope(newest);
}
