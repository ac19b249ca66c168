/** A reporter of vitest's that leaves behind what `suites.mjs` counts: each file with its tests, and what failed outside of any. */
import { writeFileSync } from 'node:fs';

/**
 * @typedef {{ path: string, passed: number, failed: string[], skipped: number }} FileReport `path` is absolute; `failed` are the
 *   names of the tests that failed, and a line for a file that could not be loaded
 * @typedef {{ files: FileReport[], outside: { path: string | null, message: string }[] }} Report `outside`: errors that no test
 *   shows, such as an unhandled rejection, with the file that ran then, where it is known
 */

/** The variable that names the file to write. */
export const reportFile = 'HOLDFAST_TEST_REPORT';

export default class TestReport {
  /**
   * @param {ReadonlyArray<import('vitest/node').TestModule>} modules
   * @param {ReadonlyArray<{ message?: string, VITEST_TEST_PATH?: string }>} unhandled
   */
  onTestRunEnd(modules, unhandled) {
    const file = process.env[reportFile];
    if (file === undefined) return;
    const files = modules.map((module) => {
      const report = { path: module.moduleId, passed: 0, failed: /** @type {string[]} */ ([]), skipped: 0 };
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') report.passed += 1;
        else if (state === 'failed') report.failed.push(test.fullName);
        else report.skipped += 1;
      }
      if (module.state() === 'failed' && report.failed.length === 0)
        report.failed.push('the file could not be loaded, or a hook of it failed');
      return report;
    });
    const outside = unhandled.map((error) => ({ path: error.VITEST_TEST_PATH ?? null, message: error.message ?? 'unknown error' }));
    writeFileSync(file, JSON.stringify({ files, outside }));
  }
}
