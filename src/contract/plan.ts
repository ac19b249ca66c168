/** Plans: what is protected, where to, when, and how long it is kept. */
import { z } from 'zod';
import { idSchema, nameSchema } from './destination.ts';
import { scheduleSchema, timesSchema } from './schedule.ts';

/** A path from the root of its system, on POSIX or on Windows. */
export const absolutePathSchema = z
  .string()
  .max(32_768, 'is too long')
  .regex(/^(\/|[A-Za-z]:[\\/]|\\\\)[^\0]*$/, 'must be a path from the root');

export const sourceSchema = z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('folder'), path: absolutePathSchema })]);

const patternSchema = z.string().min(1, 'must not be empty').max(4096);

/** As the options of `backup` have them. */
export const excludesSchema = z.strictObject({
  presets: z.array(z.string().max(100)).max(100).default([]),
  patterns: z.array(patternSchema).max(10_000).default([]),
  patternsIgnoringCase: z.array(patternSchema).max(10_000).default([]),
  ifPresent: z.array(patternSchema).max(100).default([]),
  caches: z.boolean().default(false),
  /** Bytes. */
  largerThan: z.int().positive().nullable().default(null),
  oneFileSystem: z.boolean().default(false),
});

/** 0: the rule does not exist; −1: no limit. */
const countSchema = z.int().min(-1).max(1_000_000).default(0);

/** Which snapshots are kept, as the options of `forget` have them. All rules absent: all are kept. */
export const retentionSchema = z.strictObject({
  last: countSchema,
  hourly: countSchema,
  daily: countSchema,
  weekly: countSchema,
  monthly: countSchema,
  yearly: countSchema,
  /** As restic writes durations: `2y5m7d3h`. */
  within: z
    .string()
    .regex(/^(?=.)(\d+y)?(\d+m)?(\d+d)?(\d+h)?$/, 'is no duration such as 2y5m7d3h')
    .nullable()
    .default(null),
});
export type Retention = z.infer<typeof retentionSchema>;

export const targetsSchema = z.strictObject({
  /** Minutes: how old the newest restorable snapshot may be. */
  rpoMinutes: z.int().min(5).max(525_600).default(2880),
  /** Minutes that a full restore may take; null: as long as it takes. */
  rtoMinutes: z.int().min(1).max(525_600).nullable().default(null),
});

/**
 * - *primary*: where runs go;
 * - *standby*: takes over when those before it cannot be reached;
 * - *copy*: is given what the others have.
 */
export const roles = ['primary', 'standby', 'copy'] as const;

const planDestinationSchema = z.strictObject({
  destination: idSchema,
  role: z.enum(roles),
  /** Which of the plan's snapshots are kept there. Absent: as on the plan's other destinations. */
  retention: retentionSchema.optional(),
  /** When a copy is given what it lacks. Absent: after each run. */
  schedule: timesSchema.optional(),
});
export type PlanDestination = z.infer<typeof planDestinationSchema>;

/** In another role: only a copy has times of its own. */
export function inRole({ schedule, ...rest }: PlanDestination, role: PlanDestination['role']): PlanDestination {
  return role === 'copy' && schedule ? { ...rest, role, schedule } : { ...rest, role };
}

/** What a plan keeps on one of its destinations. */
export const retentionOn = ({ destinations, retention }: Pick<Plan, 'destinations' | 'retention'>, id: string): Retention =>
  destinations.find(({ destination }) => destination === id)?.retention ?? retention;

const planFields = z.strictObject({
  name: nameSchema,
  sources: z.array(sourceSchema).min(1, 'must name at least one source').max(1000),
  /** In the order in which standbys take over. */
  destinations: z.array(planDestinationSchema).min(1, 'must name at least one destination').max(50),
  schedule: scheduleSchema,
  excludes: excludesSchema.default(excludesSchema.parse({})),
  retention: retentionSchema.default(retentionSchema.parse({})),
  targets: targetsSchema.default(targetsSchema.parse({})),
  /** While no destination can be used, snapshots go to Holdfast's own folder on this computer, and from there to one that is back. */
  onThisComputer: z.boolean().optional(),
  enabled: z.boolean().default(true),
});

/** What a person says. */
export const planInputSchema = planFields.check(({ value, issues }) => {
  const add = (path: string, message: string): void => void issues.push({ code: 'custom', input: value, path: [path], message });
  const primaries = value.destinations.filter(({ role }) => role === 'primary').length;
  if (primaries !== 1) add('destinations', 'must name one primary destination');
  if (value.destinations.some(({ role, schedule }) => schedule && role !== 'copy'))
    add('destinations', 'gives times to one that is no copy: the others go with the runs of the plan');
  if (new Set(value.destinations.map(({ destination }) => destination)).size !== value.destinations.length)
    add('destinations', 'names one destination twice');
  if (new Set(value.sources.map(({ path }) => path)).size !== value.sources.length) add('sources', 'names one folder twice');
});
export type PlanInput = z.infer<typeof planInputSchema>;
/** Before defaults are filled in. */
export type PlanRequest = z.input<typeof planInputSchema>;

export const planSchema = z.strictObject({ id: idSchema, ...planFields.shape });
export type Plan = z.infer<typeof planSchema>;

/** Plans as a file, to take them to another computer. Destinations are named by repository: their secrets stay here. */
export const planFileSchema = z.strictObject({
  holdfast: z.literal('plans'),
  version: z.literal(1),
  destinations: z.array(z.strictObject({ id: idSchema, name: nameSchema, place: z.string(), repository: z.string() })),
  plans: z.array(planInputSchema),
});
export type PlanFile = z.infer<typeof planFileSchema>;
