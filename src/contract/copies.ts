/** What the destinations of plans owe each other: the snapshots that one holds and another is still to be given. */
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { idSchema } from './destination.ts';
import { roles } from './plan.ts';
import { runSchema } from './run.ts';

/** Of one destination of one plan. Times are milliseconds since 1970. */
export const copyStateSchema = z.strictObject({
  plan: idSchema,
  destination: idSchema,
  role: z.enum(roles),
  /** What it holds could be read once; until then what it is owed is a guess. */
  isKnown: z.boolean(),
  /** Snapshots that it lacks, and would keep. */
  owed: z.int().nonnegative(),
  /** Of these, those whose time has come. */
  due: z.int().nonnegative(),
  /** When the oldest of them was made. */
  oldest: z.number().nullable(),
  /** When the next are to be copied, where none is due. */
  dueAt: z.number().nullable(),
  /** The copy that works on it. */
  run: z.int().positive().nullable(),
  /** The last copy failed: when it is tried again. */
  retryAt: z.number().nullable(),
});
export type CopyState = z.infer<typeof copyStateSchema>;

export const copiesContract = {
  copies: {
    /** Of the plans with more than one destination, as far as is known without much waiting. */
    states: oc.output(z.array(copyStateSchema)),
    /**
     * Gives the plan's destinations, or one of them, what they lack, now and by a person's wish; a pause does not hold it. None where nothing
     * is owed. Throws `plan-not-found`, `destination-not-found`, `run-at-work`.
     */
    start: oc.input(z.strictObject({ plan: idSchema, destination: idSchema.optional() })).output(z.array(runSchema)),
  },
};
