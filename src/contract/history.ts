/** Figures of the past, for charts. Days are those of the computer's zone. */
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { idSchema } from './destination.ts';
import { runKinds, runStatuses } from './run.ts';

const count = z.number().nonnegative();

/** Runs that ended by themselves; skipped, cancelled and interrupted ones say nothing about whether it works. */
const rateSchema = z.strictObject({ succeeded: z.int(), withWarnings: z.int(), failed: z.int() });

export const historySchema = z.strictObject({
  /** Of the last 7, 30 and 90 days. */
  rates: z.array(z.strictObject({ days: z.int(), backups: rateSchema, restores: rateSchema, drills: rateSchema })),
  /** The last backup of each day by plan and destination: what it protected, and what that day's backups stored. Oldest first. */
  sizes: z.array(
    z.strictObject({
      day: z.string(),
      plan: idSchema.nullable(),
      destination: idSchema.nullable(),
      files: count,
      bytes: count,
      bytesAdded: count,
      bytesStored: count,
    }),
  ),
  /** Days on which runs ended by themselves, oldest first: backups by how they ended, and restores and drills that went well. */
  calendar: z.array(
    z.strictObject({
      day: z.string(),
      succeeded: z.int(),
      withWarnings: z.int(),
      failed: z.int(),
      restored: z.int(),
      /** The newest of that day, of any kind. */
      newest: z.int().positive(),
    }),
  ),
  /** Each run that ended, oldest first: the newest thousand. */
  durations: z.array(
    z.strictObject({
      run: z.int().positive(),
      kind: z.enum(runKinds),
      status: z.enum(runStatuses),
      plan: idSchema.nullable(),
      destination: idSchema.nullable(),
      at: z.number(),
      seconds: count,
      bytes: count.nullable(),
    }),
  ),
});
export type History = z.infer<typeof historySchema>;

export const historyContract = {
  history: {
    figures: oc
      .input(
        z.strictObject({
          plan: idSchema.optional(),
          destination: idSchema.optional(),
          days: z.int().min(7).max(1000).default(365),
        }),
      )
      .output(historySchema),
  },
};
