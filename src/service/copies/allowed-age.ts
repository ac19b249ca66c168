/** How old the newest backup on one of a plan's destinations may be: a copy with times of its own is behind until they come. */
import type { Plan, PlanDestination } from '../../contract/plan.ts';
import { computerZone } from '../../platform/time-zone.ts';
import { nextOf, zoneOf } from '../schedule/next-due.ts';

/** Times come at different distances, as the days of months do. */
const lookedAt = 4;

/** Milliseconds. */
export function allowedAgeMs({ targets, schedule }: Plan, { schedule: times }: PlanDestination, now: number): number {
  const target = targets.rpoMinutes * 60_000;
  if (!times) return target;
  const zone = zoneOf(schedule, computerZone());
  const next = (after: number): number | undefined => {
    const all = times.flatMap((time) => nextOf(time, after, zone) ?? []);
    return all.length > 0 ? Math.min(...all) : undefined;
  };
  let widest = 0;
  let at = next(now);
  for (let i = 0; i < lookedAt && at !== undefined; i++) {
    const following = next(at);
    if (following !== undefined) widest = Math.max(widest, following - at);
    at = following;
  }
  return target + widest;
}
