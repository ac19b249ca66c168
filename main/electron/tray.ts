/** The icon in the tray: it shows the state and carries the menu. */
import { Menu, nativeImage, type NativeImage, nativeTheme, Tray } from 'electron';
import { join } from 'node:path';
import { type Actions, places, trayMenu } from './menu.ts';
import { type Known, statusLine, type TrayIcon, trayIcon } from './tray-state.ts';
import type { Language } from './words/words.ts';

export interface TrayOptions {
  /** With the images. */
  readonly assets: string;
  readonly platform: NodeJS.Platform;
  readonly now: () => number;
  readonly actions: Actions;
}

export class TrayView {
  readonly #options: TrayOptions;
  readonly #tray: Tray;
  readonly #themeChanged = (): void => this.#paint();
  #shown = '';
  #icon: TrayIcon = 'fine';

  constructor(options: TrayOptions) {
    this.#options = options;
    this.#tray = new Tray(this.#image());
    // On macOS and Linux a click opens the menu; on Windows the menu is under the other button.
    this.#tray.on('click', () => {
      if (options.platform === 'win32') options.actions.go(places.home);
    });
    nativeTheme.on('updated', this.#themeChanged);
  }

  /** Shows what is known; nothing is touched when it would look the same, as a menu that is open closes when it is replaced. */
  show(known: Known, language: Language): void {
    const { actions, now } = this.#options;
    const icon = trayIcon(known);
    if (icon !== this.#icon) {
      this.#icon = icon;
      this.#paint();
    }
    const items = trayMenu(known, language, now(), actions);
    const shown = JSON.stringify(items);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#tray.setToolTip(`Holdfast · ${statusLine(known, language, now())}`);
    this.#tray.setContextMenu(Menu.buildFromTemplate(items));
  }

  close(): void {
    nativeTheme.off('updated', this.#themeChanged);
    this.#tray.destroy();
  }

  #paint(): void {
    this.#tray.setImage(this.#image());
  }

  #image(): NativeImage {
    const { assets, platform } = this.#options;
    const image = nativeImage.createFromPath(join(assets, 'tray', trayImage(this.#icon, platform, nativeTheme.shouldUseDarkColors)));
    // macOS colours it as the menu bar wants it.
    if (platform === 'darwin') image.setTemplateImage(true);
    return image;
  }
}

/** The file of an icon. `isDark`: what it stands on is dark; the one with twice the pixels is found beside it. */
export function trayImage(icon: TrayIcon, platform: NodeJS.Platform, isDark: boolean): string {
  if (platform === 'darwin') return `${icon}Template.png`;
  const variant = isDark ? 'dark' : 'light';
  return platform === 'win32' ? `${icon}-${variant}.ico` : `${icon}-${variant}.png`;
}
