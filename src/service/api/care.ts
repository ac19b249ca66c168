/** What the procedures about checking and healing do. */
import { implement } from '@orpc/server';
import { careContract } from '../../contract/care.ts';
import type { Care } from '../care/care.ts';
import type { Caller } from '../router.ts';

// The types are written by the library.
export function careHandlers(care: Care) {
  const os = implement(careContract).$context<Caller>().care;
  return {
    care: {
      check: os.check.handler(({ input }) => care.check(input.destination, input.depth)),
      heal: os.heal.handler(({ input }) => care.heal(input.destination)),
      last: os.last.handler(({ input }) => care.last(input.destination)),
    },
  };
}
