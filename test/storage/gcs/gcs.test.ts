/** The Google storage on a small server that checks what Google would: see odd-gcs.ts. */
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { openPlace } from '../../../src/storage/place.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { crc32c, type GcsError, OddGcs, refreshToken, refuseGcs } from '../../support/odd-gcs.ts';
import { answerRaw, type Odd, type OddServer } from '../../support/odd-server.ts';
import { retryingAtOnce } from '../../support/retrying-at-once.ts';
import { codeOf, describeStorage, errorOf, fileFor, listAll, sha256 } from '../../support/storage-suite.ts';
import { scratch } from '../../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';

refuseUnhandledRejections();

interface Options {
  readonly env?: Record<string, string>;
  /** What is in the file of credentials; default: that of a service account. */
  readonly file?: string;
  readonly clock?: Clock;
  readonly place?: string;
}

async function openOn(server: OddGcs, { env = {}, file, clock = systemClock, place = 'gs:bucket:/place' }: Options = {}): Promise<Storage> {
  const key = join(scratch(), 'key.json');
  writeFileSync(key, file ?? server.accountFile);
  const all = { HOME: '/nowhere', HOLDFAST_GCS_ENDPOINT: server.url, GOOGLE_APPLICATION_CREDENTIALS: key, ...env };
  return openPlace(place, { clock, credentials: credentialsFrom(all, undefined) });
}

const opened: Storage[] = [];
let server: OddGcs;
let storage: Storage;

async function open(options?: Options): Promise<Storage> {
  const made = await openOn(server, options);
  opened.push(made);
  return made;
}

beforeEach(async () => {
  server = await OddGcs.start();
  storage = await open();
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  await server.stop();
});

const isToken = ({ url }: IncomingMessage): boolean => url === '/token';

const meetFirst: OddServer['meetFirst'] = (...args) => server.meetFirst(...args);

/** All but the requests for tokens. */
const refuseAll = (error: GcsError): void =>
  meetFirst(
    (request) => !isToken(request),
    Number.POSITIVE_INFINITY,
    (request, response) => refuseGcs(request, response, error),
  );

const isDownload = ({ url }: IncomingMessage): boolean => url?.includes('alt=media') === true;
const isUpload = ({ url }: IncomingMessage): boolean => url?.startsWith('/upload') === true;

const retrying = (waits?: number[]): Storage => retryingAtOnce(storage, waits);

const big = randomBytes(1_000_000);
const bigFile = fileFor(big);
const bigPath = `/bucket/place/data/${bigFile.name.slice(0, 2)}/${bigFile.name}`;
const small = Buffer.from('a small file');
const smallFile = fileFor(small, 'snapshot');
const smallPath = `/bucket/place/snapshots/${smallFile.name}`;

test('the checksum of the small server is the one that is meant', () => {
  // RFC 3720, B.4.
  expect(Buffer.from(crc32c(Buffer.alloc(32)), 'base64').toString('hex')).toBe('8a9136aa');
});

describeStorage('Google storage on a small server', async () => {
  const own = await OddGcs.start();
  const place = "gs:bucket:/place/äö+%&=~'()*";
  return { storage: await openOn(own, { place }), reopen: () => openOn(own, { place }), cleanUp: () => own.stop() };
});

describe('an upload', () => {
  test('is one request, with its MD5 and on the condition that nothing is there', async () => {
    await storage.save(bigFile, [big.subarray(0, 10), big.subarray(10)]);
    expect(server.requests).toEqual([
      'POST /token',
      expect.stringContaining('POST /upload/storage/v1/b/bucket/o?uploadType=multipart&ifGenerationMatch=0'),
    ]);
    expect(server.files.get(bigPath)?.equals(big)).toBe(true);
    expect(await codeOf(storage.save(bigFile, [big]))).toBe('file-exists');
  });

  test('that was changed on its way is refused, and may be tried again', async () => {
    refuseAll({ status: 400, reason: 'invalid', message: 'Provided MD5 hash "a" doesn\'t match calculated MD5 hash "b".' });
    expect(await errorOf(storage.save(bigFile, [big]))).toMatchObject({ code: 'storage-failed', retryable: true });
  });

  test.each([
    ['another MD5', { size: String(big.length), md5Hash: createHash('md5').update('else').digest('base64') }],
    ['another length', { size: '7' }],
    ['no length', {}],
  ])('that arrived with %s is removed again, and succeeds when it is tried again', async (_, told) => {
    const odd: Odd = (request, response) => {
      server.files.set(bigPath, Buffer.from('else'));
      request.resume().once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(told)));
    };
    meetFirst(isUpload, 1, odd);
    expect(await errorOf(storage.save(bigFile, [big]))).toMatchObject({ code: 'storage-failed', retryable: true });
    expect(server.files.size).toBe(0);
    meetFirst(isUpload, 1, odd);
    await retrying().save(bigFile, [big]);
    expect(server.files.get(bigPath)?.equals(big)).toBe(true);
  });

  test('that is cut off in the middle leaves nothing, and one whose answer is lost counts as saved', async () => {
    meetFirst(isUpload, 2, (request) => void request.once('data', () => request.socket.destroy()));
    expect(await errorOf(storage.save(bigFile, [big]))).toMatchObject({ retryable: true });
    expect(server.files.size).toBe(0);
    await retrying().save(bigFile, [big]);
    server.files.clear();
    server.meet = async (request, response, usual) => {
      if (!isUpload(request)) return usual();
      server.meet = (_, __, then) => then();
      const written = response.writeHead.bind(response);
      response.writeHead = ((...args: Parameters<typeof written>) => {
        response.socket?.destroy();
        return written(...args);
      }) as typeof response.writeHead;
      return usual();
    };
    await retrying().save(bigFile, [big]);
    expect(server.files.get(bigPath)?.equals(big)).toBe(true);
  });
});

describe('a download', () => {
  beforeEach(() => void server.files.set(bigPath, big));

  test.each([0, 500_000, 999_999])('that breaks off after %d bytes fails, and succeeds when it is tried again', async (bytes) => {
    const cut: Odd = (_, response) => {
      response.writeHead(200, { 'content-length': String(big.length) });
      response.write(big.subarray(0, bytes), () => response.destroy());
    };
    meetFirst(isDownload, 1, cut);
    expect(await errorOf(storage.load(bigFile))).toMatchObject({ code: 'connection-lost', retryable: true });
    meetFirst(isDownload, 2, cut);
    expect(sha256(await retrying().load(bigFile))).toBe(bigFile.name);
  });

  test('of fewer or other bytes than asked for is no success', async () => {
    const answering = (content: Buffer, range: string): void =>
      meetFirst(isDownload, 1, (_, response) => {
        response.writeHead(206, { 'content-length': String(content.length), 'content-range': `bytes ${range}/${big.length}` }).end(content);
      });
    answering(Buffer.from('12345'), '10-14');
    expect(await codeOf(storage.load(bigFile, { offset: 10, length: 100 }))).toBe('file-short');
    answering(big.subarray(0, 100), '0-99');
    expect(await codeOf(storage.load(bigFile, { offset: 10, length: 100 }))).toBe('server-not-understood');
  });
});

describe('tokens', () => {
  beforeEach(() => void server.files.set(smallPath, small));
  const asked = (): number => server.requests.filter((each) => each === 'POST /token').length;

  test('are asked for once, however many requests begin at the same moment', async () => {
    await Promise.all(Array.from({ length: 20 }, () => storage.size(smallFile)));
    expect(asked()).toBe(1);
  });

  test('are renewed some minutes before they expire', async () => {
    let ahead = 0;
    storage = await open({ clock: { ...systemClock, now: () => systemClock.now() + ahead } });
    server.tokenSeconds = 600;
    await storage.size(smallFile);
    ahead = 299_000;
    await storage.size(smallFile);
    expect(asked()).toBe(1);
    ahead = 301_000;
    await Promise.all(Array.from({ length: 5 }, () => storage.size(smallFile)));
    expect(asked()).toBe(2);
    // A clock that is set back must not make the old one last.
    ahead = -500_000;
    await storage.size(smallFile);
    expect(asked()).toBe(3);
  });

  test('that are refused in the middle are renewed, once for all who wait', async () => {
    await storage.size(smallFile);
    server.tokens.clear();
    await Promise.all(Array.from({ length: 10 }, () => storage.load(smallFile)));
    expect(asked()).toBe(2);
    server.tokens.clear();
    await storage.save(bigFile, [big]);
    expect(await listAll(storage, 'pack')).toHaveLength(1);
  });

  test('that are never accepted are an error, not a circle', async () => {
    refuseAll({ status: 401, reason: 'authError', message: 'Invalid Credentials' });
    const error = await errorOf(storage.size(smallFile));
    expect(error).toMatchObject({ code: 'credentials-refused', retryable: false });
    expect(server.requests).toHaveLength(4);
  });

  test('may be given, and are told to be old then', async () => {
    storage = await open({ env: { GOOGLE_ACCESS_TOKEN: server.newToken() } });
    expect(await storage.size(smallFile)).toBe(small.length);
    server.tokens.clear();
    const error = await errorOf(storage.size(smallFile));
    expect(error).toMatchObject({ code: 'credentials-refused', retryable: false });
    expect(error.guidance).toContain('GOOGLE_ACCESS_TOKEN');
    expect(asked()).toBe(0);
  });

  test('are had by a person who has signed in, too', async () => {
    storage = await open({ file: server.personFile });
    expect(await storage.size(smallFile)).toBe(small.length);
  });

  test.each([
    ['an account that is gone', () => void (server.isRevoked = true), 'credentials-refused', false],
    ['a server that is not well', () => meetFirst(isToken, 9, (_, response) => response.writeHead(500).end()), 'storage-failed', true],
    ['a server that is busy', () => meetFirst(isToken, 9, (_, response) => response.writeHead(429).end()), 'server-busy', true],
    ['a login page', () => meetFirst(isToken, 9, (_, response) => response.writeHead(200).end('<html>')), 'server-not-understood', true],
    ['a wrong address', () => meetFirst(isToken, 9, (_, response) => response.writeHead(404).end('<html>')), 'server-not-understood', true],
    ['a broken connection', () => meetFirst(isToken, 9, (_, response) => response.destroy()), 'connection-lost', true],
  ])('that cannot be had because of %s are told as that, and asked for again later', async (_, arrange, code, retryable) => {
    arrange();
    expect(await errorOf(storage.size(smallFile))).toMatchObject({ code, retryable });
    server.isRevoked = false;
    server.meet = (_, __, usual) => usual();
    expect(await storage.size(smallFile)).toBe(small.length);
  });

  test('that another key than the account’s has asked for are refused', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const file = JSON.stringify({ ...JSON.parse(server.accountFile), private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }) });
    const error = await errorOf((await open({ file })).size(smallFile));
    expect(error).toMatchObject({ code: 'credentials-refused', retryable: false });
    expect(error.message).toContain('Invalid JWT Signature');
  });

  test.each([
    [-3 * 3_600_000, '3 hours behind'],
    [20 * 60_000, '20 minutes ahead of'],
  ])('that are asked for by a clock which is wrong by %d ms tell so', async (ms, words) => {
    const error = await errorOf((await open({ clock: { ...systemClock, now: () => systemClock.now() + ms } })).size(smallFile));
    expect(error).toMatchObject({ code: 'clock-wrong', retryable: false });
    expect(error.message).toContain(words);
  });
});

describe('a server that is not well', () => {
  beforeEach(() => void server.files.set(smallPath, small));

  test.each([
    [500, 'backendError', 'storage-failed'],
    [502, '', 'storage-failed'],
    [503, 'backendError', 'storage-failed'],
    [503, '', 'server-busy'],
    [429, 'rateLimitExceeded', 'server-busy'],
    [403, 'userRateLimitExceeded', 'server-busy'],
    [408, '', 'storage-failed'],
  ])('and says %d %s is asked again', async (status, reason, expected) => {
    refuseAll({ status, reason, headers: { 'retry-after': '3' } });
    for (const call of [
      () => storage.size(smallFile),
      () => storage.save(bigFile, [big]),
      () => storage.remove(smallFile),
      () => listAll(storage, 'pack'),
    ])
      expect(await errorOf(call())).toMatchObject({ code: expected, retryable: true, context: { retryAfterMs: 3000 } });
    meetFirst(
      ({ url }) => url?.includes('fields=kind') === true,
      3,
      (request, response) => refuseGcs(request, response, { status, reason }),
    );
    expect(await listAll(retrying(), 'snapshot')).toEqual([{ name: smallFile.name, size: small.length }]);
  });

  test.each([
    [200, '<html>Please sign in</html>'],
    [302, ''],
    [404, '<html>Not Found</html>'],
  ])('but another one that answers %d is never taken for Google', async (status, text) => {
    meetFirst(
      (request) => !isToken(request),
      Number.POSITIVE_INFINITY,
      (request, response) => {
        request.resume();
        response.writeHead(status, { 'content-type': 'text/html', 'content-length': String(text.length) }).end(text);
      },
    );
    for (const call of [() => storage.size(smallFile), () => storage.remove(smallFile), () => listAll(storage, 'snapshot')])
      expect(await codeOf(call())).toBe('server-not-understood');
  });

  test('and answers with nonsense, or not at all, is asked again', async () => {
    await storage.size(smallFile);
    server.meet = (_, response) => answerRaw(response, 'NONSENSE\r\n\r\n');
    expect(await errorOf(storage.load(smallFile))).toMatchObject({ code: 'server-not-understood', retryable: true });
    server.meet = (request) => void request.resume();
    const calls = [errorOf(storage.load(smallFile)), errorOf(storage.save(bigFile, [big]))];
    const before = server.requests.length;
    while (server.requests.length < before + 2) await systemClock.sleep(2);
    await storage.close();
    for (const call of calls) expect((await call).code).toBe('connection-lost');
    while (server.connections > 0) await systemClock.sleep(2);
  });
});

describe('what Google refuses is told in words', () => {
  test.each([
    [403, 'forbidden', 'backup@a-project does not have storage.objects.create access', 'storage-denied', /does not have/],
    [403, 'retentionPolicyNotMet', 'Object is subject to bucket retention policy', 'file-protected', /protects pack/],
    [403, 'forbidden', 'Object is under active hold and cannot be deleted', 'file-protected', /protects pack/],
    [404, 'notFound', 'The specified bucket does not exist.', 'bucket-missing', /no bucket bucket/],
    [400, 'invalid', 'Invalid argument.', 'storage-failed', /Invalid argument/],
    [501, 'notImplemented', '', 'storage-failed', /501/],
  ])('%d %s %s', async (status, reason, message, expected, words) => {
    refuseAll({ status, reason, message });
    const error = await errorOf(storage.save(bigFile, [big]));
    expect(error).toMatchObject({ code: expected, retryable: false });
    expect(error.message).toMatch(words);
  });

  test('a bucket that is missing, at every call, until it is made', async () => {
    storage = await open({ place: 'gs:new-bucket:/place' });
    for (const call of [
      () => storage.size(smallFile),
      () => storage.load(smallFile),
      () => storage.save(smallFile, [small]),
      () => storage.remove(smallFile),
      () => listAll(storage, 'pack'),
    ])
      expect(await codeOf(call())).toBe('bucket-missing');
    await storage.create();
    await storage.create();
    expect(await codeOf(storage.size(smallFile))).toBe('file-not-found');
    expect(server.made).toEqual([{ name: 'new-bucket' }]);
    await (await open({ place: 'gs:far-away:/', env: { HOLDFAST_GCS_REGION: 'europe-west3' } })).create();
    expect(server.made.at(-1)).toEqual({ name: 'far-away', location: 'europe-west3' });
  });

  test('a bucket of somebody else, one that is made elsewhere meanwhile, and no project to make one in', async () => {
    const make = (status: number, message: string): Promise<Storage> => {
      server.meet = (request, response, usual) =>
        request.method === 'POST' && !isToken(request) ? refuseGcs(request, response, { status, reason: 'conflict', message }) : usual();
      return open({ place: 'gs:new-bucket:/' });
    };
    expect(await codeOf((await make(409, 'The requested bucket name is not available.')).create())).toBe('bucket-taken');
    await (await make(409, 'Your previous request to create the named bucket succeeded and you already own it.')).create();
    const file = JSON.stringify({ ...JSON.parse(server.accountFile), project_id: undefined });
    const error = await errorOf((await open({ place: 'gs:new-bucket:/', file })).create());
    expect(error.code).toBe('credentials-missing');
    expect(error.guidance).toContain('GOOGLE_PROJECT_ID');
    // What may not be looked at may still be used.
    await (await open({ place: 'gs:others:/' })).create();
  });

  test('what may not be removed makes a destination that only takes additions', async () => {
    server.files.set(bigPath, big);
    expect(await storage.refusesRemoval!()).toBe(false);
    refuseAll({ status: 403, reason: 'forbidden' });
    expect(await storage.refusesRemoval!()).toBe(true);
    expect(await codeOf(storage.remove(bigFile))).toBe('storage-append-only');
    expect(await codeOf(storage.remove({ kind: 'lock', name: smallFile.name }))).toBe('storage-denied');
  });

  test('no secret is in any error', async () => {
    const shown: string[] = [];
    for (const options of [{}, { file: server.personFile }, { env: { GOOGLE_ACCESS_TOKEN: 'ya29.secret-token' } }] as Options[])
      for (const arrange of [
        () => refuseAll({ status: 401, reason: 'authError', message: 'Invalid Credentials' }),
        () => void (server.meet = (_, response) => response.writeHead(400).end('{"error":"invalid_grant"}')),
        () => void (server.meet = (_, response) => response.destroy()),
      ]) {
        arrange();
        const each = await open(options);
        for (const call of [() => each.load(smallFile), () => each.save(bigFile, [big]), () => listAll(each, 'pack')]) {
          const error = await errorOf(call());
          shown.push(JSON.stringify(error), String(error.stack), JSON.stringify(error.cause ?? ''), each.location);
        }
      }
    for (const text of shown)
      for (const secret of ['ya29', refreshToken, 'client-secret', 'PRIVATE KEY', 'Bearer', 'assertion'])
        expect(text).not.toContain(secret);
  });
});

describe('a listing', () => {
  const names = Array.from({ length: 25 }, (_, n) => sha256(Buffer.from(String(n)))).sort();
  const key = (name: string): string => `place/data/${name.slice(0, 2)}/${name}`;
  const answer = (...pages: readonly unknown[]): void => {
    let next = 0;
    meetFirst(
      (request) => !isToken(request),
      Number.POSITIVE_INFINITY,
      (_, response) => {
        const page = pages[Math.min(next++, pages.length - 1)];
        const text = typeof page === 'string' ? page : JSON.stringify(page);
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }).end(text);
      },
    );
  };
  const kind = 'storage#objects';
  const of = (...some: readonly string[]): unknown[] => some.map((name) => ({ name: key(name), size: '7' }));

  test('of many pages gives each file once', async () => {
    for (const name of names) server.files.set(`/bucket/${key(name)}`, small);
    server.pageSize = 4;
    expect((await listAll(storage, 'pack')).map(({ name }) => name)).toEqual(names);
    expect(server.requests).toHaveLength(8);
    answer(
      { kind, items: of(...names.slice(10)), nextPageToken: 'a' },
      { kind, nextPageToken: 'b' },
      { kind, items: of(...names.slice(0, 15)) },
    );
    expect((await listAll(storage, 'pack')).map(({ name }) => name)).toEqual(names);
  });

  test.each([
    ['that goes round in circles', { kind, items: of(names[0]!), nextPageToken: 'same' }],
    ['that is none', { items: of(names[0]!) }],
    ['whose end is no text', { kind, nextPageToken: 7 }],
    ['that has an object without a size', { kind, items: [{ name: key(names[0]!) }] }],
    ['that has a negative size', { kind, items: [{ name: key(names[0]!), size: '-1' }] }],
    ['that has an object without a name', { kind, items: [null] }],
    ['whose objects are none', { kind, items: 'many' }],
    ['that ends early', JSON.stringify({ kind, items: of(...names) }).slice(0, 500)],
    ['that is a login page', '<html>'],
    ['that is empty', ''],
  ])('%s is an error, never taken for whole', async (_, page) => {
    answer(page);
    expect(await errorOf(listAll(storage, 'pack'))).toMatchObject({ code: 'server-not-understood', retryable: true });
  });
});
