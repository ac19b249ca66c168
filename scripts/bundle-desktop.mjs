/** Bundles the desktop shell: its main process, the preload script, and the images. Needs the pinned Node; `bundle.mjs` calls it. */
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { root } from './runtime.mjs';

/** What the running program needs of assets/; installers take theirs from there themselves. */
const images = ['tray', 'icons/512x512.png'];

/**
 * @param {string} folder where the files go: `desktop/` and `assets/` in it
 * @returns {Promise<string[]>} the files that it was made from; throws when a source does not compile
 */
export async function bundleDesktop(folder) {
  // Modules of its own, apart from those of the service: these run from within the program's archive, those do not.
  const main = await write('main/electron/entry.ts', { dir: join(folder, 'desktop'), format: 'esm', entryFileNames: 'main.js' });
  const preload = await write('main/electron/preload/preload.ts', {
    dir: join(folder, 'desktop'),
    format: 'cjs',
    entryFileNames: 'preload.cjs',
  });
  for (const image of images) {
    mkdirSync(join(folder, 'assets', image, '..'), { recursive: true });
    cpSync(join(root, 'assets', image), join(folder, 'assets', image), { recursive: true });
  }
  return [...main, ...preload];
}

/**
 * @param {string} entry
 * @param {import('rolldown').OutputOptions} output
 */
async function write(entry, output) {
  const bundle = await rolldown({
    cwd: root,
    input: join(root, entry),
    platform: 'node',
    external: ['electron', 'koffi'],
    tsconfig: false,
    onLog: (level, log, report) => report(level === 'warn' ? 'error' : level, log),
  });
  const written = await bundle.write({ chunkFileNames: 'shared-[hash].js', sourcemap: true, minify: false, ...output });
  await bundle.close();
  return modulesIn(written.output);
}

/**
 * @param {readonly ({ type: string, moduleIds?: readonly string[] })[]} output of a bundler
 * @returns {string[]} the files that it was made from
 */
export const modulesIn = (output) => output.flatMap((part) => part.moduleIds ?? []);
