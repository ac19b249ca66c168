import { describe, expect, test } from 'vitest';
import { countTests, verdict } from '../../scripts/suites.mjs';

const report = (...suites: { status: string; tests: string[] }[]): string =>
  JSON.stringify({
    testResults: suites.map(({ status, tests }) => ({ status, assertionResults: tests.map((each) => ({ status: each })) })),
  });

describe('counting a run', () => {
  test('adds up all suites', () => {
    const text = report(
      { status: 'passed', tests: ['passed', 'skipped'] },
      { status: 'failed', tests: ['passed', 'failed', 'failed', 'todo'] },
    );
    expect(countTests(text, 1)).toEqual({ passed: 2, failed: 2, skipped: 2 });
  });

  test('counts a suite that could not be loaded as a failed one', () => {
    expect(countTests(report({ status: 'failed', tests: [] }, { status: 'passed', tests: ['passed'] }), 1)).toMatchObject({
      passed: 1,
      failed: 1,
    });
  });

  test('counts a failure that no test shows, such as an unhandled rejection', () => {
    expect(countTests(report({ status: 'passed', tests: ['passed'] }), 1)).toMatchObject({ passed: 1, failed: 1 });
  });

  test('counts a run that left no report as failed', () => {
    expect(countTests(undefined, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});

describe('the last line', () => {
  test('says passed and failed, and skipped only when there are some', () => {
    expect(verdict({ passed: 3, failed: 0, skipped: 0 }, false)).toEqual({ line: '3 passed, 0 failed', exitCode: 0 });
    expect(verdict({ passed: 3, failed: 1, skipped: 2 }, false)).toEqual({ line: '3 passed, 1 failed, 2 skipped', exitCode: 1 });
  });

  test('goes with a failure when no test ran', () => {
    expect(verdict({ passed: 0, failed: 0, skipped: 4 }, false).exitCode).toBe(1);
  });

  test('goes with a failure for skipped tests only where nobody watches', () => {
    const counts = { passed: 3, failed: 0, skipped: 1 };
    expect(verdict(counts, false).exitCode).toBe(0);
    expect(verdict(counts, true).exitCode).toBe(1);
  });
});
