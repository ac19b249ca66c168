/** The folders of the computer on which the service runs: to choose what to protect, and to see what a plan will take. */
import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { idSchema } from './destination.ts';
import { cursorSchema, pathSchema } from './paths.ts';
import { absolutePathSchema, excludesSchema, sourceSchema } from './plan.ts';
import { sheetPageSchema, sheetSchema, sheetStateSchema } from './sheet.ts';

const count = z.number().nonnegative();

/** What people call folders of their own; `home` holds them. */
export const placeKinds = ['home', 'documents', 'pictures', 'desktop', 'downloads', 'music', 'videos'] as const;

const suggestedSchema = z.strictObject({
  kind: z.enum(placeKinds),
  path: absolutePathSchema,
  exists: z.boolean(),
  isReadable: z.boolean(),
  /** Whether a first plan should take it: what most people would miss. */
  isSuggested: z.boolean(),
});
export type SuggestedFolder = z.infer<typeof suggestedSchema>;

const fileKinds = ['folder', 'file', 'link', 'other'] as const;

const fileSchema = z.strictObject({
  path: pathSchema,
  name: pathSchema,
  kind: z.enum(fileKinds),
  /** Of a file. */
  size: count,
  changed: z.number(),
  isHidden: z.boolean(),
  /** Of a folder: whether it can be opened. Of a link: false. */
  isReadable: z.boolean(),
});
export type LocalFile = z.infer<typeof fileSchema>;

const sizeSchema = z.strictObject({
  path: absolutePathSchema,
  files: count,
  folders: count,
  bytes: count,
  /** What could not be read is not counted. */
  unreadable: count,
  isDone: z.boolean(),
});
export type FolderSize = z.infer<typeof sizeSchema>;

/**
 * Why a plan will not protect something:
 * - *pattern*, *preset*: an exclude of the plan (`detail`: the pattern, or the preset's name);
 * - *tagged*: its folder holds a file that excludes it; *cache*: a folder that its program can make anew (CACHEDIR.TAG);
 * - *too-large*: above the plan's limit; *other-file-system*: another file system is mounted there;
 * - *own*: Holdfast's own files, or a repository; *unreadable*: it could not be read (`detail`: why); *unsupported*: what no backup holds;
 * - *missing*: a source that is not there.
 */
export const leftOutReasons = [
  'pattern',
  'preset',
  'tagged',
  'cache',
  'too-large',
  'other-file-system',
  'own',
  'unreadable',
  'unsupported',
  'missing',
] as const;

export const protectionRowSchema = z.strictObject({
  path: pathSchema,
  kind: z.enum(fileKinds),
  size: count,
  /** Null: it is protected. What is in a folder that is left out goes with it, and has no row. */
  leftOut: z.strictObject({ reason: z.enum(leftOutReasons), detail: z.string() }).nullable(),
});
export type ProtectionRow = z.infer<typeof protectionRowSchema>;

export const protectionSummarySchema = z.strictObject({
  files: count,
  folders: count,
  bytes: count,
  /** By reason: rows, and the bytes of the files among them. */
  leftOut: z.partialRecord(z.enum(leftOutReasons), z.strictObject({ entries: count, bytes: count })),
});
export type ProtectionSummary = z.infer<typeof protectionSummarySchema>;

export const filesContract = {
  files: {
    /** Folders that most people want protected, as they are called in the person's language. */
    suggested: oc.output(z.array(suggestedSchema)),
    folder: oc
      .input(
        z.strictObject({
          /** Default: the person's home. */
          path: absolutePathSchema.optional(),
          foldersOnly: z.boolean().default(false),
          hidden: z.boolean().default(false),
          cursor: cursorSchema.optional(),
          limit: z.int().min(1).max(1000).default(200),
        }),
      )
      .output(
        z.strictObject({
          path: absolutePathSchema,
          /** Null for the root. */
          parent: absolutePathSchema.nullable(),
          entries: z.array(fileSchema),
          next: cursorSchema.nullable(),
          total: z.int(),
        }),
      ),
    /**
     * Counts what folders hold and tells it while it counts, a few times a second and once more when a folder is done. Ends by itself when all
     * are; whoever ends it before ends the counting. Links are not followed, other file systems not entered.
     */
    sizes: oc.input(z.strictObject({ paths: z.array(absolutePathSchema).min(1).max(100) })).output(eventIterator(sizeSchema)),
    /** What is known of a place where a folder is, or would be made. Bytes; null where the system does not tell. */
    capacity: oc.input(z.strictObject({ path: absolutePathSchema })).output(
      z.strictObject({
        exists: z.boolean(),
        isFolder: z.boolean(),
        isWritable: z.boolean(),
        totalBytes: count.nullable(),
        freeBytes: count.nullable(),
        /** Whether it lies on the disk that holds the person's home: such a backup does not survive that disk. */
        isHomeDisk: z.boolean(),
      }),
    ),
    /** What the sources and excludes of a plan will and will not protect; see sheet.ts. The rules are those that a backup goes by. */
    protection: {
      begin: oc
        .input(
          z.strictObject({
            sources: z.array(sourceSchema).min(1).max(1000),
            excludes: excludesSchema.default(excludesSchema.parse({})),
            /** A plan's destinations: those that lie in a source are left out. */
            destinations: z.array(idSchema).max(50).default([]),
            /** Whether what is protected gets rows, too. The summary counts it in any case. */
            all: z.boolean().default(false),
          }),
        )
        .output(sheetSchema),
      page: oc
        .input(sheetPageSchema)
        .output(z.strictObject({ ...sheetStateSchema.shape, rows: z.array(protectionRowSchema), summary: protectionSummarySchema })),
      end: oc.input(sheetSchema).output(z.void()),
    },
  },
};
