/** What a restore is asked for, and what it says when it is done. Both are stored with its run. */
import { z } from 'zod';
import { hashSchema, idSchema } from './destination.ts';
import { snapshotPathSchema } from './paths.ts';
import { absolutePathSchema } from './plan.ts';
import { errorSchema, runStatuses } from './run.ts';

const count = z.number().nonnegative();

/**
 * What to do with what is there already:
 * - *overwrite*: it becomes what the snapshot holds;
 * - *keep-newer*: only what is older than the snapshot's is replaced;
 * - *keep-both*: it stays, and the restored one gets another name beside it;
 * - *skip*: it stays.
 */
export const conflictPolicies = ['overwrite', 'keep-newer', 'keep-both', 'skip'] as const;

export const restoreTargetSchema = z.discriminatedUnion('kind', [
  /** Back to where everything was. */
  z.strictObject({ kind: z.literal('original') }),
  /** Below this folder, which is made when it is not there: what is chosen, by its way below the folder that all of it shares. */
  z.strictObject({ kind: z.literal('folder'), path: absolutePathSchema }),
  /** Into this file on the service's computer. An existing one is replaced only if that is said. */
  z.strictObject({ kind: z.literal('zip'), path: absolutePathSchema, replace: z.boolean().default(false) }),
]);

export const restoreRequestSchema = z.strictObject({
  snapshot: hashSchema,
  /** Default: one that holds it and can be reached. */
  destination: idSchema.optional(),
  /** Folders stand for all that they hold; `/` for the whole snapshot. */
  items: z.array(snapshotPathSchema).min(1, 'must name something').max(10_000),
  target: restoreTargetSchema,
  conflicts: z.enum(conflictPolicies).default('keep-newer'),
  /** What is replaced is kept for a while, so that the restore can be undone. */
  keepUndo: z.boolean().default(true),
});
export type RestoreRequest = z.infer<typeof restoreRequestSchema>;
export type RestoreRequestInput = z.input<typeof restoreRequestSchema>;

export const restoreReceiptSchema = z.strictObject({
  holdfast: z.literal('receipt'),
  version: z.literal(1),
  run: z.int().positive(),
  result: z.enum(runStatuses),
  started: z.number(),
  ended: z.number(),
  snapshot: z.strictObject({ key: hashSchema, time: z.number(), hostname: z.string() }),
  /** The destination that it was read from, and those that failed before it. */
  destination: z.strictObject({ id: idSchema, name: z.string() }),
  failedDestinations: z.array(z.strictObject({ id: idSchema, name: z.string(), error: errorSchema })),
  /** Pieces of data that were damaged there and came from other destinations in the middle of it. */
  rescued: z.array(z.strictObject({ name: z.string(), pieces: count })).optional(),
  items: z.array(z.string()),
  target: restoreTargetSchema,
  conflicts: z.enum(conflictPolicies),
  /** Entries by what became of them. */
  created: count,
  replaced: count,
  beside: count,
  same: count,
  kept: count,
  folders: count,
  bytesWritten: count,
  /**
   * Compared with the snapshot after everything was written: entries, bytes, and how many differed. Of a ZIP every byte is proved before it
   * goes in; then the file is read again, and compared with what went in.
   */
  compared: z.strictObject({ entries: count, bytes: count, different: count }).nullable(),
  /** The ZIP's length. */
  zipBytes: count.nullable(),
  problems: z.array(z.strictObject({ path: z.string(), code: z.string(), message: z.string() })).max(1000),
  problemCount: z.int(),
  /** By which it can be undone. */
  undo: z
    .string()
    .regex(/^[0-9a-f]{8}$/)
    .nullable(),
  error: errorSchema.nullable(),
});
export type RestoreReceipt = z.infer<typeof restoreReceiptSchema>;
