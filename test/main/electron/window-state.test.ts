import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fitToScreens, readWindowState, usualSize, writeWindowState } from '../../../main/electron/window-state.ts';
import { scratch } from '../../support/tree-literal.ts';

const laptop = { x: 0, y: 25, width: 1440, height: 875 };
const external = { x: 1440, y: 0, width: 2560, height: 1440 };

test('the first window is of the usual size, in the middle of the main screen', () => {
  expect(fitToScreens(undefined, [laptop])).toEqual({ x: 180, y: 103, ...usualSize });
});

test('a window opens where it was, also on another screen', () => {
  const kept = { x: 1600, y: 200, width: 1200, height: 800 };
  expect(fitToScreens(kept, [laptop, external])).toEqual(kept);
});

test('a window that was on a screen that is gone opens in the middle of the main one, as large as it fits', () => {
  const kept = { x: 1600, y: 200, width: 2000, height: 1300 };
  expect(fitToScreens(kept, [laptop])).toEqual({ x: 0, y: 25, width: 1440, height: 875 });
});

test.each([
  ['far to the left', { x: -1100, y: 100, width: 1080, height: 720 }],
  ['below the screen', { x: 100, y: 880, width: 1080, height: 720 }],
  ['with its title above the screen', { x: 100, y: -200, width: 1080, height: 720 }],
])('a window of which nobody could get hold, %s, comes back to the middle', (_, kept) => {
  expect(fitToScreens(kept, [laptop])).toEqual({ x: 180, y: 103, ...usualSize });
});

test('one that only hangs over an edge stays there', () => {
  const kept = { x: -400, y: 400, width: 1080, height: 720 };
  expect(fitToScreens(kept, [laptop])).toMatchObject({ x: -400, y: 400 });
});

test('where no screen is known, nothing is changed', () => {
  expect(fitToScreens(undefined, [])).toEqual({ x: 0, y: 0, ...usualSize });
});

test('what is kept comes back; what somebody else made of the file counts as nothing', () => {
  const file = join(scratch(), 'window.json');
  expect(readWindowState(file)).toBeUndefined();
  const state = { bounds: { x: -5, y: 3, width: 900, height: 600 }, isMaximized: true };
  writeWindowState(file, state);
  expect(readWindowState(file)).toEqual(state);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  for (const odd of ['', '{"bounds":', '{}', JSON.stringify({ ...state, bounds: { ...state.bounds, width: -1 } }), '[1]']) {
    writeFileSync(file, odd);
    expect(readWindowState(file)).toBeUndefined();
  }
});

test('that it cannot be kept is no trouble', () => {
  const file = join(scratch(), 'window.json');
  mkdirSync(file);
  writeWindowState(file, { bounds: { x: 0, y: 0, width: 1, height: 1 }, isMaximized: false });
  expect(() => readFileSync(file)).toThrow('EISDIR');
});
