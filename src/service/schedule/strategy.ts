/**
 * Which strategy a run has, from the mix and from what was done.
 *
 * The first run of a period has the period's strategy, and only one that ended well counts: after a full run that failed the next run
 * is full. A full run is also all that a differential one would have been.
 */
import type { MixPeriod, Strategy, StrategyMix } from '../../contract/schedule.ts';
import { DAY, dayOf, monthOf, wallAt } from './zone.ts';

/**
 * When the newest run of each strategy that ended well (with warnings, too) was started, in milliseconds since 1970. Newest is the one
 * that was made last, whatever the clock showed.
 */
export type Successes = Readonly<Partial<Record<Strategy, number>>>;

/** Why a run has its strategy. `no-base`: there is no snapshot, or no full one, to compare with. */
export type StrategyReason =
  | { readonly because: 'no-base' }
  | { readonly because: 'period'; readonly period: MixPeriod }
  | { readonly because: 'otherwise' };

export interface StrategyChoice {
  readonly strategy: Strategy;
  readonly reason: StrategyReason;
}

/** The strategy of a run that starts at `now` (milliseconds since 1970); the periods are those of `zone`. */
export function chooseStrategy(mix: StrategyMix, done: Successes, now: number, zone: string): StrategyChoice {
  const isDone = (period: MixPeriod, ...which: readonly Strategy[]): boolean =>
    which.some((strategy) => done[strategy] !== undefined && isIn(period, done[strategy], now, zone));
  if (done.full === undefined && done.differential === undefined && done.incremental === undefined) {
    return { strategy: 'full', reason: { because: 'no-base' } };
  }
  if (mix.full !== undefined && !isDone(mix.full, 'full')) return { strategy: 'full', reason: { because: 'period', period: mix.full } };
  const wanted: StrategyChoice =
    mix.differential !== undefined && !isDone(mix.differential, 'full', 'differential')
      ? { strategy: 'differential', reason: { because: 'period', period: mix.differential } }
      : { strategy: mix.otherwise, reason: { because: 'otherwise' } };
  return wanted.strategy === 'differential' && done.full === undefined ? { strategy: 'full', reason: { because: 'no-base' } } : wanted;
}

/**
 * Whether a run at `then` counts for the period that `now` is in. After the clock was set back by up to a day a run seems to be in the
 * future; it counts, so that nothing is done twice for that. One further ahead was made by a clock that was wrong.
 */
function isIn(period: MixPeriod, then: number, now: number, zone: string): boolean {
  if (then > now && then - now <= DAY * 1000) return true;
  return periodOf(period, then, zone) === periodOf(period, now, zone);
}

function periodOf(period: MixPeriod, at: number, zone: string): number {
  const day = dayOf(wallAt(zone, at));
  if (period === 'day') return day;
  // 1970-01-01 was a Thursday.
  if (period === 'week') return Math.floor((day + 3) / 7);
  const { year, month } = monthOf(day);
  if (period === 'month') return year * 12 + month;
  return period === 'quarter' ? year * 4 + Math.floor((month - 1) / 3) : year;
}
