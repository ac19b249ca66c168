/** Brings node_modules to what package-lock.json says, when it is not. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { machineEnvironment, pinnedNode, root, run } from './runtime.mjs';

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean }} LockedPackage */

/**
 * @param {string} file
 * @returns {Map<string, LockedPackage>}
 */
function packagesOf(file) {
  const { packages } = JSON.parse(readFileSync(join(root, file), 'utf8'));
  return new Map(Object.entries(packages).filter(([path]) => path !== ''));
}

/**
 * Whether what is installed is what the lock file wants. npm records what it installed; comparing with that record, not with
 * a stamp of our own, also trusts an installation that someone made by plain `npm install`, and never replaces it needlessly.
 *
 * @param {ReadonlyMap<string, LockedPackage>} installed npm's record, node_modules/.package-lock.json
 * @param {ReadonlyMap<string, LockedPackage>} locked
 */
export function matchesLock(installed, locked) {
  for (const [path, { version, integrity }] of installed) {
    const wanted = locked.get(path);
    if (wanted?.version !== version || wanted?.integrity !== integrity) return false;
  }
  // Optional packages are there for one kind of machine each.
  return [...locked].every(([path, { optional, devOptional }]) => optional === true || devOptional === true || installed.has(path));
}

function upToDate() {
  const record = 'node_modules/.package-lock.json';
  return existsSync(pinnedNode) && existsSync(join(root, record)) && matchesLock(packagesOf(record), packagesOf('package-lock.json'));
}

/**
 * Runs `npm ci` when the dependencies are missing or are not those of the lock file. Ends the process with a reason when
 * that fails, since nothing can be done without them.
 */
export async function ensureInstalled() {
  if (upToDate()) return;
  console.error('Installing what Holdfast needs (npm ci)…');
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env['npm_execpath'];
  const startedByNpm = npm !== undefined && basename(npm).startsWith('npm');
  const code = startedByNpm
    ? await run(process.env['npm_node_execpath'] ?? 'node', [npm, ...args], { env: machineEnvironment() })
    : await run('npm', args, { env: machineEnvironment() });
  if (code !== 0) {
    console.error('The dependencies could not be installed, so nothing else was done. The lines above say why.');
    process.exit(code);
  }
  if (!existsSync(pinnedNode)) {
    console.error('npm did not install the pinned Node: it was told to ignore install scripts. Allow them for the package "node".');
    process.exit(1);
  }
}
