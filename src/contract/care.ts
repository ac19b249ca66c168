/** Checking destinations and healing what is damaged there. */
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { idSchema } from './destination.ts';
import { runSchema } from './run.ts';

/**
 * How much is read of a destination:
 * - `quick`: what index, sizes and folders tell;
 * - `all`: every byte.
 */
export const checkDepths = ['quick', 'all'] as const;

/** Of a check that was carried to its end. Times are milliseconds since 1970 (UTC). */
export const checkFactsSchema = z.strictObject({
  at: z.number(),
  run: z.int().positive(),
  /** `part`: one of the parts that together are all data; a check reads one each week by itself. */
  depth: z.enum([...checkDepths, 'part']),
  /** What cannot be restored from there. */
  errors: z.int().nonnegative(),
  bytesRead: z.number(),
});
export type CheckFacts = z.infer<typeof checkFactsSchema>;

export const healFactsSchema = z.strictObject({
  at: z.number(),
  run: z.int().positive(),
  healed: z.int().nonnegative(),
  /** What is nowhere to be had. */
  unhealed: z.int().nonnegative(),
});
export type HealFacts = z.infer<typeof healFactsSchema>;

const byDestination = z.strictObject({ destination: idSchema });

export const careContract = {
  care: {
    /** Begins a check; when it finds damage, healing begins by itself. */
    check: oc.input(z.strictObject({ destination: idSchema, depth: z.enum(checkDepths).default('quick') })).output(runSchema),
    /** Reads everything, and brings what is damaged from the other destinations and from unchanged files. */
    heal: oc.input(byDestination).output(runSchema),
    last: oc.input(byDestination).output(
      z.strictObject({
        check: checkFactsSchema.nullable(),
        heal: healFactsSchema.nullable(),
        /** When every part was read last at the latest, or null when one never was. */
        allReadSince: z.number().nullable(),
      }),
    ),
  },
};
