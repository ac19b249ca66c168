import { createHash, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkDownload, checkManifest, compareVersions, type Manifest } from '../../../main/electron/update-check.ts';
import { signManifest } from '../../../scripts/sign-update.mjs';
import { scratch } from '../../support/tree-literal.ts';

const keys = generateKeyPairSync('ed25519');
const pem = (key: { export: (options: { type: never; format: 'pem' }) => unknown }, type: string): string =>
  key.export({ type: type as never, format: 'pem' }) as string;
const publicKey = pem(keys.publicKey as never, 'spki');
const privateKey = pem(keys.privateKey as never, 'pkcs8');
const content = 'the new program';
const sha512 = createHash('sha512').update(content).digest('base64');
const manifest: Manifest = { version: '1.2.0', files: [{ url: 'Holdfast-1.2.0.AppImage', sha512, size: content.length }] };
const signed = (from: Manifest = manifest, key = privateKey) => ({
  ...from,
  path: 'ignored',
  releaseDate: '2026-01-01',
  signature: signManifest(from, key),
});
const expected = { publicKey, current: '1.1.9', newestSeen: undefined };
const refused = (what: unknown, against = expected) =>
  expect(() => checkManifest(what, against)).toThrow(expect.objectContaining({ code: 'update-refused' }));

test('what the makers have signed is taken', () => {
  expect(checkManifest(signed(), expected)).toEqual(manifest);
  expect(checkManifest(signed(), { ...expected, newestSeen: '1.2.0' })).toEqual(manifest);
});

test('the same version, or an older one than runs, is nothing new', () => {
  expect(checkManifest(signed(), { ...expected, current: '1.2.0' })).toBeUndefined();
  expect(checkManifest(signed(), { ...expected, current: '1.10.0' })).toBeUndefined();
});

test('an older one than was offered before is refused, however well it is signed', () => {
  refused(signed(), { ...expected, newestSeen: '1.3.0' } as never);
});

test('nothing that was signed can be changed', () => {
  const good = signed();
  const [file] = good.files;
  refused({ ...good, version: '1.2.1' });
  refused({ ...good, files: [{ ...file, sha512: createHash('sha512').update('evil').digest('base64') }] });
  refused({ ...good, files: [{ ...file, size: file.size + 1 }] });
  refused({ ...good, files: [{ ...file, url: 'Other.AppImage' }] });
  refused({ ...good, files: [file, file] });
  refused({ ...good, files: [] });
});

test('another key, another kind of key, and no signature are refused', () => {
  refused(signed(manifest, pem(generateKeyPairSync('ed25519').privateKey as never, 'pkcs8')));
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  refused(signed(), { ...expected, publicKey: pem(rsa.publicKey as never, 'spki') });
  const { signature, ...unsigned } = signed();
  refused(unsigned);
  const changed = Buffer.from(signature, 'base64');
  changed[63] ^= 1;
  refused({ ...unsigned, signature: changed.toString('base64') });
  refused({ ...unsigned, signature: '' });
});

test.each([
  undefined,
  null,
  'text',
  7,
  {},
  { ...signed(), version: '1.2.0-beta.1' },
  { ...signed(), version: '1.2' },
  { ...signed(), version: ' 1.2.0' },
  { ...signed(), files: [{ url: '../x', sha512, size: 1 }] },
])('what is malformed is refused: %j', (odd) => refused(odd));

test('lines cannot be moved between the parts of what is signed', () => {
  const [file] = manifest.files;
  const two: Manifest = { version: '1.2.0', files: [file, { ...file, url: 'b' }] };
  const good = signed(two);
  refused({ ...good, files: [good.files[1], good.files[0]] });
});

test('a download is one of the signed files, to the last byte', async () => {
  const file = join(scratch(), 'update');
  writeFileSync(file, content);
  await checkDownload(file, manifest);
  for (const other of ['', 'the new progra', 'the new program ', 'The new program']) {
    writeFileSync(file, other);
    await expect(checkDownload(file, manifest)).rejects.toMatchObject({ code: 'update-refused' });
  }
});

test('versions are compared by their numbers', () => {
  expect(compareVersions('1.10.0', '1.9.9')).toBeGreaterThan(0);
  expect(compareVersions('0.9.9', '1.0.0')).toBeLessThan(0);
  expect(compareVersions('2.0.1', '2.0.1')).toBe(0);
});
