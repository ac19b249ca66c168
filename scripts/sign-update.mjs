/**
 * Signs what `npm run dist` has made, so that installed programs take it for an update:
 *
 *   node scripts/sign-update.mjs --make-keys FOLDER       once: update-key.pem (public, for builds) and update-key-private.pem, to be kept safe
 *   HOLDFAST_UPDATE_PRIVATE_KEY=FILE node scripts/sign-update.mjs latest.yml…    adds `signature` to each, after everything else is done
 *
 * Ed25519 over the text that main/electron/update-check.ts describes.
 */
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { manifestSchema, signedText } from '../main/electron/update-check.ts';

/**
 * @param {unknown} manifest
 * @param {string} privateKey PEM
 * @returns {string} base64; throws when the manifest is not one that would be taken
 */
export function signManifest(manifest, privateKey) {
  const key = createPrivateKey(privateKey);
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('The private key must be one of Ed25519.');
  return sign(null, Buffer.from(signedText(manifestSchema.parse(manifest))), key).toString('base64');
}

/** @param {string} folder */
export function makeKeys(folder) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(join(folder, 'update-key.pem'), publicKey.export({ type: 'spki', format: 'pem' }), { flag: 'wx' });
  writeFileSync(join(folder, 'update-key-private.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { flag: 'wx', mode: 0o600 });
}

/**
 * @param {string} file a manifest as electron-builder writes it; a signature in it is replaced
 * @param {string} privateKey PEM
 */
export async function signFile(file, privateKey) {
  const { load } = await import('js-yaml');
  const text = readFileSync(file, 'utf8').replace(/^signature: .*\n/m, '');
  writeFileSync(file, `${text.trimEnd()}\nsignature: ${signManifest(load(text), privateKey)}\n`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const args = process.argv.slice(2);
  const keyFile = process.env['HOLDFAST_UPDATE_PRIVATE_KEY'];
  if (args[0] === '--make-keys' && args.length === 2) makeKeys(args[1]);
  else if (keyFile === undefined || args.length === 0) {
    console.error('Name the manifests to sign, and the private key in HOLDFAST_UPDATE_PRIVATE_KEY; or --make-keys FOLDER.');
    process.exitCode = 1;
  } else {
    for (const file of args) await signFile(file, readFileSync(keyFile, 'utf8'));
  }
}
