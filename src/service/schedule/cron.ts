/**
 * Cron expressions of five fields, read by croner on the wall clock of a zone.
 *
 * croner is asked in UTC about wall seconds, so that summer time follows this project's one rule (see zone.ts) and not another:
 * - An expression with a fixed hour is about the wall clock: skipped times mean the end of the gap, repeated ones the first.
 * - An expression for every hour, or every n-th (its hour field begins with `*`), is about time that passes: it goes on through an hour
 *   that comes twice. (Vixie's cron draws the same line.)
 */
import { Cron } from 'croner';
import { fail } from '../../contract/errors.ts';
import type { Schedule } from '../../contract/schedule.ts';
import { instantOf, offsetAt } from './zone.ts';

const read = (expression: string): Cron => new Cron(expression, { mode: '5-part', timezone: 'UTC', paused: true });

/** Reading an expression takes longer than asking it. */
const known = new Map<string, Cron>();
const mostKnown = 64;

function cronOf(expression: string): Cron {
  let cron = known.get(expression);
  if (cron === undefined) {
    if (known.size >= mostKnown) known.clear();
    known.set(expression, (cron = read(expression)));
  }
  return cron;
}

/** The first wall seconds after `wall` that the expression names. */
function nextWall(expression: string, wall: number): number | undefined {
  const next = cronOf(expression).nextRun(new Date(wall * 1000));
  return next === null ? undefined : next.getTime() / 1000;
}

/** The first instant after `after` (milliseconds since 1970) that the expression names; nothing when there is none in the next years. */
export function nextCron(expression: string, after: number, zone: string): number | undefined {
  const seconds = Math.floor(after / 1000);
  return (expression.trim().split(/\s+/)[1] ?? '').startsWith('*')
    ? nextPassing(expression, seconds, zone)
    : nextOnWall(expression, seconds, zone);
}

function nextOnWall(expression: string, after: number, zone: string): number | undefined {
  for (let wall: number | undefined = after + offsetAt(zone, after); ; ) {
    wall = nextWall(expression, wall);
    if (wall === undefined) return undefined;
    const at = instantOf(zone, wall);
    if (at > after * 1000) return at;
  }
}

function nextPassing(expression: string, after: number, zone: string): number | undefined {
  let from = after;
  // One change of the clocks a turn; there are never more than a few until the next time that is named.
  for (let turns = 0; turns < 100; turns++) {
    const offset = offsetAt(zone, from);
    const wall = nextWall(expression, from + offset);
    if (wall === undefined) return undefined;
    const at = wall - offset;
    const change = changeBetween(zone, from, at);
    if (change === undefined) return at * 1000;
    // As if asked one second before the change, on the clock that holds after it.
    const first = nextWall(expression, change - 1 + offsetAt(zone, change));
    if (first === undefined) return undefined;
    if (first - offsetAt(zone, change) === change) return change * 1000;
    from = change;
  }
  return undefined;
}

/** The first second in (`from`, `to`] with another offset than `from`. Looks at each half day, which no two changes share. */
function changeBetween(zone: string, from: number, to: number): number | undefined {
  const offset = offsetAt(zone, from);
  for (let low = from; low < to; ) {
    let high = Math.min(low + 43_200, to);
    if (offsetAt(zone, high) === offset) {
      low = high;
      continue;
    }
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(zone, middle) === offset) low = middle;
      else high = middle;
    }
    return high;
  }
  return undefined;
}

/**
 * What the schema of a schedule cannot see: whether its cron expressions can be read, and ever come.
 * @param now milliseconds since 1970
 * @throws `bad-usage`
 */
export function checkSchedule({ triggers }: Pick<Schedule, 'triggers'>, now: number): void {
  for (const trigger of triggers) {
    if (trigger.kind !== 'cron') continue;
    const guidance = 'Write minute, hour, day of the month, month and day of the week, for example “30 2 * * *” for every night at 02:30.';
    let next: number | undefined;
    try {
      next = nextWall(trigger.expression, Math.floor(now / 1000));
    } catch (cause) {
      const why = cause instanceof Error ? ` (${cause.message.replace(/^CronPattern: /, '')})` : '';
      fail('bad-usage', { problem: `The cron expression “${trigger.expression}” cannot be read${why}.`, guidance }, cause);
    }
    if (next === undefined)
      fail('bad-usage', { problem: `The cron expression “${trigger.expression}” names a time that never comes.`, guidance });
  }
}
