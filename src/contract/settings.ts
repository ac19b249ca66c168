/** Settings of a profile: what holds for all plans on this computer. */
import { z } from 'zod';

/** Bytes a second by direction, as `--limit-upload` takes them: `500K`, or `08:00-18:00=500K,2M`; null: no limit. */
const rateSchema = z.string().max(500).nullable();

export const settingsSchema = z.strictObject({
  limitUpload: rateSchema.default(null),
  limitDownload: rateSchema.default(null),
  /** Worker threads of a run; null: one for each core. */
  threads: z.int().min(1).max(256).nullable().default(null),
  /** Whether runs yield to everything else that the computer does. */
  gentle: z.boolean().default(true),
  notifications: z.boolean().default(true),
  language: z.enum(['system', 'en', 'zh-CN']).default('system'),
  theme: z.enum(['system', 'light', 'dark']).default('system'),
  /** Days for which runs, with their logs, are kept at least. */
  keepRunsDays: z.int().min(7).max(36_500).default(400),
});
export type Settings = z.infer<typeof settingsSchema>;

/** What is changed; the rest stays. */
export const settingsChangeSchema = z.strictObject(
  Object.fromEntries(Object.entries(settingsSchema.shape).map(([name, schema]) => [name, schema.removeDefault().optional()])) as {
    [K in keyof typeof settingsSchema.shape]: z.ZodOptional<ReturnType<(typeof settingsSchema.shape)[K]['removeDefault']>>;
  },
);
export type SettingsChange = z.infer<typeof settingsChangeSchema>;
