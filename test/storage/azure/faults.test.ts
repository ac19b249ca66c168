/** What becomes of an Azure storage when the server or the network misbehaves. */
import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { AzureBucket, type AzureOptions } from '../../../src/storage/azure/bucket.ts';
import { parseHttpAddress } from '../../../src/storage/http/address.ts';
import { TcpHttpClient } from '../../../src/storage/http/client.ts';
import type { Patience } from '../../../src/storage/http/exchange.ts';
import { ObjectStorage } from '../../../src/storage/objects/object-storage.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type AzureError, azureHeaders, azureListing, OddAzure, refuseAzure } from '../../support/odd-azure.ts';
import { answerRaw, type Odd, type OddServer } from '../../support/odd-server.ts';
import { retryingAtOnce } from '../../support/retrying-at-once.ts';
import { codeOf, describeStorage, errorOf, fileFor, listAll, sha256 } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';

refuseUnhandledRejections();

const secret = Buffer.from('a-very-secret-account-key');
const sasToken = 'sv=2022-11-02&sp=rw&sig=a-very-secret-signature';

interface Options {
  readonly credential?: AzureOptions['credential'];
  readonly accessTier?: string;
  readonly clock?: Clock;
  readonly patience?: Partial<Patience>;
}

function openOn(server: OddAzure, options: Options = {}): ObjectStorage {
  const { credential = { kind: 'key', account: 'account', key: secret }, accessTier, clock = systemClock, patience } = options;
  const location = 'azure:container:/place';
  const client = new TcpHttpClient({ address: parseHttpAddress('azure', server.url), location, clock, patience });
  return new ObjectStorage(new AzureBucket({ container: 'container', location, base: '', credential, accessTier, client, clock }), 'place');
}

const opened: Storage[] = [];
let server: OddAzure;
let storage: Storage;

const open = (options?: Options): Storage => {
  const made = openOn(server, options);
  opened.push(made);
  return made;
};

beforeEach(async () => {
  server = await OddAzure.start();
  storage = open();
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  await server.stop();
});

const meetFirst: OddServer['meetFirst'] = (...args) => server.meetFirst(...args);

const refuseAll = (error: AzureError): void => {
  server.meet = (request, response) => refuseAzure(request, response, error);
};

const retrying = (waits?: number[]): Storage => retryingAtOnce(storage, waits);

const big = randomBytes(1_000_000);
const bigFile = fileFor(big);
const bigPath = `/container/place/data/${bigFile.name.slice(0, 2)}/${bigFile.name}`;
const small = Buffer.from('a small file');
const smallFile = fileFor(small, 'snapshot');
const smallPath = `/container/place/snapshots/${smallFile.name}`;

describeStorage('Azure storage on a small server', async () => {
  const own = await OddAzure.start();
  return { storage: openOn(own), reopen: async () => openOn(own), cleanUp: () => own.stop() };
});

describe('a download', () => {
  beforeEach(() => void server.files.set(bigPath, big).set(smallPath, small));

  test.each([0, 1, 500_000, 999_999])('that breaks off after %d bytes fails, and succeeds when it is tried again', async (bytes) => {
    const cut: Odd = (_, response) => {
      response.writeHead(200, { ...azureHeaders, 'content-length': String(big.length) });
      response.write(big.subarray(0, bytes), () => response.destroy());
    };
    meetFirst('GET', 1, cut);
    expect(await errorOf(storage.load(bigFile))).toMatchObject({ code: 'connection-lost', retryable: true });
    meetFirst('GET', 2, cut);
    expect(sha256(await retrying().load(bigFile))).toBe(bigFile.name);
  });

  const answering = (status: number, content: Buffer, headers: Record<string, string> = {}): void =>
    meetFirst('GET', 1, (_, response) => {
      response.writeHead(status, { ...azureHeaders, 'content-length': String(content.length), ...headers }).end(content);
    });

  test('of fewer or other bytes than asked for is no success, of the whole gives the range', async () => {
    answering(206, Buffer.from('12345'), { 'content-range': `bytes 10-14/${big.length}` });
    expect(await codeOf(storage.load(bigFile, { offset: 10, length: 100 }))).toBe('file-short');
    answering(206, big.subarray(0, 100), { 'content-range': `bytes 0-99/${big.length}` });
    expect(await codeOf(storage.load(bigFile, { offset: 10, length: 100 }))).toBe('server-not-understood');
    answering(200, big);
    const bytes = await storage.load(bigFile, { offset: 10, length: 100 });
    expect(Buffer.from(bytes).equals(big.subarray(10, 110))).toBe(true);
  });

  test('without an announced length is not believed to be whole, nor one that is absurdly long read', async () => {
    meetFirst('GET', 1, (_, response) => {
      response.writeHead(200, azureHeaders).write(small.subarray(0, 5));
      response.end();
    });
    expect(await codeOf(storage.load(smallFile))).toBe('server-not-understood');
    meetFirst('GET', 1, (_, response) => void response.writeHead(200, { ...azureHeaders, 'content-length': String(2 ** 40) }).write('x'));
    expect(await codeOf(storage.load(smallFile))).toBe('item-tampered');
  });
});

describe('an upload', () => {
  test('is one request, with its MD5 and on the condition that nothing is there', async () => {
    await storage.save(bigFile, [big.subarray(0, 10), big.subarray(10)]);
    expect(server.requests).toEqual([`PUT ${bigPath}`]);
    expect(server.headers[0]).toMatchObject({
      'content-md5': createHash('md5').update(big).digest('base64'),
      'if-none-match': '*',
      'x-ms-blob-type': 'BlockBlob',
    });
    expect(server.headers[0]!['x-ms-access-tier']).toBeUndefined();
  });

  test('of a pack goes to the tier that is wished for, and of what is small and soon read to the usual one', async () => {
    storage = open({ accessTier: 'Cold' });
    await storage.save(bigFile, [big]);
    await storage.save(smallFile, [small]);
    expect(server.headers.map((headers) => headers['x-ms-access-tier'])).toEqual(['Cold', undefined]);
  });

  test('whose answer is lost counts as saved when it is tried again', async () => {
    server.meet = async (request, response, usual) => {
      if (request.method !== 'PUT') return usual();
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

  test('that is cut off in the middle leaves nothing, and succeeds when it is tried again', async () => {
    const cut: Odd = (request) => {
      request.once('data', () => request.socket.destroy());
    };
    meetFirst('PUT', 1, cut);
    expect(await errorOf(storage.save(bigFile, [big]))).toMatchObject({ retryable: true });
    expect(server.files.size).toBe(0);
    meetFirst('PUT', 2, cut);
    await retrying().save(bigFile, [big]);
    expect(server.files.get(bigPath)?.equals(big)).toBe(true);
  });

  /** Stores something and acknowledges what was sent. */
  const stored = (content: Buffer | undefined, headers: Record<string, string>): void =>
    meetFirst('PUT', 1, (request, response) => {
      if (content) server.files.set(bigPath, content);
      request.resume().once('end', () => response.writeHead(201, { ...azureHeaders, 'content-length': '0', ...headers }).end());
    });

  test('that arrived as something else is removed again, and succeeds when it is tried again', async () => {
    const md5 = createHash('md5').update('else').digest('base64');
    stored(Buffer.from('else'), { 'content-md5': md5 });
    expect(await errorOf(storage.save(bigFile, [big]))).toMatchObject({ code: 'storage-failed', retryable: true });
    expect(server.files.size).toBe(0);
    stored(Buffer.from('else'), { 'content-md5': md5 });
    await retrying().save(bigFile, [big]);
    expect(server.files.get(bigPath)?.equals(big)).toBe(true);
  });

  test('is verified by its length where no checksum is repeated', async () => {
    stored(big, {});
    await storage.save(bigFile, [big]);
    server.files.clear();
    stored(big.subarray(1), {});
    expect((await errorOf(storage.save(bigFile, [big]))).message).toContain('999999 are there');
    expect(server.files.size).toBe(0);
    stored(undefined, {});
    expect((await errorOf(storage.save(bigFile, [big]))).message).toContain('acknowledged and is not there');
  });

  test('that was changed on its way is refused by its MD5, and may be tried again', async () => {
    refuseAll({ status: 400, code: 'Md5Mismatch' });
    expect(await errorOf(storage.save(bigFile, [big]))).toMatchObject({ code: 'storage-failed', retryable: true });
  });

  test('over an existing blob is refused by Azure itself, without a question', async () => {
    server.files.set(bigPath, big).set('/container/place/config', small);
    expect(await codeOf(storage.save(bigFile, [big]))).toBe('file-exists');
    expect(await codeOf(storage.save({ kind: 'config', name: '' }, [big]))).toBe('file-exists');
    expect(server.requests).toEqual([`PUT ${bigPath}`, 'PUT /container/place/config']);
    expect(server.files.get('/container/place/config')).toBe(small);
  });
});

describe('a server that is not well', () => {
  beforeEach(() => void server.files.set(smallPath, small));

  test.each([
    [500, 'InternalError', 'storage-failed'],
    [500, 'OperationTimedOut', 'storage-failed'],
    [503, 'ServerBusy', 'server-busy'],
    [409, 'ContainerBeingDeleted', 'storage-failed'],
    [502, '', 'storage-failed'],
    [503, '', 'server-busy'],
    [504, '', 'storage-failed'],
    [429, '', 'server-busy'],
    [408, '', 'storage-failed'],
  ])('and says %d %s is asked again', async (status, code, expected) => {
    const odd: Odd = (request, response) => refuseAzure(request, response, { status, code });
    const calls = {
      GET: () => storage.load(smallFile),
      HEAD: () => storage.size(smallFile),
      PUT: () => storage.save(bigFile, [big]),
      DELETE: () => storage.refusesRemoval!(),
    };
    for (const [method, call] of Object.entries(calls)) {
      meetFirst(method, 1, odd);
      // A head that is refused for no reason of its own is asked again at once.
      if (method === 'HEAD' && status < 500) expect(await call()).toBe(small.length);
      else expect(await errorOf(call())).toMatchObject({ code: expected, retryable: true });
    }
    meetFirst('GET', 3, odd);
    expect(Buffer.from(await retrying().load(smallFile)).equals(small)).toBe(true);
    meetFirst('GET', 3, odd);
    expect(await listAll(retrying(), 'snapshot')).toEqual([{ name: smallFile.name, size: small.length }]);
  });

  test('is left alone for as long as it wants', async () => {
    meetFirst('GET', 1, (request, response) =>
      refuseAzure(request, response, { status: 503, code: 'ServerBusy', headers: { 'retry-after': '7' } }),
    );
    const waits: number[] = [];
    await retrying(waits).load(smallFile);
    expect(waits).toEqual([7000]);
  });

  test('is not asked again when it says that it never will', async () => {
    for (const [status, code] of [
      [501, 'NotImplemented'],
      [400, 'InvalidHeaderValue'],
      [409, 'BlobArchived'],
      [409, 'FeatureVersionMismatch'],
      [412, 'LeaseIdMissing'],
    ] as const) {
      refuseAll({ status, code });
      expect(await errorOf(storage.load(smallFile))).toMatchObject({ code: 'storage-failed', retryable: false });
    }
  });

  test('and answers with nonsense is not understood, and asked again', async () => {
    server.meet = (_, response) => answerRaw(response, 'NONSENSE\r\n\r\n');
    expect(await errorOf(storage.load(smallFile))).toMatchObject({ code: 'server-not-understood', retryable: true });
  });

  test.each([
    [200, 'text/html', '<html>Please sign in</html>'],
    [302, 'text/html', ''],
    [401, 'text/html', 'Who are you?'],
    [404, 'text/html', '<html>Not Found</html>'],
    [400, 'text/plain', 'Bad Request'],
  ])('but another one that answers %d is never taken for Azure', async (status, type, text) => {
    server.meet = (request, response) => {
      request.resume();
      response.writeHead(status, { 'content-type': type, 'content-length': String(text.length), location: 'https://elsewhere.example/' });
      response.end(request.method === 'HEAD' ? undefined : text);
    };
    for (const call of [
      () => storage.load(smallFile),
      () => storage.size(smallFile),
      () => storage.save(bigFile, [big]),
      () => storage.remove(smallFile),
      () => listAll(storage, 'snapshot'),
      () => storage.create(),
    ])
      expect(await codeOf(call())).toBe('server-not-understood');
  });

  test('and falls silent is given up after a while, whatever was asked', async () => {
    const clock = new FakeClock();
    storage = open({ clock });
    server.meet = (request) => void request.resume();
    for (const call of [() => storage.load(smallFile), () => storage.size(smallFile), () => storage.save(bigFile, [big])]) {
      const error = errorOf(call());
      const asked = server.requests.length;
      while (server.requests.length === asked) await systemClock.sleep(2);
      let isOver = false;
      void error.then(() => (isOver = true));
      while (!isOver) {
        await clock.advance(10_000);
        await systemClock.sleep(2);
      }
      expect(await error).toMatchObject({ code: 'connection-lost', retryable: true });
    }
  });

  test('is cut off when the storage is closed in the middle', async () => {
    server.meet = (request) => void request.resume();
    const calls = [errorOf(storage.load(smallFile)), errorOf(storage.save(bigFile, [big]))];
    while (server.requests.length < 2) await systemClock.sleep(2);
    await storage.close();
    for (const call of calls) expect((await call).code).toBe('connection-lost');
    while (server.connections > 0) await systemClock.sleep(2);
  });
});

describe('what Azure refuses is told in words', () => {
  const badKey = 'Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly.';

  test.each([
    [403, 'AuthenticationFailed', badKey, 'credentials-refused', /the account's key/, /AZURE_ACCOUNT_KEY/],
    [403, 'AuthorizationFailure', badKey, 'credentials-refused', /the account's key/, /AZURE_ACCOUNT_KEY/],
    [
      403,
      'AuthorizationFailure',
      'This request is not authorized to perform this operation.',
      'storage-denied',
      /not authorized/,
      /permission/,
    ],
    [403, 'AuthorizationPermissionMismatch', '', 'storage-denied', /does not allow/, /permission/],
    [403, 'KeyBasedAuthenticationNotPermitted', 'Key based authentication is not permitted', 'storage-denied', /Key based/, /permission/],
    [409, 'BlobImmutableDueToPolicy', '', 'file-protected', /protects pack/, /retention/],
    [403, 'AccountIsDisabled', '', 'storage-denied', /does not allow/, /permission/],
    [404, 'ContainerNotFound', '', 'bucket-missing', /no container container/, /holdfast init/],
    [400, 'InvalidResourceName', '', 'bucket-name', /No container may be called container/, /3 to 63/],
  ])('%d %s %s', async (status, code, message, expected, words, guidance) => {
    refuseAll({ status, code, message });
    for (const call of [() => storage.save(bigFile, [big]), () => storage.load(bigFile), () => storage.size(bigFile)]) {
      const error = await errorOf(call());
      expect(error).toMatchObject({ code: expected, retryable: false });
      expect(error.guidance).toMatch(guidance);
    }
    expect((await errorOf(storage.save(bigFile, [big]))).message).toMatch(words);
  });

  test('a shared access signature that has expired, and when', async () => {
    storage = open({ credential: { kind: 'sas', account: 'account', token: sasToken } });
    const detail =
      'Signature not valid in the specified time frame: Start [Fri, 02 Jan 2026 03:04:05 GMT] - Expiry [Sat, 03 Jan 2026 03:04:05 GMT]';
    refuseAll({
      status: 403,
      code: 'AuthenticationFailed',
      message: badKey,
      more: `<AuthenticationErrorDetail>${detail}</AuthenticationErrorDetail>`,
      // Nobody looks at this computer's clock then.
      headers: { date: 'Fri, 02 Jan 2015 03:04:05 GMT' },
    });
    for (const call of [() => storage.size(smallFile), () => storage.save(bigFile, [big])]) {
      const error = await errorOf(call());
      expect(error).toMatchObject({ code: 'credentials-refused', retryable: false });
      expect(error.message).toContain('Expiry [Sat, 03 Jan 2026');
      expect(error.guidance).toContain('AZURE_ACCOUNT_SAS');
    }
  });

  test('a clock that is wrong, and by how much', async () => {
    const now = Date.UTC(2026, 0, 2, 3, 4, 5);
    storage = open({ clock: { now: () => now, monotonic: () => 0, sinceBoot: () => 0, sleep: async () => {}, every: () => () => {} } });
    for (const [ms, words] of [
      [3 * 3_600_000 + 120_000, '3 hours and 2 minutes behind'],
      [-3_600_000, '1 hour ahead of'],
    ] as const) {
      const headers = { date: new Date(now + ms).toUTCString() };
      for (const more of ['', '<AuthenticationErrorDetail>The Date header in the request is incorrect.</AuthenticationErrorDetail>']) {
        refuseAll({ status: 403, code: 'AuthenticationFailed', message: badKey, more, headers });
        const error = await errorOf(storage.size(smallFile));
        expect(error).toMatchObject({ code: 'clock-wrong', retryable: false });
        expect(error.message).toContain(words);
      }
    }
  });

  test('control characters and length of its words are tamed', async () => {
    refuseAll({ status: 400, code: 'Odd', message: `first &#x1b;[31m second ${'x'.repeat(1000)}` });
    const { message } = await errorOf(storage.load(smallFile));
    expect(message).toContain('first [31m second xxx');
    expect(message.length).toBeLessThan(600);
  });

  test('no secret is in any error, though the server repeats what was signed', async () => {
    for (const credential of [undefined, { kind: 'sas', account: 'account', token: sasToken } as const]) {
      storage = open(credential ? { credential } : {});
      for (const detail of [
        `The MAC signature found in the HTTP request 'deadbeef' is not the same as any computed signature. Server used following string to sign: 'GET ${secret.toString()}`,
        `Signature did not match. String to sign used was deadbeef`,
      ])
        for (const code of ['AuthenticationFailed', 'InvalidAuthenticationInfo', 'Odd']) {
          refuseAll({ status: 403, code, more: `<AuthenticationErrorDetail>${detail}</AuthenticationErrorDetail>` });
          for (const call of [() => storage.load(smallFile), () => storage.size(smallFile), () => listAll(storage, 'pack')]) {
            const error = await errorOf(call());
            const shown = JSON.stringify(error) + String(error.stack) + JSON.stringify(error.cause ?? '') + storage.location;
            for (const word of [secret.toString(), secret.toString('base64'), 'deadbeef', 'sig=', 'SharedKey account:'])
              expect(shown).not.toContain(word);
          }
        }
      await server.stop();
      const gone = await errorOf(storage.load(smallFile));
      expect(JSON.stringify(gone) + String(gone.stack) + String((gone.cause as Error).stack)).not.toContain('sig=');
      server = await OddAzure.start();
    }
  });
});

describe('making the container', () => {
  test('makes one that is missing, and leaves one that is there', async () => {
    await storage.create();
    expect(server.requests).toEqual(['HEAD /container?restype=container']);
    server.containers.clear();
    await storage.create();
    expect(server.requests.slice(1)).toEqual(['HEAD /container?restype=container', 'PUT /container?restype=container']);
    expect(server.containers.has('container')).toBe(true);
  });

  test('is content with one that another has made in the same moment, and with one that may only be used', async () => {
    server.meet = (request, response, usual) =>
      request.method === 'HEAD' ? refuseAzure(request, response, { status: 404, code: 'ContainerNotFound' }) : usual();
    await storage.create();
    refuseAll({ status: 403, code: 'AuthorizationPermissionMismatch' });
    await storage.create();
  });
});

describe('what may not be removed', () => {
  test('makes a destination that only takes additions', async () => {
    server.files.set(bigPath, big).set(`/container/place/locks/${smallFile.name}`, small);
    expect(await storage.refusesRemoval!()).toBe(false);
    refuseAll({ status: 403, code: 'AuthorizationPermissionMismatch' });
    expect(await storage.refusesRemoval!()).toBe(true);
    expect(await codeOf(storage.remove(bigFile))).toBe('storage-append-only');
    expect(await codeOf(storage.remove({ kind: 'lock', name: smallFile.name }))).toBe('storage-denied');
    refuseAll({ status: 409, code: 'BlobImmutableDueToPolicy' });
    expect(await codeOf(storage.remove(bigFile))).toBe('file-protected');
  });
});

describe('a listing', () => {
  const names = Array.from({ length: 25 }, (_, n) => sha256(Buffer.from(String(n)))).sort();
  const key = (name: string): string => `place/data/${name.slice(0, 2)}/${name}`;
  const of = (...some: readonly string[]): { key: string; size: number }[] => some.map((name) => ({ key: key(name), size: 7 }));
  const answer = (...pages: readonly string[]): void => {
    let next = 0;
    server.meet = (_, response) => {
      const text = pages[Math.min(next++, pages.length - 1)]!;
      response.writeHead(200, { ...azureHeaders, 'content-length': String(Buffer.byteLength(text)) }).end(text);
    };
  };

  test('of many pages gives each file once', async () => {
    for (const name of names) server.files.set(`/container/${key(name)}`, small);
    server.pageSize = 4;
    expect((await listAll(storage, 'pack')).map(({ name }) => name)).toEqual(names);
    expect(server.requests).toHaveLength(7);
  });

  test('that repeats itself, has empty pages and holds foreign things gives each file once', async () => {
    const foreign = [
      { key: 'place/data/ab', size: 0 },
      { key: 'place/data/ab/notes.txt', size: 3 },
      { key: `place/data/zz/${names[0]}`, size: 3 },
      { key: `elsewhere/${key(names[0]!)}`, size: 3 },
      { key: 'place/data/&amp;&lt;&#x1;', size: 3 },
    ];
    answer(
      azureListing([...of(...names.slice(10)), ...foreign, ...of(names[12]!)], 'a'),
      azureListing([], 'b'),
      azureListing(of(...names.slice(0, 15).toReversed())),
    );
    expect((await listAll(storage, 'pack')).map(({ name }) => name)).toEqual(names);
  });

  test.each([
    ['that goes round in circles', azureListing(of(names[0]!), 'same')],
    ['that does not say whether it is whole', azureListing(of(names[0]!)).replace('<NextMarker />', '')],
    ['that has a blob without a size', azureListing([{ key: key(names[0]!), size: '' }])],
    ['that has a negative size', azureListing([{ key: key(names[0]!), size: -1 }])],
    ['that ends early', azureListing(of(...names)).slice(0, 900)],
    ['without blobs', '<EnumerationResults><NextMarker/></EnumerationResults>'],
    ['that is something else', '<html><body><p>Please sign in</p></body></html>'],
    ['that is empty', ''],
  ])('%s is an error, never taken for whole', async (_, text) => {
    answer(text);
    expect(await errorOf(listAll(storage, 'pack'))).toMatchObject({ code: 'server-not-understood', retryable: true });
  });

  test('that breaks off goes on when it is tried again, and gives nothing twice', async () => {
    for (const name of names) server.files.set(`/container/${key(name)}`, small);
    server.pageSize = 4;
    let request = 0;
    let failures = 0;
    const fail: Odd = (asked, response) => refuseAzure(asked, response, { status: 500, code: 'InternalError' });
    server.meet = (asked, response, usual) => (++request % 5 === 0 && failures++ < 3 ? fail(asked, response) : usual());
    await expect(listAll(storage, 'pack')).rejects.toMatchObject({ code: 'storage-failed' });
    const listed: string[] = [];
    for await (const { name } of retrying().list('pack')) listed.push(name);
    expect(failures).toBeGreaterThan(1);
    expect(listed.sort()).toEqual(names);
  });
});
