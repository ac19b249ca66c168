/** Drives that are mounted, to choose a destination from. */
import { z } from 'zod';

export const driveSchema = z.strictObject({
  mountPoint: z.string(),
  /** The label that a person gave it; '' for none. */
  name: z.string(),
  fileSystem: z.string(),
  uuid: z.string().nullable(),
  /** The folder of the volume that is mounted: `/` for all of it. */
  root: z.string(),
  /** Bytes; null where nobody asks, as of a network share. */
  space: z.strictObject({ capacityBytes: z.number(), freeBytes: z.number() }).nullable(),
  isRemovable: z.boolean(),
  isReadOnly: z.boolean(),
  isNetwork: z.boolean(),
});
export type MountedDrive = z.infer<typeof driveSchema>;
