/**
 * Restores: as runs, with a dry run before and a receipt after them.
 *
 * A restore reads from the destination that is named, else from one that holds the snapshot and can be reached. When that one fails, it
 * goes on with another that holds the same. Every restored byte is read again from the disk and compared with the snapshot.
 * A restore that its service did not survive is *interrupted*, and asked for anew as a run that goes on from what is there.
 */
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { hashSchema, idSchema } from './destination.ts';
import { pathSchema, snapshotPathSchema } from './paths.ts';
import { absolutePathSchema } from './plan.ts';
import { runSchema } from './run.ts';
import { restoreReceiptSchema, restoreRequestSchema } from './restore-request.ts';
import { sheetPageSchema, sheetSchema, sheetStateSchema } from './sheet.ts';
import { entryTypes } from './snapshots.ts';

const count = z.number().nonnegative();

/** What will become of one entry. */
export const restoreActions = ['create', 'replace', 'beside', 'same', 'keep'] as const;

export const restoreRowSchema = z.strictObject({
  /** Where it goes: on the computer, or in the ZIP. */
  path: pathSchema,
  type: z.enum(entryTypes),
  /** `beside`: what is there stays, and the restored one gets the name `other`. `same`: the content is there already. */
  action: z.enum(restoreActions),
  other: pathSchema.nullable(),
  /** Of what the snapshot holds: bytes, and milliseconds since 1970. */
  size: count,
  changed: z.number().nullable(),
  /** Of what is there now. */
  existingSize: count.nullable(),
  existingChanged: z.number().nullable(),
});
export type RestoreRow = z.infer<typeof restoreRowSchema>;

export const restoreSummarySchema = z.strictObject({
  create: count,
  replace: count,
  beside: count,
  same: count,
  keep: count,
  folders: count,
  /** To write. */
  bytes: count,
  /** Where it is written; null when the system does not tell. */
  freeBytes: count.nullable(),
  problems: z.array(z.strictObject({ path: pathSchema, kind: z.string(), detail: z.string() })).max(1000),
  problemCount: z.int(),
});

const undoableSchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{8}$/),
  /** When the restore began. */
  at: z.number(),
  target: z.string(),
  snapshot: hashSchema,
  /** The restore's run; null when the command line made it. */
  run: z.int().positive().nullable(),
  entries: z.int(),
  /** That are kept for it. */
  bytes: count,
  /** See engine/undo/list.ts; only `whole` and `cut-off` can be undone. */
  state: z.enum(['whole', 'cut-off', 'running', 'away', 'damaged']),
});
export type UndoableRestore = z.infer<typeof undoableSchema>;
const byUndo = undoableSchema.pick({ id: true });

export const undoRowSchema = z.strictObject({ path: pathSchema, action: z.string(), other: pathSchema.nullable() });

export const restoreContract = {
  restore: {
    /** Says exactly what a restore would do; see sheet.ts. `summary` is there when it is complete. */
    preview: {
      begin: oc.input(restoreRequestSchema).output(z.strictObject({ ...sheetSchema.shape, destination: idSchema })),
      page: oc
        .input(sheetPageSchema)
        .output(z.strictObject({ ...sheetStateSchema.shape, rows: z.array(restoreRowSchema), summary: restoreSummarySchema.nullable() })),
      end: oc.input(sheetSchema).output(z.void()),
    },
    /** A run of kind `restore`: its progress, pause and cancel are those of runs. */
    start: oc.input(restoreRequestSchema).output(runSchema),
    /** What was asked for, to show it or to ask again. */
    request: oc.input(z.strictObject({ run: z.int().positive() })).output(restoreRequestSchema),
    /** Throws `receipt-not-found` while the run has none. */
    receipt: oc.input(z.strictObject({ run: z.int().positive() })).output(restoreReceiptSchema),
    /** The receipt to save. */
    receiptFile: oc
      .input(
        z.strictObject({
          run: z.int().positive(),
          format: z.enum(['text', 'json', 'html']),
          language: z.enum(['en', 'zh-CN']).default('en'),
        }),
      )
      .output(z.strictObject({ name: z.string(), mediaType: z.string(), text: z.string() })),
    /**
     * For browsers on another computer: a place below the host's address from which a ZIP can be fetched once, within a minute, by whoever is
     * logged in. A part of it that is damaged breaks it off, so that no half is taken for the whole.
     */
    download: oc
      .input(
        z.strictObject({
          snapshot: hashSchema,
          destination: idSchema.optional(),
          items: z.array(snapshotPathSchema).min(1).max(10_000),
          name: z.string().min(1).max(200).optional(),
        }),
      )
      .output(z.strictObject({ path: z.string(), name: z.string() })),
    undo: {
      /** Newest first. */
      list: oc.output(z.array(undoableSchema)),
      preview: {
        begin: oc.input(byUndo).output(sheetSchema),
        page: oc.input(sheetPageSchema).output(
          z.strictObject({
            ...sheetStateSchema.shape,
            rows: z.array(undoRowSchema),
            summary: z.strictObject({ counts: z.record(z.string(), count), kept: z.int(), problems: z.int() }).nullable(),
          }),
        ),
        end: oc.input(sheetSchema).output(z.void()),
      },
      /** A run of kind `undo`. */
      start: oc.input(byUndo).output(runSchema),
      /** It cannot be undone any more, and what was kept for it is deleted. */
      forget: oc.input(byUndo).output(z.void()),
    },
    /** Whether a file or folder is there, before one is chosen as the target. */
    target: oc
      .input(z.strictObject({ path: absolutePathSchema }))
      .output(z.strictObject({ exists: z.boolean(), isFolder: z.boolean(), isEmpty: z.boolean(), isWritable: z.boolean() })),
  },
};
