/** How much a destination holds, how it grows, when it is full, what it costs, and the budgets that a person sets for it. */
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { currencySchema, estimateSchema, usageSchema } from './cost.ts';
import { idSchema } from './destination.ts';

const bytes = z.number().nonnegative();

/** The last measurement of a day. */
export const sizeSampleSchema = z.strictObject({
  /** `2026-11-21`, in the computer's zone. */
  day: z.string().regex(/^\d{4}-\d\d-\d\d$/),
  at: z.number(),
  /** All files of the repository. */
  bytes,
  packs: z.int().nonnegative(),
  snapshots: z.int().nonnegative(),
  /** Null where nobody can tell. */
  freeBytes: bytes.nullable(),
});
export type SizeSample = z.infer<typeof sizeSampleSchema>;

/** Bytes a month; `low` and `high` are where it lies in all likelihood. Less than nothing: it shrinks. */
export const growthSchema = z.strictObject({ likely: z.number(), low: z.number(), high: z.number(), days: z.number() });
export type Growth = z.infer<typeof growthSchema>;

/**
 * When there is no room left.
 * - `unknown`: there is too little history to say;
 * - `no-limit`: nobody knows how much room there is;
 * - `steady`: it does not grow;
 * - `far`: not within ten years;
 * - `about`: at about `at`; `latest` null: perhaps never.
 */
export const forecastSchema = z.discriminatedUnion('state', [
  z.strictObject({ state: z.enum(['unknown', 'no-limit', 'steady', 'far']) }),
  z.strictObject({ state: z.literal('about'), at: z.number(), earliest: z.number(), latest: z.number().nullable() }),
]);
export type Forecast = z.infer<typeof forecastSchema>;

export const budgetSchema = z.strictObject({
  /** At most so much stored. */
  bytes: z.int().positive().max(Number.MAX_SAFE_INTEGER).nullable(),
  /** At most so much a month, in the currency of the destination's price. */
  money: z.strictObject({ amount: z.number().positive().max(1e9), currency: currencySchema }).nullable(),
});
export type Budget = z.infer<typeof budgetSchema>;

/** How a budget stands: `near` from nine tenths on, and when it will be passed within thirty days. */
export const budgetStateSchema = z.strictObject({
  unit: z.enum(['bytes', 'money']),
  used: z.number().nonnegative(),
  limit: z.number().positive(),
  currency: currencySchema.nullable(),
  level: z.enum(['fine', 'near', 'passed']),
  /** When it will be passed at the present growth; null: not known, or not within ten years. */
  passedAt: z.number().nullable(),
});
export type BudgetState = z.infer<typeof budgetStateSchema>;

export const capacitySchema = z.strictObject({
  destination: idSchema,
  /** Oldest first; those older than two years are of the first day of their month alone. */
  samples: z.array(sizeSampleSchema),
  /** The last measurement with what runs have stored since; null while nothing was measured. */
  now: z.strictObject({ measuredAt: z.number(), bytes, snapshots: z.int(), freeBytes: bytes.nullable() }).nullable(),
  growth: growthSchema.nullable(),
  forecast: forecastSchema,
  /** What the runs of each plan have stored there, as far as runs are remembered; the most first. */
  plans: z.array(z.strictObject({ plan: idSchema, name: z.string(), bytes, share: z.number().min(0).max(1) })),
  usage: usageSchema.nullable(),
  /** As it was said: an entry of the table, `none`, or `by-place`. */
  price: z.string(),
  /** Null where nothing is paid, or nobody has said what. */
  cost: z.strictObject({ estimate: estimateSchema, isGuessed: z.boolean() }).nullable(),
  /** Every class in the same currency, the cheapest first. */
  compared: z.array(estimateSchema),
  budget: budgetSchema,
  budgets: z.array(budgetStateSchema),
});
export type Capacity = z.infer<typeof capacitySchema>;

const one = z.strictObject({ destination: idSchema });

export const capacityContract = {
  capacity: {
    of: oc.input(one).output(capacitySchema),
    /** Measures it now. Throws what opening throws. */
    measure: oc.input(one).output(capacitySchema),
    setBudget: oc.input(z.strictObject({ destination: idSchema, budget: budgetSchema })).output(capacitySchema),
    /** What it is paid by: an entry of the table, `none`: nothing, or `by-place`: as its place tells. */
    setPrice: oc.input(z.strictObject({ destination: idSchema, price: idSchema })).output(capacitySchema),
  },
};
