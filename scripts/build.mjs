/** `npm run build`: makes dist/ from the sources. Types are not looked at; `npm run check` does that. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { filesBelow, fingerprint } from './fingerprint.mjs';
import { ensureInstalled } from './install.mjs';
import { root, runNode } from './runtime.mjs';

/** The file in dist/ that holds the fingerprint of what it was made from. */
export const bundleStamp = '.inputs';

/** The fingerprint of everything that dist/ is made from, as the files are now. */
export function currentBundle() {
  const makers = [
    'package-lock.json',
    'package.json',
    'scripts/bundle.mjs',
    'scripts/bundle-renderer.mjs',
    'scripts/bundle-desktop.mjs',
    'scripts/compress.mjs',
    'scripts/licences.mjs',
    'scripts/build.mjs',
    'scripts/build-wasm.mjs',
  ];
  return fingerprint([...filesBelow('src'), ...filesBelow('main'), ...filesBelow('renderer'), ...filesBelow('assets'), ...makers]);
}

/**
 * Makes dist/, whether or not it is up to date. The dependencies must be installed.
 *
 * @returns {Promise<number>} an exit code
 */
export async function build() {
  const wasm = await runNode('scripts/build-wasm.mjs', []);
  return wasm === 0 ? runNode('scripts/bundle.mjs', []) : wasm;
}

/**
 * Makes dist/ when the sources differ from what it was made from.
 *
 * @returns {Promise<number>} an exit code
 */
export async function ensureBuilt() {
  const stamp = join(root, 'dist', bundleStamp);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === currentBundle()) return 0;
  console.error('Building Holdfast…');
  return build();
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await ensureInstalled();
  process.exitCode = await build();
}
