/** `npm run serve`: installs and builds what is missing, then runs the service for browsers of this computer. */
import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { runNode } from './runtime.mjs';

await ensureInstalled();
const built = await ensureBuilt();
if (built === 0) process.exitCode = await runNode('dist/cli.js', ['serve', '--port', '4711', ...process.argv.slice(2)]);
else {
  console.error('Holdfast could not be built, so the service was not started. The lines above say why.');
  process.exitCode = built;
}
