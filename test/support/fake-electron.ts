/**
 * Stands in for `electron` in tests, as its documentation says that it behaves: the parts that the shell uses, and what they were told. Its
 * utility processes are real processes, and its ports are real ports. vitest.config.ts names it in the place of the package.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** An event that can be prevented; `more` is what else it carries. */
export const preventable = <T extends object>(more: T = {} as T): T & { defaultPrevented: boolean; preventDefault: () => void } => {
  const event = { ...more, defaultPrevented: false, preventDefault: () => void (event.defaultPrevented = true) };
  return event;
};

class FakeApp extends EventEmitter {
  languages = ['en-GB'];
  hasLock = true;
  quits = 0;
  loginItem = { openAtLogin: false, executableWillLaunchAtLogin: false, wasOpenedAtLogin: false };
  loginItemAsked: unknown[] = [];
  isPackaged = false;
  getPreferredSystemLanguages = (): string[] => this.languages;
  getVersion = (): string => '0.1.0';
  requestSingleInstanceLock = (): boolean => this.hasLock;
  whenReady = async (): Promise<void> => {};
  getLoginItemSettings = (asked?: unknown): object => {
    this.loginItemAsked.push(asked);
    return this.loginItem;
  };
  setLoginItemSettings = (set: { openAtLogin: boolean; args?: string[] }): void => {
    this.loginItemAsked.push(set);
    this.loginItem = { ...this.loginItem, openAtLogin: set.openAtLogin, executableWillLaunchAtLogin: set.openAtLogin };
  };
  /** Whoever listens to `before-quit` may keep it from quitting. */
  quit = (): void => {
    const event = preventable();
    this.emit('before-quit', event);
    if (!event.defaultPrevented) this.quits++;
  };
}

export class FakeFrame {
  url = '';
  get origin(): string {
    const match = /^(\w+:\/\/[^/]*)/.exec(this.url);
    return match?.[1] ?? 'null';
  }
}

export class FakeWebContents extends EventEmitter {
  readonly mainFrame = new FakeFrame();
  readonly sent: { channel: string; value: unknown; ports?: readonly MessagePort[] }[] = [];
  openHandler: ((details: { url: string }) => { action: string }) | undefined;
  getURL = (): string => this.mainFrame.url;
  send = (channel: string, value: unknown): void => void this.sent.push({ channel, value });
  postMessage = (channel: string, value: unknown, ports: readonly { real: MessagePort }[] = []): void =>
    void this.sent.push({ channel, value, ports: ports.map(({ real }) => real) });
  setWindowOpenHandler = (handler: NonNullable<FakeWebContents['openHandler']>): void => void (this.openHandler = handler);
}

interface Bounds {
  x: number;
  y: number;
  width: number;
  height: number;
}

export class BrowserWindow extends EventEmitter {
  static all: BrowserWindow[] = [];
  readonly webContents = new FakeWebContents();
  readonly options: Bounds & { webPreferences: Record<string, unknown>; show: boolean };
  visible: boolean;
  minimized = false;
  maximized = false;
  fullScreen = false;
  focused = false;
  destroyed = false;
  reloads = 0;
  bounds: Bounds;

  constructor(options: BrowserWindow['options']) {
    super();
    this.options = options;
    this.visible = options.show;
    this.bounds = { x: options.x, y: options.y, width: options.width, height: options.height };
    BrowserWindow.all.push(this);
    app.emit('web-contents-created', {}, this.webContents);
  }
  loadURL = async (url: string): Promise<void> => {
    this.webContents.mainFrame.url = url;
    this.emit('ready-to-show');
  };
  reload = (): void => void this.reloads++;
  show = (): void => {
    this.visible = true;
    this.focused = true;
  };
  hide = (): void => {
    this.visible = false;
    this.focused = false;
  };
  focus = (): void => void (this.focused = true);
  minimize = (): void => {
    this.minimized = true;
    this.focused = false;
  };
  restore = (): void => void (this.minimized = false);
  maximize = (): void => void (this.maximized = true);
  setFullScreen = (wanted: boolean): void => {
    this.fullScreen = wanted;
    if (!wanted) this.emit('leave-full-screen');
  };
  isVisible = (): boolean => this.visible;
  isMinimized = (): boolean => this.minimized;
  isMaximized = (): boolean => this.maximized;
  isFullScreen = (): boolean => this.fullScreen;
  isFocused = (): boolean => this.focused;
  isDestroyed = (): boolean => this.destroyed;
  getNormalBounds = (): Bounds => this.bounds;
  /** As when the person closes it, or the app quits. */
  close = (): void => {
    const event = preventable();
    this.emit('close', event);
    if (event.defaultPrevented) return;
    this.destroyed = true;
    this.emit('closed');
  };
}

export interface FakeItem {
  id?: string;
  label?: string;
  role?: string;
  type?: string;
  enabled?: boolean;
  accelerator?: string;
  click?: () => void;
  submenu?: FakeItem[];
}

class FakeMenu {
  readonly items: FakeItem[];
  constructor(items: FakeItem[]) {
    this.items = items;
  }
}

export const Menu = {
  application: undefined as FakeMenu | undefined,
  buildFromTemplate: (items: FakeItem[]): FakeMenu => new FakeMenu(items),
  setApplicationMenu: (menu: FakeMenu): void => void (Menu.application = menu),
};

/** A file that is not there makes an empty image, and no error. */
class FakeImage {
  readonly path: string;
  isTemplate = false;
  constructor(path: string) {
    this.path = path;
  }
  isEmpty = (): boolean => !existsSync(this.path) || readFileSync(this.path).length === 0;
  setTemplateImage = (wanted: boolean): void => void (this.isTemplate = wanted);
}
export const nativeImage = { createFromPath: (path: string): FakeImage => new FakeImage(path) };

export class Tray extends EventEmitter {
  static all: Tray[] = [];
  image: FakeImage;
  menu: FakeMenu | undefined;
  menus = 0;
  toolTip = '';
  destroyed = false;
  constructor(image: FakeImage) {
    super();
    this.image = image;
    Tray.all.push(this);
  }
  setImage = (image: FakeImage): void => void (this.image = image);
  setToolTip = (text: string): void => void (this.toolTip = text);
  setContextMenu = (menu: FakeMenu): void => {
    this.menu = menu;
    this.menus++;
  };
  destroy = (): void => void (this.destroyed = true);
}

export class Notification extends EventEmitter {
  static all: Notification[] = [];
  static supported = true;
  static isSupported = (): boolean => Notification.supported;
  readonly title: string;
  readonly body: string;
  shown = false;
  closed = false;
  constructor({ title, body }: { title: string; body: string }) {
    super();
    this.title = title;
    this.body = body;
  }
  show = (): void => {
    this.shown = true;
    Notification.all.push(this);
  };
  close = (): void => {
    this.closed = true;
    this.emit('close', {});
  };
}

export const nativeTheme = Object.assign(new EventEmitter(), { shouldUseDarkColors: false, themeSource: 'system' });
export const powerMonitor = new EventEmitter();
export const powerSaveBlocker = {
  held: new Set<number>(),
  last: 0,
  start: (kind: string): number => {
    if (kind !== 'prevent-app-suspension') throw new Error(kind);
    powerSaveBlocker.held.add(++powerSaveBlocker.last);
    return powerSaveBlocker.last;
  },
  stop: (id: number): boolean => powerSaveBlocker.held.delete(id),
};

const display = (id: number, workArea: Bounds): { id: number; workArea: Bounds } => ({ id, workArea });
export const screen = {
  displays: [display(1, { x: 0, y: 25, width: 1920, height: 1055 })],
  getPrimaryDisplay: (): { id: number; workArea: Bounds } => screen.displays[0],
  getAllDisplays: (): { id: number; workArea: Bounds }[] => screen.displays,
};

/** What the person answers next. */
export const dialog = {
  asked: [] as Record<string, unknown>[],
  open: { canceled: true, filePaths: [] as string[] },
  save: { canceled: true, filePath: '' },
  button: 0,
  showOpenDialog: async (...args: unknown[]): Promise<object> => {
    dialog.asked.push(args.at(-1) as Record<string, unknown>);
    return dialog.open;
  },
  showSaveDialog: async (...args: unknown[]): Promise<object> => {
    dialog.asked.push(args.at(-1) as Record<string, unknown>);
    return dialog.save;
  },
  showMessageBox: async (...args: unknown[]): Promise<object> => {
    dialog.asked.push(args.at(-1) as Record<string, unknown>);
    return { response: dialog.button };
  },
};

export const shell = {
  shown: [] as string[],
  opened: [] as string[],
  problem: '',
  showItemInFolder: (path: string): void => void shell.shown.push(path),
  openPath: async (path: string): Promise<string> => {
    shell.opened.push(path);
    return shell.problem;
  },
};

type Handler = (event: unknown, ...args: unknown[]) => unknown;

class FakeIpcMain extends EventEmitter {
  readonly handlers = new Map<string, Handler>();
  handle = (channel: string, handler: Handler): void => {
    if (this.handlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`);
    this.handlers.set(channel, handler);
  };
}
export const ipcMain = new FakeIpcMain();

type Decide = (granted: boolean) => void;
class FakeSession {
  request: ((contents: unknown, permission: string, decide: Decide, details: { requestingUrl: string }) => void) | undefined;
  check: ((contents: unknown, permission: string, origin: string) => boolean) | undefined;
  device: (() => boolean) | undefined;
  capture: ((request: unknown, answer: (streams: object) => void) => void) | undefined;
  before: ((details: { url: string }, decide: (answer: { cancel: boolean }) => void) => void) | undefined;
  setPermissionRequestHandler = (handler: NonNullable<FakeSession['request']>): void => void (this.request = handler);
  setPermissionCheckHandler = (handler: NonNullable<FakeSession['check']>): void => void (this.check = handler);
  setDevicePermissionHandler = (handler: () => boolean): void => void (this.device = handler);
  setDisplayMediaRequestHandler = (handler: NonNullable<FakeSession['capture']>): void => void (this.capture = handler);
  readonly webRequest = { onBeforeRequest: (handler: NonNullable<FakeSession['before']>): void => void (this.before = handler) };
}
export const session = { defaultSession: new FakeSession() };

export const protocol = {
  schemes: [] as unknown[],
  handlers: new Map<string, (request: Request) => Promise<Response>>(),
  registerSchemesAsPrivileged: (schemes: unknown[]): void => void protocol.schemes.push(...schemes),
  handle: (scheme: string, handler: (request: Request) => Promise<Response>): void => void protocol.handlers.set(scheme, handler),
};

/** A port of the main process: its messages come wrapped, and only after `start`. */
export class MessagePortMain extends EventEmitter {
  readonly real: MessagePort;
  constructor(real: MessagePort) {
    super();
    this.real = real;
    real.on('close', () => this.emit('close'));
  }
  start = (): void => {
    this.real.on('message', (data: unknown) => this.emit('message', { data, ports: [] }));
    this.real.start();
  };
  postMessage = (data: unknown): void => this.real.postMessage(data);
  close = (): void => this.real.close();
}
export class MessageChannelMain {
  readonly port1: MessagePortMain;
  readonly port2: MessagePortMain;
  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port1 = new MessagePortMain(port1);
    this.port2 = new MessagePortMain(port2);
  }
}

/** A real process, to which `process.parentPort` is given as a utility process has it. */
export class UtilityProcess extends EventEmitter {
  readonly child: ChildProcess;
  readonly stdout: ChildProcess['stdout'];
  readonly stderr: ChildProcess['stderr'];
  constructor(program: string, args: readonly string[], env: Record<string, string>) {
    super();
    const shim = join(import.meta.dirname, 'parent-port.mjs');
    this.child = fork(program, [...args], { env, silent: true, serialization: 'advanced', execArgv: ['--import', shim] });
    this.stdout = this.child.stdout;
    this.stderr = this.child.stderr;
    this.child.on('message', (message) => this.emit('message', message));
    this.child.on('exit', (code) => this.emit('exit', code ?? 1));
  }
  postMessage = (message: object): void => {
    if (this.child.connected) this.child.send(message, () => {});
  };
  kill = (): boolean => this.child.kill('SIGKILL');
}
export const utilityProcess = {
  started: [] as UtilityProcess[],
  fork: (program: string, args: string[] = [], { env = {} }: { env?: Record<string, string> } = {}): UtilityProcess => {
    const started = new UtilityProcess(program, args, env);
    utilityProcess.started.push(started);
    return started;
  },
};

/** Of the preload script. */
export const ipcRenderer = Object.assign(new EventEmitter(), {
  sent: [] as unknown[][],
  invoked: [] as unknown[][],
  answer: { value: undefined } as object,
  send: (...args: unknown[]): void => void ipcRenderer.sent.push(args),
  invoke: async (...args: unknown[]): Promise<object> => {
    ipcRenderer.invoked.push(args);
    return ipcRenderer.answer;
  },
});
export const contextBridge = {
  exposed: new Map<string, unknown>(),
  exposeInMainWorld: (name: string, value: unknown): void => void contextBridge.exposed.set(name, value),
};
export const webUtils = {
  getPathForFile: (file: { path?: string }): string => {
    if (typeof file !== 'object' || file === null) throw new TypeError('Argument must be a File');
    return file.path ?? '';
  },
};

export const app = new FakeApp();
