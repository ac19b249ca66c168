/** The entry of the command line: dist/cli.js. */
import { exitAtOnce } from '../platform/exit.ts';
import { favourSmallMemory } from '../platform/memory.ts';
import { runProgram } from './program.ts';
import { rawArguments } from './raw-arguments.ts';

favourSmallMemory();
// Everything is written by now; what might still be open must not keep the process. Not `process.exit`: in Node 24
// that waits for ever now and then, for a thread of V8's compiler which waits for the main thread to collect garbage.
exitAtOnce(await runProgram(rawArguments(process.argv)));
