import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import type { DesktopAnswer } from '../../../src/contract/desktop-calls.ts';
import { answerCalls } from '../../../main/electron/calls.ts';
import * as electron from '../../support/fake-electron.ts';
import { scratch } from '../../support/tree-literal.ts';

const { dialog, shell } = electron;

beforeEach(() => {
  electron.ipcMain.handlers.clear();
  electron.ipcMain.removeAllListeners();
  electron.app.removeAllListeners();
  dialog.asked.length = 0;
  dialog.open = { canceled: true, filePaths: [] };
  dialog.save = { canceled: true, filePath: '' };
  shell.shown.length = 0;
  shell.opened.length = 0;
  shell.problem = '';
});

function make({ platform = 'linux' as NodeJS.Platform } = {}) {
  const window = new electron.BrowserWindow({ x: 0, y: 0, width: 1, height: 1, show: true, webPreferences: {} });
  void window.loadURL('app://holdfast/index.html');
  const loginItems = {
    get: vi.fn(() => ({ isSupported: true, isEnabled: false })),
    set: vi.fn((isEnabled: boolean) => ({ isSupported: true, isEnabled })),
  };
  const updates = { state: { is: 'idle' } as const, look: vi.fn(async () => ({ is: 'current' }) as const), install: vi.fn(async () => {}) };
  const givePort = vi.fn();
  const onRefused = vi.fn();
  answerCalls(electron.ipcMain as never, { platform, window: () => window as never, loginItems, updates, givePort, onRefused });
  const event = { sender: window.webContents, senderFrame: window.webContents.mainFrame };
  const call = (name: unknown, input?: unknown, from: object = event): Promise<DesktopAnswer> =>
    electron.ipcMain.handlers.get('holdfast:call')!(from, name, input) as Promise<DesktopAnswer>;
  return { window, event, call, loginItems, updates, givePort, onRefused };
}

test('folders and files are chosen in the system’s own dialogs', async () => {
  const { call } = make();
  expect(await call('chooseFolders', { title: 'What', several: true })).toEqual({ value: [] });
  dialog.open = { canceled: false, filePaths: ['/a', '/b'] };
  expect(await call('chooseFolders', { title: 'What', several: true })).toEqual({ value: ['/a', '/b'] });
  expect(dialog.asked.at(-1)).toEqual({
    title: 'What',
    properties: ['openDirectory', 'createDirectory', 'showHiddenFiles', 'multiSelections'],
  });
  expect(await call('chooseFolders', { title: 'Where', several: false })).toEqual({ value: ['/a', '/b'] });
  expect(dialog.asked.at(-1)!.properties).not.toContain('multiSelections');
  expect(await call('chooseFile', { title: 'Which' })).toEqual({ value: '/a' });
  dialog.open = { canceled: true, filePaths: ['/left over'] };
  expect(await call('chooseFile', { title: 'Which' })).toEqual({ value: null });
  expect(await call('chooseNewFile', { title: 'Save', name: 'kit.html' })).toEqual({ value: null });
  dialog.save = { canceled: false, filePath: '/home/me/kit.html' };
  expect(await call('chooseNewFile', { title: 'Save', name: '../../.bashrc' })).toEqual({ value: '/home/me/kit.html' });
  expect(dialog.asked.at(-1)!.defaultPath).toBe('..-..-.bashrc');
});

test('a folder is opened, a file only shown where it is: opening it would be running it', async () => {
  const { call } = make();
  const folder = scratch();
  const file = join(folder, 'run.sh');
  writeFileSync(file, '');
  expect(await call('openFolder', { path: folder })).toEqual({ value: undefined });
  expect(await call('openFolder', { path: file })).toEqual({ value: undefined });
  expect(await call('showInFolder', { path: file })).toEqual({ value: undefined });
  expect(shell).toMatchObject({ opened: [folder], shown: [file, file] });
});

test('on macOS a folder that is a program is only shown', async () => {
  const { call } = make({ platform: 'darwin' });
  const program = join(scratch(), 'Evil.app');
  mkdirSync(program);
  await call('openFolder', { path: program });
  expect(shell).toMatchObject({ opened: [], shown: [program] });
});

test('what is not there, or cannot be opened, is said in words', async () => {
  const { call } = make();
  const gone = join(scratch(), 'gone');
  expect(await call('openFolder', { path: gone })).toMatchObject({ error: { code: 'folder-not-opened', context: { path: gone } } });
  expect(await call('showInFolder', { path: gone })).toMatchObject({ error: { code: 'folder-not-opened' } });
  expect(await call('showInFolder', { path: 'relative' })).toMatchObject({ error: { code: 'request-invalid' } });
  shell.problem = 'no file manager';
  expect(await call('openFolder', { path: scratch() })).toMatchObject({
    error: { code: 'folder-not-opened', context: { cause: 'no file manager' } },
  });
});

test('starting at login and updates are asked for and changed', async () => {
  const { call, updates, loginItems } = make();
  expect(await call('loginItem')).toEqual({ value: { isSupported: true, isEnabled: false } });
  expect(await call('setLoginItem', { enabled: true })).toEqual({ value: { isSupported: true, isEnabled: true } });
  expect(loginItems.set).toHaveBeenCalledWith(true);
  expect(await call('update')).toEqual({ value: { is: 'idle' } });
  expect(await call('lookForUpdate')).toEqual({ value: { is: 'current' } });
  expect(await call('installUpdate')).toEqual({ value: undefined });
  expect(updates.install).toHaveBeenCalledTimes(1);
});

test.each([
  ['nothing', undefined],
  ['another name', 'eval'],
  ['a name of every object', 'constructor'],
  ['no name at all', { toString: (): string => 'loginItem' }],
])('%s is not called', async (_, name) => {
  expect(await make().call(name, { path: '/' })).toMatchObject({ error: { code: 'request-invalid' } });
});

test.each([
  ['chooseFolders', { title: 'x' }],
  ['chooseFolders', { title: 'x'.repeat(201), several: true }],
  ['chooseFolders', { title: 'x', several: true, defaultPath: '/etc' }],
  ['showInFolder', '/etc/passwd'],
  ['showInFolder', { path: '' }],
  ['showInFolder', { path: '/a\0b' }],
  ['showInFolder', { path: 7 }],
  ['setLoginItem', { enabled: 'yes' }],
  ['loginItem', {}],
  ['installUpdate', 'https://example.org/evil.exe'],
])('%s with %j is refused before anything is done', async (name, input) => {
  const { call, loginItems, updates } = make();
  expect(await call(name, input)).toMatchObject({ error: { code: 'request-invalid' } });
  expect(dialog.asked).toEqual([]);
  expect([...shell.shown, ...shell.opened]).toEqual([]);
  for (const each of [loginItems.set, loginItems.get, updates.install]) expect(each).not.toHaveBeenCalled();
});

test('nobody but the interface is answered, and it is noted who tried', async () => {
  const { window, event, call, loginItems, givePort, onRefused } = make();
  const stranger = new electron.FakeWebContents();
  stranger.mainFrame.url = 'app://holdfast/';
  const frame = new electron.FakeFrame();
  frame.url = 'app://holdfast/';
  const senders = [
    { sender: stranger, senderFrame: stranger.mainFrame },
    { ...event, senderFrame: frame },
    { ...event, senderFrame: null },
  ];
  for (const from of senders) {
    expect(await call('setLoginItem', { enabled: true }, from)).toMatchObject({ error: { code: 'request-invalid' } });
    electron.ipcMain.emit('holdfast:port', from);
  }
  window.webContents.mainFrame.url = 'https://example.org/';
  expect(await call('setLoginItem', { enabled: true })).toMatchObject({ error: { code: 'request-invalid' } });
  electron.ipcMain.emit('holdfast:port', event);
  expect(loginItems.set).not.toHaveBeenCalled();
  expect(givePort).not.toHaveBeenCalled();
  expect(window.webContents.sent).toEqual([]);
  expect(onRefused).toHaveBeenCalledTimes(8);
  expect(onRefused.mock.calls[7][0]).toBe('a wish for a port by https://example.org/');
});

test('a port goes to the page, its other end to the service', () => {
  const { window, event, givePort } = make();
  electron.ipcMain.emit('holdfast:port', event);
  expect(givePort).toHaveBeenCalledTimes(1);
  expect(window.webContents.sent).toEqual([{ channel: 'holdfast:port', value: null, ports: [expect.anything()] }]);
  window.webContents.sent[0].ports![0].close();
});
