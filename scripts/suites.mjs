/** Prepares what the tests need, runs them and counts. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ensureBuilt } from './build.mjs';
import { electronAtHand, hasScreen } from './electron-program.mjs';
import { ensureInstalled } from './install.mjs';
import { root, runNode, runTool } from './runtime.mjs';
import { reportFile } from './test-report.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */
/** @typedef {import('./test-report.mjs').Report} Report */

/**
 * Counts what a vitest run gave. An error outside of a test counts as a failed one, as does a run that left no report or that
 * says only by its exit code that it failed.
 *
 * @param {Report | undefined} report
 * @param {number} exitCode
 * @returns {Counts}
 */
export function countTests(report, exitCode) {
  const counts = { passed: 0, failed: report?.outside.length ?? 1, skipped: 0 };
  for (const { passed, failed, skipped } of report?.files ?? []) {
    counts.passed += passed;
    counts.failed += failed.length;
    counts.skipped += skipped;
  }
  if (exitCode !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

/** Of more files than this the failures are no chance. */
const mostFilesAgain = 4;

/**
 * The files that are worth a second run: those that failed, when they are few and all failures are known by their file.
 *
 * @param {Report | undefined} report
 * @returns {string[]} their paths
 */
export function filesAgain(report) {
  if (report === undefined || report.outside.some(({ path }) => path === null)) return [];
  const paths = new Set(report.outside.map(({ path }) => String(path)));
  for (const { path, failed } of report.files) if (failed.length > 0) paths.add(path);
  return paths.size > mostFilesAgain ? [] : [...paths];
}

/**
 * A report in which the second run of some files stands in the place of the first.
 *
 * @param {Report} first
 * @param {Report} second
 * @returns {Report}
 */
export function replaced(first, second) {
  const again = new Set(second.files.map(({ path }) => path));
  return {
    files: [...first.files.filter(({ path }) => !again.has(path)), ...second.files],
    outside: [...first.outside.filter(({ path }) => path === null || !again.has(path)), ...second.outside],
  };
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
 * One run of vitest.
 *
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ report: Report | undefined, exitCode: number }>}
 */
async function runVitest(args, env) {
  const scratch = mkdtempSync(join(tmpdir(), 'holdfast-report-'));
  try {
    const file = join(scratch, 'report.json');
    // Every run of the engine starts worker threads, which otherwise strip the types from all their modules anew: four times slower.
    const cache = join(root, 'node_modules/.cache/compiled');
    const reporters = ['--reporter=default', `--reporter=${join(root, 'scripts/test-report.mjs')}`];
    const exitCode = await runTool('vitest', ['run', ...reporters, ...args], { NODE_COMPILE_CACHE: cache, [reportFile]: file, ...env });
    return { report: existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined, exitCode };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Runs vitest. A few files that failed are run once more, alone: what fails again is broken, and counts; what passes then depends on
 * chance or on what else the machine did, and is named, so that somebody mends it.
 *
 * @param {readonly string[]} args filters and options for it
 * @param {NodeJS.ProcessEnv} [env] variables to add
 * @returns {Promise<Counts>}
 */
export async function runSuites(args, env = {}) {
  const first = await runVitest(args, env);
  // With options the person who gave them wants to see just this run.
  const again = args.some((arg) => arg.startsWith('-')) ? [] : filesAgain(first.report);
  if (first.report === undefined || again.length === 0) return countTests(first.report, first.exitCode);
  console.log(`Failed, so run once more, one at a time: ${again.map((path) => relative(root, path)).join(', ')}`);
  const second = await runVitest([...again, '--maxWorkers=1'], env);
  const counts = countTests(second.report && replaced(first.report, second.report), second.exitCode);
  if (counts.failed === 0) {
    console.log('UNSTEADY: these failed once and passed when run again, which is a defect of the test or of the program:');
    for (const { path, failed } of first.report.files) for (const name of failed) console.log(`  ${relative(root, path)} > ${name}`);
    for (const { path, message } of first.report.outside) console.log(`  ${relative(root, String(path))}: ${message}`);
  }
  return counts;
}

/** Files of the end-to-end suite that hold in the desktop app as in a browser: they download nothing, and open no second window. */
const inTheApp = ['backup', 'failing', 'home', 'chinese'].map((name) => `test/e2e/${name}.test.ts`);

/**
 * The end-to-end suite once more, in the desktop app, where Electron's program and a screen are at hand; else it is said that it was left out.
 *
 * @returns {Promise<Counts>}
 */
export async function runInTheApp() {
  const program = electronAtHand();
  if (program !== undefined && hasScreen()) return runSuites(inTheApp, { HOLDFAST_E2E_SHELL: program });
  console.log(`Left out: the end-to-end suite in the desktop app, for there is no ${program === undefined ? 'Electron' : 'screen'} here.`);
  return { passed: 0, failed: 0, skipped: 0 };
}
