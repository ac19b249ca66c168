/** What the procedures about watching do. */
import { implement } from '@orpc/server';
import { watchingContract } from '../../contract/watching.ts';
import type { Caller } from '../router.ts';
import type { StateStore } from '../state/store.ts';
import type { JournalDefects } from '../watch/journal-defects.ts';

// The type is written by the library.
export function watchingHandlers(state: Pick<StateStore, 'plans' | 'plan'>, defects: JournalDefects) {
  const { watching } = implement(watchingContract).$context<Caller>();
  return {
    watching: {
      defects: watching.defects.handler(() =>
        state.plans().flatMap(({ id }) => {
          const defect = defects.of(id);
          return defect ? [{ plan: id, ...defect }] : [];
        }),
      ),
      trust: watching.trust.handler(({ input }) => defects.forget(state.plan(input.plan).id)),
    },
  };
}
