/** Problems that the watchdog has found, in words. */
import type { Alarm } from '../../contract/state.ts';
import { formatBytes, formatMoney } from '../../platform/sizes.ts';
import type { Problem, WatchedBudget, WatchedPlan } from './watchdog.ts';

/** Plans and destinations are called as `plans` has it; by their IDs when they are gone. */
export function alarmOf(problem: Problem, since: number, plans: readonly WatchedPlan[]): Alarm {
  switch (problem.kind) {
    case 'overdue': {
      const { plan, destination, lastSuccess, ageMs, targetMs, isThere } = problem;
      const known = plans.find(({ id }) => id === plan);
      const name = known?.name ?? plan;
      const where = `on “${known?.destinations.find(({ id }) => id === destination)?.name ?? destination}”`;
      const what =
        lastSuccess === undefined
          ? `“${name}” has no backup ${where} yet; you want one at least every ${span(targetMs)}.`
          : `The newest backup of “${name}” ${where} is ${span(ageMs)} old; you want one at least every ${span(targetMs)}.`;
      const guidance = isThere
        ? 'See why with "holdfast run list", or start one now with "holdfast run start".'
        : 'Plug its drive in: the backup starts by itself then.';
      return { key: `overdue ${plan} ${destination}`, kind: problem.kind, plan, destination, since, message: what, guidance };
    }
    case 'service': {
      const { why, silentForMs, because } = problem;
      const message =
        why === 'ended'
          ? `The part of Holdfast that makes backups does not run, so nothing is backed up.${because ? ` ${because.message}` : ''}`
          : `The part of Holdfast that makes backups has not answered for ${span(silentForMs)}, so nothing may be backed up.`;
      const guidance = because?.guidance ?? 'It is started again by itself; when that does not help, start the computer again.';
      return { ...none, key: 'service', kind: problem.kind, since, message, guidance };
    }
    case 'host': {
      const message =
        'What watches over the part of Holdfast that makes backups has ended. Backups go on, but nobody would tell you if they stopped.';
      return {
        ...none,
        key: 'host',
        kind: problem.kind,
        since,
        message,
        guidance: 'Start Holdfast again as you did before: it takes over.',
      };
    }
    case 'budget': {
      const { destination, unit, level } = problem;
      return {
        key: `budget ${destination} ${unit}`,
        kind: level === 'near' ? 'budget-near' : 'budget-passed',
        plan: null,
        destination,
        since,
        message: budgetText(problem),
        guidance: 'Backups go on. Keep fewer snapshots, choose a cheaper class, or allow more: "holdfast destination show".',
      };
    }
    case 'clock': {
      const { byMs } = problem;
      const message = `The clock of this computer was set ${byMs > 0 ? 'forward' : 'back'} by ${span(Math.abs(byMs))}, so that the times of backups cannot be trusted.`;
      return {
        ...none,
        key: 'clock',
        kind: problem.kind,
        since,
        message,
        guidance: 'See that the date is right; the next backup settles it.',
      };
    }
  }
}

function budgetText({ name, unit, level, used, limit, currency, passedAt }: WatchedBudget): string {
  const said = (value: number): string => (unit === 'bytes' ? formatBytes(value) : formatMoney(value, currency ?? ''));
  const what = unit === 'bytes' ? `“${name}” holds ${said(used)}` : `“${name}” costs about ${said(used)} a month`;
  const allowed = `you allow ${said(limit)}`;
  if (level === 'passed') return `${what}; ${allowed}.`;
  const soon = passedAt === null ? '' : `, and that will be passed about ${new Date(passedAt).toISOString().slice(0, 10)}`;
  return `${what}; ${allowed}${soon}.`;
}

const none = { plan: null, destination: null } as const;

function span(ms: number): string {
  const units = [
    [86_400_000, 'day'],
    [3_600_000, 'hour'],
    [60_000, 'minute'],
  ] as const;
  const [length, name] = units.find(([each]) => ms >= 2 * each) ?? units[2];
  const count = Math.max(1, Math.floor(ms / length));
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
