/** status: what the service does, and whether what it protects is safe. */
import { hasCode } from '../../contract/errors.ts';
import type { Alarm, State } from '../../contract/state.ts';
import type { CopyState } from '../../contract/copies.ts';
import { behindText } from '../copies-text.ts';
import { formatMoment } from '../dates.ts';
import { exitCodes } from '../exit-codes.ts';
import { cancelledReading } from '../run-verb.ts';
import { progressText, runColumns, runRow } from '../run-text.ts';
import { withService } from '../service-session.ts';
import { tableLines } from '../table.ts';
import type { Verbs } from '../verbs.ts';
import { answerLines } from '../home-text.ts';
import { forecastText } from '../capacity-text.ts';
import { stateText } from './destination-text.ts';

export function addStatus({ program, run }: Verbs): void {
  const command = program
    .command('status')
    .description('show what the service does, its plans, and how old their backups are')
    .addHelpText('after', '\nExample:\n  holdfast status')
    .action(() =>
      run(command, cancelledReading, async (invocation) => {
        const { output } = invocation;
        try {
          return await withService(invocation, async (client) => {
            const [info, state, facts] = [await client.service.info(), await client.state(), await client.home.facts()];
            const copies = await client.copies.states();
            const rooms = new Map<string, string>();
            for (const { id } of state.destinations) {
              const { forecast } = await client.capacity.of({ destination: id });
              const text = forecast.state === 'about' ? forecastText(forecast, facts.at) : undefined;
              if (text !== undefined) rooms.set(id, text);
            }
            invocation.output.lines(
              `The service runs since ${formatMoment(info.startedAt)} (process ${info.pid}).`,
              '',
              ...answerLines(facts, state),
              ...statusLines(state, rooms, copies),
            );
            invocation.output.object('status', { ...info, ...state, facts, copies });
            return state.alarms.length === 0 ? exitCodes.done : exitCodes.incomplete;
          });
        } catch (error) {
          // What the watchdog knew last is the more important now.
          const alarms = hasCode(error, 'service-absent') || hasCode(error, 'service-lost') ? await lastAlarms() : [];
          for (const { message, guidance } of alarms) output.note(`${message} ${guidance}`);
          throw error;
        }
      }),
    );
}

/** Of the watchdog, which remembers them though no service runs. */
async function lastAlarms(): Promise<Alarm[]> {
  const [{ profileAt }, { guardMemory }, { alarmOf }] = await Promise.all([
    import('../../service/profile.ts'),
    import('../../service/watchdog/memory.ts'),
    import('../../service/watchdog/alarm.ts'),
  ]);
  const { known = {}, plans = [] } = guardMemory(profileAt().folder).recall() ?? {};
  return Object.values(known).map(({ problem, since }) => alarmOf(problem, since, plans));
}

/** `rooms`: when destinations are full, in words. */
function statusLines(
  { plans, planStates, destinations, pause, runs, progress, alarms }: State,
  rooms: ReadonlyMap<string, string>,
  copies: readonly CopyState[],
): string[] {
  const lines: string[] = [];
  for (const { message, guidance } of alarms) lines.push('', message, guidance);
  if (pause) lines.push('', `Paused ${pause.until === null ? 'until "holdfast resume"' : `until ${formatMoment(pause.until)}`}.`);
  if (plans.length === 0) lines.push('', 'There is no plan yet, so nothing runs by itself. See "holdfast plan create --help".');
  const nameOf = (id: string): string => destinations.find((each) => each.id === id)?.name ?? id;
  for (const plan of plans) {
    const known = planStates.find((each) => each.plan === plan.id);
    const next = !plan.enabled ? 'switched off' : known?.nextDue ? `next run ${formatMoment(known.nextDue)}` : 'no time set';
    lines.push('', `${plan.name} (${plan.id.slice(0, 8)}): ${next}`);
    if (known?.standIn) {
      const { destination, insteadOf, since, error } = known.standIn;
      lines.push(`  in use: ${nameOf(destination)} instead of ${nameOf(insteadOf)}, since ${formatMoment(since)}. ${error.message}`);
    }
    for (const { destination, role } of plan.destinations) {
      const last = known?.lastSuccess[destination];
      const now = destinations.find((each) => each.id === destination)?.now ?? { state: 'unknown' };
      lines.push(
        `  ${role} ${nameOf(destination)}: ${last ? `last backup ${formatMoment(last)}` : 'no backup yet'}; ${[stateText(now), rooms.get(destination) ?? []].flat().join(', ')}`,
      );
      const behind = copies.find((each) => each.plan === plan.id && each.destination === destination);
      const text = behind && behindText(behind);
      if (text) lines.push(`    ${text}`);
    }
  }
  if (runs.length > 0) lines.push('', ...tableLines(runColumns, runs.map(runRow)));
  for (const each of progress) lines.push(`  run ${each.run}: ${progressText(each)}`);
  return lines;
}
