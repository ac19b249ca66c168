/** Moving: a destination's repository to another place, or what a plan has on one destination to another. Both are runs of kind `move`. */
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { credentialsSchema, idSchema, placeSchema } from './destination.ts';
import { runSchema } from './run.ts';

/** What a run of kind `move` is asked for. */
export const moveRequestSchema = z.discriminatedUnion('what', [
  z.strictObject({ what: z.literal('destination'), from: placeSchema, to: placeSchema, removeOld: z.boolean() }),
  z.strictObject({ what: z.literal('plan'), from: idSchema, to: idSchema, forgetOld: z.boolean() }),
]);
export type MoveRequest = z.infer<typeof moveRequestSchema>;

export const movesContract = {
  moves: {
    /**
     * Brings the repository to another place, file by file. The old place is in use until the new one checks clean, all data read; it stays
     * as it is unless `removeOld` is said. Throws `destination-not-found`, `same-place`, `run-at-work`, `request-invalid`.
     */
    destination: oc
      .input(
        z.strictObject({
          destination: idSchema,
          place: placeSchema,
          credentials: credentialsSchema.default({}),
          removeOld: z.boolean().default(false),
        }),
      )
      .output(runSchema),
    /**
     * Copies the plan's snapshots from one of its destinations (default: its primary) to another one, checks them there, and lets the plan
     * use that one in its place. With `forgetOld` the old ones are forgotten then. Throws as the other.
     */
    plan: oc
      .input(z.strictObject({ plan: idSchema, to: idSchema, from: idSchema.optional(), forgetOld: z.boolean().default(false) }))
      .output(runSchema),
  },
};
