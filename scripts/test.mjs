/** `npm test`: installs what the tests need, checks the code, runs all suites. The last line counts. */
import { check } from './check.mjs';
import { inCi, prepareTests, runSuites, verdict } from './suites.mjs';

const unprepared = await prepareTests();
const checked = await check();
const tested = await runSuites(process.argv.slice(2));

// A run of the checks alone is not a run of the tests.
if (tested.passed + tested.failed === 0) {
  console.error('No test ran.');
  tested.failed = 1;
}
const counts = {
  passed: checked.passed + tested.passed,
  failed: unprepared + checked.failed + tested.failed,
  skipped: tested.skipped,
};
const { line, exitCode } = verdict(counts, inCi());
console.log(line);
process.exitCode = exitCode;
