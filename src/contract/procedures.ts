/** All traffic between the service and its clients, on one page. */
import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { proposalSchema, wishesSchema } from './advice.ts';
import { browseContract } from './browse.ts';
import { capacityContract } from './capacity.ts';
import { copiesContract } from './copies.ts';
import { connectionsContract } from './connections.ts';
import { costContract } from './cost.ts';
import { careContract } from './care.ts';
import { catalogueContract } from './catalogue.ts';
import {
  connectionSchema,
  credentialsSchema,
  destinationSchema,
  destinationViewSchema,
  idSchema,
  nameSchema,
  placeSchema,
} from './destination.ts';
import { diagnosticsContract } from './diagnostics.ts';
import { driveSchema } from './drive.ts';
import { filesContract } from './files.ts';
import { historyContract } from './history.ts';
import { homeContract } from './home.ts';
import { kitContract } from './kit.ts';
import { movesContract } from './moves.ts';
import { loginNameSchema, loginPasswordSchema, loginViewSchema } from './login.ts';
import { machineContract } from './machine.ts';
import { passwordsContract } from './passwords.ts';
import { planFileSchema, planInputSchema, planSchema } from './plan.ts';
import { previewsContract } from './previews.ts';
import { recoverableSettingsSchema } from './recovery.ts';
import { restoreContract } from './restore.ts';
import { logLineSchema, runKinds, runProblemSchema, runSchema, runStatuses } from './run.ts';
import { strategies } from './schedule.ts';
import { settingsChangeSchema, settingsSchema } from './settings.ts';
import { snapshotsContract } from './snapshots.ts';
import { numberedEventSchema, pauseSchema, stateSchema } from './state.ts';
import { watchingContract } from './watching.ts';

const nothing = z.void();
const runId = z.strictObject({ id: z.int().positive() });
const byId = z.strictObject({ id: idSchema });
const pageSchema = z.int().min(1).max(1000).default(100);

export const contract = {
  service: {
    info: oc.output(
      z.strictObject({
        version: z.string(),
        /** Of the contract: a client of another one does not talk to this service. */
        protocol: z.int(),
        pid: z.int(),
        startedAt: z.number(),
        profile: z.string(),
        /** Whether a host notices when it ends or hangs. Where none does, one that is started takes over. */
        isWatched: z.boolean(),
      }),
    ),
    /** Ends the service; runs at work are interrupted, and resumed by the next one. */
    stop: oc.output(nothing),
  },

  /** What to run, when and where to, for what a person wants. */
  advice: oc.input(wishesSchema).output(proposalSchema),

  state: oc.output(stateSchema),
  /** Without `since`, or when what followed it is not known any more, begins with the whole state. */
  events: oc.input(z.strictObject({ since: z.string().max(100).optional() })).output(eventIterator(numberedEventSchema)),

  settings: {
    change: oc.input(settingsChangeSchema).output(settingsSchema),
  },

  destinations: {
    connect: oc.input(connectionSchema).output(destinationViewSchema),
    rename: oc.input(z.strictObject({ id: idSchema, name: nameSchema })).output(destinationViewSchema),
    /** New credentials, a new password or a new place, tried before they are kept. */
    renew: oc
      .input(
        z.strictObject({
          id: idSchema,
          password: z.string().min(1).max(10_000).optional(),
          credentials: credentialsSchema.optional(),
          /** Where its repository lies now, when it was moved. */
          place: placeSchema.optional(),
        }),
      )
      .output(destinationViewSchema),
    /** Asks the destination how it is. */
    look: oc.input(byId).output(destinationViewSchema),
    /** Forgets it. What it holds stays as it is. */
    remove: oc.input(byId).output(nothing),
  },

  drives: {
    /** Those that are mounted now. */
    list: oc.output(z.array(driveSchema)),
  },

  plans: {
    create: oc.input(planInputSchema).output(planSchema),
    change: oc.input(z.strictObject({ id: idSchema, plan: planInputSchema })).output(planSchema),
    setEnabled: oc.input(z.strictObject({ id: idSchema, enabled: z.boolean() })).output(planSchema),
    /** `data`: whether its snapshots are kept, or forgotten on all its destinations that can be reached. */
    remove: oc.input(z.strictObject({ id: idSchema, data: z.enum(['keep', 'forget']) })).output(
      z.strictObject({
        snapshotsForgotten: z.int(),
        /** Names of destinations that could not be reached: their snapshots are still there. */
        notReached: z.array(z.string()),
        /** The same for those that another run, or another program, held just then. */
        inUse: z.array(z.string()),
      }),
    ),
    export: oc.input(z.strictObject({ ids: z.array(idSchema).max(1000).optional() })).output(planFileSchema),
    /** Destinations are found by their repository; those that are not connected here are named in the error. */
    import: oc.input(z.strictObject({ file: planFileSchema })).output(z.array(planSchema)),
  },

  runs: {
    /** Newest first. */
    list: oc
      .input(
        z.strictObject({
          plan: idSchema.optional(),
          destination: idSchema.optional(),
          kinds: z.array(z.enum(runKinds)).optional(),
          statuses: z.array(z.enum(runStatuses)).optional(),
          /** The `next` of the page before. */
          before: z.int().positive().optional(),
          limit: pageSchema,
        }),
      )
      .output(z.strictObject({ runs: z.array(runSchema), next: z.int().nullable() })),
    get: oc.input(runId).output(runSchema),
    log: oc
      .input(z.strictObject({ id: z.int().positive(), after: z.int().nonnegative().default(0), limit: pageSchema }))
      .output(z.strictObject({ lines: z.array(logLineSchema), next: z.int().nullable() })),
    problems: oc
      .input(z.strictObject({ id: z.int().positive(), after: z.int().nonnegative().default(0), limit: pageSchema }))
      .output(z.strictObject({ problems: z.array(runProblemSchema), next: z.int().nullable() })),
    /** Starts a backup by a person's wish; a pause does not hold it. */
    start: oc
      .input(z.strictObject({ plan: idSchema, destination: idSchema.optional(), strategy: z.enum(strategies).optional() }))
      .output(runSchema),
    cancel: oc.input(runId).output(nothing),
    pause: oc.input(runId).output(nothing),
    resume: oc.input(runId).output(nothing),
  },

  /** What the snapshots hold, from the catalogue. */
  catalogue: catalogueContract,

  /** What a repository holds of other computers' settings, or of this one's before it was set up anew. */
  recovery: {
    look: oc.input(z.strictObject({ destination: idSchema })).output(z.array(recoverableSettingsSchema)),
    /** Into a profile without plans. Returned are the plans, and the destinations whose secrets are wanted. */
    take: oc
      .input(z.strictObject({ destination: idSchema, snapshot: z.string().regex(/^[0-9a-f]{64}$/) }))
      .output(z.strictObject({ plans: z.array(planSchema), destinations: z.array(destinationSchema) })),
  },

  /** Of everything that starts by itself, and of the runs at work. */
  pause: {
    set: oc
      .input(
        z.strictObject({
          for: z.union([z.literal('tomorrow'), z.literal('resumed'), z.strictObject({ minutes: z.int().min(1).max(525_600) })]),
        }),
      )
      .output(pauseSchema),
    clear: oc.output(nothing),
  },

  /** Who may come in from other computers. Only clients on the private socket may see or change it. */
  logins: {
    list: oc.output(z.array(loginViewSchema)),
    add: oc.input(z.strictObject({ name: loginNameSchema, password: loginPasswordSchema })).output(nothing),
    /** Its sessions end. */
    remove: oc.input(z.strictObject({ name: loginNameSchema })).output(nothing),
    /** Ends the sessions of one login, or all. */
    revoke: oc.input(z.strictObject({ name: loginNameSchema.optional() })).output(z.strictObject({ ended: z.int() })),
  },

  ...snapshotsContract,
  ...browseContract,
  ...machineContract,
  ...restoreContract,
  ...watchingContract,
  ...filesContract,
  ...previewsContract,
  ...connectionsContract,
  ...kitContract,
  ...passwordsContract,
  ...diagnosticsContract,
  ...careContract,
  ...homeContract,
  ...historyContract,
  ...capacityContract,
  ...costContract,
  ...movesContract,
  ...copiesContract,
};

/** Raised by every change that an older client or service would misunderstand. */
export const protocolVersion = 1;
