/** Where Electron's program is on this computer. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './runtime.mjs';

/** The package, which fetches the program when its `install.js` is run. */
export const electronFolder = join(root, 'node_modules/electron');

/**
 * Electron's program where it is at hand: below ELECTRON_OVERRIDE_DIST_PATH, or where its package keeps it. Nothing is fetched.
 *
 * @returns {string | undefined}
 */
export function electronAtHand() {
  const own = process.env['ELECTRON_OVERRIDE_DIST_PATH'];
  const named = join(electronFolder, 'path.txt');
  const program = own
    ? join(own, process.platform === 'win32' ? 'electron.exe' : 'electron')
    : existsSync(named)
      ? join(electronFolder, 'dist', readFileSync(named, 'utf8'))
      : undefined;
  return program !== undefined && existsSync(program) ? program : undefined;
}

/** Whether there is a screen that a window could be on. */
export const hasScreen = () =>
  process.platform === 'darwin' || process.platform === 'win32' || !!(process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY']);
