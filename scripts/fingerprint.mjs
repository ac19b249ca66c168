/** One hash for the content of many files, to know whether what was made from them is up to date. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './runtime.mjs';

/**
 * All files below a folder, sorted.
 *
 * @param {string} folder relative to the project's top
 * @returns {string[]} relative to the project's top, with `/`
 */
export function filesBelow(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`]))
    .sort();
}

/**
 * @param {readonly string[]} files relative to the project's top; names and contents count, a missing file counts as such
 * @param {string} [more] anything else that the result depends on
 * @returns {string} hex digits
 */
export function fingerprint(files, more = '') {
  const hash = createHash('sha256').update(more);
  for (const file of files) {
    const path = join(root, file);
    hash.update(`\0${file}\0`);
    if (existsSync(path)) hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}
