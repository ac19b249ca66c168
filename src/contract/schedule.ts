/**
 * When a plan runs, and how: the data of a schedule.
 *
 * - A *trigger* asks for a run: a time, a change, a drive, a login. A plan has any number; with none it runs only when told to.
 * - The *strategy mix* says how often a run is full and how often differential; all others are `otherwise`.
 * - The *backup window* is when runs may work; without one that is always. A run that does not end in it pauses.
 * - *Conditions* hold a run back while the computer is on battery or on a network that costs by the byte.
 * - Times of day are those of the *zone*: the computer's, wherever it travels, or a fixed one.
 *
 * The rules that these data follow (summer time, missed runs, clocks that are set) are in src/service/schedule. The texts here are
 * what a person reads who wrote a schedule by hand. A cron expression is only looked at from afar, since reading it takes a library:
 * `checkSchedule` in src/service/schedule/cron.ts does the rest.
 */
import { z } from 'zod';

export const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

const weekdaySchema = z.enum(weekdays, { error: `A day of the week is one of ${weekdays.join(', ')}.` });

const whole = (what: string, least: number, most: number) => {
  const error = `${what} is a whole number from ${least} to ${most}.`;
  return z.int({ error }).min(least, { error }).max(most, { error });
};

const severalDifferent = <T extends z.ZodType>(what: string, item: T, most: number) =>
  z
    .array(item, { error: `${what}: give a list.` })
    .min(1, { error: `${what}: give at least one.` })
    .max(most, { error: `${what}: give ${most} at most.` })
    .refine((list) => new Set(list).size === list.length, { error: `${what}: one is given twice.` });

const timePattern = /^(?:[01]\d|2[0-3]):[0-5]\d$/;
const timeOfDay = z
  .string({ error: 'A time of day is written HH:MM, for example 08:30.' })
  .regex(timePattern, { error: 'A time of day is written HH:MM, from 00:00 to 23:59.' });

/** Every so many minutes, counted from midnight where they divide a day, else from 1970. */
const intervalTrigger = z.strictObject({
  kind: z.literal('interval'),
  minutes: whole('The number of minutes between runs', 1, 10_080),
});

const dailyTrigger = z.strictObject({ kind: z.literal('daily'), at: timeOfDay });

const weeklyTrigger = z.strictObject({
  kind: z.literal('weekly'),
  days: severalDifferent('The days of the week', weekdaySchema, 7),
  at: timeOfDay,
});

const dayError = 'A day of the month is a number from 1 to 31, or “last”.';

/** A month without such a day has its run on its last day. */
const monthlyTrigger = z.strictObject({
  kind: z.literal('monthly'),
  days: severalDifferent(
    'The days of the month',
    z.custom<number | 'last'>((day) => day === 'last' || (Number.isInteger(day) && Number(day) >= 1 && Number(day) <= 31), {
      error: dayError,
    }),
    32,
  ),
  at: timeOfDay,
});

/** Minute, hour, day of the month, month, day of the week. */
const cronTrigger = z.strictObject({
  kind: z.literal('cron'),
  expression: z
    .string({ error: 'A cron expression is a text, for example “30 2 * * *”.' })
    .max(200, { error: 'A cron expression has 200 characters at most.' })
    .regex(/^\s*(?:[\w*/,#?+-]+\s+){4}[\w*/,#?+-]+\s*$/, {
      error: 'A cron expression has five fields: minute, hour, day of the month, month, day of the week; for example “30 2 * * *”.',
    }),
});

/** `delaySeconds` after the first change that no run has seen: later changes do not put it off. */
const changeTrigger = z.strictObject({
  kind: z.literal('change'),
  delaySeconds: whole('The delay after a change, in seconds,', 5, 86_400),
});

/** When a drive that holds one of the plan's destinations is plugged in. */
const driveTrigger = z.strictObject({ kind: z.literal('drive') });

const loginTrigger = z.strictObject({ kind: z.literal('login') });

const triggerSchema = z.discriminatedUnion(
  'kind',
  [intervalTrigger, dailyTrigger, weeklyTrigger, monthlyTrigger, cronTrigger, changeTrigger, driveTrigger, loginTrigger],
  { error: 'A trigger is one of interval, daily, weekly, monthly, cron, change, drive, login.' },
);
export type Trigger = z.infer<typeof triggerSchema>;

/** Times alone, in the zone of the plan's schedule. */
export const timesSchema = z
  .array(
    z.discriminatedUnion('kind', [intervalTrigger, dailyTrigger, weeklyTrigger, monthlyTrigger, cronTrigger], {
      error: 'A time is one of interval, daily, weekly, monthly, cron.',
    }),
    { error: 'The times: give a list.' },
  )
  .min(1, { error: 'The times: give at least one, or leave them out.' })
  .max(16, { error: 'There are 16 times at most.' });
export type Times = z.infer<typeof timesSchema>;

export const strategies = ['incremental', 'differential', 'full'] as const;
const strategySchema = z.enum(strategies, { error: `A strategy is one of ${strategies.join(', ')}.` });
export type Strategy = z.infer<typeof strategySchema>;

const mixPeriods = ['day', 'week', 'month', 'quarter', 'year'] as const;
const mixPeriodSchema = z.enum(mixPeriods, { error: `How often is one of ${mixPeriods.join(', ')}.` });
/** Calendar periods in the schedule's zone; weeks begin on Monday. */
export type MixPeriod = z.infer<typeof mixPeriodSchema>;

const strategyMixSchema = z.strictObject({
  /** The first run in each such period is full. */
  full: mixPeriodSchema.optional(),
  /** The first run in each such period is differential, unless a full one has been in it. */
  differential: mixPeriodSchema.optional(),
  otherwise: strategySchema,
});
export type StrategyMix = z.infer<typeof strategyMixSchema>;

const windowEnd = z
  .string({ error: 'The end of a backup window is written HH:MM.' })
  .regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, { error: 'The end of a backup window is written HH:MM, from 00:00 to 24:00.' });

/** `days` are those on which the span begins; when `to` is earlier than `from`, it ends on the next day. */
const windowSpanSchema = z
  .strictObject({ days: severalDifferent('The days of a backup window', weekdaySchema, 7), from: timeOfDay, to: windowEnd })
  .refine(({ from, to }) => from !== to, {
    error: 'A backup window ends at another time than it begins; for a whole day write 00:00 to 24:00.',
  });
export type WindowSpan = z.infer<typeof windowSpanSchema>;

const conditionsSchema = z.strictObject({
  /** `always`, `never`, or only while the battery holds more than `abovePercent`. */
  onBattery: z.union(
    [z.literal('always'), z.literal('never'), z.strictObject({ abovePercent: whole('The battery level, in percent,', 1, 99) })],
    { error: 'On battery is “always”, “never”, or a level from 1 to 99 percent above which runs are allowed.' },
  ),
  onMetered: z.boolean({ error: 'Whether to run on a metered network is true or false.' }),
});
export type Conditions = z.infer<typeof conditionsSchema>;

/** `computer`: the zone that the computer is set to at the time. Else an IANA name such as Europe/Berlin. */
const zoneSchema = z
  .string({ error: 'A time zone is “computer” or a name such as Europe/Berlin.' })
  .max(64, { error: 'A time zone has 64 characters at most.' })
  .refine((zone) => zone === 'computer' || isZone(zone), {
    error: 'There is no such time zone: write “computer”, or a name such as Europe/Berlin.',
  });

/** Offsets such as +02:00 know no summer time, so that they are not what anyone means by a zone. */
function isZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export const scheduleSchema = z.strictObject({
  /** None: the plan runs only when told to. */
  triggers: z.array(triggerSchema, { error: 'The triggers: give a list.' }).max(16, { error: 'A plan has 16 triggers at most.' }),
  strategy: strategyMixSchema,
  window: z
    .array(windowSpanSchema, { error: 'The backup window: give a list.' })
    .min(1, { error: 'The backup window: give at least one span, or leave it out to allow runs always.' })
    .max(21, { error: 'A backup window has 21 spans at most.' })
    .optional(),
  conditions: conditionsSchema,
  zone: zoneSchema,
});
export type Schedule = z.infer<typeof scheduleSchema>;

/** What a new plan begins with: within minutes of a change, and at noon in any case. */
export const usualSchedule: Schedule = {
  triggers: [{ kind: 'change', delaySeconds: 900 }, { kind: 'daily', at: '12:00' }, { kind: 'drive' }],
  strategy: { full: 'month', differential: 'week', otherwise: 'incremental' },
  conditions: { onBattery: { abovePercent: 30 }, onMetered: false },
  zone: 'computer',
};
