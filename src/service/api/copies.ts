/** What the procedures about copies do. */
import { implement } from '@orpc/server';
import { copiesContract } from '../../contract/copies.ts';
import type { CopyKeeper } from '../copies/keeper.ts';
import type { Caller } from '../router.ts';

// The types are written by the library.
export function copyHandlers(keeper: CopyKeeper) {
  const os = implement(copiesContract).$context<Caller>().copies;
  return {
    copies: {
      states: os.states.handler(() => keeper.states()),
      start: os.start.handler(({ input }) => keeper.start(input.plan, input.destination)),
    },
  };
}
