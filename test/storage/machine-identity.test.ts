/** Destinations that are opened by the identity of the machine: Azure's on azurite, which reads the tokens, Google's on our own server. */
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { credentialsFrom } from '../../src/storage/credentials.ts';
import { openPlace } from '../../src/storage/place.ts';
import { RenewedToken } from '../../src/storage/objects/renewed-token.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { azureToken, MetadataServer } from '../support/metadata-server.ts';
import { OddGcs } from '../support/odd-gcs.ts';
import { freePort } from '../support/servers.ts';
import { codeOf, errorOf, fileFor, listAll } from '../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../support/unhandled.ts';

refuseUnhandledRejections();

let azurite: Azurite;
let google: OddGcs;
let metadata: MetadataServer;
const opened: Storage[] = [];

beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

beforeEach(async () => {
  google = await OddGcs.start();
  metadata = await MetadataServer.start();
  metadata.newToken = () => google.newToken();
});
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  await google.stop();
  await metadata.stop();
});

type Env = Readonly<Record<string, string>>;

/** A proxy leads nowhere: nobody else can reach the metadata service of this machine. */
const common = { HOLDFAST_CLOUD_IDENTITY: 'machine', HTTP_PROXY: 'http://127.0.0.1:9', HOME: '/nowhere' };

const kinds: Readonly<Record<'Azure' | 'Google', { readonly place: string; readonly env: () => Env }>> = {
  Azure: {
    place: 'azure:by-identity:/place',
    env: () => ({ ...azurite.env, AZURE_ACCOUNT_KEY: '', AZURE_POD_IDENTITY_AUTHORITY_HOST: metadata.url, ...common }),
  },
  Google: {
    place: 'gs:bucket:/place',
    env: () => ({ HOLDFAST_GCS_ENDPOINT: google.url, GCE_METADATA_HOST: metadata.url.slice('http://'.length), ...common }),
  },
};

async function open(kind: keyof typeof kinds, env: Env = {}): Promise<Storage> {
  const made = await openPlace(kinds[kind].place, {
    clock: systemClock,
    credentials: credentialsFrom({ ...kinds[kind].env(), ...env }, undefined),
  });
  opened.push(made);
  return made;
}

const content = Buffer.from('some content');
const file = fileFor(content);

describe.each(['Azure', 'Google'] as const)('%s, by the identity of the machine', (kind) => {
  test('does all, with one token for all requests', async () => {
    const storage = await open(kind);
    await storage.create();
    await storage.save(file, [content]);
    await Promise.all([storage.size(file), storage.load(file), listAll(storage, 'pack')]);
    await storage.remove(file);
    expect(metadata.requests).toHaveLength(1);
  });

  test('asks for another token when one ends, and for each while none is good for longer', async () => {
    metadata.seconds = 0;
    const storage = await open(kind);
    // Azurite does not accept one that has ended.
    expect(await codeOf(storage.size(file))).toMatch(/credentials-refused|file-not-found/);
    const before = metadata.requests.length;
    metadata.seconds = 600;
    await codeOf(storage.size(file));
    await codeOf(storage.size(file));
    expect(metadata.requests.length).toBe(before + 1);
  });

  const refusing = (status: number, words: object) => (_: unknown, response: ServerResponse) => {
    const headers = { 'content-type': 'application/json', 'metadata-flavor': 'Google' };
    response.writeHead(status, headers).end(JSON.stringify(words));
  };

  test.each([
    [400, { error: 'invalid_request', error_description: 'Identity not found' }, 'credentials-refused', false],
    [403, {}, 'credentials-refused', false],
    [429, {}, 'server-busy', true],
    [500, {}, 'storage-failed', true],
    [200, { access_token: 'with a space' }, 'server-not-understood', true],
    [200, [], 'server-not-understood', true],
  ])('says what is wrong when it is answered %d %o', async (status, words, code, retryable) => {
    metadata.meet = refusing(status, words);
    const error = await errorOf((await open(kind)).size(file));
    expect(error).toMatchObject({ code, retryable });
    expect(JSON.stringify(error)).not.toContain('with a space');
    if (status === 400) expect(error.message).toContain('Identity not found');
    if (code === 'credentials-refused') expect(error.guidance).toContain('Give this machine');
  });

  test('takes nobody else for the cloud, and shows it nothing', async () => {
    metadata.meet = (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sign in</html>');
    expect(await codeOf((await open(kind)).size(file))).toBe('server-not-understood');
    const port = await freePort();
    const nobody = { AZURE_POD_IDENTITY_AUTHORITY_HOST: `http://127.0.0.1:${port}`, GCE_METADATA_HOST: `127.0.0.1:${port}` };
    expect(await codeOf((await open(kind, nobody)).size(file))).toBe('server-refused');
  });

  test('is asked for nothing where nobody wants it', async () => {
    expect((await errorOf(open(kind, { HOLDFAST_CLOUD_IDENTITY: '' }))).code).toBe('credentials-missing');
    expect((await errorOf(open(kind, { HOLDFAST_CLOUD_IDENTITY: 'me' }))).code).toBe('bad-usage');
    expect(metadata.requests).toEqual([]);
  });

  test('shows no token', async () => {
    const storage = await open(kind);
    metadata.newToken = () => 'ya29.secret-token';
    const error = await errorOf(storage.load(file));
    expect(JSON.stringify({ ...error, message: error.message })).not.toMatch(/ya29|eyJ|Bearer/);
  });
});

test('Azure is told which identity of several is meant', async () => {
  metadata.clientId = 'a-client';
  expect(await codeOf((await open('Azure')).size(file))).toBe('credentials-refused');
  await (await open('Azure', { AZURE_CLIENT_ID: 'a-client' })).create();
  for (const host of ['https://127.0.0.1', 'ftp://x', 'x', 'http://me:pw@x', 'http://x/path'])
    expect((await errorOf(open('Azure', { AZURE_POD_IDENTITY_AUTHORITY_HOST: host }))).code, host).toBe('bad-usage');
});

test('Azure says 404 and 410 while its metadata service is updated, and Google 404 where there is no account', async () => {
  metadata.meet = (_, response) => response.writeHead(404, { 'content-type': 'application/json', 'metadata-flavor': 'Google' }).end('{}');
  expect(await errorOf((await open('Azure')).size(file))).toMatchObject({ code: 'storage-failed', retryable: true });
  expect(await errorOf((await open('Google')).size(file))).toMatchObject({ code: 'credentials-refused', retryable: false });
  for (const host of ['a b', 'host/path', 'me@host'])
    expect((await errorOf(open('Google', { GCE_METADATA_HOST: host }))).code, host).toBe('bad-usage');
});

test('a token is renewed before its end, when the clock was set back, and once for all who wait', async () => {
  let now = 1_000_000_000_000;
  let asked = 0;
  const source = { ask: async () => ({ value: `${(asked += 1)}`, seconds: 3600 }), close: async () => {} };
  const tokens = new RenewedToken(source, { now: () => now });
  expect(await Promise.all([tokens.get(), tokens.get()])).toEqual(['1', '1']);
  now += 54 * 60_000;
  expect(await tokens.get()).toBe('1');
  now += 2 * 60_000;
  expect(await tokens.get()).toBe('2');
  now -= 3_600_000;
  expect(await tokens.get()).toBe('3');
  expect(await Promise.all([tokens.get('3'), tokens.get('3')])).toEqual(['4', '4']);
  expect(azureToken(60)).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/);
});
