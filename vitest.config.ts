import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';
import { bundleStamp, currentBundle } from './scripts/build.mjs';

const dist = join(import.meta.dirname, 'dist');
const stamp = join(dist, bundleStamp);
const isBuilt = existsSync(stamp) && readFileSync(stamp, 'utf8') === currentBundle();

/**
 * Worker threads run the bundle that is delivered, where it was made from the sources as they are (as `npm test` sees to): every
 * run of the engine starts some, and from source each one strips the types from 90 files first, which took half of a short run.
 */
const builtWorkers: Plugin = {
  name: 'built-workers',
  enforce: 'pre',
  load: (id) =>
    isBuilt && id.endsWith('/src/engine/workers/location.ts')
      ? `export const workerLocation = new URL(${JSON.stringify(pathToFileURL(join(dist, 'worker.js')).href)});`
      : undefined,
};

export default defineConfig({
  plugins: [builtWorkers],
  // Its binary is nowhere in tests, and the package throws without it.
  resolve: { alias: [{ find: /^electron$/, replacement: join(import.meta.dirname, 'test/support/fake-electron.ts') }] },
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**', '**/node_modules/**'],
    pool: 'forks',
    isolate: true,
    // Two for each core of the small machines that this is made for: half of the time goes into waiting for servers, disks and locks.
    maxWorkers: 4,
    // A slow machine is not a failure: a test that waits for something says what for, never how long.
    testTimeout: 0,
    hookTimeout: 0,
    teardownTimeout: 60_000,
    // Tests never depend on what another one left in a mock or in the environment.
    restoreMocks: true,
    unstubEnvs: true,
  },
});
