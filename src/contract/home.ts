/**
 * The facts of the first screen: are my files safe? The screen, the tray and `holdfast status` all tell these. They are asked for again after
 * events about runs, plans, destinations and alarms, and each minute, for they depend on the time.
 */
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { idSchema } from './destination.ts';
import { roles } from './plan.ts';
import { runStatuses } from './run.ts';

const ms = z.number().nonnegative();

/** A day of a plan, in the computer's zone. `none`: no backup was due or made; `before`: the plan was not there yet. */
export const dayStates = ['backed-up', 'warning', 'failed', 'missed', 'none', 'before'] as const;

const daySchema = z.strictObject({
  /** `2026-11-21`. */
  day: z.string(),
  state: z.enum(dayStates),
  /** A restore or a drill has compared what is stored, and all was right. */
  isTested: z.boolean(),
  backups: z.int(),
});

/**
 * What is behind the answer, the worst first.
 * - at risk: `never-backed-up` (and its first backup is overdue), `overdue` (no backup within the target), `service-problem`, `alarm`
 *   (one of the state's alarms that none of the others tells; `alarm` names its kind);
 * - attention: `last-failed`, `last-warnings`, `standby-in-use`, `destination-failing`, `destination-password`, `paused`, `plan-off`,
 *   `kit-not-saved`, `rto-missed`, `not-tested` (for 90 days), `destination-nearly-full`, `budget-near` and `budget-passed` (of a destination);
 * - fine: none.
 */
export const homeReasons = [
  'never-backed-up',
  'overdue',
  'service-problem',
  'alarm',
  'destination-password',
  'destination-failing',
  'last-failed',
  'standby-in-use',
  'paused',
  'last-warnings',
  'destination-nearly-full',
  'budget-passed',
  'budget-near',
  'plan-off',
  'rto-missed',
  'kit-not-saved',
  'not-tested',
] as const;

/** The one thing to do. */
export const homeActions = [
  'create-plan',
  'back-up-now',
  'plug-in',
  'enter-password',
  'look-at-destination',
  'look-at-run',
  'look-at-alarm',
  'resume',
  'switch-on',
  'save-kit',
  'test-restore',
  'free-space',
] as const;

const homeReasonSchema = z.strictObject({
  code: z.enum(homeReasons),
  level: z.enum(['at-risk', 'attention']),
  plan: idSchema.nullable(),
  destination: idSchema.nullable(),
  run: z.int().positive().nullable(),
  /** Since when. */
  since: z.number().nullable(),
  /** Of `alarm`: its kind and key. Of `destination-failing`: the error's code. Of `standby-in-use`: the destination that it stands in for. */
  detail: z.string().nullable(),
  action: z.strictObject({
    code: z.enum(homeActions),
    plan: idSchema.nullable(),
    destination: idSchema.nullable(),
    run: z.int().positive().nullable(),
  }),
});
export type HomeReason = z.infer<typeof homeReasonSchema>;

const planFactsSchema = z.strictObject({
  plan: idSchema,
  state: z.enum(['fine', 'attention', 'at-risk', 'off']),
  /** The last is today. */
  days: z.array(daySchema),
  /** Of the newest backup anywhere that ended with a snapshot: when it began and how it ended. */
  lastBackup: z.strictObject({ at: z.number(), run: z.int().positive(), status: z.enum(runStatuses), files: z.number() }).nullable(),
  /** The newest restore or drill of it that compared what it wrote. */
  lastTest: z.strictObject({ at: z.number(), run: z.int().positive(), compared: z.number(), different: z.number() }).nullable(),
  rpo: z.strictObject({
    targetMs: ms,
    destinations: z.array(
      z.strictObject({
        destination: idSchema,
        role: z.enum(roles),
        /** When its newest snapshot was made; null: it holds none. */
        lastAt: z.number().nullable(),
        ageMs: ms.nullable(),
        isWithin: z.boolean(),
      }),
    ),
  }),
  rto: z.strictObject({
    targetMs: ms.nullable(),
    /** How long a restore of everything would take; null while none was measured. */
    estimateMs: ms.nullable(),
    /** What is restored, and how fast the newest measured restores were: bytes a second, from so many of them. */
    bytes: z.number().nullable(),
    bytesPerSecond: z.number().nullable(),
    measured: z.int(),
    isWithin: z.boolean().nullable(),
  }),
  /** Three copies (the files themselves are one) on two kinds of media, one of them elsewhere. */
  rule321: z.strictObject({
    copies: z.int(),
    media: z.int(),
    offSite: z.int(),
    isMet: z.boolean(),
    missing: z.array(z.enum(['copy', 'medium', 'off-site'])),
  }),
});
export type PlanFacts = z.infer<typeof planFactsSchema>;

export const homeFactsSchema = z.strictObject({
  at: z.number(),
  /** `empty`: there is no plan. */
  state: z.enum(['fine', 'attention', 'at-risk', 'empty']),
  reasons: z.array(homeReasonSchema),
  /** Of the first reason; `create-plan` when there is none; null when all is fine. */
  action: homeReasonSchema.shape.action.nullable(),
  /** The newest backup and the newest test of all plans. */
  lastBackupAt: z.number().nullable(),
  lastTestAt: z.number().nullable(),
  /** Destinations of switched-on plans whose newest snapshot is within the target, of how many. */
  destinationsCurrent: z.int(),
  destinationsWanted: z.int(),
  plans: z.array(planFactsSchema),
});
export type HomeFacts = z.infer<typeof homeFactsSchema>;

export const homeContract = {
  home: {
    facts: oc.output(homeFactsSchema),
  },
};
