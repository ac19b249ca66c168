/** What the procedures about moving do. */
import { implement } from '@orpc/server';
import { movesContract } from '../../contract/moves.ts';
import type { Moves } from '../moves/moves.ts';
import type { Caller } from '../router.ts';

// The types are written by the library.
export function moveHandlers(moves: Moves) {
  const os = implement(movesContract).$context<Caller>().moves;
  return {
    moves: {
      destination: os.destination.handler(({ input }) => moves.destination(input)),
      plan: os.plan.handler(({ input }) => moves.plan(input)),
    },
  };
}
