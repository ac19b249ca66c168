/** `npm run clean`: removes all that the other scripts make, but not the dependencies. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './runtime.mjs';

for (const made of ['dist', '.tsc', 'src/repository/kernel/kernel-wasm.ts']) rmSync(join(root, made), { recursive: true, force: true });
