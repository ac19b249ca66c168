import { beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { DesktopBridge } from '../../../src/contract/desktop.ts';
import { contextBridge, ipcRenderer } from '../../support/fake-electron.ts';

const posted: unknown[][] = [];
beforeAll(async () => {
  vi.stubGlobal('window', { location: { origin: 'app://holdfast' }, postMessage: (...args: unknown[]) => posted.push(args) });
  await import('../../../main/electron/preload/preload.ts');
});
beforeEach(() => {
  ipcRenderer.sent.length = 0;
  ipcRenderer.invoked.length = 0;
  ipcRenderer.answer = { value: undefined };
  posted.length = 0;
});
const bridge = (): DesktopBridge => contextBridge.exposed.get('holdfast') as DesktopBridge;

test('the page gets one thing of a few functions, and nothing of Electron', () => {
  expect([...contextBridge.exposed.keys()]).toEqual(['holdfast']);
  for (const each of Object.values(bridge())) expect(each).toBeTypeOf('function');
});

test('a port is asked for, and handed to the page’s own window alone', () => {
  bridge().requestPort();
  expect(ipcRenderer.sent).toEqual([['holdfast:port']]);
  const port = {};
  ipcRenderer.emit('holdfast:port', { ports: [port] });
  expect(posted).toEqual([['holdfast:port', 'app://holdfast', [port]]]);
});

test('the path of a dropped file is told; of anything else, nothing', () => {
  expect(bridge().pathOf({ path: '/home/me/a.txt' })).toBe('/home/me/a.txt');
  expect(bridge().pathOf({})).toBe('');
  expect(bridge().pathOf('text' as never)).toBe('');
});

test('calls are passed on with their names, and answers given back', async () => {
  ipcRenderer.answer = { value: ['/a', '/b'] };
  expect(await bridge().chooseFolders('What')).toEqual(['/a', '/b']);
  expect(await bridge().chooseFolder('Where')).toBe('/a');
  ipcRenderer.answer = { value: [] };
  expect(await bridge().chooseFolder('Where')).toBeNull();
  await bridge().chooseFile('Which');
  await bridge().chooseNewFile('Save', 'kit');
  await bridge().openFolder('/x');
  bridge().showInFolder('/y');
  await bridge().setLoginItem(true);
  expect(ipcRenderer.invoked.map(([, name, input]) => [name, input])).toEqual([
    ['chooseFolders', { title: 'What', several: true }],
    ['chooseFolders', { title: 'Where', several: false }],
    ['chooseFolders', { title: 'Where', several: false }],
    ['chooseFile', { title: 'Which' }],
    ['chooseNewFile', { title: 'Save', name: 'kit' }],
    ['openFolder', { path: '/x' }],
    ['showInFolder', { path: '/y' }],
    ['setLoginItem', { enabled: true }],
  ]);
  for (const ask of ['loginItem', 'update', 'lookForUpdate', 'installUpdate'] as const) {
    await bridge()[ask]();
    expect(ipcRenderer.invoked.at(-1)).toEqual(['holdfast:call', ask, undefined]);
  }
});

test('an error reaches the page whole', async () => {
  const error = { code: 'folder-not-opened', message: 'm', guidance: 'g', context: { path: '/x' }, retryable: true };
  ipcRenderer.answer = { error };
  await expect(bridge().openFolder('/x')).rejects.toEqual(error);
  // Nobody waits for it.
  bridge().showInFolder('/x');
});

test('what the shell tells is heard until nobody listens, without Electron’s own event', () => {
  const places: unknown[][] = [];
  const stop = bridge().onGo((...heard) => places.push(heard));
  ipcRenderer.emit('holdfast:go', { sender: 'secret' }, '/plans');
  expect(places).toEqual([['/plans']]);
  stop();
  ipcRenderer.emit('holdfast:go', {}, '/history');
  expect(places).toHaveLength(1);
  const stopUpdates = bridge().onUpdate(() => {});
  stopUpdates();
  expect(ipcRenderer.listenerCount('holdfast:update')).toBe(0);
});
