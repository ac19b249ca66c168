/** Whether Holdfast starts when its person logs in. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, posix } from 'node:path';
import type { App } from 'electron';
import type { LoginItem } from '../../src/contract/desktop-calls.ts';
import { fail } from '../../src/contract/errors.ts';
import type { HostSurroundings } from '../../src/platform/host.ts';
import { replaceFile } from '../../src/platform/replace-file.ts';

/** Without a window, then. */
export const hiddenFlag = '--hidden';

export interface LoginItems {
  /** Throws what the system does. */
  get(): LoginItem;
  /** Throws `autostart-failed`, `autostart-absent`. */
  set(isEnabled: boolean): LoginItem;
}

export interface LoginItemsOptions extends HostSurroundings {
  readonly app: Pick<App, 'getLoginItemSettings' | 'setLoginItemSettings'>;
  /** False for a program that is run from its sources. */
  readonly isPackaged: boolean;
  /** The program. Of an AppImage, whose inside is mounted somewhere else each time, the image itself. */
  readonly program: string;
}

export function loginItemsOf(options: LoginItemsOptions): LoginItems {
  const { platform, isPackaged } = options;
  if (!isPackaged)
    return {
      get: () => ({ isSupported: false, isEnabled: false }),
      set: () => fail('autostart-absent', { cause: 'it was not installed' }),
    };
  return platform === 'linux' ? desktopEntry(options) : systems(options);
}

/** macOS and Windows keep such a list themselves. */
function systems({ app, platform }: LoginItemsOptions): LoginItems {
  const args = platform === 'win32' ? { args: [hiddenFlag] } : {};
  const get = (): LoginItem => {
    const { openAtLogin, executableWillLaunchAtLogin } = app.getLoginItemSettings(args);
    // The person may have switched it off in the system's own list.
    return { isSupported: true, isEnabled: openAtLogin && (platform !== 'win32' || executableWillLaunchAtLogin) };
  };
  return {
    get,
    set: (isEnabled) => {
      app.setLoginItemSettings({ openAtLogin: isEnabled, ...args });
      return get();
    },
  };
}

/** Source: Desktop Application Autostart Specification of freedesktop.org. */
function desktopEntry({ env, home, program }: LoginItemsOptions): LoginItems {
  const config = env.XDG_CONFIG_HOME && posix.isAbsolute(env.XDG_CONFIG_HOME) ? env.XDG_CONFIG_HOME : posix.join(home, '.config');
  const file = posix.join(config, 'autostart', 'holdfast.desktop');
  const get = (): LoginItem => ({ isSupported: true, isEnabled: existsSync(file) });
  return {
    get,
    set: (isEnabled) => {
      try {
        if (isEnabled) {
          mkdirSync(dirname(file), { recursive: true });
          replaceFile(file, entryText([program, hiddenFlag]));
        } else rmSync(file, { force: true });
      } catch (error) {
        return fail('autostart-failed', { cause: (error as Error).message }, error);
      }
      return get();
    },
  };
}

/**
 * Desktop Entry Specification, "The Exec key": quoted words in which some signs are escaped and `%` is doubled, all of it escaped as any
 * text is. GLib looks for a program without undoing the doubling, so that one with `%` in its name goes through a shell.
 */
function entryText([program, ...args]: readonly string[]): string {
  const command = program.includes('%') ? ['/bin/sh', '-c', 'exec "$0" "$@"', program, ...args] : [program, ...args];
  const exec = command.map((word) => `"${word.replace(/["`$\\]/g, '\\$&').replaceAll('%', '%%')}"`).join(' ');
  const escaped = exec.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return `[Desktop Entry]
Type=Application
Name=Holdfast
Exec=${escaped}
Icon=holdfast
Terminal=false
X-GNOME-Autostart-enabled=true
`;
}
