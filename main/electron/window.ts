/** The one window. It is made when it is first wanted, and hidden when it is closed, as long as the tray can bring it back. */
import { BrowserWindow, nativeTheme, screen, type WebContents } from 'electron';
import { desktopChannels } from '../../src/contract/desktop-channels.ts';
import { appOrigin } from './app-scheme.ts';
import { safePreferences } from './guard.ts';
import { fitToScreens, readWindowState, smallestSize, writeWindowState } from './window-state.ts';

export interface WindowOptions {
  readonly preload: string;
  /** The window's icon, where the system takes it from there. */
  readonly icon: string | undefined;
  /** Where it was last. */
  readonly stateFile: string;
  readonly isDeveloping: boolean;
  /** Whether a hidden window can be found again. */
  readonly hasTray: () => boolean;
  /** Told when the person has closed it, and it is hidden or minimized. */
  readonly onPutAway: () => void;
}

/** Of the interface's frame, so that nothing flashes before it is there. */
const background = { light: '#f6f7f7', dark: '#141918' } as const;

/** Of the page, after which it is loaded again. */
const mostCrashes = 5;

export class MainWindow {
  readonly #options: WindowOptions;
  #window: BrowserWindow | undefined;
  #isQuitting = false;
  #crashes = 0;

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  /** Undefined while there is none. */
  get contents(): WebContents | undefined {
    return this.#window?.webContents;
  }

  get isFocused(): boolean {
    return this.#window?.isFocused() === true;
  }

  /** To be parent of a dialog. */
  get window(): BrowserWindow | undefined {
    return this.#window;
  }

  /** Brings it to the front, at a place of the interface when one is named. */
  show(path?: string): void {
    const window = this.#window;
    if (!window) {
      this.#window = this.#make(path, true);
      return;
    }
    if (path !== undefined) window.webContents.send(desktopChannels.go, path);
    if (window.isMinimized()) window.restore();
    window.show();
    window.focus();
  }

  /** At login nobody wants to see it; but where no tray is, it must be somewhere. */
  showPutAway(): void {
    if (this.#options.hasTray() || this.#window) return;
    this.#window = this.#make(undefined, false);
    this.#window.minimize();
  }

  /** From now on closing it is closing it. */
  quitting(): void {
    this.#isQuitting = true;
  }

  send(channel: string, value: unknown): void {
    this.#window?.webContents.send(channel, value);
  }

  #make(path: string | undefined, isShown: boolean): BrowserWindow {
    const { preload, icon, stateFile, isDeveloping } = this.#options;
    const kept = readWindowState(stateFile);
    const main = screen.getPrimaryDisplay();
    const others = screen.getAllDisplays().filter(({ id }) => id !== main.id);
    const window = new BrowserWindow({
      ...fitToScreens(
        kept?.bounds,
        [main, ...others].map(({ workArea }) => workArea),
      ),
      minWidth: smallestSize.width,
      minHeight: smallestSize.height,
      title: 'Holdfast',
      ...(icon === undefined ? {} : { icon }),
      show: false,
      backgroundColor: nativeTheme.shouldUseDarkColors ? background.dark : background.light,
      autoHideMenuBar: true,
      webPreferences: { ...safePreferences, preload, devTools: isDeveloping },
    });
    if (kept?.isMaximized) window.maximize();
    window.once('ready-to-show', () => {
      if (isShown) window.show();
    });
    window.on('close', (event) => {
      writeWindowState(stateFile, { bounds: window.getNormalBounds(), isMaximized: window.isMaximized() });
      if (this.#isQuitting) return;
      event.preventDefault();
      this.#putAway(window);
    });
    window.on('closed', () => {
      if (this.#window === window) this.#window = undefined;
    });
    window.webContents.on('render-process-gone', (_, { reason }) => {
      // Backups do not notice. A page that always crashes must not do so for ever.
      if (reason !== 'clean-exit' && !window.isDestroyed() && this.#crashes++ < mostCrashes) window.reload();
    });
    void window.loadURL(`${appOrigin}/index.html${path === undefined ? '' : `#${path}`}`);
    return window;
  }

  #putAway(window: BrowserWindow): void {
    if (this.#options.hasTray()) {
      // Hidden while in full screen, macOS would leave a black screen.
      if (window.isFullScreen()) {
        window.once('leave-full-screen', () => window.hide());
        window.setFullScreen(false);
      } else window.hide();
    } else window.minimize();
    this.#options.onPutAway();
  }
}
