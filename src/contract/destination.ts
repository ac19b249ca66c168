/** Destinations: where backups go. */
import { z } from 'zod';

export const idSchema = z.string().regex(/^[0-9a-z][0-9a-z-]{0,63}$/, 'is no ID');

/** The ID of the destination in Holdfast's own folder, which is made when a plan needs it that may use it. */
export const thisComputer = 'this-computer';

/** The ID of a repository or of a snapshot: 64 hexadecimal digits. */
export const hashSchema = z.string().regex(/^[0-9a-f]{64}$/, 'is no ID of 64 hexadecimal digits');

/** Text that a person reads in a list: one line. */
export const nameSchema = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(200, 'is too long')
  .regex(/^\P{Cc}*$/u, 'must be one line of text');

/** A place as `--repo` takes it: an absolute folder, `s3:…`, `sftp:…` and so on. Never with a password in it. */
export const placeSchema = z
  .string()
  .min(1, 'must not be empty')
  .max(4096, 'is too long')
  .regex(/^[^\0]*$/, 'holds a NUL');

/** Where a folder lies, however its drive is mounted. */
export const volumePlaceSchema = z.strictObject({
  /** Of the file system, as its kind writes it. */
  uuid: z.string().min(1).max(200),
  /** Below the volume's root, with `/`; '' for the root. */
  pathWithin: z.string().max(4096),
});
export type VolumePlace = z.infer<typeof volumePlaceSchema>;

export const destinationSchema = z.strictObject({
  id: idSchema,
  name: nameSchema,
  place: placeSchema,
  /** Of a folder on a drive that can be unplugged: what it is recognised by, together with the repository's ID. */
  volume: volumePlaceSchema.optional(),
  repository: hashSchema,
  /** How the repository cuts files (hex): those with the same polynomial share what they hold. */
  polynomial: z.string().regex(/^[0-9a-f]+$/),
  /** Whether the drive is ejected when a run has ended. */
  ejectAfterRun: z.boolean().default(false),
});
export type Destination = z.infer<typeof destinationSchema>;

/** Credentials by the names that the environment has for them (`AWS_SECRET_ACCESS_KEY`); they go to the keychain, and never come back. */
export const credentialsSchema = z.record(z.string().regex(/^[A-Z][A-Z0-9_]{0,99}$/, 'is no name of a credential'), z.string().max(16_384));

/** What a person says to connect a place. */
export const connectionSchema = z.strictObject({
  name: nameSchema.optional(),
  place: placeSchema,
  password: z.string().min(1, 'must not be empty').max(10_000),
  credentials: credentialsSchema.default({}),
  /** Whether a repository is made where there is none. */
  create: z.boolean().default(false),
  ejectAfterRun: z.boolean().default(false),
});
export type Connection = z.input<typeof connectionSchema>;

/** How a destination is, as far as is known now. */
export const destinationStateSchema = z.discriminatedUnion('state', [
  /** Nothing has been asked of it since the service began. */
  z.strictObject({ state: z.literal('unknown') }),
  z.strictObject({ state: z.literal('connected'), at: z.number(), freeBytes: z.number().optional() }),
  /** A drive that is somewhere else: no error. */
  z.strictObject({ state: z.literal('not-plugged-in'), since: z.number() }),
  z.strictObject({ state: z.literal('failing'), since: z.number(), code: z.string(), message: z.string(), guidance: z.string() }),
]);
export type DestinationState = z.infer<typeof destinationStateSchema>;

export const destinationViewSchema = z.strictObject({
  ...destinationSchema.shape,
  /** Whether it cuts files as the first destination does: only then do copies between them move just what is missing. */
  sharesBlobs: z.boolean(),
  now: destinationStateSchema,
});
export type DestinationView = z.infer<typeof destinationViewSchema>;
