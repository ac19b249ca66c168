/** What a heal run of a destination does: all other destinations may give, and the files of the plans that back up there. */
import { join } from 'node:path';
import { z } from 'zod';
import type { HealFacts } from '../../contract/care.ts';
import { hasCode, toHoldfastError } from '../../contract/errors.ts';
import type { RunProblem } from '../../contract/run.ts';
import { executeHeal } from '../../engine/heal/heal.ts';
import { type HealReport, type HealSource, isAllHealed, OpenedSources, wasWhole } from '../../engine/heal/request.ts';
import { counted, formatBytes } from '../../platform/sizes.ts';
import type { Destinations } from '../destinations/destinations.ts';
import type { Common } from '../parts.ts';
import type { TaskJob } from '../runs/task.ts';
import type { Outcome } from '../runs/work.ts';

export const healRequestSchema = z.strictObject({
  /** What is read: all data, the packs named, or with none only what index, sizes and folders tell. */
  packs: z.union([z.literal('all'), z.array(z.string())]),
});

/** Twenty minutes together. */
const firstPauseMs = 1_000;
const longestPauseMs = 10 * 60_000;

export interface HealJobOptions extends Pick<Common, 'state' | 'profile'> {
  readonly destinations: Pick<Destinations, 'open' | 'views'>;
  readonly packs: 'all' | readonly string[];
  readonly onHealed: (facts: Pick<HealFacts, 'healed' | 'unhealed'>) => void;
}

export async function workOnHealing(job: TaskJob, { state, profile, destinations, packs, onHealed }: HealJobOptions): Promise<Outcome> {
  const { run, options, log } = job;
  const id = run.destination!;
  const how = { signal: options.control.signal, itself: true };
  const plans = state.plans().filter((plan) => plan.destinations.some(({ destination }) => destination === id));
  const sources = [...new Set(plans.flatMap((plan) => plan.sources.map(({ path }) => path)))];
  const opened = new OpenedSources(othersFor(id, destinations, how.signal));
  try {
    const repository = await destinations.open(id, {
      ...how,
      onRetry: ({ error, waitMs }) => log('warning', `${error.message} It is tried again in ${Math.round(waitMs / 1000)} seconds.`),
      onNote: (text) => log('info', text),
    });
    try {
      const keepIn = join(profile.folder, 'damaged', id);
      const heal = (): Promise<HealReport> => executeHeal(repository, { others: opened.sources, sources, packs }, { ...options, keepIn });
      const report = await whenFree(heal, job);
      const facts = tell(report, log);
      onHealed(facts);
      const change = { status: isAllHealed(report) ? 'succeeded' : 'completed-with-warnings' } as const;
      state.runDetails.saveReceipt(run.id, receiptOf(report));
      return { change, problems: problemsOf(report) };
    } finally {
      await repository.storage.close().catch(() => {});
    }
  } finally {
    await opened.close();
  }
}

/** Nothing else may use the repository meanwhile: what is at work there (a copy that reads from it) is waited for. */
async function whenFree(heal: () => Promise<HealReport>, { options, log }: TaskJob): Promise<HealReport> {
  for (let pause = firstPauseMs; ; pause *= 2) {
    try {
      return await heal();
    } catch (error) {
      if (!hasCode(error, 'locked') || pause > longestPauseMs) throw error;
      log('info', `${error.message} It is tried again in ${Math.round(pause / 1000)} seconds.`);
      await options.clock.sleep(pause, options.control.signal).catch(() => {});
      await options.control.checkpointAsync();
    }
  }
}

/** The others: those that answered last come first, those on this computer before servers. */
function othersFor(id: string, destinations: HealJobOptions['destinations'], signal: AbortSignal): HealSource[] {
  const rank = (state: string, isFar: boolean): number => (state === 'connected' ? 0 : state === 'unknown' ? 2 : 4) + (isFar ? 1 : 0);
  return destinations
    .views()
    .filter((view) => view.id !== id)
    .map((view) => ({ view, rank: rank(view.now.state, !view.place.startsWith('/') && !/^[A-Za-z]:[\\/]/.test(view.place)) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ view }) => ({ name: view.name, open: () => destinations.open(view.id, { signal }) }));
}

function tell(report: HealReport, log: TaskJob['log']): Pick<HealFacts, 'healed' | 'unhealed'> {
  const { packs, unread, from, healed, moreHealed, unhealed, moreUnhealed, snapshots, unavailable, notRemoved, kept } = report;
  for (const { name, error } of unavailable) log('warning', `“${name}” could not be asked: ${toHoldfastError(error).message}`);
  for (const { pack, cause } of packs) log('info', `Pack ${pack.slice(0, 8)} was damaged: ${cause}.`);
  for (const { pack, cause } of unread) log('warning', `Pack ${pack.slice(0, 8)} cannot be read just now: ${cause}.`);
  for (const { name, kind, blobs, bytes } of from)
    log('info', `${counted(blobs, 'piece')} (${formatBytes(bytes)}) came from ${kind === 'files' ? name : `“${name}”`}.`);
  for (const path of new Set(healed.flatMap(({ paths }) => paths))) log('info', `Healed: ${path}`);
  for (const { id, isHealed } of snapshots)
    log(isHealed ? 'info' : 'warning', `Snapshot ${id.slice(0, 8)} ${isHealed ? 'is back.' : 'cannot be healed.'}`);
  if (notRemoved > 0) log('info', 'Nothing can be removed there, so damaged files stay beside what is whole again.');
  if (kept.length > 0) log('info', `Copies of ${counted(kept.length, 'damaged file')} are kept in the profile.`);
  if (wasWhole(report)) log('info', 'Nothing is damaged.');
  else log('info', isAllHealed(report) ? 'Everything is whole again.' : 'Everything but what is named can be restored.');
  const isBack = snapshots.filter(({ isHealed }) => isHealed).length;
  return {
    healed: healed.length + moreHealed + isBack,
    unhealed: unhealed.length + moreUnhealed + snapshots.length - isBack + unread.length,
  };
}

const problemsOf = ({ unhealed }: HealReport): RunProblem[] =>
  unhealed.flatMap(({ type, blob, paths }) =>
    (paths.length > 0 ? paths : ['/']).map((path) => ({
      path,
      code: 'damaged',
      message: `The ${type === 'tree' ? 'folder listing' : 'piece of data'} ${blob.slice(0, 8)} is nowhere to be had.`,
    })),
  );

/** What is kept of a healing with its run. */
const receiptOf = ({ unavailable, packs, ...report }: HealReport): object => ({
  ...report,
  packs: packs.map(({ pack, cause }) => ({ pack, cause })),
  unavailable: unavailable.map(({ name, error }) => ({ name, code: error.code })),
});
