/** `npm start -- FOLDER… [--to DESTINATION]`: installs and builds what is missing, then runs the main job. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { root, runNode } from './runtime.mjs';

await ensureInstalled();
const built = await ensureBuilt();
if (built !== 0 || !existsSync(join(root, 'dist/start.js'))) {
  console.error('Holdfast could not be built, so nothing was backed up. The lines above say why.');
  process.exitCode = built === 0 ? 1 : built;
} else {
  // npm runs scripts at the project's top; relative paths mean the folder where the person typed them.
  process.exitCode = await runNode('dist/start.js', process.argv.slice(2), { cwd: process.env['INIT_CWD'] ?? process.cwd() });
}
