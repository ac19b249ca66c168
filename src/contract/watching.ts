/** What a plan's watch of its sources has missed, and a person's word that it can be trusted again. */
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { idSchema } from './destination.ts';

export const watchDefectSchema = z.strictObject({
  plan: idSchema,
  /** When a look at everything showed it last, in milliseconds since 1970, and in which run. */
  at: z.number(),
  run: z.number(),
  /** How many folders had changes that nobody had told of, and some of them. */
  count: z.number(),
  folders: z.array(z.string()),
});
export type WatchDefect = z.infer<typeof watchDefectSchema>;

export const watchingContract = {
  watching: {
    /** Plans that look at everything in each run, since their watch has missed a change. No data is missing: that look has found it. */
    defects: oc.output(z.array(watchDefectSchema)),
    /** The runs of the plan go by its watch again, at once and not after a week. Throws `plan-not-found`; fine when there is no defect. */
    trust: oc.input(z.strictObject({ plan: idSchema })).output(z.void()),
  },
};
