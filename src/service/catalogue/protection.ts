/** Is this path protected? By which plan and rule, and where are the newest copies? */
import type { CatalogueState, Protection } from '../../contract/catalogue.ts';
import type { Destination } from '../../contract/destination.ts';
import type { Plan } from '../../contract/plan.ts';
import { nameBytes } from '../../engine/backup/name-text.ts';
import { onThisComputer } from './paths.ts';
import type { PathCopies } from './queries/copies.ts';
import { cleanPath } from './queries/view.ts';
import { ruleFor } from './rules.ts';

export interface ProtectionOptions {
  readonly keeper: {
    ask(name: 'copies', request: { readonly path: string }): Promise<PathCopies[]>;
    state(): Promise<CatalogueState>;
  };
  readonly state: { plans(): Plan[]; destinations(): readonly Pick<Destination, 'id' | 'name'>[] };
  /** Folders and files of Holdfast's own that go into no backup. */
  readonly leftOut: readonly string[];
}

/** `path` as snapshots have it. Throws `catalogue-failed`. */
export async function protectionOf(path: string, { keeper, state, leftOut }: ProtectionOptions): Promise<Protection> {
  const [lines, { destinations: progress }] = await Promise.all([keeper.ask('copies', { path }), keeper.state()]);
  const known = new Set(progress.flatMap((each) => (each.state === 'complete' ? each.destination : [])));
  const isFolder = lines.some((line) => line.destinations.some(({ facts }) => facts.type === 'dir'));
  const [there, names] = [state.plans(), new Map(state.destinations().map(({ id, name }) => [id, name]))];
  const clean = cleanPath(path);
  const here = onThisComputer(clean);
  const plans = there.map((plan): Protection['plans'][number] => {
    const own = lines.filter((line) => line.plan === plan.id).flatMap((line) => line.destinations);
    return {
      plan: plan.id,
      name: plan.name,
      isEnabled: plan.enabled,
      because: ruleFor(plan, nameBytes(clean), nameBytes(here), leftOut, isFolder),
      copies: plan.destinations.map(({ destination }) => {
        const held = own
          .filter(({ coverage }) => coverage.destination === destination)
          .reduce<(typeof own)[number] | undefined>((a, b) => (a && a.coverage.newest.at > b.coverage.newest.at ? a : b), undefined);
        return {
          destination,
          name: names.get(destination) ?? destination,
          newest: held ? { ...held.coverage.newest, ...held.facts } : null,
          isKnown: known.has(destination),
        };
      }),
    };
  });
  const others = lines.flatMap(({ plan, host, destinations }) =>
    there.some(({ id }) => id === plan) ? [] : [{ plan, host, destinations: destinations.map(({ coverage }) => coverage) }],
  );
  return { path: clean, answer: answerOf(plans), plans, others };
}

function answerOf(plans: Protection['plans']): Protection['answer'] {
  const has = ({ copies }: Protection['plans'][number]): boolean => copies.some(({ newest }) => newest !== null);
  const takes = plans.filter(({ because }) => because.rule === 'source');
  if (takes.some((plan) => plan.isEnabled && has(plan))) return 'yes';
  if (takes.some((plan) => plan.isEnabled || has(plan)) || plans.some(({ because }) => because.rule === 'above')) return 'partly';
  return 'no';
}
