import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { countTests, filesAgain, replaced, verdict } from '../../scripts/suites.mjs';

const file = (path: string, passed: number, failed: string[] = [], skipped = 0) => ({ path, passed, failed, skipped });

describe('counting a run', () => {
  test('adds up all files', () => {
    const report = { files: [file('/a', 1, [], 1), file('/b', 1, ['one', 'two'], 1)], outside: [] };
    expect(countTests(report, 1)).toEqual({ passed: 2, failed: 2, skipped: 2 });
  });

  test('counts a failure that no test shows, such as an unhandled rejection', () => {
    const outside = [{ path: '/a', message: 'kill ESRCH' }];
    expect(countTests({ files: [file('/a', 1)], outside }, 1)).toMatchObject({ passed: 1, failed: 1 });
    expect(countTests({ files: [file('/a', 1)], outside: [] }, 1)).toMatchObject({ passed: 1, failed: 1 });
  });

  test('counts a run that left no report as failed', () => {
    expect(countTests(undefined, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});

describe('a second run', () => {
  test('is for the files that failed, in a test or beside it', () => {
    const outside = [{ path: '/c', message: 'kill ESRCH' }];
    expect(filesAgain({ files: [file('/a', 1), file('/b', 0, ['one']), file('/c', 1)], outside }).toSorted()).toEqual(['/b', '/c']);
  });

  test('is not for a run in which much failed, or something that belongs to no file', () => {
    const files = ['/a', '/b', '/c', '/d', '/e'].map((path) => file(path, 0, ['one']));
    expect(filesAgain({ files, outside: [] })).toEqual([]);
    expect(filesAgain({ files: [file('/b', 0, ['one'])], outside: [{ path: null, message: 'out of memory' }] })).toEqual([]);
    expect(filesAgain(undefined)).toEqual([]);
  });

  test('counts in the place of the first, also when it fails again', () => {
    const first = { files: [file('/a', 3), file('/b', 1, ['one', 'two'])], outside: [{ path: '/b', message: 'kill ESRCH' }] };
    expect(countTests(replaced(first, { files: [file('/b', 3)], outside: [] }), 0)).toEqual({ passed: 6, failed: 0, skipped: 0 });
    expect(countTests(replaced(first, { files: [file('/b', 2, ['two'])], outside: [] }), 1)).toMatchObject({ passed: 5, failed: 1 });
  });
});

/** The suites of a folder that holds one test file, run by a process of their own. */
const runHere = (name: string, text: string): string => {
  const folder = mkdtempSync(join(import.meta.dirname, '../.suites-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, name), text);
  const program = `import { runSuites } from ${JSON.stringify(import.meta.resolve('../../scripts/suites.mjs'))};
    console.log(JSON.stringify(await runSuites([process.argv[1]], { HOLDFAST_SCRATCH: process.argv[1] })));`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', program, folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
};

test('a test that fails once and passes then is named; one that fails twice fails the run', () => {
  const once = `import { existsSync, writeFileSync } from 'node:fs'; import { expect, test } from 'vitest';
    const seen = process.env.HOLDFAST_SCRATCH + '/seen';
    test('by chance', () => { const again = existsSync(seen); writeFileSync(seen, ''); expect(again).toBe(true); });
    test('steady', () => {});`;
  const unsteady = runHere('once.test.ts', once);
  expect(unsteady).toMatch(/UNSTEADY[^]*once\.test\.ts > by chance\n\{"passed":2,"failed":0,"skipped":0\}\n$/u);
  const broken = runHere('broken.test.ts', `import { expect, test } from 'vitest'; test('broken', () => expect(1).toBe(2));`);
  expect(broken).toMatch(/\{"passed":0,"failed":1,"skipped":0\}\n$/u);
  expect(broken).not.toContain('UNSTEADY');
  const beside = `import { existsSync, writeFileSync } from 'node:fs'; import { test } from 'vitest';
    const seen = process.env.HOLDFAST_SCRATCH + '/seen';
    test('steady', async () => { if (!existsSync(seen)) { writeFileSync(seen, ''); setTimeout(() => { throw new Error('late'); }); }
      await new Promise((done) => setTimeout(done, 50)); });`;
  const late = runHere('beside.test.ts', beside);
  expect(late).toMatch(/UNSTEADY[^]*beside\.test\.ts: late\n\{"passed":1,"failed":0,"skipped":0\}\n$/u);
  const unloadable = runHere('unloadable.test.ts', `import 'no such package';`);
  expect(unloadable).toMatch(/\{"passed":0,"failed":1,"skipped":0\}\n$/u);
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
