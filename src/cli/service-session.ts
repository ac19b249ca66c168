/** Talking to the service of this profile, and finding what a person names. The contract's libraries are loaded by those verbs alone that need them. */
import type { DestinationView } from '../contract/destination.ts';
import { fail } from '../contract/errors.ts';
import type { Plan } from '../contract/plan.ts';
import type { State } from '../contract/state.ts';
import type { Attached, ServiceClient } from '../service/rpc/client.ts';
import type { Invocation } from './run-verb.ts';

/** Attaches to the running service, calls `use`, and detaches. Throws `service-absent` and what `use` throws. */
export async function withService<T>({ control }: Invocation, use: (client: ServiceClient, attached: Attached) => Promise<T>): Promise<T> {
  const [{ attach }, { profileAt }] = await Promise.all([import('../service/rpc/client.ts'), import('../service/profile.ts')]);
  const attached = await attach(profileAt());
  control.signal.addEventListener('abort', attached.close, { once: true });
  try {
    const result = await use(attached.client, attached);
    await control.checkpointAsync();
    return result;
  } catch (error) {
    // A connection that was closed by Ctrl-C is no news.
    await control.checkpointAsync();
    throw error;
  } finally {
    control.signal.removeEventListener('abort', attached.close);
    attached.close();
  }
}

/** By its name, its ID, or the beginning of its ID. Throws `plan-not-found`, `plan-ambiguous`. */
export const findPlan = ({ plans }: State, wanted: string): Plan =>
  find(plans, wanted, (code) => fail(code === 'none' ? 'plan-not-found' : 'plan-ambiguous', { plan: wanted }));

/** As {@link findPlan}. Throws `destination-not-found`, `destination-ambiguous`. */
export const findDestination = ({ destinations }: State, wanted: string): DestinationView =>
  find(destinations, wanted, (code) => fail(code === 'none' ? 'destination-not-found' : 'destination-ambiguous', { destination: wanted }));

function find<T extends { readonly id: string; readonly name: string }>(
  all: readonly T[],
  wanted: string,
  refuse: (why: 'none' | 'several') => never,
): T {
  for (const fits of [(each: T) => each.id === wanted, (each: T) => each.name === wanted, (each: T) => each.id.startsWith(wanted)]) {
    const found = all.filter(fits);
    if (found.length === 1) return found[0];
    if (found.length > 1) return refuse('several');
  }
  return refuse('none');
}

/** A run's number, as typed. Throws `bad-usage`. */
export function parseRunId(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  return fail('bad-usage', {
    problem: `“${text}” is no number of a run.`,
    guidance: 'See the runs with "holdfast run list".',
  });
}
