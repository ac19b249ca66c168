/** What a destination costs by a price, and which price is the cheapest for what it is used for. Pure. */
import type { Estimate, Price, Usage } from '../../contract/cost.ts';
import { monthDays } from './growth.ts';

/** Restores of everything in a year that classes are compared with: one that is cheap to fill may be dear to read. */
const restoresPerYear = 1;

export const bytesOfGb = ({ gb }: Pick<Price, 'gb'>): number => (gb === 'decimal' ? 1e9 : 2 ** 30);

/** All amounts before taxes, and without what a provider gives to new customers. */
export function estimateOf(price: Price, usage: Usage): Estimate {
  const perGb = bytesOfGb(price);
  // What is small is paid as if it were larger; packs are large, so that this is about a repository that holds next to nothing.
  const paidBytes = Math.max(usage.bytes, usage.objects * price.minimumObjectBytes);
  const storage = Math.max(0, paidBytes / perGb - price.freeStorageGb) * price.storage;
  const requests = (usage.writesPerMonth * price.writes + usage.readsPerMonth * price.reads) / 1000;
  const early = (usage.deletedPerMonth / perGb) * price.storage * (price.minimumDays / monthDays);
  const used = storage + requests + early;
  const minimum = Math.max(0, price.minimumMonthly - used);
  const total = used + minimum;
  const gigabytes = usage.bytes / perGb;
  const free = price.freeEgressGb + price.freeEgressTimes * gigabytes;
  const restore = {
    requests: (usage.objects * price.reads) / 1000,
    retrieval: gigabytes * price.retrieval,
    egress: Math.max(0, gigabytes - free) * price.egress,
  };
  const restoreTotal = restore.requests + restore.retrieval + restore.egress;
  return {
    price: price.id,
    currency: price.currency,
    monthly: { storage, requests, early, minimum, total },
    restore: { ...restore, total: restoreTotal },
    compared: total + (restoreTotal * restoresPerYear) / 12,
  };
}

/** Every price in the currency, the cheapest first; at the same cost in the order of the table. */
export const compareOf = (prices: readonly Price[], usage: Usage, currency: string): Estimate[] =>
  prices
    .filter((price) => price.currency === currency)
    .map((price) => estimateOf(price, usage))
    .sort((a, b) => a.compared - b.compared);
