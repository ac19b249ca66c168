/** A plan in words: everything that it does, and where. */
import type { Plan, PlanDestination, Retention } from '../../contract/plan.ts';
import type { State } from '../../contract/state.ts';
import { scheduleLines } from '../schedule-text.ts';

export function planLines(plan: Plan, { destinations }: Pick<State, 'destinations'>): string[] {
  const { sources, schedule, retention, targets, enabled } = plan;
  const nameOf = (id: string): string => destinations.find((each) => each.id === id)?.name ?? id;
  return [
    `${plan.name} (${plan.id.slice(0, 8)})`,
    ...sources.map(({ path }) => `  of ${path}`),
    ...plan.destinations.map((each) => `  ${each.role} “${nameOf(each.destination)}”${ownText(each)}`),
    ...(plan.onThisComputer ? ['  beside your files while none of these can be used'] : []),
    enabled ? `  runs ${scheduleLines(schedule).join(', ')}` : '  switched off: runs only when it is told to',
    `  keeps ${retentionText(retention)}`,
    `  target: a backup every ${targets.rpoMinutes} minutes`,
  ];
}

function ownText({ role, retention, schedule }: PlanDestination): string {
  const keeps = retention ? `, keeps ${retentionText(retention)}` : '';
  const when = role !== 'copy' ? '' : `, copied ${schedule ? scheduleLines({ triggers: schedule }).join(', ') : 'after each run'}`;
  return when + keeps;
}

export function retentionText({ within, ...counts }: Retention): string {
  const rules = Object.entries(counts).flatMap(([rule, count]) => (count === 0 ? [] : [`${rule} ${count === -1 ? 'without end' : count}`]));
  const all = [...rules, ...(within === null ? [] : [`within ${within}`])];
  return all.length === 0 ? 'everything' : all.join(', ');
}
