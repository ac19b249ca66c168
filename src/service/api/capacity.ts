/** What the procedures about sizes, prices and budgets do. */
import { implement } from '@orpc/server';
import { capacityContract } from '../../contract/capacity.ts';
import { costContract } from '../../contract/cost.ts';
import type { Capacities } from '../capacity/capacities.ts';
import type { Caller } from '../router.ts';

// The types are written by the library.
export function capacityHandlers(capacities: Capacities) {
  const { capacity } = implement(capacityContract).$context<Caller>();
  const { prices } = implement(costContract).$context<Caller>();
  return {
    capacity: {
      of: capacity.of.handler(({ input }) => capacities.of(input.destination)),
      measure: capacity.measure.handler(({ input }) => capacities.measure(input.destination)),
      setBudget: capacity.setBudget.handler(({ input }) => capacities.setBudget(input.destination, input.budget)),
      setPrice: capacity.setPrice.handler(({ input }) => capacities.setPrice(input.destination, input.price)),
    },
    prices: {
      list: prices.list.handler(() => capacities.prices()),
      set: prices.set.handler(({ input }) => capacities.keepPrice(input)),
      reset: prices.reset.handler(({ input }) => capacities.resetPrices(input.id)),
    },
  };
}
