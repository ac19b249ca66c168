import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { electronAtHand } from '../../scripts/electron-program.mjs';
import { runInTheApp } from '../../scripts/suites.mjs';
import { scratch } from '../support/tree-literal.ts';

test('Electron is at hand where its program is, and nowhere else', () => {
  const folder = scratch();
  vi.stubEnv('ELECTRON_OVERRIDE_DIST_PATH', folder);
  expect(electronAtHand()).toBeUndefined();
  const program = join(folder, process.platform === 'win32' ? 'electron.exe' : 'electron');
  writeFileSync(program, '');
  expect(electronAtHand()).toBe(program);
});

test('without Electron the suite in the desktop app is left out, and that is said', async () => {
  vi.stubEnv('ELECTRON_OVERRIDE_DIST_PATH', scratch());
  const said = vi.spyOn(console, 'log').mockImplementation(() => {});
  expect(await runInTheApp()).toEqual({ passed: 0, failed: 0, skipped: 0 });
  expect(said.mock.calls.flat().join()).toContain('Left out: the end-to-end suite in the desktop app');
});
