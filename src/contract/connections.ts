/** A place before it is connected: whether a backup could work there, and what a repository there holds. Nothing of it is remembered. */
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { credentialsSchema, hashSchema, placeSchema } from './destination.ts';
import { recoverableSettingsSchema } from './recovery.ts';
import { errorSchema } from './run.ts';
import { computerSchema } from './snapshots.ts';

const passwordSchema = z.string().min(1, 'must not be empty').max(10_000);

/** What was tried, in order; see engine/test-connection.ts. */
export const testSteps = ['address', 'reach', 'repository', 'create', 'write', 'remove', 'clock', 'password'] as const;

const keyMakerSchema = z.strictObject({ username: z.string(), hostname: z.string(), created: z.string() });

export const connectionReportSchema = z.strictObject({
  /** Without secrets. */
  location: z.string(),
  /** `ready`: a repository is there. `empty`: the place can be used. `missing`: it would have to be made. */
  verdict: z.enum(['ready', 'empty', 'missing', 'unusable']),
  steps: z.array(
    z.strictObject({
      step: z.enum(testSteps),
      result: z.enum(['ok', 'warning', 'failed', 'skipped']),
      /** A sentence in English. */
      detail: z.string(),
      error: errorSchema.nullable(),
    }),
  ),
  error: errorSchema.nullable(),
  repository: z
    .strictObject({
      /** Known once a password has opened it. */
      id: hashSchema.nullable(),
      keys: z.array(keyMakerSchema),
      isOwn: z.boolean().nullable(),
      /** The destination that it is connected as already. */
      destination: z.string().nullable(),
    })
    .nullable(),
  isAppendOnly: z.boolean().nullable(),
  answerMs: z.number().nullable(),
  /** How far the clock there is ahead of this computer's. */
  clockSkewMs: z.number().nullable(),
});
export type ConnectionReport = z.infer<typeof connectionReportSchema>;

export const foundRepositorySchema = z.strictObject({
  repository: hashSchema,
  snapshots: z.int(),
  /** Snapshots that cannot be read. */
  damaged: z.int(),
  /** Those with the newest snapshots first. */
  computers: z.array(z.strictObject({ ...computerSchema.shape, paths: z.array(z.string()) })),
  /** Settings that can be taken over once it is connected, newest first. */
  settings: z.array(recoverableSettingsSchema),
  keys: z.array(keyMakerSchema),
});
export type FoundRepository = z.infer<typeof foundRepositorySchema>;

export const connectionsContract = {
  connections: {
    /** Leaves nothing behind. What is wrong is in the report; only a malformed request throws. */
    test: oc
      .input(
        z.strictObject({
          place: placeSchema,
          credentials: credentialsSchema.default({}),
          password: passwordSchema.optional(),
          /** Whether writing is tried where a repository is. */
          write: z.boolean().default(true),
          /** Whether the place is made, and written to, where it is not there yet. */
          create: z.boolean().default(false),
        }),
      )
      .output(connectionReportSchema),
    /** Opens the repository there and says what it holds. Throws what opening throws, such as `wrong-password`. */
    look: oc
      .input(z.strictObject({ place: placeSchema, credentials: credentialsSchema.default({}), password: passwordSchema }))
      .output(foundRepositorySchema),
  },
};
