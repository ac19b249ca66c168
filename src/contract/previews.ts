/** What a plan would do as it is typed: which snapshots its retention keeps, and when its schedule runs. */
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { idSchema } from './destination.ts';
import { retentionSchema } from './plan.ts';
import { scheduleSchema, strategies } from './schedule.ts';
import { askedSchema, snapshotSchema } from './snapshots.ts';

/**
 * Why a snapshot is kept: `all`: the retention has no rule. `last`, `hourly` … `yearly`: it is the newest of such a period. `within`: it is
 * young enough. `pinned`: a person said so.
 */
export const keepReasons = ['all', 'last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly', 'within', 'pinned'] as const;

export const retentionRowSchema = z.strictObject({
  snapshot: snapshotSchema,
  /** Empty: it is forgotten. `isOldest`: a rule is not used up yet, so that it keeps the oldest one, too. */
  reasons: z.array(z.strictObject({ rule: z.enum(keepReasons), isOldest: z.boolean() })),
});
export type RetentionRow = z.infer<typeof retentionRowSchema>;

const plannedTimeSchema = z.strictObject({
  /** When it is due: milliseconds since 1970. */
  at: z.number(),
  /** When it begins: at the next window when it is due outside of one. */
  begins: z.number(),
  /** Its place in the schedule's triggers. */
  trigger: z.int(),
  strategy: z.enum(strategies),
});

export const previewsContract = {
  previews: {
    /** Newest first. Throws `retention-empties-group` where nothing would be kept. */
    retention: oc
      .input(
        z.strictObject({
          plan: idSchema,
          /** As typed; default: the plan's own. */
          retention: retentionSchema.optional(),
          /** Default: what the plan has anywhere. */
          destination: idSchema.optional(),
          after: z.int().nonnegative().default(0),
          limit: z.int().min(1).max(1000).default(200),
        }),
      )
      .output(
        z.strictObject({
          rows: z.array(retentionRowSchema),
          /** Of all pages. */
          kept: z.int(),
          removed: z.int(),
          asked: z.array(askedSchema),
        }),
      ),
    schedule: oc
      .input(
        z.strictObject({
          schedule: scheduleSchema,
          /** Whose earlier runs count for the strategies; default: a new plan's. */
          plan: idSchema.optional(),
          count: z.int().min(1).max(50).default(5),
        }),
      )
      .output(
        z.strictObject({
          /** The IANA zone in which times of day are read. */
          zone: z.string(),
          times: z.array(plannedTimeSchema),
          /** Places of the triggers that have no times: changes, drives, logins. */
          untimed: z.array(z.int()),
          /** Null without a window. `until`: null when it never closes. */
          window: z.strictObject({ isOpen: z.boolean(), until: z.number().nullable() }).nullable(),
        }),
      ),
  },
};
