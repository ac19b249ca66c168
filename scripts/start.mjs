/**
 * `npm start`: installs and builds what is missing, then opens the app: in Electron where it can be had, else in a browser.
 * `npm start -- FOLDER… [--to DESTINATION]` backs up from the terminal instead.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt } from './build.mjs';
import { electronAtHand, electronFolder, hasScreen } from './electron-program.mjs';
import { ensureInstalled } from './install.mjs';
import { pinnedNode, root, run, runNode } from './runtime.mjs';

/** Electron's program, fetched where that is possible; undefined where there is none for this computer. */
async function electronProgram() {
  const there = electronAtHand();
  if (there !== undefined || !existsSync(join(electronFolder, 'install.js'))) return there;
  console.error('Fetching Electron for the desktop app…');
  return (await run(pinnedNode, [join(electronFolder, 'install.js')])) === 0 ? electronAtHand() : undefined;
}

/** @returns {Promise<number>} an exit code */
async function openApp() {
  if (!hasScreen()) {
    console.error('There is no screen here for a window, so Holdfast opens in a browser instead.');
    return runNode('dist/open.js', []);
  }
  const electron = await electronProgram();
  if (electron !== undefined) return run(electron, [root]);
  console.error('Electron could not be had, so Holdfast opens in a browser instead.');
  return runNode('dist/open.js', []);
}

await ensureInstalled();
const built = await ensureBuilt();
const args = process.argv.slice(2);
if (built !== 0 || !existsSync(join(root, 'dist/start.js'))) {
  console.error('Holdfast could not be built, so nothing was done. The lines above say why.');
  process.exitCode = built === 0 ? 1 : built;
} else if (args.length === 0) {
  process.exitCode = await openApp();
} else {
  // npm runs scripts at the project's top; relative paths mean the folder where the person typed them.
  process.exitCode = await runNode('dist/start.js', args, { cwd: process.env['INIT_CWD'] ?? process.cwd() });
}
