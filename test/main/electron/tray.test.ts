import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { TrayView, trayImage } from '../../../main/electron/tray.ts';
import type { TrayIcon } from '../../../main/electron/tray-state.ts';
import * as electron from '../../support/fake-electron.ts';
import { aPlan, anAlarm, aRun, stateWith } from '../../support/service-state.ts';

const assets = join(import.meta.dirname, '../../../assets');
const calm = stateWith({ plans: [aPlan('docs', 'Documents')] });

beforeEach(() => {
  electron.Tray.all.length = 0;
  electron.nativeTheme.removeAllListeners();
  electron.nativeTheme.shouldUseDarkColors = false;
});

function make(platform: NodeJS.Platform = 'linux') {
  const actions = { go: vi.fn(), backUpNow: vi.fn(), pause: vi.fn(), resume: vi.fn(), quit: vi.fn() };
  const view = new TrayView({ assets, platform, now: () => 0, actions });
  return { view, actions, tray: electron.Tray.all[0] };
}

test.each(['linux', 'darwin', 'win32'] as const)('each state has an image on %s, on light and on dark', (platform) => {
  const { view, tray } = make(platform);
  const seen = new Set<string>();
  for (const [icon, state] of Object.entries({
    fine: calm,
    working: { ...calm, runs: [aRun(1)] },
    paused: { ...calm, pause: { since: 0, until: null } },
    attention: { ...calm, alarms: [anAlarm()] },
  })) {
    view.show({ connection: 'open', state }, 'en');
    for (const isDark of [true, false]) {
      electron.nativeTheme.shouldUseDarkColors = isDark;
      electron.nativeTheme.emit('updated');
      expect(tray.image.isEmpty(), tray.image.path).toBe(false);
      expect(tray.image.path).toBe(join(assets, 'tray', trayImage(icon as TrayIcon, platform, isDark)));
      expect(tray.image.isTemplate).toBe(platform === 'darwin');
      seen.add(tray.image.path);
    }
  }
  expect(seen.size).toBe(platform === 'darwin' ? 4 : 8);
});

test('a menu that would look the same is not replaced, as it would close under the pointer', () => {
  const { view, tray } = make();
  view.show({ connection: 'open', state: calm }, 'en');
  view.show({ connection: 'open', state: { ...calm } }, 'en');
  expect(tray.menus).toBe(1);
  view.show({ connection: 'open', state: { ...calm, alarms: [anAlarm()] } }, 'en');
  expect(tray.menus).toBe(2);
  expect(tray.toolTip).toBe('Holdfast · Something needs your attention');
  view.show({ connection: 'open', state: { ...calm, alarms: [anAlarm()] } }, 'zh-CN');
  expect(tray.toolTip).toBe('Holdfast · 有一件事需要您处理');
});

test('a click opens the window on Windows, where it does not open the menu', () => {
  const windows = make('win32');
  windows.tray.emit('click');
  expect(windows.actions.go).toHaveBeenCalledWith('/');
  electron.Tray.all.length = 0;
  const linux = make('linux');
  linux.tray.emit('click');
  expect(linux.actions.go).not.toHaveBeenCalled();
});

test('at the end nothing is left of it', () => {
  const { view, tray } = make();
  view.close();
  expect(tray.destroyed).toBe(true);
  expect(electron.nativeTheme.listenerCount('updated')).toBe(0);
});
