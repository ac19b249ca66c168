/** Bundles the interface: the pages that browsers and the desktop shell show. Needs the pinned Node; `bundle.mjs` calls it. */
import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { build } from 'vite';
import { modulesIn } from './bundle-desktop.mjs';
import { root } from './runtime.mjs';

/**
 * @param {string} folder where the files go; it is made
 * @returns {Promise<string[]>} the files that they were made from; throws when a source does not compile
 */
export async function bundleRenderer(folder) {
  const made = await build({
    configFile: false,
    root: join(root, 'renderer'),
    // The desktop shell opens the same files by a scheme of its own.
    base: './',
    publicDir: 'public',
    logLevel: 'warn',
    cacheDir: join(root, 'node_modules/.cache/vite'),
    plugins: [react()],
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: 'es2022',
      // The policy of the pages allows no content in addresses but pictures.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      sourcemap: true,
      chunkSizeWarningLimit: 800,
      reportCompressedSize: false,
    },
  });
  return [made].flat().flatMap((each) => ('output' in each ? modulesIn(each.output) : []));
}
