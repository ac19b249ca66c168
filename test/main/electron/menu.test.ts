import { expect, test, vi } from 'vitest';
import { type Actions, appMenu, places, trayMenu } from '../../../main/electron/menu.ts';
import type { Known } from '../../../main/electron/tray-state.ts';
import { wordsOf } from '../../../main/electron/words/words.ts';
import type { FakeItem } from '../../support/fake-electron.ts';
import { aPlan, stateWith } from '../../support/service-state.ts';

const actions = (): Actions => ({ go: vi.fn(), backUpNow: vi.fn(), pause: vi.fn(), resume: vi.fn(), quit: vi.fn() });
const open = (more = {}): Known => ({ connection: 'open', state: stateWith({ plans: [aPlan('docs', 'Documents')], ...more }) });
const tray = (known: Known, does = actions(), language: 'en' | 'zh-CN' = 'en'): FakeItem[] =>
  trayMenu(known, language, 0, does) as FakeItem[];
const flat = (items: readonly FakeItem[]): FakeItem[] => items.flatMap((item) => [item, ...flat(item.submenu ?? [])]);
const labels = (items: readonly FakeItem[]): string[] => items.filter(({ type }) => type !== 'separator').map(({ label }) => label!);

test('the tray’s menu says how it stands and offers what is wanted most', () => {
  expect(labels(tray(open()))).toEqual([
    'The first backup has not been made yet',
    'Back up now',
    'Pause for 1 hour',
    'Pause until tomorrow',
    'Restore files…',
    'Open Holdfast',
    'Quit Holdfast',
  ]);
  expect(labels(tray(open({ pause: { since: 0, until: null } })))).toEqual([
    'Paused until you resume',
    'Back up now',
    'Resume',
    'Restore files…',
    'Open Holdfast',
    'Quit Holdfast',
  ]);
});

test('each of its items does what it says', () => {
  const does = actions();
  const choose = (items: readonly FakeItem[], id: string): void => items.find((item) => item.id === id)!.click!();
  const items = tray(open(), does);
  for (const id of ['status', 'backup', 'pause-hour', 'pause-tomorrow', 'restore', 'open', 'quit']) choose(items, id);
  choose(tray(open({ pause: { since: 0, until: null } }), does), 'resume');
  expect(vi.mocked(does.go).mock.calls).toEqual([['/'], ['/restore'], ['/']]);
  expect(vi.mocked(does.pause).mock.calls).toEqual([['hour'], ['tomorrow']]);
  for (const each of [does.backUpNow, does.resume, does.quit]) expect(each).toHaveBeenCalledTimes(1);
});

test('what cannot be done now is grey; restoring, opening and quitting always can', () => {
  const grey = (known: Known): string[] =>
    tray(known)
      .filter(({ enabled }) => enabled === false)
      .map(({ id }) => id!);
  expect(grey({ connection: 'away', state: undefined })).toEqual(['backup', 'pause-hour', 'pause-tomorrow']);
  expect(grey({ connection: 'open', state: stateWith() })).toEqual(['backup']);
  expect(grey({ connection: 'open', state: stateWith({ plans: [aPlan('a', 'A', { enabled: false })] }) })).toEqual(['backup']);
  expect(grey(open())).toEqual([]);
});

test.each(['linux', 'darwin', 'win32'] as const)('the app’s menu of %s has the usual things, and no key twice', (platform) => {
  const items = flat(appMenu('en', platform, false, actions()) as FakeItem[]);
  const keys = items.flatMap(({ accelerator }) => (accelerator ? [accelerator] : []));
  expect(new Set(keys).size).toBe(keys.length);
  const roles = items.flatMap(({ role }) => (role ? [role] : []));
  expect(roles).toEqual(
    expect.arrayContaining(['undo', 'redo', 'cut', 'copy', 'paste', 'selectAll', 'close', 'minimize', 'zoomIn', 'togglefullscreen']),
  );
  expect(roles.includes('hideOthers')).toBe(platform === 'darwin');
  // Nobody but a developer loads the page anew, or looks into it.
  expect(roles).not.toContain('reload');
  expect(roles).not.toContain('toggleDevTools');
  expect(flat(appMenu('en', platform, true, actions()) as FakeItem[]).map(({ role }) => role)).toContain('toggleDevTools');
  expect(labels(items)).toEqual(expect.arrayContaining(['Back up now', 'Settings…', 'About Holdfast', 'Quit Holdfast', 'Home', 'History']));
});

test('every place of the menu leads to its screen', () => {
  const does = actions();
  for (const item of flat(appMenu('en', 'linux', false, does) as FakeItem[])) item.click?.();
  const gone = new Set(vi.mocked(does.go).mock.calls.map(([path]) => path));
  expect(gone).toEqual(new Set(Object.values(places).filter((path) => typeof path === 'string')));
});

test('both menus are wholly in Chinese when that is the language', () => {
  const items = [...flat(appMenu('zh-CN', 'darwin', false, actions()) as FakeItem[]), ...tray(open(), actions(), 'zh-CN')];
  for (const label of labels(items)) expect(label === 'Holdfast' || /[\u4e00-\u9fff]/.test(label), label).toBe(true);
});

test('both languages have the same words', () => {
  const keys = (value: object, path = ''): string[] =>
    Object.entries(value).flatMap(([key, each]) =>
      typeof each === 'object' && each !== null ? keys(each as object, `${path}${key}.`) : [`${path}${key}`],
    );
  expect(keys(wordsOf('zh-CN')).sort()).toEqual(keys(wordsOf('en')).sort());
});
