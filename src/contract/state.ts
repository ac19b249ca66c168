/** What a client shows, and the events that keep it right. */
import { z } from 'zod';
import { destinationViewSchema, idSchema } from './destination.ts';
import { planSchema } from './plan.ts';
import { errorSchema, progressSchema, runSchema } from './run.ts';
import { settingsSchema } from './settings.ts';

/** Until when nothing starts by itself; null: until somebody resumes. */
export const pauseSchema = z.strictObject({ since: z.number(), until: z.number().nullable() });
export type Pause = z.infer<typeof pauseSchema>;

/** When a plan runs next, and what it waits for. Times are milliseconds since 1970 (UTC). */
export const planStateSchema = z.strictObject({
  plan: idSchema,
  /** Null: not by a time. */
  nextDue: z.number().nullable(),
  /** Why the run that is wanted has not begun, or is held; null when nothing is wanted. */
  waitsFor: z
    .strictObject({ by: z.enum(['pause', 'window', 'battery', 'metered', 'drive', 'delay', 'busy']), until: z.number().nullable() })
    .nullable(),
  /** What keeps its sources from being watched as they should be; it runs at its times all the same. */
  watchNotes: z.array(
    z.discriminatedUnion('kind', [
      /** Folders that are watched, and those that are only looked at now and then, since the system allows no more than `limit`. */
      z.strictObject({ kind: z.literal('limit'), watched: z.number(), polled: z.number(), limit: z.number().nullable() }),
      /** Others may change files there without this computer's knowledge. */
      z.strictObject({ kind: z.literal('file-system'), path: z.string(), type: z.string() }),
      z.strictObject({ kind: z.literal('missing'), path: z.string() }),
      /** A look at everything showed that changes in `count` folders had gone unnoticed; some of them. Runs trust no watch until that is over. */
      z.strictObject({ kind: z.literal('missed'), at: z.number(), count: z.number(), folders: z.array(z.string()) }),
    ]),
  ),
  /** By destination: when its newest snapshot of this plan was made. */
  lastSuccess: z.record(z.string(), z.number()),
  /** Another destination than the primary is in use: since the run at work or the newest one, until the primary has answered again. */
  standIn: z
    .strictObject({
      destination: idSchema,
      insteadOf: idSchema,
      since: z.number(),
      run: z.int().positive(),
      /** Why the other one could not be used. */
      error: errorSchema,
    })
    .optional(),
});
export type PlanState = z.infer<typeof planStateSchema>;

/** Something that needs the person. */
export const alarmSchema = z.strictObject({
  /** One for each problem, however long it lasts. */
  key: z.string(),
  kind: z.string(),
  plan: idSchema.nullable(),
  destination: idSchema.nullable(),
  since: z.number(),
  message: z.string(),
  guidance: z.string(),
});
export type Alarm = z.infer<typeof alarmSchema>;

/**
 * Of an alarm: it is new; it is still there a day later; it is no more. *withdrawn*: nobody looks for it any more, so that nobody need be
 * told. Whoever shows it to a person does so once for each.
 */
export interface Notice {
  readonly what: 'raised' | 'repeated' | 'solved' | 'withdrawn';
  readonly alarm: Alarm;
}

/** Everything but history. */
export const stateSchema = z.strictObject({
  plans: z.array(planSchema),
  planStates: z.array(planStateSchema),
  destinations: z.array(destinationViewSchema),
  settings: settingsSchema,
  pause: pauseSchema.nullable(),
  /** Those that have not ended. */
  runs: z.array(runSchema),
  progress: z.array(progressSchema),
  alarms: z.array(alarmSchema),
});
export type State = z.infer<typeof stateSchema>;

/**
 * `state` comes first, and again whenever a client may have missed something; it replaces all that the client knows. The
 * others replace what they name.
 */
export const eventSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('state'), state: stateSchema }),
  z.strictObject({ type: z.literal('plan'), plan: planSchema }),
  z.strictObject({ type: z.literal('plan-removed'), id: idSchema }),
  z.strictObject({ type: z.literal('plan-state'), state: planStateSchema }),
  z.strictObject({ type: z.literal('destination'), destination: destinationViewSchema }),
  z.strictObject({ type: z.literal('destination-removed'), id: idSchema }),
  z.strictObject({ type: z.literal('settings'), settings: settingsSchema }),
  z.strictObject({ type: z.literal('pause'), pause: pauseSchema.nullable() }),
  z.strictObject({ type: z.literal('run'), run: runSchema }),
  z.strictObject({ type: z.literal('progress'), progress: progressSchema }),
  z.strictObject({ type: z.literal('alarms'), alarms: z.array(alarmSchema) }),
]);
export type ServiceEvent = z.infer<typeof eventSchema>;

/** `id` is given back after a broken connection, to go on from there. */
export const numberedEventSchema = z.strictObject({ id: z.string(), event: eventSchema });
export type NumberedEvent = z.infer<typeof numberedEventSchema>;
