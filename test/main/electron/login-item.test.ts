import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { type LoginItemsOptions, loginItemsOf } from '../../../main/electron/login-item.ts';
import { app } from '../../support/fake-electron.ts';
import { scratch } from '../../support/tree-literal.ts';

beforeEach(() => {
  app.loginItemAsked.length = 0;
  app.loginItem = { openAtLogin: false, executableWillLaunchAtLogin: false, wasOpenedAtLogin: false };
});

const make = (more: Partial<LoginItemsOptions>) =>
  loginItemsOf({
    app: app as never,
    platform: 'linux',
    env: {},
    home: scratch(),
    isPackaged: true,
    program: '/opt/Holdfast/holdfast',
    ...more,
  });

test('on Linux it is a file for the desktop, which starts without a window', () => {
  const home = scratch();
  const items = make({ home });
  expect(items.get()).toEqual({ isSupported: true, isEnabled: false });
  expect(items.set(true)).toEqual({ isSupported: true, isEnabled: true });
  const file = join(home, '.config/autostart/holdfast.desktop');
  expect(readFileSync(file, 'utf8')).toContain('\nExec="/opt/Holdfast/holdfast" "--hidden"\n');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(items.set(true).isEnabled).toBe(true);
  expect(items.set(false)).toEqual({ isSupported: true, isEnabled: false });
  expect(existsSync(file)).toBe(false);
  expect(items.set(false).isEnabled).toBe(false);
});

test('the place that the person has chosen for such files counts, where it is a place', () => {
  const config = scratch();
  make({ env: { XDG_CONFIG_HOME: config } }).set(true);
  expect(existsSync(join(config, 'autostart/holdfast.desktop'))).toBe(true);
  const home = scratch();
  make({ env: { XDG_CONFIG_HOME: 'relative' }, home }).set(true);
  expect(existsSync(join(home, '.config/autostart/holdfast.desktop'))).toBe(true);
});

test('a program in a folder with an odd name is started all the same', () => {
  const folder = scratch();
  const answer = join(folder, 'answer');
  execFileSync('mkfifo', [answer]);
  for (const name of ['a "b" $c `d` \\e', '100% %f']) {
    const program = join(folder, name, 'holdfast');
    mkdirSync(join(program, '..'));
    writeFileSync(program, `#!/bin/sh\nprintf %s "$0 $*" > ${answer}\n`, { mode: 0o755 });
    const home = scratch();
    make({ home, program }).set(true);
    // GLib is what most desktops start such files with.
    execFileSync('gio', ['launch', join(home, '.config/autostart/holdfast.desktop')], { stdio: 'ignore' });
    expect(readFileSync(answer, 'utf8')).toBe(`${program} --hidden`);
  }
});

test('that it cannot be written is said', () => {
  const home = scratch();
  writeFileSync(join(home, '.config'), '');
  expect(() => make({ home }).set(true)).toThrow(expect.objectContaining({ code: 'autostart-failed' }));
});

test('macOS and Windows keep it themselves; on Windows it says that no window is wanted', () => {
  const mac = make({ platform: 'darwin' });
  expect(mac.set(true)).toEqual({ isSupported: true, isEnabled: true });
  expect(app.loginItemAsked[0]).toEqual({ openAtLogin: true });
  const windows = make({ platform: 'win32' });
  expect(windows.set(true)).toEqual({ isSupported: true, isEnabled: true });
  expect(app.loginItemAsked.at(-2)).toEqual({ openAtLogin: true, args: ['--hidden'] });
  // Switched off in the task manager.
  app.loginItem.executableWillLaunchAtLogin = false;
  expect(windows.get().isEnabled).toBe(false);
});

test('a program that was not installed cannot be started at login', () => {
  const items = make({ isPackaged: false });
  expect(items.get()).toEqual({ isSupported: false, isEnabled: false });
  expect(() => items.set(true)).toThrow(expect.objectContaining({ code: 'autostart-absent' }));
});
