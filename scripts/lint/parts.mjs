/**
 * The project's parts and which of them each may import. Imports point one way; see the README's layout.
 *
 * `npm run check` enforces this twice: here for every form of import, with a message that says the rule, and by each part's
 * tsconfig.json, whose references let the compiler see no more than these parts.
 */
import { builtinModules } from 'node:module';

const toEngine = ['src/contract', 'src/platform', 'src/storage', 'src/repository', 'src/engine'];
const toService = [...toEngine, 'src/sources', 'src/service'];

/** @type {Readonly<Record<string, readonly string[]>>} */
const mayImport = {
  'src/contract': [],
  'src/platform': ['src/contract'],
  'src/storage': toEngine.slice(0, 2),
  'src/repository': toEngine.slice(0, 3),
  'src/engine': toEngine.slice(0, 4),
  'src/sources': toEngine,
  'src/service': [...toEngine, 'src/sources'],
  'src/cli': toService,
  'main/electron': toService,
  'main/headless': toService,
  renderer: ['src/contract'],
  scripts: [],
  test: ['src/cli', ...toService, 'main/electron', 'main/headless', 'renderer', 'scripts'],
};

/** Further parts for single files: the command line starts a host, and has nothing else to do with one. */
const alsoMayImport = /** @type {Readonly<Record<string, readonly string[]>>} */ ({
  'src/cli/verbs/serve.ts': ['main/headless'],
  // What is signed is written down once, where it is checked.
  'scripts/sign-update.mjs': ['main/electron'],
});

/**
 * The part that a file belongs to.
 *
 * @param {string} file relative to the project's top, with `/`
 * @returns {string | undefined} undefined for the few files at the top
 */
export function partOf(file) {
  const folders = file.split('/').slice(0, -1);
  if (folders.length === 0) return undefined;
  return folders[0] === 'src' || folders[0] === 'main' ? folders.slice(0, 2).join('/') : folders[0];
}

/**
 * Why `file` must not import `target`, if it must not.
 *
 * @param {string} file relative to the project's top, with `/`
 * @param {string} target the same for a file; the specifier for a package
 * @param {boolean} isPackage
 * @returns {string | undefined}
 */
export function whyNot(file, target, isPackage) {
  const part = partOf(file);
  if (part === undefined) return undefined;
  if (isPackage) return whyNotPackage(part, target);
  const other = partOf(target);
  if (other === part) return undefined;
  const allowed = mayImport[part];
  if (allowed === undefined) return `${part} is no part of the project: name it in scripts/lint/parts.mjs or move this file.`;
  if (other !== undefined && (allowed.includes(other) || alsoMayImport[file]?.includes(other))) return undefined;
  return `${part} must not import ${other ?? target}: it may import ${allowed.length > 0 ? allowed.join(', ') : 'nothing'} (and itself).`;
}

/**
 * @param {string} part
 * @param {string} specifier
 */
function whyNotPackage(part, specifier) {
  const name = specifier.replace(/^node:/, '');
  const isNode = specifier.startsWith('node:') || builtinModules.includes(name);
  if (/^electron(\/|$)/.test(name) && part !== 'main/electron') return 'Only main/electron may import electron.';
  if (part === 'src/contract' && !/^(zod|@orpc\/(contract|client))(\/|$)/.test(name))
    return 'src/contract may import nothing but zod, and what the contract is written in (@orpc/contract, @orpc/client).';
  if (part === 'renderer' && isNode) return 'renderer runs in a browser: it must not import from Node.';
  return undefined;
}
