/**
 * Where a worker thread's program is. Run from source it is `worker.ts` beside this file, which Node executes as it is; in
 * the bundle every file lies flat in dist/, so `worker.js` is beside whichever chunk this line ends up in.
 */
export const workerLocation: URL = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
