/**
 * Bundles the programs into dist/. Needs the pinned Node; `build.mjs` calls it.
 *
 * dist/cli.js is a launcher of its own, because a bundle's imports load before its first line runs: only so can a Node
 * that is too old be told about in words. Everything lies flat in dist/, so that `./worker.js` is right from each chunk.
 */
import { chmodSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { bundleStamp, currentBundle } from './build.mjs';
import { bundleDesktop, modulesIn } from './bundle-desktop.mjs';
import { bundleRenderer } from './bundle-renderer.mjs';
import { compressFiles } from './compress.mjs';
import { licencesOf } from './licences.mjs';
import { root } from './runtime.mjs';

const programs = {
  main: 'src/cli/main.ts',
  start: 'src/cli/start.ts',
  open: 'src/cli/open.ts',
  service: 'main/electron/service.ts',
};
/** Each is one file: a thread shares no module with the others, and every file costs it time to find and to read. */
const threads = { worker: 'src/engine/workers/worker.ts', 'catalogue-worker': 'src/service/catalogue/worker.ts' };

/**
 * What every verb needs is one file, for the same reason, and what the host of the service needs another, so that it stays small. A
 * group takes along what its modules import; what nobody groups is cut where programs and verbs share it.
 */
const groups = [
  { name: 'host', priority: 2, test: /src[\\/]cli[\\/](host|raw-arguments|verb-of)\.ts$/ },
  { name: 'core', priority: 1, test: /src[\\/](cli[\\/](program|session|run-verb)|engine[\\/]workers[\\/]pool)\.ts$/ },
];

const launcher = `#!/usr/bin/env node
// Made by scripts/bundle.mjs. Kept readable by old versions of Node, for which its only message is.
const major = Number(process.versions.node.split('.')[0]);
if (major >= 24) {
  await import('./main.js');
} else {
  console.error(
    'Holdfast needs Node 24 or newer; this is Node ' + process.versions.node + '. Nothing was done. ' +
      'Install a newer Node, or run Holdfast with "npm start", which brings its own.',
  );
  process.exitCode = 1;
}
`;

/**
 * @param {Record<string, string>} entries
 * @returns {Record<string, string>} those whose files are there
 */
function present(entries) {
  for (const [name, file] of Object.entries(entries)) {
    if (!existsSync(join(root, file))) console.error(`${file} is not there: dist/${name}.js is left out.`);
  }
  return Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(join(root, file))));
}

/** @type {string[]} */
const modules = [];

/**
 * @param {Record<string, string>} input
 * @param {NonNullable<import('rolldown').OutputOptions['codeSplitting']>} codeSplitting
 */
async function write(input, codeSplitting) {
  const bundle = await rolldown({
    cwd: root,
    input,
    platform: 'node',
    // Native code finds its binaries beside its own files; so does ssh2 its compiled parts.
    external: ['koffi', 'ssh2', '@napi-rs/keyring'],
    tsconfig: false,
    onLog: (level, log, report) => report(level === 'warn' ? 'error' : level, log),
  });
  const { output } = await bundle.write({
    dir: fresh,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'shared-[hash].js',
    codeSplitting,
    sourcemap: true,
    // Stack traces in reports and logs stay readable.
    minify: false,
  });
  modules.push(...modulesIn(output));
  await bundle.close();
}

const some = present(programs);
const stamp = currentBundle();
const fresh = join(root, `dist.${process.pid}`);
try {
  rmSync(fresh, { recursive: true, force: true });
  if (Object.keys(some).length > 0) await write(some, { groups });
  for (const [name, file] of Object.entries(present(threads))) await write({ [name]: file }, false);
  if (existsSync(join(fresh, 'main.js'))) {
    writeFileSync(join(fresh, 'cli.js'), launcher);
    chmodSync(join(fresh, 'cli.js'), 0o755);
  }
  modules.push(...(await bundleDesktop(fresh)));
  if (existsSync(join(root, 'renderer/index.html'))) {
    modules.push(...(await bundleRenderer(join(fresh, 'renderer'))));
    writeFileSync(join(fresh, 'renderer/licences.json'), JSON.stringify(licencesOf(modules)));
    await compressFiles(join(fresh, 'renderer'));
  }
  if (existsSync(fresh)) {
    writeFileSync(join(fresh, bundleStamp), stamp);
    // Whole folders change places: whoever starts the program meanwhile finds the old one or the new one, never half.
    const old = join(root, `dist.${process.pid}.old`);
    if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old);
    renameSync(fresh, join(root, 'dist'));
    rmSync(old, { recursive: true, force: true });
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
