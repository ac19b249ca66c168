/** `npm run check`: everything that can be said about the code without running it. */
import { pathToFileURL } from 'node:url';
import { ensureInstalled } from './install.mjs';
import { runNode, runTool } from './runtime.mjs';

/** @type {readonly { name: string, run: () => Promise<number> }[]} */
const checks = [
  { name: 'types', run: () => runTool('tsc', ['-b']) },
  { name: 'lint and import directions', run: () => runTool('oxlint', ['--type-aware', '--deny-warnings']) },
  { name: 'format', run: () => runTool('biome', ['format']) },
  { name: 'unused files, exports and packages', run: () => runTool('knip', ['--no-progress']) },
];

/**
 * Runs all checks, also after a failed one. The dependencies must be installed.
 *
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function check() {
  let failed = 0;
  // The types of the generated module are part of what is checked.
  if ((await runNode('scripts/build-wasm.mjs', [])) !== 0) console.error('The WebAssembly kernel does not compile.');
  for (const step of checks) {
    const code = await step.run();
    if (code !== 0) failed += 1;
    console.log(`check: ${step.name}: ${code === 0 ? 'passed' : 'FAILED'}`);
  }
  return { passed: checks.length - failed, failed };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await ensureInstalled();
  const { failed } = await check();
  process.exitCode = failed === 0 ? 0 : 1;
}
