/**
 * Looking into snapshots: folders, files, and what they hold, read from a repository and never written to a disk.
 *
 * Without `destination` the service takes one that holds the snapshot and can be reached, a near one before a far one; answers
 * say which it was. What is read was proved first: a byte that is not as it was stored is an error, never shown.
 */
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { hashSchema, idSchema } from './destination.ts';
import { cursorSchema, pathSchema, snapshotPathSchema } from './paths.ts';
import { entryTypes } from './snapshots.ts';

const count = z.number().nonnegative();

export const entrySchema = z.strictObject({
  path: pathSchema,
  name: pathSchema,
  type: z.enum(entryTypes),
  /** Bytes; 0 for what is no file. */
  size: count,
  /** When its content was last changed: milliseconds since 1970. */
  changed: z.number(),
  /** st_mode. */
  mode: z.int(),
  user: z.string(),
  group: z.string(),
  /** Of a symbolic link. */
  linkTarget: pathSchema.nullable(),
});
export type BrowsedEntry = z.infer<typeof entrySchema>;

export const browseOrders = ['name', 'size', 'changed'] as const;

const whereSchema = z.strictObject({ snapshot: hashSchema, destination: idSchema.optional(), path: snapshotPathSchema });

/** Why there is nothing to see. */
const noPreviewReasons = ['not-a-file', 'empty', 'binary', 'too-large'] as const;

/** Text is shown as text alone, pictures only of kinds that hold no program (so that an SVG is text). */
const previewSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('text'),
    destination: idSchema,
    entry: entrySchema,
    text: z.string(),
    encoding: z.enum(['utf-8', 'utf-16le', 'utf-16be', 'gb18030', 'windows-1252']),
    /** There is more of it. */
    isCut: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal('picture'),
    destination: idSchema,
    entry: entrySchema,
    mediaType: z.enum(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp', 'image/avif', 'image/x-icon']),
    /** All of the file. */
    base64: z.string(),
  }),
  z.strictObject({ kind: z.literal('none'), destination: idSchema, entry: entrySchema, reason: z.enum(noPreviewReasons) }),
]);
export type Preview = z.infer<typeof previewSchema>;

/** Line by line, as a person reads a comparison; line numbers begin with 1. `gap` stands for lines that are the same in both. */
const comparedLineSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('same'), before: z.int(), after: z.int(), text: z.string() }),
  z.strictObject({ kind: z.literal('removed'), before: z.int(), text: z.string() }),
  z.strictObject({ kind: z.literal('added'), after: z.int(), text: z.string() }),
  z.strictObject({ kind: z.literal('gap'), lines: z.int() }),
]);

const comparisonSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('same') }),
  z.strictObject({
    kind: z.literal('text'),
    lines: z.array(comparedLineSchema),
    added: z.int(),
    removed: z.int(),
    /** Only so much of them was compared, or is shown. */
    isCut: z.boolean(),
  }),
  /** Both are pictures: `preview` shows them. */
  z.strictObject({ kind: z.literal('pictures') }),
  z.strictObject({ kind: z.literal('none'), reason: z.enum([...noPreviewReasons, 'too-different']) }),
]);
export type Comparison = z.infer<typeof comparisonSchema>;

export const browseContract = {
  browse: {
    /** What a folder holds: folders first, then by the order. */
    folder: oc
      .input(
        z.strictObject({
          ...whereSchema.shape,
          path: snapshotPathSchema.default('/'),
          order: z.enum(browseOrders).default('name'),
          descending: z.boolean().default(false),
          cursor: cursorSchema.optional(),
          limit: z.int().min(1).max(1000).default(200),
        }),
      )
      .output(
        z.strictObject({
          destination: idSchema,
          entries: z.array(entrySchema),
          next: cursorSchema.nullable(),
          /** Of the folder itself, not what is below it. */
          total: z.strictObject({ entries: z.int(), folders: z.int(), bytes: count }),
        }),
      ),
    /** One entry; the root has none and throws `snapshot-path-not-found`. */
    info: oc.input(whereSchema).output(z.strictObject({ destination: idSchema, entry: entrySchema })),
    preview: oc
      .input(
        z.strictObject({
          ...whereSchema.shape,
          /** Bytes of a text that are read. */
          textBytes: z
            .int()
            .min(1024)
            .max(1 << 20)
            .default(64 << 10),
          /** A larger picture is not shown. */
          pictureBytes: z
            .int()
            .min(1024)
            .max(16 << 20)
            .default(8 << 20),
        }),
      )
      .output(previewSchema),
    /** Two versions of a file. */
    compare: oc
      .input(
        z.strictObject({
          before: whereSchema,
          after: whereSchema,
          /** Lines around what differs. */
          context: z.int().min(0).max(1000).default(3),
        }),
      )
      .output(comparisonSchema),
  },
};
