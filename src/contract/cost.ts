/** What storage costs: the table of prices, and what is estimated with it. Amounts are in the currency of their price. */
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { idSchema, nameSchema } from './destination.ts';

const amount = z.number().nonnegative().max(1e9);
const bytes = z.number().nonnegative();

export const currencySchema = z.string().regex(/^[A-Z]{3}$/, 'is no currency such as USD');

/** A class of storage as its provider sells it. What is 0 costs nothing, or is not asked for. */
export const priceSchema = z.strictObject({
  id: idSchema,
  provider: nameSchema,
  name: nameSchema,
  currency: currencySchema,
  /** What the provider calls a GB: 10⁹ bytes, or 2³⁰. */
  gb: z.enum(['decimal', 'binary']),
  /** For a GB and month. */
  storage: amount,
  /** For a thousand requests that store or list, and for a thousand that read. */
  writes: amount,
  reads: amount,
  /** For a GB that is read at all, and for one that leaves the cloud. */
  retrieval: amount,
  egress: amount,
  /** What leaves each month without a charge: so many GB, and so many times what is stored. */
  freeEgressGb: amount,
  freeEgressTimes: amount,
  freeStorageGb: amount,
  /** What is deleted earlier is paid for so long. */
  minimumDays: z.int().min(0).max(3650),
  /** What is smaller is paid as if it were so large. */
  minimumObjectBytes: z.int().min(0).max(1e9),
  /** For a month, whatever is stored. */
  minimumMonthly: amount,
  /** The month of the list that the figures are from: `2025-06`. */
  asOf: z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'is no month such as 2025-06'),
});
export type Price = z.infer<typeof priceSchema>;

/** `shipped`: as Holdfast brings it; `changed`: a person has changed it; `own`: a person has made it. */
export const priceViewSchema = z.strictObject({ ...priceSchema.shape, origin: z.enum(['shipped', 'changed', 'own']) });
export type PriceView = z.infer<typeof priceViewSchema>;

/** What a destination is used for, as far as prices depend on it. A month has 30.44 days. */
export const usageSchema = z.strictObject({
  bytes,
  objects: z.number().nonnegative(),
  runsPerMonth: z.number().nonnegative(),
  /** Bytes that runs store, and bytes that are deleted. */
  storedPerMonth: bytes,
  deletedPerMonth: bytes,
  /** Requests; reckoned from the runs of the last thirty days and the size of packs. */
  writesPerMonth: z.number().nonnegative(),
  readsPerMonth: z.number().nonnegative(),
});
export type Usage = z.infer<typeof usageSchema>;

export const estimateSchema = z.strictObject({
  price: idSchema,
  currency: currencySchema,
  /** Of a month. */
  monthly: z.strictObject({
    storage: amount,
    requests: amount,
    /** For what is deleted before the minimum duration: at most, as if it were deleted at once. */
    early: amount,
    /** What is missing to the least that a month costs. */
    minimum: amount,
    total: amount,
  }),
  /** Of reading back everything that is stored, once. */
  restore: z.strictObject({ requests: amount, retrieval: amount, egress: amount, total: amount }),
  /** A month with a twelfth of one such restore: what classes are compared by. */
  compared: amount,
});
export type Estimate = z.infer<typeof estimateSchema>;

export const costContract = {
  prices: {
    list: oc.output(z.array(priceViewSchema)),
    /** Changes an entry, or makes one of one's own. */
    set: oc.input(priceSchema).output(z.array(priceViewSchema)),
    /** Removes one of one's own; one that Holdfast brings becomes as it was. */
    reset: oc.input(z.strictObject({ id: idSchema.optional() })).output(z.array(priceViewSchema)),
  },
};
