/** Settings that a repository holds, and that come back from there. */
import { z } from 'zod';

export const recoverableSettingsSchema = z.strictObject({
  snapshot: z.string(),
  savedAt: z.number(),
  hostname: z.string(),
  username: z.string(),
  /** Names. */
  plans: z.array(z.string()),
  destinations: z.array(z.string()),
});
export type RecoverableSettings = z.infer<typeof recoverableSettingsSchema>;
