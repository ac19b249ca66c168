/** Bundles the interface: the pages that browsers and the desktop shell show. Needs the pinned Node; `bundle.mjs` calls it. */
import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { build } from 'vite';
import { modulesIn } from './bundle-desktop.mjs';
import { root } from './runtime.mjs';

/**
 * The first page comes in one piece, of which every request less is a wait less: all that it imports at once. What several other screens
 * share of the libraries is a second piece.
 *
 * @returns {(id: string, context: { getModuleInfo: (id: string) => { importers: readonly string[], isEntry: boolean } | null }) => string | null}
 */
function pieces() {
  /** @type {Map<string, boolean>} */
  const known = new Map();
  return (id, graph) => {
    /** @type {(id: string) => boolean} */
    const isFirst = (of) => {
      const before = known.get(of);
      if (before !== undefined) return before;
      known.set(of, false);
      const { isEntry = false, importers = [] } = graph.getModuleInfo(of) ?? {};
      const is = isEntry || importers.some(isFirst);
      known.set(of, is);
      return is;
    };
    // The texts, which come beside the first piece, need this one.
    if (isFirst(id) || id.endsWith('/i18n/error-text.ts')) return 'first';
    return id.includes('/node_modules/') ? 'library' : null;
  };
}

/**
 * Tells the page the files of the texts, so that those of its language are fetched beside the program and not after it; see
 * renderer/public/begin.js.
 *
 * @returns {import('vite').Plugin}
 */
function textsAhead() {
  return {
    name: 'holdfast-texts-ahead',
    transformIndexHtml: {
      order: 'post',
      handler: (_, { bundle = {} }) =>
        Object.values(bundle).flatMap((chunk) => {
          const language = chunk.type === 'chunk' && /\/i18n\/(en|zh-CN)\.ts$/.exec(chunk.facadeModuleId ?? '')?.[1];
          if (!language) return [];
          return [{ tag: 'meta', attrs: { name: `texts-${language}`, content: `./${chunk.fileName}` }, injectTo: 'head-prepend' }];
        }),
    },
  };
}

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
    plugins: [react(), textsAhead()],
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: 'es2022',
      // The policy of the pages allows no content in addresses but pictures.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      sourcemap: true,
      chunkSizeWarningLimit: 1200,
      reportCompressedSize: false,
      rolldownOptions: {
        output: { codeSplitting: { groups: [{ debugName: 'pieces', name: pieces() }], includeDependenciesRecursively: false } },
      },
    },
  });
  return [made].flat().flatMap((each) => ('output' in each ? modulesIn(each.output) : []));
}
