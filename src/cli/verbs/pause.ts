/** pause and resume: of everything that starts by itself, and of the runs at work. */
import { fail } from '../../contract/errors.ts';
import { formatMoment } from '../dates.ts';
import { exitCodes } from '../exit-codes.ts';
import { cancelledReading } from '../run-verb.ts';
import { withService } from '../service-session.ts';
import type { Verbs } from '../verbs.ts';

interface PauseOptions {
  readonly for?: string;
}

export function addPause({ program, run }: Verbs): void {
  const pause = program
    .command('pause')
    .description('let nothing start by itself, and the runs at work wait')
    .option('--for <time>', '30m, 2h, 1d, or tomorrow (default: until "holdfast resume")')
    .addHelpText('after', '\nExamples:\n  holdfast pause --for 1h\n  holdfast pause --for tomorrow')
    .action(({ for: text }: PauseOptions) =>
      run(pause, cancelledReading, (invocation) => {
        const span = parseSpan(text);
        return withService(invocation, async (client) => {
          const { until } = await client.pause.set({ for: span });
          invocation.output.lines(until === null ? 'Paused, until "holdfast resume".' : `Paused until ${formatMoment(until)}.`);
          invocation.output.object('summary', { until });
          return exitCodes.done;
        });
      }),
    );
  const resume = program
    .command('resume')
    .description('end a pause')
    .addHelpText('after', '\nExample:\n  holdfast resume')
    .action(() =>
      run(resume, cancelledReading, (invocation) =>
        withService(invocation, async (client) => {
          await client.pause.clear();
          invocation.output.lines('Everything runs again.');
          invocation.output.object('summary', { resumed: true });
          return exitCodes.done;
        }),
      ),
    );
}

const minutesOf: Readonly<Record<string, number>> = { m: 1, h: 60, d: 1440 };

/** Throws `bad-usage`. */
function parseSpan(text: string | undefined): 'resumed' | 'tomorrow' | { minutes: number } {
  if (text === undefined) return 'resumed';
  if (text === 'tomorrow') return 'tomorrow';
  const [, number, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const minutes = Number(number) * (minutesOf[unit] ?? Number.NaN);
  if (minutes >= 1 && minutes <= 525_600) return { minutes };
  return fail('bad-usage', {
    problem: `--for: “${text}” is no time to pause for.`,
    guidance: 'Write for example 30m, 2h, 1d or tomorrow.',
  });
}
