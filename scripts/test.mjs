/** `npm test`: installs what the tests need, checks the code, runs all suites. The last line counts. */
import { check } from './check.mjs';
import { inCi, prepareTests, runInTheApp, runSuites, verdict } from './suites.mjs';

const unprepared = await prepareTests();
const checked = await check();
const tested = await runSuites(process.argv.slice(2));

// A run of the checks alone is not a run of the tests.
if (tested.passed + tested.failed === 0) {
  console.error('No test ran.');
  tested.failed = 1;
}
// Whoever names tests wants to see just those.
const shown = process.argv.length > 2 ? { passed: 0, failed: 0, skipped: 0 } : await runInTheApp();
const counts = {
  passed: checked.passed + tested.passed + shown.passed,
  failed: unprepared + checked.failed + tested.failed + shown.failed,
  skipped: tested.skipped + shown.skipped,
};
const { line, exitCode } = verdict(counts, inCi());
console.log(line);
process.exitCode = exitCode;
