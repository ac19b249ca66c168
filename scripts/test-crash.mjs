/** `npm run test:crash`: the crash tests at their full length. */
import { inCi, prepareTests, runSuites, verdict } from './suites.mjs';

const unprepared = await prepareTests();
const filters = process.argv.slice(2);
const tested = await runSuites(filters.length > 0 ? filters : ['test/crash'], { HOLDFAST_LONG: '1' });
const { line, exitCode } = verdict({ ...tested, failed: tested.failed + unprepared }, inCi());
console.log(line);
process.exitCode = exitCode;
