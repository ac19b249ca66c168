import { beforeEach, expect, test } from 'vitest';
import { guardPages, isFromInterface, safePreferences } from '../../../main/electron/guard.ts';
import * as electron from '../../support/fake-electron.ts';

const ours = 'app://holdfast/index.html#/restore';
const theirs = [
  'https://example.org/',
  'file:///etc/passwd',
  'app://holdfast.example.org/',
  'app://elsewhere/',
  'javascript:alert(1)',
  'data:text/html,x',
  'about:blank',
  '',
];
const { defaultSession } = electron.session;

let contents: electron.FakeWebContents;
beforeEach(() => {
  electron.app.removeAllListeners();
  guardPages(electron.app as never);
  contents = new electron.FakeWebContents();
  contents.mainFrame.url = ours;
  electron.app.emit('web-contents-created', {}, contents);
});

const isPrevented = (name: string, more: object): boolean => {
  const event = electron.preventable(more);
  contents.emit(name, event);
  return event.defaultPrevented;
};

test.each(theirs)('a page cannot go to "%s", by itself, by a redirect or in a frame', (url) => {
  expect(isPrevented('will-navigate', { url })).toBe(true);
  expect(isPrevented('will-redirect', { url })).toBe(true);
  expect(isPrevented('will-frame-navigate', { url, isMainFrame: true })).toBe(true);
});

test('a page may be loaded again; frames are not part of it', () => {
  expect(isPrevented('will-navigate', { url: ours })).toBe(false);
  expect(isPrevented('will-frame-navigate', { url: ours, isMainFrame: true })).toBe(false);
  expect(isPrevented('will-frame-navigate', { url: ours, isMainFrame: false })).toBe(true);
});

test('no window is opened, and no other page embedded', () => {
  for (const url of [ours, ...theirs]) expect(contents.openHandler!({ url })).toEqual({ action: 'deny' });
  expect(isPrevented('will-attach-webview', {})).toBe(true);
});

test.each([
  'media',
  'geolocation',
  'notifications',
  'midi',
  'pointerLock',
  'fullscreen',
  'openExternal',
  'clipboard-read',
  'usb',
  'unknown',
])('the permission "%s" is denied', (permission) => {
  let granted: boolean | undefined;
  defaultSession.request!(contents, permission, (answer) => (granted = answer), { requestingUrl: ours });
  expect(granted).toBe(false);
  expect(defaultSession.check!(contents, permission, 'app://holdfast/')).toBe(false);
});

test('only the interface may put text into the clipboard', () => {
  const asked: boolean[] = [];
  for (const requestingUrl of [ours, ...theirs])
    defaultSession.request!(contents, 'clipboard-sanitized-write', (answer) => asked.push(answer), { requestingUrl });
  expect(asked).toEqual([true, ...theirs.map(() => false)]);
  expect(defaultSession.check!(contents, 'clipboard-sanitized-write', 'app://holdfast')).toBe(true);
  expect(defaultSession.check!(contents, 'clipboard-sanitized-write', 'https://example.org')).toBe(false);
});

test('devices and the screen are nobody’s', () => {
  expect(defaultSession.device!()).toBe(false);
  let streams: object | undefined;
  defaultSession.capture!({}, (answer) => (streams = answer));
  expect(streams).toEqual({});
});

test('nothing is loaded from anywhere else', () => {
  const isCancelled = (url: string): boolean => {
    let cancelled = false;
    defaultSession.before!({ url }, ({ cancel }) => (cancelled = cancel));
    return cancelled;
  };
  for (const url of ['app://holdfast/', 'app://holdfast/assets/x.js', 'blob:app://holdfast/1', 'data:image/png;base64,x'])
    expect(isCancelled(url)).toBe(false);
  for (const url of [
    'https://example.org/',
    'http://127.0.0.1:80/',
    'ws://example.org/',
    'file:///etc/passwd',
    'blob:https://example.org/1',
    'app://holdfastx/',
  ])
    expect(isCancelled(url)).toBe(true);
});

test('a message counts only when the top frame of the window sends it, showing the interface', () => {
  const other = new electron.FakeWebContents();
  other.mainFrame.url = ours;
  const frame = new electron.FakeFrame();
  frame.url = ours;
  const from = (sender: object, senderFrame: object | null, window: object | undefined = contents): boolean =>
    isFromInterface({ sender, senderFrame } as never, window as never);
  expect(from(contents, contents.mainFrame)).toBe(true);
  expect(from(other, other.mainFrame)).toBe(false);
  expect(from(contents, other.mainFrame)).toBe(false);
  expect(from(contents, frame)).toBe(false);
  expect(from(contents, null)).toBe(false);
  expect(isFromInterface({ sender: contents, senderFrame: contents.mainFrame } as never, undefined)).toBe(false);
  for (const url of theirs) {
    contents.mainFrame.url = url;
    expect(from(contents, contents.mainFrame)).toBe(false);
  }
});

test('pages have no Node, and are kept apart from the preload script and the system', () => {
  expect(safePreferences).toMatchObject({
    contextIsolation: true,
    sandbox: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    webviewTag: false,
  });
});
