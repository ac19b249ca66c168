/** The menus, as data: the app's own, and the tray's. */
import type { MenuItemConstructorOptions as Item } from 'electron';
import { type Known, statusLine } from './tray-state.ts';
import { type Language, wordsOf } from './words/words.ts';

/** Where in the interface the person wants to go: paths of its screens. */
export const places = {
  home: '/',
  restore: '/restore',
  history: '/history',
  plans: '/plans',
  destinations: '/destinations',
  settings: '/settings',
  about: '/about',
  run: (id: number): string => `/history/runs/${id}`,
} as const;

/** What the menus can do. */
export interface Actions {
  readonly go: (path: string) => void;
  readonly backUpNow: () => void;
  readonly pause: (span: 'hour' | 'tomorrow') => void;
  readonly resume: () => void;
  readonly quit: () => void;
}

type Role = keyof ReturnType<typeof wordsOf>['menu']['roles'];

export function appMenu(language: Language, platform: NodeJS.Platform, isDeveloping: boolean, actions: Actions): Item[] {
  const { menu } = wordsOf(language);
  const isMac = platform === 'darwin';
  const role = (name: Role): Item => ({ role: name, label: menu.roles[name] });
  const to = (label: string, path: string, accelerator?: string): Item => ({
    label,
    click: () => actions.go(path),
    ...(accelerator ? { accelerator } : {}),
  });
  const line: Item = { type: 'separator' };
  const settings = to(menu.settings, places.settings, 'CommandOrControl+,');
  const about = to(menu.about, places.about);
  const quit: Item = { label: menu.quit, accelerator: 'CommandOrControl+Q', click: actions.quit };
  const backUp: Item = { label: menu.backUpNow, accelerator: 'CommandOrControl+B', click: actions.backUpNow };
  const restore = to(menu.restore, places.restore, 'CommandOrControl+R');
  const own: Item[] = isMac
    ? [
        {
          label: 'Holdfast',
          submenu: [about, line, settings, line, role('services'), line, role('hide'), role('hideOthers'), role('unhide'), line, quit],
        },
      ]
    : [];
  return [
    ...own,
    { label: menu.file, submenu: [backUp, restore, line, ...(isMac ? [role('close')] : [settings, line, role('close'), quit])] },
    {
      label: menu.edit,
      submenu: [role('undo'), role('redo'), line, role('cut'), role('copy'), role('paste'), role('selectAll')],
    },
    {
      label: menu.go,
      submenu: [
        to(menu.home, places.home, 'CommandOrControl+1'),
        to(menu.restore.replace(/…$/, ''), places.restore, 'CommandOrControl+2'),
        to(menu.history, places.history, 'CommandOrControl+3'),
        to(menu.plans, places.plans, 'CommandOrControl+4'),
        to(menu.destinations, places.destinations, 'CommandOrControl+5'),
      ],
    },
    {
      label: menu.view,
      submenu: [
        role('resetZoom'),
        role('zoomIn'),
        role('zoomOut'),
        line,
        role('togglefullscreen'),
        ...(isDeveloping ? ([line, { role: 'reload' }, { role: 'toggleDevTools' }] satisfies Item[]) : []),
      ],
    },
    { label: menu.window, role: 'windowMenu', submenu: [role('minimize'), ...(isMac ? [line, role('front')] : [])] },
    ...(isMac ? [] : ([{ role: 'help', label: menu.help, submenu: [about] }] satisfies Item[])),
  ];
}

export function trayMenu(known: Known, language: Language, now: number, actions: Actions): Item[] {
  const { menu } = wordsOf(language);
  const { connection, state } = known;
  const isOpen = connection === 'open' && state !== undefined;
  const line: Item = { type: 'separator' };
  return [
    // Not a thing to choose, but what a click on it would mean is clear.
    { id: 'status', label: statusLine(known, language, now), click: () => actions.go(places.home) },
    line,
    {
      id: 'backup',
      label: menu.backUpNow,
      enabled: isOpen && state.plans.some(({ enabled }) => enabled),
      click: actions.backUpNow,
    },
    ...(isOpen && state.pause
      ? [{ id: 'resume', label: menu.resume, click: actions.resume }]
      : [
          { id: 'pause-hour', label: menu.pauseHour, enabled: isOpen, click: () => actions.pause('hour') },
          { id: 'pause-tomorrow', label: menu.pauseTomorrow, enabled: isOpen, click: () => actions.pause('tomorrow') },
        ]),
    line,
    { id: 'restore', label: menu.restore, click: () => actions.go(places.restore) },
    { id: 'open', label: menu.open, click: () => actions.go(places.home) },
    line,
    { id: 'quit', label: menu.quit, click: actions.quit },
  ];
}
