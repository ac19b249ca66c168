/** Problems that the watchdog has found, in words. */
import type { Alarm } from '../../contract/state.ts';
import type { Problem } from './watchdog.ts';

/** How plans and destinations are called; their IDs when they are gone. */
export interface Names {
  plan(id: string): string;
  destination(id: string): string;
}

export function alarmOf(problem: Problem, since: number, names: Names): Alarm {
  switch (problem.kind) {
    case 'overdue': {
      const { plan, destination, lastSuccess, ageMs, targetMs, isThere } = problem;
      const where = `on “${names.destination(destination)}”`;
      const what =
        lastSuccess === undefined
          ? `“${names.plan(plan)}” has no backup ${where} yet; you want one at least every ${span(targetMs)}.`
          : `The newest backup of “${names.plan(plan)}” ${where} is ${span(ageMs)} old; you want one at least every ${span(targetMs)}.`;
      const guidance = isThere
        ? 'See why with "holdfast run list", or start one now with "holdfast run start".'
        : 'Plug its drive in: the backup starts by itself then.';
      return { key: `overdue ${plan} ${destination}`, kind: problem.kind, plan, destination, since, message: what, guidance };
    }
    case 'service': {
      const message =
        problem.why === 'ended'
          ? 'The part of Holdfast that makes backups has ended, so nothing runs by itself.'
          : `The part of Holdfast that makes backups has not answered for ${span(problem.silentForMs)}, so nothing may run by itself.`;
      return { ...none, key: 'service', kind: problem.kind, since, message, guidance: 'Start Holdfast again.' };
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
