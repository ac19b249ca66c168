/** The strip of days of a plan: how each of the last days went. */
import type { PlanFacts } from '../../contract/home.ts';
import type { RunBrief } from '../state/run-briefs.ts';
import { DAY, dayOf, instantOf, wallAt } from '../schedule/zone.ts';

type Day = PlanFacts['days'][number];

export interface DaysInput {
  readonly now: number;
  /** IANA name. */
  readonly zone: string;
  readonly count: number;
  /** When the plan was made, or its oldest run. */
  readonly since: number;
  /** How old the newest backup may be, in milliseconds. */
  readonly targetMs: number;
  /** Of the plan, oldest first: those of the days, and the newest successful one before them. */
  readonly runs: readonly RunBrief[];
  /** When restores and drills found everything right. */
  readonly tests: readonly number[];
}

const isSuccess = ({ kind, status }: RunBrief): boolean =>
  kind === 'backup' && (status === 'succeeded' || status === 'completed-with-warnings');

/** The last is today. */
export function daysOf({ now, zone, count, since, targetMs, runs, tests }: DaysInput): Day[] {
  const today = dayOf(wallAt(zone, now));
  return Array.from({ length: count }, (_, i): Day => {
    const day = today - count + 1 + i;
    const begin = instantOf(zone, day * DAY);
    const end = Math.min(instantOf(zone, (day + 1) * DAY), now + 1);
    const within = runs.filter(({ ended, kind }) => kind === 'backup' && ended >= begin && ended < end);
    const good = within.filter(isSuccess);
    const newest = runs.findLast((run) => isSuccess(run) && run.ended < end);
    const isLate = end - 1 - (newest?.started ?? newest?.created ?? since) > targetMs;
    const state =
      good.length > 0
        ? good.at(-1)!.status === 'succeeded'
          ? 'backed-up'
          : 'warning'
        : within.some(({ status }) => status === 'failed')
          ? 'failed'
          : since >= end
            ? 'before'
            : isLate
              ? 'missed'
              : 'none';
    const isTested = tests.some((at) => at >= begin && at < end);
    return { day: new Date(day * DAY * 1000).toISOString().slice(0, 10), state, isTested, backups: good.length };
  });
}
