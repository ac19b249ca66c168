/** The entry of the command line: dist/cli.js. What a verb needs is loaded when it is known, since the host of the service is to be small. */
import { hostedVariable } from '../service/watchdog/messages.ts';
import { rawArguments } from './raw-arguments.ts';
import { verbOf } from './verb-of.ts';

const args = rawArguments(process.argv);
const isHost = verbOf(args) === 'serve' && process.env[hostedVariable] === undefined && !args.includes('--help') && !args.includes('-h');
const code = isHost ? await carry() : await run();
// Everything is written by now; what might still be open must not keep the process. Not `process.exit`: in Node 24
// that waits for ever now and then, for a thread of V8's compiler which waits for the main thread to collect garbage.
(await import('../platform/exit.ts')).exitAtOnce(code);

async function carry(): Promise<number> {
  const { carryService } = await import('./host.ts');
  return carryService(args);
}

async function run(): Promise<number> {
  const [{ favourSmallMemory }, { runProgram }] = await Promise.all([import('../platform/memory.ts'), import('./program.ts')]);
  favourSmallMemory();
  return runProgram(args);
}
