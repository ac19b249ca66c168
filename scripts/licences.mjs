/**
 * The licences of everything that is delivered: of each package of which the bundles hold a part, and of those that lie beside them. The
 * About page reads them from dist/renderer/licences.json.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './runtime.mjs';

/** Not in any bundle: native code, what it is loaded with, and the desktop app's runtime. */
const besides = ['koffi', 'ssh2', 'asn1', 'bcrypt-pbkdf', 'safer-buffer', 'tweetnacl', '@napi-rs/keyring', 'electron'];

/** @typedef {{ name: string, version: string, licence: string, text: string }} Licence `licence` as SPDX names it; `text` '' where the package has none */

/**
 * @param {Iterable<string>} modules the files that bundles were made from
 * @returns {Licence[]} sorted by name; throws when a package does not say what its licence is
 */
export function licencesOf(modules) {
  const folders = new Set(besides.map((name) => join(root, 'node_modules', name)));
  for (const module of modules) {
    // The innermost package counts; bundlers put a mark before, or a query behind, what they have changed.
    const match = /^\0?(.*[/\\]node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\?]+)/.exec(module);
    if (match && existsSync(join(match[1], 'package.json'))) folders.add(match[1]);
  }
  const all = [...folders].map(licenceOf);
  const byName = new Map(all.map((each) => [`${each.name} ${each.version}`, each]));
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1));
}

/** @param {string} folder of the package */
function licenceOf(folder) {
  const { name, version, license, licenses } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  // The older way to say it.
  const licence = license ?? licenses?.map((/** @type {{ type: string }} */ { type }) => type).join(' OR ');
  if (typeof licence !== 'string') throw new Error(`${name} does not say what its licence is.`);
  const file = readdirSync(folder).find((each) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(each));
  return { name, version, licence, text: file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim() };
}
