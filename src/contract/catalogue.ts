/**
 * The catalogue: what every known snapshot on every destination holds, answered at once and without the destination.
 *
 * - It is built from the repositories, newest snapshots first, and may lack some for a while: `state` says how far it is. What it does not
 *   know yet is answered with the error `not-catalogued`, and can be read from the repository itself meanwhile.
 * - Lists come in pages. `next` is given back as `cursor` with the same request; null is the end. A page may hold fewer than `limit`, even
 *   none, and still have a next one: then looking took long, and goes on with the next page.
 * - Paths are those within snapshots: `/home/me/a.txt`, `/C/Users/me/a.txt`; see paths.ts.
 * - One *snapshot* may lie on several destinations. It is told by its key; it is named by that, or by any of its IDs (snapshots.ts).
 *   Destinations that cut files in other places (`sharesBlobs`) are told apart as if they held other snapshots: nobody knows whether they do.
 * - Times are milliseconds since 1970 (UTC); times of files also in nanoseconds, as decimal text.
 */
import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { hashSchema, idSchema } from './destination.ts';
import { pathSchema, snapshotPathSchema } from './paths.ts';
import { entryTypes } from './snapshots.ts';

/** Longer than others: it may hold a path. */
const cursorSchema = z.string().max(200_000);
/** Of a request for a page. */
const paged = { cursor: cursorSchema.optional(), limit: z.int().min(1).max(1000).default(200) };
/** Of its answer. */
const pageEnd = { next: cursorSchema.nullable() };

const entryTypeSchema = z.enum(entryTypes);

/** What is known of one version of an entry. */
const factsSchema = z.strictObject({
  type: entryTypeSchema,
  /** Bytes; 0 for what is no file. */
  size: z.number(),
  /** When its content was last changed. */
  changed: z.number(),
  changedNs: z.string(),
  /** Permissions with setuid, setgid and sticky: the lowest 12 bits of st_mode. */
  mode: z.int(),
});
export type EntryFactsView = z.infer<typeof factsSchema>;

/** How much lies in a folder, at any depth, at the time of one snapshot. */
const totalsSchema = z.strictObject({ files: z.number(), folders: z.number(), bytes: z.number() });

/** An entry of a folder in one snapshot. */
export const catalogueEntrySchema = z.strictObject({
  path: pathSchema,
  name: pathSchema,
  ...factsSchema.shape,
  /** Of a folder; null where some of it could not be read. */
  total: totalsSchema.nullable().optional(),
});
export type CatalogueEntry = z.infer<typeof catalogueEntrySchema>;

/** Where a snapshot lies: on which destination, under which ID. */
const holderSchema = z.strictObject({ destination: idSchema, snapshot: hashSchema });
export type SnapshotHolder = z.infer<typeof holderSchema>;

/** A snapshot, however many destinations hold it. */
export const catalogueSnapshotSchema = z.strictObject({
  /** Its key. */
  snapshot: hashSchema,
  at: z.number(),
  /** As it is stored: RFC 3339. */
  time: z.string(),
  /** The plan that made it, which may be gone or another computer's; null: made without one. */
  plan: idSchema.nullable(),
  host: z.string(),
  paths: z.array(z.string()),
  holders: z.array(holderSchema),
  total: totalsSchema,
  /** Folders of it that could not be read: the catalogue does not know what is in them. */
  problems: z.int().nonnegative(),
});
export type CatalogueSnapshot = z.infer<typeof catalogueSnapshotSchema>;

/** A snapshot in short, for the ends of a span of them. */
const momentSchema = z.strictObject({ snapshot: hashSchema, at: z.number() });

/** How many of some snapshots a destination holds, and the newest of them there. */
const coverageSchema = z.strictObject({
  destination: idSchema,
  snapshots: z.int().positive(),
  newest: momentSchema,
});
export type Coverage = z.infer<typeof coverageSchema>;

/** Which snapshots hold something. */
const spanSchema = z.strictObject({
  plan: idSchema.nullable(),
  host: z.string(),
  first: momentSchema,
  last: momentSchema,
  snapshots: z.int().positive(),
  /** Those destinations that hold at least one of them. */
  destinations: z.array(coverageSchema),
  /** Whether the newest snapshot of its plan (or of its host and paths) still holds it. */
  isCurrent: z.boolean(),
});

export const pathVersionSchema = z.strictObject({
  /** Names it in `holding`, for as long as the catalogue stays as it is. */
  version: z.string(),
  ...factsSchema.shape,
  ...spanSchema.shape,
});
export type PathVersion = z.infer<typeof pathVersionSchema>;

export const searchHitSchema = z.strictObject({
  path: pathSchema,
  name: z.string(),
  /** The newest version among those that were looked for. */
  ...factsSchema.shape,
  /** How many versions are what was looked for. */
  versions: z.int().positive(),
  ...spanSchema.shape,
});
export type SearchHit = z.infer<typeof searchHitSchema>;

const changeKinds = ['added', 'removed', 'content', 'type', 'metadata'] as const;
export const catalogueChangeSchema = z.strictObject({
  kind: z.enum(changeKinds),
  path: pathSchema,
  /** Null for what was added. */
  before: factsSchema.nullable(),
  /** Null for what was removed. */
  after: factsSchema.nullable(),
});
export type CatalogueChange = z.infer<typeof catalogueChangeSchema>;

/** How far the catalogue is with one destination. */
export const catalogueProgressSchema = z.strictObject({
  destination: idSchema,
  /**
   * - *unknown*: nothing was asked of it since it was connected;
   * - *building*: it is being read now;
   * - *waiting*: for others, or for the destination to be there;
   * - *complete*: it was, when it was looked at last;
   * - *failed*: see `problem`; it is tried again after the next run.
   */
  state: z.enum(['unknown', 'building', 'waiting', 'complete', 'failed']),
  /** Snapshots in the catalogue, and those that there are. */
  snapshots: z.int().nonnegative(),
  totalSnapshots: z.int().nonnegative(),
  /** Of the snapshot that is being read: entries so far. */
  entries: z.number(),
  checkedAt: z.number().nullable(),
  problem: z.strictObject({ code: z.string(), message: z.string(), guidance: z.string() }).nullable(),
});
export type CatalogueProgress = z.infer<typeof catalogueProgressSchema>;

export const catalogueStateSchema = z.strictObject({
  destinations: z.array(catalogueProgressSchema),
  /** Of its file, in bytes. */
  bytes: z.number(),
});
export type CatalogueState = z.infer<typeof catalogueStateSchema>;

/** Why a plan does, or does not, protect a path. */
const ruleSchema = z.discriminatedUnion('rule', [
  /** It is in a source and nothing leaves it out. */
  z.strictObject({ rule: z.literal('source'), source: z.string() }),
  /** A folder above some of the plan's sources, which protect a part of it. */
  z.strictObject({ rule: z.literal('above'), sources: z.array(z.string()) }),
  z.strictObject({ rule: z.literal('outside') }),
  /** `by`: the pattern, preset or option; `at`: what it leaves out, the path itself or a folder above it. */
  z.strictObject({ rule: z.literal('excluded'), source: z.string(), by: z.string(), at: z.string() }),
]);

export const protectionSchema = z.strictObject({
  path: pathSchema,
  /**
   * - *yes*: a plan that is switched on takes it, and a destination holds it;
   * - *partly*: only a part of a folder is; or no destination holds it yet; or all its plans are switched off, though there are copies.
   */
  answer: z.enum(['yes', 'partly', 'no']),
  plans: z.array(
    z.strictObject({
      plan: idSchema,
      name: z.string(),
      isEnabled: z.boolean(),
      because: ruleSchema,
      /** Of the plan's destinations: the newest snapshot there that holds the path; null: none does. */
      copies: z.array(
        z.strictObject({
          destination: idSchema,
          name: z.string(),
          newest: z.strictObject({ ...momentSchema.shape, ...factsSchema.shape }).nullable(),
          /** Whether the catalogue knows all that is there. */
          isKnown: z.boolean(),
        }),
      ),
    }),
  ),
  /** Copies in snapshots that none of the plans made. */
  others: z.array(z.strictObject({ plan: idSchema.nullable(), host: z.string(), destinations: z.array(coverageSchema) })),
});
export type Protection = z.infer<typeof protectionSchema>;

/** Which snapshots are looked at; default: all. */
const whichSnapshots = { plan: idSchema.optional(), destination: idSchema.optional() };

export const catalogueContract = {
  state: oc.output(catalogueStateSchema),
  /** The state now, and whenever it has changed. */
  watch: oc.output(eventIterator(catalogueStateSchema)),
  /** Looks at a destination, or all that are there, for snapshots that others made or removed; returns at once. */
  refresh: oc.input(z.strictObject({ destination: idSchema.optional() })).output(z.void()),
  /** Compares the catalogue with a repository, snapshot by snapshot; what differs is built anew. Takes as long as reading all folders does. */
  check: oc.input(z.strictObject({ destination: idSchema })).output(z.strictObject({ snapshots: z.int(), wrong: z.array(hashSchema) })),

  /** Newest first. */
  snapshots: oc
    .input(z.strictObject({ ...whichSnapshots, from: z.number().optional(), until: z.number().optional(), ...paged }))
    .output(z.strictObject({ snapshots: z.array(catalogueSnapshotSchema), ...pageEnd })),

  /** What lies in a folder of a snapshot, by name; of a path that is no folder, itself. Throws `not-catalogued`, `snapshot-path-not-found`. */
  folder: oc
    .input(
      z.strictObject({
        snapshot: hashSchema,
        path: snapshotPathSchema,
        /** `name`: by the bytes of names; `folders-first`: so, but folders before all else. */
        order: z.enum(['name', 'folders-first']).default('name'),
        ...paged,
      }),
    )
    .output(z.strictObject({ entries: z.array(catalogueEntrySchema), ...pageEnd })),

  /** The entry itself, and when its folder is known, its totals. Throws `not-catalogued`, `snapshot-path-not-found`. */
  entry: oc.input(z.strictObject({ snapshot: hashSchema, path: snapshotPathSchema })).output(catalogueEntrySchema),

  /** All versions of a path, newest first by the last snapshot that holds each. */
  versions: oc
    .input(z.strictObject({ path: snapshotPathSchema, ...whichSnapshots, ...paged }))
    .output(z.strictObject({ versions: z.array(pathVersionSchema), ...pageEnd })),

  /** The snapshots that hold a path, or one version of it, newest first, with the destinations where each lies. */
  holding: oc
    .input(z.strictObject({ path: snapshotPathSchema, version: z.string().max(200).optional(), ...whichSnapshots, ...paged }))
    .output(z.strictObject({ snapshots: z.array(catalogueSnapshotSchema), ...pageEnd })),

  /** Entries of some name, whatever the snapshot. Each path comes once for each plan (or host and paths) that has it. */
  search: oc
    .input(
      z.strictObject({
        /** A part of the name; with `*` or `?` a pattern for the whole name. Upper and lower case are the same. */
        text: z.string().min(1, 'must not be empty').max(1000),
        /** What the text is; default: as it looks. */
        as: z.enum(['part', 'pattern']).optional(),
        ...whichSnapshots,
        /** Only what lies in this folder, at any depth. */
        within: snapshotPathSchema.optional(),
        types: z.array(entryTypeSchema).min(1).optional(),
        /** Bytes; when one is given nothing but files is found. */
        minSize: z.number().nonnegative().optional(),
        maxSize: z.number().nonnegative().optional(),
        /** When the file itself was changed last: not before, and not after. */
        changedFrom: z.number().optional(),
        changedUntil: z.number().optional(),
        /** When the snapshots were made: not before, and not after. */
        from: z.number().optional(),
        until: z.number().optional(),
        ...paged,
      }),
    )
    .output(z.strictObject({ hits: z.array(searchHitSchema), ...pageEnd })),

  /** What takes the space in a folder of a snapshot: its entries with all that is in them, largest first. Throws as `folder`. */
  usage: oc.input(z.strictObject({ snapshot: hashSchema, path: snapshotPathSchema, ...paged })).output(
    z.strictObject({
      total: totalsSchema.nullable(),
      entries: z.array(catalogueEntrySchema),
      ...pageEnd,
    }),
  ),

  /**
   * What differs between two snapshots, in the order of paths; of a folder that was added or removed also all that is in it.
   * Throws `not-catalogued`.
   */
  changes: oc

    .input(
      z.strictObject({
        before: hashSchema,
        after: hashSchema,
        path: snapshotPathSchema.optional(),
        /** Also what changed in nothing but its properties. */
        metadata: z.boolean().default(false),
        ...paged,
      }),
    )
    .output(z.strictObject({ changes: z.array(catalogueChangeSchema), ...pageEnd })),

  /** Is this path protected? By which plan and rule, and since when is the newest copy on each destination? */
  protected: oc.input(z.strictObject({ path: snapshotPathSchema })).output(protectionSchema),
};
