import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**', '**/node_modules/**'],
    pool: 'forks',
    isolate: true,
    // The small machines that this is made for have two cores; most suites start programs and worker threads of their own.
    maxWorkers: 2,
    // A slow machine is not a failure: a test that waits for something says what for, never how long.
    testTimeout: 0,
    hookTimeout: 0,
    teardownTimeout: 60_000,
    // Tests never depend on what another one left in a mock or in the environment.
    restoreMocks: true,
    unstubEnvs: true,
  },
});
