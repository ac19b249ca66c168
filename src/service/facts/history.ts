/** Figures of the past; see src/contract/history.ts. */
import type { History } from '../../contract/history.ts';
import { computerZone } from '../../platform/time-zone.ts';
import type { Common } from '../parts.ts';
import { DAY, dayOf, wallAt } from '../schedule/zone.ts';
import type { RunBrief } from '../state/run-briefs.ts';

export type HistoryOptions = Pick<Common, 'state' | 'clock'>;

export interface HistoryWish {
  readonly plan?: string | undefined;
  readonly destination?: string | undefined;
  readonly days: number;
}

const dayMs = 86_400_000;
const rated = [7, 30, 90] as const;
const mostDurations = 1000;
const ratedDays = 90;

export function historyFigures({ state, clock }: HistoryOptions, { plan, destination, days }: HistoryWish): History {
  const now = clock.now();
  const runs = state.runBriefs.ended(now - Math.max(days, ratedDays) * dayMs, { plan, destination });
  const within = runs.filter(({ ended }) => ended >= now - days * dayMs);
  return {
    rates: rated.map((count) => {
      const lately = runs.filter(({ ended }) => ended >= now - count * dayMs);
      return { days: count, backups: rateOf(lately, 'backup'), restores: rateOf(lately, 'restore'), drills: rateOf(lately, 'drill') };
    }),
    sizes: sizesOf(within, computerZone()),
    calendar: calendarOf(within, computerZone()),
    durations: within
      .filter(({ started, status }) => started !== null && status !== 'skipped')
      .slice(-mostDurations)
      .map((run) => ({
        run: run.id,
        kind: run.kind,
        status: run.status,
        plan: run.plan,
        destination: run.destination,
        at: run.started!,
        seconds: Math.max(0, run.ended - run.started!) / 1000,
        bytes: run.bytes === 0 ? null : run.bytes,
      })),
  };
}

function rateOf(runs: readonly RunBrief[], kind: RunBrief['kind']): History['rates'][number]['backups'] {
  const count = (status: RunBrief['status']): number => runs.filter((run) => run.kind === kind && run.status === status).length;
  return { succeeded: count('succeeded'), withWarnings: count('completed-with-warnings'), failed: count('failed') };
}

const isGood = ({ status }: RunBrief): boolean => status === 'succeeded' || status === 'completed-with-warnings';
const dayNumberOf = ({ ended }: RunBrief, zone: string): number => dayOf(wallAt(zone, ended));
const dayText = (dayNumber: number): string => new Date(dayNumber * DAY * 1000).toISOString().slice(0, 10);

function calendarOf(runs: readonly RunBrief[], zone: string): History['calendar'] {
  const told = runs.filter((run) => isGood(run) || run.status === 'failed');
  return [...Map.groupBy(told, (run) => dayNumberOf(run, zone))].map(([day, ofDay]) => ({
    day: dayText(day),
    ...rateOf(ofDay, 'backup'),
    restored: ofDay.filter((run) => (run.kind === 'restore' || run.kind === 'drill') && isGood(run)).length,
    newest: Math.max(...ofDay.map(({ id }) => id)),
  }));
}

function sizesOf(runs: readonly RunBrief[], zone: string): History['sizes'] {
  const good = runs.filter((run) => run.kind === 'backup' && isGood(run));
  const groups = Map.groupBy(good, (run) => JSON.stringify([dayNumberOf(run, zone), run.plan, run.destination]));
  return [...groups.values()].map((group) => {
    const last = group.at(-1)!;
    const sum = (figure: 'bytesAdded' | 'bytesStored'): number => group.reduce((all, run) => all + run[figure], 0);
    return {
      day: dayText(dayNumberOf(last, zone)),
      plan: last.plan,
      destination: last.destination,
      files: last.files,
      bytes: last.bytes,
      bytesAdded: sum('bytesAdded'),
      bytesStored: sum('bytesStored'),
    };
  });
}
