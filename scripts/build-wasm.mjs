/**
 * Compiles the hot loops in src/repository/kernel/assembly (AssemblyScript) and writes them, as base64 text that needs no
 * file at run time, to src/repository/kernel/kernel-wasm.ts. Does nothing when that file is up to date.
 */
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { filesBelow, fingerprint } from './fingerprint.mjs';
import { root, runTool } from './runtime.mjs';

const sources = 'src/repository/kernel/assembly';
const entry = `${sources}/index.ts`;
const target = join(root, 'src/repository/kernel/kernel-wasm.ts');
const flags = ['-O3', '--runtime', 'stub', '--enable', 'simd', '--noAssert'];

/** @returns {Promise<boolean>} whether the module had to be made anew */
export async function buildWasm() {
  if (!existsSync(join(root, entry))) {
    console.error(`${entry} is not there: no WebAssembly is built.`);
    return false;
  }
  const inputs = filesBelow(sources).filter((file) => file.endsWith('.ts'));
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/assemblyscript/package.json'), 'utf8'));
  const firstLine = `// Made by scripts/build-wasm.mjs from ${sources}; inputs ${fingerprint(inputs, [version, ...flags].join(' '))}`;
  if (existsSync(target) && readFileSync(target, 'utf8').startsWith(`${firstLine}\n`)) return false;

  const scratch = mkdtempSync(join(tmpdir(), 'holdfast-wasm-'));
  /** @type {Buffer} */
  let binary;
  try {
    const file = join(scratch, 'kernel.wasm');
    if ((await runTool('asc', [entry, ...flags, '--outFile', file])) !== 0) throw new Error(`${entry} does not compile.`);
    binary = readFileSync(file);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  const text = `${firstLine}\nexport const kernelWasm: string =\n  '${binary.toString('base64')}';\n`;
  // A rename, since tests and builds in other processes may be reading the old one.
  writeFileSync(`${target}.${process.pid}`, text);
  renameSync(`${target}.${process.pid}`, target);
  console.error(`Built the WebAssembly kernel (${binary.length} bytes).`);
  return true;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await buildWasm();
