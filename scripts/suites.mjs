/** Prepares what the tests need, runs them and counts. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { root, runNode, runTool } from './runtime.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * Counts what a vitest run gave. A suite that could not be loaded holds no test, and an error outside of a test only shows
 * in the exit code: both count as a failed one.
 *
 * @param {string | undefined} report vitest's JSON report; undefined when there is none
 * @param {number} exitCode
 * @returns {Counts}
 */
export function countTests(report, exitCode) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  if (report === undefined) return { ...counts, failed: 1 };
  /** @type {{ testResults: { status: string, assertionResults: { status: string }[] }[] }} */
  const { testResults } = JSON.parse(report);
  for (const suite of testResults) {
    let failedHere = 0;
    for (const { status } of suite.assertionResults) {
      if (status === 'passed') counts.passed += 1;
      else if (status === 'failed') failedHere += 1;
      else counts.skipped += 1;
    }
    counts.failed += suite.status === 'failed' ? Math.max(failedHere, 1) : failedHere;
  }
  if (exitCode !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

/**
 * The last line of a run, and whether it is a success.
 *
 * @param {Counts} counts
 * @param {boolean} strict whether a skipped test makes the run fail, as it does where nobody watches
 * @returns {{ line: string, exitCode: number }}
 */
export function verdict({ passed, failed, skipped }, strict) {
  const line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  return { line, exitCode: failed > 0 || passed === 0 || (strict && skipped > 0) ? 1 : 0 };
}

/** Whether a CI system runs this. */
export const inCi = () => !['', '0', 'false'].includes(process.env['CI'] ?? '');

/**
 * Installs, builds and sets up all that the tests use.
 *
 * @returns {Promise<number>} how many of these steps failed; the tests that do without can still run
 */
export async function prepareTests() {
  await ensureInstalled();
  let failed = 0;
  if ((await ensureBuilt()) !== 0) {
    console.error('The build failed.');
    failed += 1;
  }
  if (existsSync(join(root, 'scripts/test-setup.mjs')) && (await runNode('scripts/test-setup.mjs', [])) !== 0) {
    console.error('What the tests need could not be installed.');
    failed += 1;
  }
  return failed;
}

/**
 * Runs vitest.
 *
 * @param {readonly string[]} args filters and options for it
 * @param {NodeJS.ProcessEnv} [env] variables to add
 * @returns {Promise<Counts>}
 */
export async function runSuites(args, env = {}) {
  const scratch = mkdtempSync(join(tmpdir(), 'holdfast-report-'));
  try {
    const file = join(scratch, 'report.json');
    // Every run of the engine starts worker threads, which otherwise strip the types from all their modules anew: four times slower.
    const cache = join(root, 'node_modules/.cache/compiled');
    const code = await runTool('vitest', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...args], {
      NODE_COMPILE_CACHE: cache,
      ...env,
    });
    return countTests(existsSync(file) ? readFileSync(file, 'utf8') : undefined, code);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
