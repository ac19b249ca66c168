/** Advice: what is proposed for what a person wants, and why. */
import { z } from 'zod';
import { idSchema } from './destination.ts';
import { scheduleSchema } from './schedule.ts';

const bytes = z.number().nonnegative();
const minutes = z.int().min(1).max(525_600);
const placeKindSchema = z.enum(['computer', 'external', 'server', 'remote']);

export const wishesSchema = z.strictObject({
  sizeBytes: bytes,
  changePerDayBytes: bytes,
  rpoMinutes: minutes,
  rtoMinutes: minutes,
  /** Default: those that are connected. */
  destinations: z
    .array(z.strictObject({ id: z.string().max(100), kind: placeKindSchema }))
    .max(50)
    .optional(),
  uplinkBytesPerSecond: z.number().positive().optional(),
  measuredRestoreBytesPerSecond: z.number().positive().optional(),
});

const reasonSchema = z.strictObject({
  code: z.string(),
  /** What the reason is about: spans in the unit that the name tells, sizes in bytes. */
  figures: z.record(z.string(), z.union([z.number(), z.string()])),
  /** In English. */
  text: z.string(),
});
export type AdviceReason = z.infer<typeof reasonSchema>;

export const proposalSchema = z.strictObject({
  schedule: scheduleSchema,
  reasons: z.array(reasonSchema),
  /** The primary first. */
  destinations: z.array(
    z.strictObject({
      /** Null: one of this kind should be added. */
      id: idSchema.nullable(),
      kind: placeKindSchema,
      role: z.enum(['primary', 'copy']),
      reasons: z.array(reasonSchema),
    }),
  ),
});
export type AdviceProposal = z.infer<typeof proposalSchema>;
