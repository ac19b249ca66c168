import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountPrivateKey, OddGcs } from '../support/odd-gcs.ts';
import { Authority } from '../support/authority.ts';
import { holdfast } from '../support/cli.ts';
import { type Gate, openGate } from '../support/gate.ts';
import { jsonLines } from '../support/restic.ts';
import { expectBothOnHoldfastsRepository, expectBothOnResticsRepository, type SharedPlace } from '../support/shared-place.ts';
import { scratch, sharedScratch } from '../support/tree-literal.ts';

const place = sharedScratch();
let server: OddGcs;
let gate: Gate;
let authority: string;
let count = 0;

beforeAll(async () => {
  const made = new Authority(join(place, 'authority'));
  const { certificate, key } = made.sign('server', { names: 'DNS:storage.googleapis.com,IP:127.0.0.1' });
  authority = made.certificate;
  server = await OddGcs.start({ tls: { cert: readFileSync(certificate), key: readFileSync(key) } });
  gate = await openGate(server.port);
});

afterAll(async () => {
  await gate.close();
  await server.stop();
});

const file = (text: string): string => {
  const path = join(scratch(), 'key.json');
  writeFileSync(path, text);
  return path;
};

/** restic's client is Google's own: it takes the same key, and asks for Google's own server. */
const env = (): Record<string, string> => ({
  HOME: '/nowhere',
  GOOGLE_APPLICATION_CREDENTIALS: file(server.accountFile),
  GOOGLE_PROJECT_ID: 'a-project',
  HOLDFAST_GCS_ENDPOINT: server.url,
  HOLDFAST_CACERT: authority,
  RESTIC_CACERT: authority,
  HTTPS_PROXY: gate.url,
  HOLDFAST_DEBUG: '1',
});

const keyText = accountPrivateKey.split('\n')[1]!;
const shared = (): SharedPlace => ({
  newPlace: () => `gs:bucket-${count++}:/path/below`,
  env: env(),
  secrets: [keyText, 'ya29', 'Bearer'],
});

describe('a repository on Google', () => {
  test('that restic has made is used by Holdfast, and by restic after it', () => expectBothOnResticsRepository(shared()));
  test('that Holdfast has made is used by restic, and by Holdfast after it', () => expectBothOnHoldfastsRepository(shared()));
});

test.each([
  ['no key', () => ({ GOOGLE_APPLICATION_CREDENTIALS: '' }), 'credentials-missing'],
  ['a file that is not there', () => ({ GOOGLE_APPLICATION_CREDENTIALS: '/nowhere/key.json' }), 'input-unreadable'],
  ['a file that is no key', () => ({ GOOGLE_APPLICATION_CREDENTIALS: file('{"type":"service_account"}') }), 'bad-usage'],
  ['an old token', () => ({ GOOGLE_ACCESS_TOKEN: 'ya29.secret-guess' }), 'credentials-refused'],
  ['a bucket of somebody else', () => ({ place: 'gs:others:/path' }), 'storage-denied'],
] as const)('the connection test tells of %s, and shows none', async (_, change, code) => {
  const { place = 'gs:bucket:/path', ...other }: Record<string, string> = change();
  const { stdout, stderr } = await holdfast(['--repo', place, '--json', 'test-connection'], { env: { ...env(), ...other } });
  expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'summary', verdict: 'unusable', error: { code } });
  expect(stdout + stderr).not.toMatch(/ya29|PRIVATE|Bearer/);
});
