/** What the verbs that ask the catalogue have in common. */
import { resolve } from 'node:path';
import type { CatalogueState, Coverage } from '../contract/catalogue.ts';
import type { State } from '../contract/state.ts';
import { counted } from '../platform/sizes.ts';
import { inSnapshots } from '../service/catalogue/paths.ts';
import type { ServiceClient } from '../service/rpc/client.ts';
import { formatMoment } from './dates.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { Invocation } from './run-verb.ts';
import { findDestination, findPlan } from './service-session.ts';

/** A path as a person types it, as snapshots have it. */
export const typedPath = (path: string): string => inSnapshots(resolve(path));

export interface WhichOptions {
  readonly plan?: string;
  readonly to?: string;
}

/** Throws `plan-not-found`, `destination-not-found` and so on. */
export const whichOf = (state: State, { plan, to }: WhichOptions): { plan?: string; destination?: string } => ({
  ...(plan === undefined ? {} : { plan: findPlan(state, plan).id }),
  ...(to === undefined ? {} : { destination: findDestination(state, to).id }),
});

export const planNamed = (state: State, plan: string | null, host: string): string =>
  plan === null ? `no plan (${host})` : (state.plans.find(({ id }) => id === plan)?.name ?? `another plan (${host})`);

export const destinationNamed = (state: State, id: string): string => state.destinations.find((each) => each.id === id)?.name ?? id;

/** `Black disk, Cloud (3 of 5)`: where some of so many snapshots are not, it is said. */
export const coverageText = (state: State, destinations: readonly Coverage[], snapshots: number): string =>
  destinations
    .map((each) => destinationNamed(state, each.destination) + (each.snapshots < snapshots ? ` (${each.snapshots} of ${snapshots})` : ''))
    .join(', ');

/** For `--json`, where `type` says what the object is. */
export const entryFields = <T extends { readonly type: string }>({ type, ...fields }: T): object => ({ kind: type, ...fields });

/** All pages of a list, one after the other. */
export async function* pagesOf<T extends { readonly next: string | null }>(
  ask: (cursor: string | undefined) => Promise<T>,
): AsyncGenerator<T> {
  for (let cursor: string | undefined; ; ) {
    const page = await ask(cursor);
    yield page;
    if (page.next === null) return;
    cursor = page.next;
  }
}

/** Says of which destinations the catalogue does not know everything; what was told may lack something then. */
export async function tellWhatIsMissing(client: ServiceClient, state: State, { output }: Invocation): Promise<ExitCode> {
  const { destinations } = await client.catalogue.state();
  const lacking = destinations.filter((each) => each.state !== 'complete');
  for (const each of lacking)
    output.note(`${destinationNamed(state, each.destination)}: ${progressText(each)}, so something may be missing here.`);
  return lacking.length === 0 ? exitCodes.done : exitCodes.incomplete;
}

type Progress = CatalogueState['destinations'][number];

const words: Readonly<Record<Progress['state'], string>> = {
  unknown: 'the catalogue has not looked at it yet',
  building: 'the catalogue is reading it',
  waiting: 'the catalogue waits for it',
  complete: 'the catalogue knows it',
  failed: 'the catalogue could not read it',
};

export function progressText({ state, snapshots, totalSnapshots, checkedAt, problem }: Progress): string {
  const seen = checkedAt === null ? '' : `, as it was at ${formatMoment(checkedAt)}`;
  const known = totalSnapshots > 0 ? ` (${snapshots} of ${counted(totalSnapshots, 'snapshot')} are in it${seen})` : '';
  return `${words[state]}${known}${problem ? `: ${problem.message}` : ''}`.replace(/\.$/, '');
}
