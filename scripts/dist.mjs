/**
 * `npm run dist`: installers of the desktop app for this system, in release/. Further arguments go to electron-builder: `-- --dir` makes the
 * program's folder alone.
 *
 * - ELECTRON_DIST: a folder with an unpacked Electron of the right version; without it electron-builder loads one.
 * - HOLDFAST_UPDATE_URL and HOLDFAST_UPDATE_PUBLIC_KEY (a file): where the program looks for updates, and whose it takes. Without both it
 *   does not look for any.
 * - Signing and notarising are electron-builder's: CSC_LINK, CSC_KEY_PASSWORD, WIN_CSC_LINK; APPLE_ID, APPLE_APP_SPECIFIC_PASSWORD, APPLE_TEAM_ID.
 */
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { runTool } from './runtime.mjs';

/**
 * The arguments of electron-builder.
 *
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {string[]} throws when only one half of what updates need is given
 */
export function builderArguments(args, env) {
  const { ELECTRON_DIST: dist, HOLDFAST_UPDATE_URL: url, HOLDFAST_UPDATE_PUBLIC_KEY: key } = env;
  if (Boolean(url) !== Boolean(key)) throw new Error('HOLDFAST_UPDATE_URL and HOLDFAST_UPDATE_PUBLIC_KEY are needed together.');
  const all = ['--config', 'electron-builder.yml', '--publish', 'never'];
  if (dist) all.push(`-c.electronDist=${resolve(dist)}`);
  if (url && key) {
    all.push('-c.publish.provider=generic', `-c.publish.url=${url}`);
    all.push(`-c.extraResources.from=${resolve(key)}`, '-c.extraResources.to=update-key.pem');
  }
  return [...all, ...args];
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await ensureInstalled();
  const built = await ensureBuilt();
  process.exitCode = built === 0 ? await runTool('electron-builder', builderArguments(process.argv.slice(2), process.env)) : built;
}
