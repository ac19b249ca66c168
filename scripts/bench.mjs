/** `npm run bench`: measures Holdfast beside restic. Everything after `--` goes to test/bench/run.ts. */
import { runNode } from './runtime.mjs';
import { prepareTests } from './suites.mjs';

// restic comes with what the tests need, and so does dist/.
process.exitCode = (await prepareTests()) === 0 ? await runNode('test/bench/run.ts', process.argv.slice(2)) : 1;
