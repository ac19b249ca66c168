/**
 * The copy of a profile's settings: a file that every backup takes along, so that plans, destinations and history outlive this computer;
 * on this computer it also replaces a state that was damaged. Secrets are never in it.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { destinationSchema } from '../../contract/destination.ts';
import { planSchema } from '../../contract/plan.ts';
import { runSchema } from '../../contract/run.ts';
import { settingsSchema } from '../../contract/settings.ts';
import type { HostIdentity } from '../../platform/host.ts';
import { capacityCopyOf, capacityCopySchema } from '../capacity/memory.ts';
import { kitsSaved } from '../facts/kits.ts';
import { notedSchema, recallNotes } from '../library/notes.ts';
import type { Profile } from '../profile.ts';
import type { StateStore } from '../state/store.ts';

/** The folder in a profile, and so the end of its path in snapshots. */
export const copyFolderName = 'holdfast-settings';
const fileName = 'settings.json';
/** Runs of the history that go along. */
const keptRuns = 1000;

/** Rows that cannot be read are left out, so that one defect does not cost all. */
const lenient = <T extends z.ZodType>(schema: T) =>
  z.array(z.unknown()).transform((rows) =>
    rows.flatMap((row): z.infer<T>[] => {
      const { success, data } = schema.safeParse(row);
      return success ? [data] : [];
    }),
  );

const copySchema = z.object({
  holdfast: z.literal('settings'),
  version: z.literal(1),
  savedAt: z.number(),
  hostname: z.string(),
  username: z.string(),
  /** The person's home folder there. */
  home: z.string(),
  settings: settingsSchema.catch(settingsSchema.parse({})),
  destinations: lenient(destinationSchema),
  plans: lenient(planSchema),
  /** Newest first. */
  runs: lenient(runSchema),
  /** Of snapshots; copies from before there were any have none. */
  notes: lenient(notedSchema).default([]),
  /** Of repositories whose recovery kit is saved: since when. */
  kits: z.record(z.string(), z.number()).catch({}).default({}),
  /** Sizes of the past, prices and budgets. */
  capacity: capacityCopySchema,
});
export type SettingsCopy = z.infer<typeof copySchema>;

export const copyFolderOf = ({ folder }: Profile): string => join(folder, copyFolderName);

export function copyOf(state: StateStore, { hostname, username }: HostIdentity, home: string, savedAt: number): SettingsCopy {
  return {
    holdfast: 'settings',
    version: 1,
    savedAt,
    hostname,
    username,
    home,
    settings: state.settings(),
    destinations: state.destinations(),
    plans: state.plans(),
    runs: state.runs.list({ limit: keptRuns }).filter(({ ended }) => ended !== null),
    notes: recallNotes(state),
    kits: kitsSaved(state),
    capacity: capacityCopyOf(state),
  };
}

/** The old file or the new one is there, whole, whatever happens. Throws what the system does. */
export function writeCopy(profile: Profile, copy: SettingsCopy): void {
  const file = join(copyFolderOf(profile), fileName);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.tmp`;
  try {
    const fd = openSync(temporary, 'w', 0o600);
    try {
      // Unlike writeSync all of it, or an error.
      writeFileSync(fd, JSON.stringify(copy, undefined, 1));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Undefined when there is none, or none that can be read. */
export function readCopy(profile: Profile): SettingsCopy | undefined {
  try {
    return parseCopy(readFileSync(join(copyFolderOf(profile), fileName)));
  } catch {
    return undefined;
  }
}

/** Undefined for anything else. */
export function parseCopy(bytes: Buffer): SettingsCopy | undefined {
  try {
    return copySchema.safeParse(JSON.parse(bytes.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

/** The path of the file in a snapshot that took `folder` along. */
export const copyPathIn = (folder: string): Buffer => Buffer.from(`${folder}/${fileName}`);
