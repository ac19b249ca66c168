/** The entry of the command line: dist/cli.js. */
import { favourSmallMemory } from '../platform/memory.ts';
import { runProgram } from './program.ts';
import { rawArguments } from './raw-arguments.ts';

favourSmallMemory();
// Everything is written by now; what might still be open must not keep the process.
process.exit(await runProgram(rawArguments(process.argv)));
