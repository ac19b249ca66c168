import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { MainWindow } from '../../../main/electron/window.ts';
import * as electron from '../../support/fake-electron.ts';
import { scratch } from '../../support/tree-literal.ts';

beforeEach(() => {
  electron.BrowserWindow.all.length = 0;
  electron.app.removeAllListeners();
});

function make({ hasTray = true, stateFile = join(scratch(), 'window.json') } = {}) {
  const onPutAway = vi.fn();
  const window = new MainWindow({
    preload: '/preload.cjs',
    icon: '/icon.png',
    stateFile,
    isDeveloping: false,
    hasTray: () => hasTray,
    onPutAway,
  });
  return { window, onPutAway, stateFile, real: () => electron.BrowserWindow.all.at(-1)! };
}

test('it is made when it is first wanted, safely, and shown when it has something to show', () => {
  const { window, real } = make();
  expect(electron.BrowserWindow.all).toHaveLength(0);
  expect(window.contents).toBeUndefined();
  window.show('/restore');
  expect(real().webContents.mainFrame.url).toBe('app://holdfast/index.html#/restore');
  expect(real().options).toMatchObject({ show: false, width: 1080, height: 720 });
  expect(real().options.webPreferences).toMatchObject({
    contextIsolation: true,
    sandbox: true,
    nodeIntegration: false,
    preload: '/preload.cjs',
    devTools: false,
  });
  expect(real().visible).toBe(true);
});

test('there is only one: it comes to the front, and goes where the person wants to', () => {
  const { window, real } = make();
  window.show();
  real().minimize();
  window.show('/plans');
  expect(electron.BrowserWindow.all).toHaveLength(1);
  expect(real()).toMatchObject({ visible: true, minimized: false, focused: true });
  expect(real().webContents.sent).toEqual([{ channel: 'holdfast:go', value: '/plans' }]);
  expect(window.isFocused).toBe(true);
});

test('closing it hides it, and remembers where it was', () => {
  const { window, onPutAway, stateFile, real } = make();
  window.show();
  real().bounds = { x: 50, y: 60, width: 900, height: 700 };
  real().maximized = true;
  real().close();
  expect(real()).toMatchObject({ visible: false, destroyed: false });
  expect(onPutAway).toHaveBeenCalledTimes(1);
  expect(JSON.parse(readFileSync(stateFile, 'utf8'))).toEqual({ bounds: real().bounds, isMaximized: true });
  const next = make({ stateFile });
  next.window.show();
  expect(next.real().options).toMatchObject({ x: 50, y: 60, width: 900, height: 700 });
  expect(next.real().maximized).toBe(true);
});

test('where no tray is, closing it only makes it small, so that it can be found', () => {
  const { window, real } = make({ hasTray: false });
  window.show();
  real().close();
  expect(real()).toMatchObject({ visible: true, minimized: true, destroyed: false });
});

test('a full screen is left before it is hidden', () => {
  const { window, real } = make();
  window.show();
  real().fullScreen = true;
  real().close();
  expect(real()).toMatchObject({ visible: false, fullScreen: false });
});

test('once the app ends, closing is closing', () => {
  const { window, onPutAway, real } = make();
  window.show();
  window.quitting();
  real().close();
  expect(real().destroyed).toBe(true);
  expect(onPutAway).not.toHaveBeenCalled();
  expect(window.contents).toBeUndefined();
});

test('at login nothing is shown; without a tray a small window waits in the taskbar', () => {
  const quiet = make();
  quiet.window.showPutAway();
  expect(electron.BrowserWindow.all).toHaveLength(0);
  const { window, real } = make({ hasTray: false });
  window.showPutAway();
  expect(real()).toMatchObject({ minimized: true, visible: false });
});

test('a page that crashed is loaded again, but not for ever', () => {
  const { window, real } = make();
  window.show();
  real().webContents.emit('render-process-gone', {}, { reason: 'clean-exit' });
  expect(real().reloads).toBe(0);
  for (let i = 0; i < 20; i++) real().webContents.emit('render-process-gone', {}, { reason: 'crashed' });
  expect(real().reloads).toBe(5);
});
