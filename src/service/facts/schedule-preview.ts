/** When a schedule will run next, as data. */
import type { Schedule } from '../../contract/schedule.ts';
import { computerZone } from '../../platform/time-zone.ts';
import { checkSchedule } from '../schedule/cron.ts';
import { nextDue, nextOf, zoneOf } from '../schedule/next-due.ts';
import { chooseStrategy, type Successes } from '../schedule/strategy.ts';
import { windowAt } from '../schedule/window.ts';

export interface ScheduledTime {
  readonly at: number;
  readonly begins: number;
  readonly trigger: number;
  readonly strategy: ReturnType<typeof chooseStrategy>['strategy'];
}

export interface SchedulePreview {
  readonly zone: string;
  readonly times: ScheduledTime[];
  readonly untimed: number[];
  readonly window: { readonly isOpen: boolean; readonly until: number | null } | null;
}

/**
 * `done`: when the newest backup of each strategy was made. What is due while the window is closed begins when it opens, once, however
 * often it was due. Throws `bad-usage` for a cron expression that means nothing.
 */
export function schedulePreview(schedule: Schedule, done: Successes, now: number, count: number): SchedulePreview {
  checkSchedule(schedule, now);
  const zone = zoneOf(schedule, computerZone());
  const times: ScheduledTime[] = [];
  let known = done;
  for (let after = now; times.length < count; ) {
    const due = nextDue(schedule, after, zone);
    if (!due) break;
    const window = windowAt(schedule.window, due.at, zone);
    const begins = window.open ? due.at : window.opensAt;
    const { strategy } = chooseStrategy(schedule.strategy, known, begins, zone);
    known = { ...known, [strategy]: begins };
    times.push({ at: due.at, begins, trigger: due.trigger, strategy });
    after = begins;
  }
  const state = windowAt(schedule.window, now, zone);
  return {
    zone,
    times,
    untimed: schedule.triggers.flatMap((trigger, i) => (nextOf(trigger, now, zone) === undefined ? i : [])),
    window: schedule.window ? { isOpen: state.open, until: state.open ? (state.closesAt ?? null) : state.opensAt } : null,
  };
}
