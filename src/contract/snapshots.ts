/**
 * Snapshots as a person sees them: one line for the state of a plan's sources at one moment, whichever destinations hold it.
 *
 * - A snapshot is named by its *key*: the ID that it was given first. Copies on other destinations, and the ones that replace it when
 *   its tags change, have IDs of their own and the same key. Whatever takes a `snapshot` takes the key or any of these IDs.
 * - *Notes* are what a person adds: pinned, name, comment. They are the profile's, travel with the copy of its settings, and come back with it.
 *   A pinned snapshot is forgotten by no retention; to delete it, it is unpinned first.
 * - What destinations hold is asked of them when they can be reached, else as it was when they last could.
 */
import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { hashSchema, idSchema } from './destination.ts';
import { cursorSchema, pathSchema, snapshotPathSchema } from './paths.ts';
import { errorSchema, runSchema } from './run.ts';
import { strategies } from './schedule.ts';
import { sheetPageSchema, sheetSchema, sheetStateSchema } from './sheet.ts';

const count = z.number().nonnegative();

export const snapshotNotesSchema = z.strictObject({
  pinned: z.boolean(),
  /** One line; null: none. */
  name: z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(200, 'is too long')
    .regex(/^\P{Cc}*$/u, 'must be one line of text')
    .nullable(),
  comment: z.string().trim().min(1, 'must not be empty').max(10_000, 'is too long').nullable(),
});
export type SnapshotNotes = z.infer<typeof snapshotNotesSchema>;

export const snapshotSchema = z.strictObject({
  key: hashSchema,
  /** When its backup began: milliseconds since 1970 (UTC). */
  time: z.number(),
  /** Whose plan made it; it may be gone by now, or another computer's. */
  plan: idSchema.nullable(),
  /** Null when this profile has no such plan. */
  planName: z.string().nullable(),
  hostname: z.string(),
  username: z.string(),
  /** Made by this person on this computer. */
  isOwn: z.boolean(),
  /** What was backed up. */
  paths: z.array(z.string()),
  strategy: z.enum(strategies).nullable(),
  /** Without those that Holdfast sets by itself. */
  tags: z.array(z.string()),
  /** Null when the program that made it did not say. Sizes in bytes. */
  figures: z
    .strictObject({
      files: count,
      bytes: count,
      filesNew: count,
      filesChanged: count,
      /** Read because new or changed, and what the destination held more after it. */
      bytesAdded: count,
      bytesStored: count,
    })
    .nullable(),
  /** The program that made it, such as `restic 0.18.0`; '' when it did not say. */
  program: z.string(),
  ...snapshotNotesSchema.shape,
  /** Those that hold it, in the order of the destinations. */
  holders: z.array(
    z.strictObject({
      destination: idSchema,
      /** Its ID there. */
      snapshot: hashSchema,
      /** Of its root folder. Where two are the same, so is every byte. */
      tree: hashSchema,
    }),
  ),
});
export type SnapshotView = z.infer<typeof snapshotSchema>;

/** How far the answer can be trusted: what each destination holds was read then. */
export const askedSchema = z.strictObject({
  destination: idSchema,
  /** Null: never, so that what it holds is missing. */
  readAt: z.number().nullable(),
  /** Why it could not be read now. */
  error: errorSchema.nullable(),
  /** Snapshots that are damaged. */
  damaged: z.int(),
});

export const computerSchema = z.strictObject({
  hostname: z.string(),
  username: z.string(),
  isOwn: z.boolean(),
  snapshots: z.int(),
  first: z.number(),
  last: z.number(),
});
export type Computer = z.infer<typeof computerSchema>;

const bySnapshot = z.strictObject({ snapshot: hashSchema });

const tallySchema = z.strictObject({ files: count, folders: count, others: count, bytes: count });

export const diffSummarySchema = z.strictObject({
  added: tallySchema,
  removed: tallySchema,
  moved: tallySchema,
  content: z.strictObject({ files: count, bytesBefore: count, bytesAfter: count }),
  retyped: count,
  metadataOnly: count,
  /** Folders that could not be compared, and other parts of the repository that could not be read: nothing of them is said. */
  problems: z.array(z.strictObject({ path: pathSchema, error: errorSchema })).max(1000),
});
export type DiffSummary = z.infer<typeof diffSummarySchema>;

export const entryTypes = ['file', 'dir', 'symlink', 'dev', 'chardev', 'fifo', 'socket', 'irregular'] as const;

const diffSideSchema = z.strictObject({
  type: z.enum(entryTypes),
  size: count,
  /** Milliseconds since 1970. */
  changed: z.number(),
});

export const diffRowSchema = z.strictObject({
  kind: z.enum(['added', 'removed', 'content', 'metadata', 'type', 'moved']),
  path: pathSchema,
  /** Of what moved: where it was. */
  from: pathSchema.nullable(),
  before: diffSideSchema.nullable(),
  after: diffSideSchema.nullable(),
});
export type DiffRow = z.infer<typeof diffRowSchema>;

/** What would be deleted, and what that gives. */
export const deletionPlanSchema = z.strictObject({
  snapshots: z.array(snapshotSchema),
  /** Keys of those that are pinned: they have to be unpinned first. */
  pinned: z.array(hashSchema),
  /** Names of plans, or of computers, of which no snapshot would be left on some destination. */
  lastOf: z.array(z.string()),
  destinations: z.array(
    z.strictObject({
      destination: idSchema,
      snapshots: z.int(),
      /** Bytes that nothing else needs; null while it cannot be reached. */
      frees: z.number().nullable(),
      error: errorSchema.nullable(),
    }),
  ),
});
export type DeletionPlan = z.infer<typeof deletionPlanSchema>;

const chosenSchema = z.strictObject({
  snapshots: z.array(hashSchema).min(1).max(1000),
  /** Default: all that hold them. */
  destinations: z.array(idSchema).min(1).max(50).optional(),
});

export const snapshotsContract = {
  snapshots: {
    /** Newest first. */
    list: oc
      .input(
        z.strictObject({
          plan: idSchema.optional(),
          destination: idSchema.optional(),
          computer: z.strictObject({ hostname: z.string().max(500), username: z.string().max(500) }).optional(),
          /** Milliseconds since 1970: from this on, and before that. */
          from: z.number().optional(),
          before: z.number().optional(),
          pinned: z.boolean().optional(),
          cursor: cursorSchema.optional(),
          limit: z.int().min(1).max(1000).default(100),
          /** Asks the destinations anew, though they were asked a moment ago. */
          fresh: z.boolean().default(false),
        }),
      )
      .output(
        z.strictObject({
          snapshots: z.array(snapshotSchema),
          next: cursorSchema.nullable(),
          /** Of all pages. */
          total: z.int(),
          asked: z.array(askedSchema),
        }),
      ),
    get: oc.input(bySnapshot).output(snapshotSchema),
    /** The one before it of the same plan (or the same computer and paths); null for the first. */
    previous: oc.input(bySnapshot).output(snapshotSchema.nullable()),
    /** Whose snapshots there are: this one first, then those with the newest snapshots. */
    computers: oc.output(z.strictObject({ computers: z.array(computerSchema), asked: z.array(askedSchema) })),
    /** What is given replaces what was noted; `null` takes it away. */
    annotate: oc
      .input(
        z.strictObject({
          snapshot: hashSchema,
          pinned: z.boolean().optional(),
          name: snapshotNotesSchema.shape.name.optional(),
          comment: snapshotNotesSchema.shape.comment.optional(),
        }),
      )
      .output(snapshotSchema),
    /** Reads the folders of the snapshots to see what nothing else needs: that may take a while, and ends with the request. */
    planDelete: oc.input(chosenSchema).output(deletionPlanSchema),
    /**
     * Forgets them and deletes what nothing else needs, as one run for each destination. Throws `snapshot-pinned`, and `last-of-group` unless
     * `allowLast` is set.
     */
    delete: oc.input(z.strictObject({ ...chosenSchema.shape, allowLast: z.boolean().default(false) })).output(z.array(runSchema)),
    /** What only this snapshot needs on a destination, and how much a full restore of it writes. */
    stats: oc.input(z.strictObject({ snapshot: hashSchema, destination: idSchema.optional() })).output(
      z.strictObject({
        destination: idSchema,
        files: count,
        /** Files, folders, links and so on. */
        entries: count,
        /** That a restore of everything writes. */
        bytes: count,
        /** That its content takes on the destination, shared or not; and of that, what no other snapshot needs. */
        storedBytes: count,
        soleBytes: count,
        problems: z.int(),
      }),
    ),
    /** What differs; see sheet.ts. `first` defaults to the snapshot before `second`. */
    diff: {
      begin: oc
        .input(
          z.strictObject({
            first: hashSchema.optional(),
            second: hashSchema,
            destination: idSchema.optional(),
            path: snapshotPathSchema.optional(),
            /** Also what changed in nothing but its properties. */
            metadata: z.boolean().default(false),
          }),
        )
        .output(z.strictObject({ ...sheetSchema.shape, first: hashSchema, second: hashSchema, destination: idSchema })),
      page: oc
        .input(sheetPageSchema)
        .output(z.strictObject({ ...sheetStateSchema.shape, rows: z.array(diffRowSchema), summary: diffSummarySchema.nullable() })),
      end: oc.input(sheetSchema).output(z.void()),
    },
    /** Yields at once, and whenever the list may be another one: a run has ended, a destination came, a note was made. */
    changes: oc.output(eventIterator(z.strictObject({ number: z.int() }))),
  },
};
