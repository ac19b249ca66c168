/**
 * The host of the service, which "serve" starts: a small process that starts the service, watches over it, and tells the person. It passes the
 * arguments on as they are, so that it needs none of what reads them; what is wrong with them the service tells, and ends.
 */
import { systemClock } from '../platform/clock.ts';
import { nodeChild } from '../service/watchdog/node-child.ts';
import { Supervisor } from '../service/watchdog/supervisor.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { printable } from './printable.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Carries the service to its end. The first signal ends it politely, the second at once.
 *
 * @param args those of the program, "serve" among them
 * @returns an exit code
 */
export async function carryService(args: readonly string[]): Promise<ExitCode> {
  const end = args.indexOf('--');
  const say = sayer(args.slice(0, end < 0 ? args.length : end).includes('--json'));
  const supervisor = new Supervisor({
    clock: systemClock,
    startChild: nodeChild(process.argv[1], (isAgain) => (isAgain ? args.filter((word) => word !== '--at-login') : args)),
    onNotice: (what, { message, guidance }) => {
      if (what === 'raised' || what === 'repeated') say(`${message} ${guidance}`);
      else if (what === 'solved') say(`Solved: ${message}`);
    },
    onNote: say,
  });
  let asked = 0;
  for (const signal of signals)
    process.on(signal, () => {
      if (asked++ === 0) supervisor.stop();
      else supervisor.stopAtOnce();
    });
  const { why, child } = await supervisor.run();
  // The service is this program.
  if (child.code !== null) return child.code as ExitCode;
  if (why === 'stopped') return exitCodes.cancelled;
  say(`The service has ended before it was ready (signal ${child.signal}).`);
  return exitCodes.failed;
}

/** As Output has it (output.ts): notes for people on standard error, for programs an object a line. */
function sayer(json: boolean): (text: string) => void {
  const stream = json ? process.stdout : process.stderr;
  // Nobody reads any more; it is in the log of the profile.
  stream.on('error', () => {});
  return (text) => void stream.write(json ? `${JSON.stringify({ type: 'note', text })}\n` : `${printable(text)}\n`);
}
