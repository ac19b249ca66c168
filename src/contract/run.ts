/** Runs: one execution of a job each. */
import { z } from 'zod';
import { idSchema } from './destination.ts';
import { scanReportSchema } from './scan.ts';
import { strategies } from './schedule.ts';

export const runKinds = ['backup', 'copy', 'check', 'prune', 'forget', 'drill', 'restore', 'undo', 'move', 'heal'] as const;

/**
 * - *waiting*: for its destination, which serves another run;
 * - *interrupted*: its process ended without it; what was stored is kept, and the run is started again;
 * - *skipped*: it did not begin, for the reason that it names.
 */
export const runStatuses = [
  'waiting',
  'running',
  'paused',
  'succeeded',
  'completed-with-warnings',
  'failed',
  'cancelled',
  'interrupted',
  'skipped',
] as const;
export type RunStatus = (typeof runStatuses)[number];

const finalStatuses: ReadonlySet<RunStatus> = new Set([
  'succeeded',
  'completed-with-warnings',
  'failed',
  'cancelled',
  'interrupted',
  'skipped',
]);
export const isFinal = (status: RunStatus): boolean => finalStatuses.has(status);

/** What made it begin. */
export const runCauses = ['person', 'schedule', 'caught-up', 'changes', 'drive-arrived', 'login', 'retry', 'resumed', 'damage'] as const;

/** Why a run was skipped or ended as it did, where an error does not say it. */
export const skipReasons = ['not-plugged-in', 'on-battery', 'metered-network', 'at-work', 'clock-set-back'] as const;

/** An error as it crosses processes; see errors.ts. */
export const errorSchema = z.object({
  code: z.string(),
  message: z.string(),
  guidance: z.string(),
  context: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])),
  retryable: z.boolean(),
});
export type RunError = z.infer<typeof errorSchema>;

/** A destination could not be used, or failed for good, and the next one of the plan took the run over. */
const takeoverSchema = z.strictObject({
  from: idSchema,
  to: idSchema,
  /** As they were called then. */
  fromName: z.string(),
  toName: z.string(),
  at: z.number(),
  error: errorSchema,
});
export type Takeover = z.infer<typeof takeoverSchema>;

/** Sizes in bytes. */
export const figuresSchema = z.strictObject({
  files: z.number(),
  bytes: z.number(),
  filesNew: z.number(),
  filesChanged: z.number(),
  filesUnchanged: z.number(),
  /** Read because new or changed, before what the repository had already is left out. */
  bytesAdded: z.number(),
  /** What the destination holds more after it. */
  bytesStored: z.number(),
  /** Of a copy: snapshots that the destination holds more after it. */
  copied: z.int().nonnegative().optional(),
  /** Runs of earlier versions have none. */
  scan: scanReportSchema.optional(),
});
export type RunFigures = z.infer<typeof figuresSchema>;

/** Times are milliseconds since 1970 (UTC). */
export const runSchema = z.strictObject({
  id: z.int().positive(),
  kind: z.enum(runKinds),
  plan: idSchema.nullable(),
  /** The one in use: another than at first when a standby took over. */
  destination: idSchema.nullable(),
  /** As they were called when it began: either may be gone by now. */
  planName: z.string(),
  destinationName: z.string(),
  cause: z.enum(runCauses),
  strategy: z.enum(strategies).nullable(),
  status: z.enum(runStatuses),
  reason: z.enum(skipReasons).nullable(),
  /** Which try this is: 1 for the first. */
  attempt: z.int().positive(),
  created: z.number(),
  started: z.number().nullable(),
  ended: z.number().nullable(),
  snapshot: z.string().nullable(),
  figures: figuresSchema.nullable(),
  error: errorSchema.nullable(),
  /** Files that could not be read. */
  problems: z.int().nonnegative(),
  /** In their order; absent when there was none. */
  takeovers: z.array(takeoverSchema).optional(),
});
export type Run = z.infer<typeof runSchema>;

/** What is known of a run at work; not stored. */
export const progressSchema = z.strictObject({
  run: z.int().positive(),
  phase: z.string(),
  items: z.number(),
  bytes: z.number(),
  totalItems: z.number().optional(),
  totalBytes: z.number().optional(),
  /** Of the last seconds. */
  bytesPerSecond: z.number().optional(),
  /** Estimated. */
  secondsLeft: z.number().optional(),
  /** What is being worked on, as a person reads it; mostly a file. */
  path: z.string().optional(),
});
export type RunProgress = z.infer<typeof progressSchema>;

export const logLevels = ['info', 'warning', 'error'] as const;
export const logLineSchema = z.strictObject({
  at: z.number(),
  level: z.enum(logLevels),
  text: z.string(),
});
export type LogLine = z.infer<typeof logLineSchema>;

/** A file that is not, or perhaps not consistently, in the snapshot. */
export const runProblemSchema = z.strictObject({ path: z.string(), code: z.string(), message: z.string() });
export type RunProblem = z.infer<typeof runProblemSchema>;
