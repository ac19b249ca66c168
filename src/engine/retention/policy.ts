/**
 * Retention policies: which snapshots a person wants to keep.
 *
 * - a *count* keeps the newest snapshot of each of the last n hours, days, weeks, months or years that have any ({@link UNLIMITED}: all);
 * - *within* keeps everything, or one for each hour, day, …, that is younger than a duration before the group's newest snapshot;
 * - *tags* keeps what carries all the tags of any one list.
 */
import { fail } from '../../contract/errors.ts';
import { formatDuration, isZero, parseDuration, type Duration } from './duration.ts';

export const periodNames = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type Period = (typeof periodNames)[number];

/** The count that keeps all. */
export const UNLIMITED = -1;

export interface RetentionPolicy {
  /** 0 or left out: the rule does not exist; −1: no limit. */
  readonly keep?: Readonly<Partial<Record<'last' | Period, number>>> | undefined;
  readonly within?: Duration | undefined;
  readonly withinPeriod?: Readonly<Partial<Record<Period, Duration>>> | undefined;
  /** The empty tag stands for "no tags at all". */
  readonly tags?: readonly (readonly string[])[] | undefined;
}

/** The options of `forget`, as typed by a person; a number may come from a plan. */
export interface RetentionOptions {
  readonly keepLast?: string | number | undefined;
  readonly keepHourly?: string | number | undefined;
  readonly keepDaily?: string | number | undefined;
  readonly keepWeekly?: string | number | undefined;
  readonly keepMonthly?: string | number | undefined;
  readonly keepYearly?: string | number | undefined;
  readonly keepWithin?: string | undefined;
  readonly keepWithinHourly?: string | undefined;
  readonly keepWithinDaily?: string | undefined;
  readonly keepWithinWeekly?: string | undefined;
  readonly keepWithinMonthly?: string | undefined;
  readonly keepWithinYearly?: string | undefined;
  /** Each entry is a list of tags separated by commas. */
  readonly keepTag?: readonly string[] | undefined;
}

function parseCount(value: string | number, option: string): number {
  const text = String(value).trim();
  if (text === 'unlimited' || text === '-1') return UNLIMITED;
  if (!/^\d+$/.test(text) || Number(text) > Number.MAX_SAFE_INTEGER) {
    return fail('bad-usage', {
      problem: `${option}: “${text}” is not a number of snapshots.`,
      guidance: 'Write a whole number of 0 or more, or “unlimited”.',
    });
  }
  return Number(text);
}

/**
 * Reads the options of `forget`.
 * @throws `bad-usage` for fractions, negative counts other than −1 and unreadable durations
 */
export function parsePolicy(options: RetentionOptions): RetentionPolicy {
  const counts = {
    last: ['--keep-last', options.keepLast],
    hourly: ['--keep-hourly', options.keepHourly],
    daily: ['--keep-daily', options.keepDaily],
    weekly: ['--keep-weekly', options.keepWeekly],
    monthly: ['--keep-monthly', options.keepMonthly],
    yearly: ['--keep-yearly', options.keepYearly],
  } as const;
  const durations = {
    hourly: ['--keep-within-hourly', options.keepWithinHourly],
    daily: ['--keep-within-daily', options.keepWithinDaily],
    weekly: ['--keep-within-weekly', options.keepWithinWeekly],
    monthly: ['--keep-within-monthly', options.keepWithinMonthly],
    yearly: ['--keep-within-yearly', options.keepWithinYearly],
  } as const;
  const keep: Partial<Record<'last' | Period, number>> = {};
  for (const name of ['last', ...periodNames] as const) {
    const [option, value] = counts[name];
    if (value !== undefined) keep[name] = parseCount(value, option);
  }
  const withinPeriod: Partial<Record<Period, Duration>> = {};
  for (const name of periodNames) {
    const [option, value] = durations[name];
    if (value !== undefined) withinPeriod[name] = parseDuration(value, option);
  }
  return {
    keep,
    withinPeriod,
    ...(options.keepWithin === undefined ? {} : { within: parseDuration(options.keepWithin, '--keep-within') }),
    tags: (options.keepTag ?? []).map((list) => list.split(',').map((tag) => tag.trim())),
  };
}

/**
 * Refuses counts and durations that mean nothing, whoever made the policy.
 * @throws `bad-usage`
 */
export function checkPolicy(policy: RetentionPolicy): void {
  for (const name of ['last', ...periodNames] as const) parseCount(policy.keep?.[name] ?? 0, `keep ${name}`);
  for (const duration of [policy.within, ...periodNames.map((name) => policy.withinPeriod?.[name])]) {
    if (duration === undefined) continue;
    for (const value of [duration.years, duration.months, duration.days, duration.hours]) {
      if (Number.isSafeInteger(value) && value >= 0) continue;
      fail('bad-usage', { problem: `A duration of ${String(value)} means nothing.`, guidance: 'Use whole numbers of 0 or more.' });
    }
  }
}

/** True when no rule of the policy can keep anything. */
export const isEmptyPolicy = (policy: RetentionPolicy): boolean =>
  (['last', ...periodNames] as const).every((name) => (policy.keep?.[name] ?? 0) === 0) &&
  (policy.within === undefined || isZero(policy.within)) &&
  periodNames.every((name) => isZero(policy.withinPeriod?.[name] ?? { years: 0, months: 0, days: 0, hours: 0 })) &&
  (policy.tags ?? []).length === 0;

const adjectives = { last: 'latest', hourly: 'hourly', daily: 'daily', weekly: 'weekly', monthly: 'monthly', yearly: 'yearly' } as const;

/** One sentence that says what the policy keeps. */
export function describePolicy(policy: RetentionPolicy): string {
  const parts: string[] = [];
  for (const name of ['last', ...periodNames] as const) {
    const count = policy.keep?.[name] ?? 0;
    if (count === UNLIMITED) parts.push(name === 'last' ? 'every snapshot' : `all ${adjectives[name]} snapshots`);
    else if (count > 0) parts.push(`the ${count === 1 ? '' : `${count} `}${adjectives[name]} snapshot${count === 1 ? '' : 's'}`);
  }
  if (policy.within !== undefined && !isZero(policy.within)) {
    parts.push(`everything within ${formatDuration(policy.within)} of the newest`);
  }
  for (const name of periodNames) {
    const duration = policy.withinPeriod?.[name];
    if (duration !== undefined && !isZero(duration)) parts.push(`${name} snapshots within ${formatDuration(duration)} of the newest`);
  }
  for (const list of policy.tags ?? []) {
    const tags = list.filter((tag) => tag !== '');
    if (tags.length < list.length) parts.push('everything without tags');
    if (tags.length > 0) parts.push(`everything tagged ${tags.join(' and ')}`);
  }
  if (parts.length === 0) return 'Keep nothing.';
  const last = parts.pop()!;
  return `Keep ${parts.length === 0 ? last : `${parts.join(', ')} and ${last}`}.`;
}
