/** What becomes of an S3 storage when the server or the network misbehaves. */
import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Storage } from '../../../src/storage/storage.ts';
import { listing, OddS3, refuse, type S3Error } from '../../support/odd-s3.ts';
import { answerRaw, type Odd, type OddServer } from '../../support/odd-server.ts';
import { retryingAtOnce } from '../../support/retrying-at-once.ts';
import { codeOf, describeStorage, errorOf, fileFor, listAll, sha256 } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { openOdd, type OddOptions, secret } from './odd.ts';

refuseUnhandledRejections();

const opened: Storage[] = [];
let server: OddS3;
let storage: Storage;

const open = (options?: OddOptions): Storage => {
  const made = openOdd(server, options);
  opened.push(made);
  return made;
};

beforeEach(async () => {
  server = await OddS3.start();
  storage = open();
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  await server.stop();
});

const meetFirst: OddServer['meetFirst'] = (...args) => server.meetFirst(...args);

const refuseAll = (method: string, error: S3Error): void =>
  meetFirst(method, Number.POSITIVE_INFINITY, (request, response) => refuse(request, response, error));

const retrying = (waits?: number[]): Storage => retryingAtOnce(storage, waits);

const big = randomBytes(1_000_000);
const bigFile = fileFor(big);
const bigPath = `/bucket/place/data/${bigFile.name.slice(0, 2)}/${bigFile.name}`;
const small = Buffer.from('a small file');
const smallFile = fileFor(small, 'snapshot');
const smallPath = `/bucket/place/snapshots/${smallFile.name}`;

for (const host of ['s3.amazonaws.com', 's3.us-west-002.backblazeb2.com'])
  describeStorage(`S3 storage on a small server that speaks as ${host}`, async () => {
    const own = await OddS3.start();
    return { storage: openOdd(own, { host }), reopen: async () => openOdd(own, { host }), cleanUp: () => own.stop() };
  });

describe('a download', () => {
  beforeEach(() => void server.files.set(bigPath, big).set(smallPath, small));

  test.each([0, 1, 500_000, 999_999])('that breaks off after %d bytes fails, and succeeds when it is tried again', async (bytes) => {
    const cut: Odd = (_, response) => {
      response.writeHead(200, { 'content-length': String(big.length) });
      response.write(big.subarray(0, bytes), () => response.destroy());
    };
    meetFirst('GET', 1, cut);
    const error = await errorOf(storage.load(bigFile));
    expect(error).toMatchObject({ code: 'connection-lost', retryable: true });
    meetFirst('GET', 2, cut);
    expect(sha256(await retrying().load(bigFile))).toBe(bigFile.name);
  });

  test('of fewer bytes than asked for is no success', async () => {
    meetFirst('GET', 1, (_, response) => {
      response.writeHead(206, { 'content-length': '5', 'content-range': `bytes 10-14/${big.length}` });
      response.end('12345');
    });
    expect(await codeOf(storage.load(bigFile, { offset: 10, length: 100 }))).toBe('file-short');
  });

  test('of other bytes than asked for is no success', async () => {
    meetFirst('GET', 1, (_, response) => {
      response.writeHead(206, { 'content-length': '100', 'content-range': `bytes 0-99/${big.length}` });
      response.end(big.subarray(0, 100));
    });
    expect(await codeOf(storage.load(bigFile, { offset: 10, length: 100 }))).toBe('server-not-understood');
  });

  test('of the whole object instead of a range gives the range', async () => {
    meetFirst('GET', 1, (_, response) => {
      response.writeHead(200, { 'content-length': String(big.length) });
      response.end(big);
    });
    const bytes = await storage.load(bigFile, { offset: 10, length: 100 });
    expect(Buffer.from(bytes).equals(big.subarray(10, 110))).toBe(true);
  });

  test('without an announced length is not believed to be whole', async () => {
    meetFirst('GET', 1, (_, response) => {
      response.writeHead(200);
      response.write(small.subarray(0, 5));
      response.end();
    });
    expect(await codeOf(storage.load(smallFile))).toBe('server-not-understood');
  });

  test('that is announced to be absurdly long is refused before the memory is filled', async () => {
    meetFirst('GET', 1, (_, response) => {
      response.writeHead(200, { 'content-length': String(2 ** 40) });
      response.write('x');
    });
    expect(await codeOf(storage.load(smallFile))).toBe('item-tampered');
  });
});

describe('an upload', () => {
  test('whose answer is lost counts as saved when it is tried again', async () => {
    server.meet = async (request, response, usual) => {
      if (request.method !== 'PUT') return usual();
      server.meet = (_, __, then) => then();
      // It is stored, and nobody learns of it.
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

  test('to Amazon is verified by its SHA-256', async () => {
    await storage.save(bigFile, [big]);
    const { headers } = server;
    expect(headers[0]!['x-amz-checksum-sha256']).toBe(createHash('sha256').update(big).digest('base64'));
    expect(headers[0]!['x-amz-content-sha256']).toBe(bigFile.name);
    expect(headers[0]!['content-md5']).toBeUndefined();
    expect(server.requests).toEqual([`PUT ${bigPath}`]);
  });

  test('to others is verified by its MD5', async () => {
    storage = open({ host: 's3.wasabisys.com' });
    await storage.save(bigFile, [big]);
    expect(server.headers[0]!['content-md5']).toBe(createHash('md5').update(big).digest('base64'));
    expect(server.headers[0]!['x-amz-checksum-sha256']).toBeUndefined();
    expect(server.headers[0]!['if-none-match']).toBeUndefined();
    expect(server.requests).toEqual([`PUT ${bigPath}`]);
  });

  test.each([
    ['s3.amazonaws.com', { 'x-amz-checksum-sha256': createHash('sha256').update('else').digest('base64') }],
    ['s3.wasabisys.com', { etag: `"${createHash('md5').update('else').digest('hex')}"` }],
    ['nas.example:9000', { etag: `W/"${createHash('md5').update('else').digest('hex').toUpperCase()}"` }],
  ])('that arrived at %s as something else is removed again, and fails', async (host, headers) => {
    storage = open({ host });
    const odd: Odd = (_, response) => {
      server.files.set(bigPath, Buffer.from('else'));
      response.writeHead(200, { 'content-length': '0', ...headers }).end();
    };
    meetFirst('PUT', 1, odd);
    expect(await errorOf(storage.save(bigFile, [big]))).toMatchObject({ code: 'storage-failed', retryable: true });
    expect(server.files.size).toBe(0);
    meetFirst('PUT', 1, odd);
    await retrying().save(bigFile, [big]);
    expect(server.files.get(bigPath)?.equals(big)).toBe(true);
  });

  test('is verified by its length where the server repeats no checksum', async () => {
    const stored = (content: Buffer | undefined, headers: Record<string, string>): void =>
      meetFirst('PUT', 1, (request, response) => {
        if (content) server.files.set(bigPath, content);
        request.resume().once('end', () => response.writeHead(200, { 'content-length': '0', ...headers }).end());
      });
    for (const [host, headers] of [
      ['s3.amazonaws.com', {}],
      ['s3.amazonaws.com', { etag: '"0123456789abcdef0123456789abcdef"' }],
      ['nas.example', {}],
      ['nas.example', { etag: '"0123456789abcdef0123456789abcdef-3"' }],
      // With a key of the server's own, the ETag looks like an MD5 and is none.
      ['nas.example', { etag: '"0123456789abcdef0123456789abcdef"', 'x-amz-server-side-encryption': 'aws:kms' }],
    ] as const) {
      const each = open({ host });
      stored(big, headers);
      await each.save(bigFile, [big]);
      server.files.clear();
      stored(big.subarray(1), headers);
      expect((await errorOf(each.save({ ...bigFile }, [big]))).message).toContain('999999 are there');
      expect(server.files.size).toBe(0);
      stored(undefined, headers);
      expect((await errorOf(each.save(bigFile, [big]))).message).toContain('acknowledged and is not there');
    }
  });

  test('over an existing object is refused by Amazon itself, without a question', async () => {
    server.files.set(bigPath, big);
    expect(await codeOf(storage.save(bigFile, [Buffer.from('other')]))).toBe('file-exists');
    expect(server.requests).toEqual([`PUT ${bigPath}`]);
  });

  test('of a config where the server replaces objects looks first', async () => {
    storage = open({ host: 's3.wasabisys.com' });
    server.files.set('/bucket/place/config', small);
    expect(await codeOf(storage.save({ kind: 'config', name: '' }, [big]))).toBe('file-exists');
    expect(server.requests).toEqual(['HEAD /bucket/place/config']);
    expect(server.files.get('/bucket/place/config')).toBe(small);
  });

  test('that meets another one at the same moment may be tried again', async () => {
    meetFirst('PUT', 1, (request, response) => refuse(request, response, { status: 409, code: 'ConditionalRequestConflict' }));
    expect(await errorOf(storage.save(bigFile, [big]))).toMatchObject({ code: 'storage-failed', retryable: true });
  });
});

describe('a server that is not well', () => {
  beforeEach(() => void server.files.set(smallPath, small));

  test.each([
    [500, 'InternalError', 'storage-failed'],
    [502, '', 'storage-failed'],
    [503, 'SlowDown', 'server-busy'],
    [503, 'ServiceUnavailable', 'server-busy'],
    [503, '', 'server-busy'],
    [504, '', 'storage-failed'],
    [429, 'TooManyRequests', 'server-busy'],
    [400, 'RequestTimeout', 'storage-failed'],
    [408, '', 'storage-failed'],
  ])('and says %d %s is asked again', async (status, code, expected) => {
    const odd: Odd = (request, response) => refuse(request, response, { status, code });
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      meetFirst(method, 1, odd);
      const call =
        method === 'GET'
          ? storage.load(smallFile)
          : method === 'HEAD'
            ? storage.size(smallFile)
            : method === 'PUT'
              ? storage.save(bigFile, [big])
              : storage.refusesRemoval!();
      if (method === 'HEAD' && status < 500) {
        // It has no code, so that the server is asked for one, and then is well again.
        expect(await call).toBe(small.length);
        continue;
      }
      const error = await errorOf(call);
      expect(error).toMatchObject({ retryable: true });
      if (method !== 'HEAD') expect(error.code).toBe(expected);
    }
    meetFirst('GET', 3, odd);
    expect(Buffer.from(await retrying().load(smallFile)).equals(small)).toBe(true);
    meetFirst('GET', 3, odd);
    expect(await listAll(retrying(), 'snapshot')).toEqual([{ name: smallFile.name, size: small.length }]);
  });

  test('is left alone for as long as it wants', async () => {
    meetFirst('GET', 1, (request, response) =>
      refuse(request, response, { status: 503, code: 'SlowDown', headers: { 'retry-after': '7' } }),
    );
    const waits: number[] = [];
    await retrying(waits).load(smallFile);
    expect(waits).toEqual([7000]);
  });

  test('is not asked again when it says that it never will', async () => {
    for (const [status, code] of [
      [501, 'NotImplemented'],
      [400, 'InvalidArgument'],
      [400, 'MalformedXML'],
      [403, 'InvalidObjectState'],
    ] as const) {
      refuseAll('GET', { status, code });
      expect(await errorOf(storage.load(smallFile))).toMatchObject({ code: 'storage-failed', retryable: false });
    }
  });

  test('and answers with nonsense is not understood, and asked again', async () => {
    server.meet = (_, response) => answerRaw(response, 'NONSENSE\r\n\r\n');
    expect(await errorOf(storage.load(smallFile))).toMatchObject({ code: 'server-not-understood', retryable: true });
  });
});

describe('what a server refuses is told in words', () => {
  test.each([
    [403, 'InvalidAccessKeyId', '', 'credentials-refused', /ID of the access key/, /AWS_ACCESS_KEY_ID/],
    [403, 'SignatureDoesNotMatch', '', 'credentials-refused', /the access key/, /AWS_SECRET_ACCESS_KEY/],
    [400, 'ExpiredToken', '', 'credentials-refused', /expired keys/, /AWS_SESSION_TOKEN/],
    [403, 'AccessDenied', 'Access Denied', 'storage-denied', /does not allow/, /permission/],
    [403, 'AccessDenied', 'Access Denied because object protected by object lock.', 'file-protected', /protects pack/, /retention/],
    [400, 'ObjectLocked', 'Object is WORM protected and cannot be overwritten', 'file-protected', /protects pack/, /retention/],
    [403, 'AccessDenied', 'Cannot upload, storage cap exceeded.', 'storage-full', /no space left/, /space/],
    [403, 'QuotaExceeded', 'The bucket quota is used up', 'storage-full', /no space left/, /space/],
    [507, 'XMinioStorageFull', '', 'storage-full', /no space left/, /space/],
    [404, 'NoSuchBucket', '', 'bucket-missing', /no bucket bucket/, /holdfast init/],
  ])('%d %s %s', async (status, code, message, expected, words, guidance) => {
    refuseAll('PUT', { status, code, message });
    const error = await errorOf(storage.save(bigFile, [big]));
    expect(error).toMatchObject({ code: expected, retryable: false });
    expect(error.message).toMatch(words);
    expect(error.guidance).toMatch(guidance);
  });

  test('the server is asked once more for the reason of a refused head, which has none', async () => {
    server.meet = (request, response) => refuse(request, response, { status: 403, code: 'InvalidAccessKeyId' });
    expect(await codeOf(storage.size(smallFile))).toBe('credentials-refused');
    expect(await codeOf(storage.create())).toBe('credentials-refused');
  });

  test('a clock that is wrong, and by how much', async () => {
    const at = (ms: number): void =>
      refuseAll('GET', {
        status: 403,
        code: 'RequestTimeTooSkewed',
        headers: { date: new Date(Date.UTC(2026, 0, 2, 3, 4, 5) + ms).toUTCString() },
      });
    const clock = {
      now: () => Date.UTC(2026, 0, 2, 3, 4, 5),
      monotonic: () => 0,
      sinceBoot: () => 0,
      sleep: async () => {},
      every: () => () => {},
    };
    storage = open({ clock });
    for (const [ms, words] of [
      [3 * 3_600_000 + 120_000, '3 hours and 2 minutes behind'],
      [-3_600_000, '1 hour ahead of'],
      [-61 * 60_000, '1 hour and 1 minute ahead of'],
      [370 * 86_400_000, '370 days behind'],
    ] as const) {
      at(ms);
      const error = await errorOf(storage.load(smallFile));
      expect(error).toMatchObject({ code: 'clock-wrong', retryable: false });
      expect(error.message).toContain(words);
    }
  });

  test('control characters and length of its words are tamed', async () => {
    refuseAll('GET', { status: 400, code: 'Odd', message: `first &#x1b;[31m\n\n second ${'x'.repeat(1000)}` });
    const { message } = await errorOf(storage.load(smallFile));
    expect(message).toContain('first [31m second xxx');
    expect(message.length).toBeLessThan(600);
  });

  test('no secret is in any error', async () => {
    const leak = `<StringToSign>${secret}</StringToSign><SignatureProvided>deadbeef</SignatureProvided><AWSAccessKeyId>AKIDTEST</AWSAccessKeyId>`;
    for (const code of ['SignatureDoesNotMatch', 'InvalidAccessKeyId', 'AccessDenied', 'Odd']) {
      refuseAll('GET', { status: 403, code, more: leak });
      const error = await errorOf(storage.load(smallFile));
      const shown = JSON.stringify(error) + String(error.stack) + JSON.stringify(error.cause ?? '');
      expect(shown).not.toContain(secret);
      expect(shown).not.toContain('deadbeef');
      expect(shown).not.toContain('Signature=');
    }
  });
});

describe('what may not be removed', () => {
  beforeEach(() => void server.files.set(bigPath, big).set('/bucket/place/locks/' + smallFile.name, small));

  test('makes a destination that only takes additions', async () => {
    expect(await storage.refusesRemoval!()).toBe(false);
    refuseAll('DELETE', { status: 403, code: 'AccessDenied' });
    expect(await storage.refusesRemoval!()).toBe(true);
    expect(await codeOf(storage.remove(bigFile))).toBe('storage-append-only');
    expect(await codeOf(storage.remove({ kind: 'lock', name: smallFile.name }))).toBe('storage-denied');
    refuseAll('DELETE', { status: 403, code: 'InvalidAccessKeyId' });
    expect(await codeOf(storage.refusesRemoval!())).toBe('credentials-refused');
  });

  test('for some time yet is told as that', async () => {
    refuseAll('DELETE', { status: 403, code: 'AccessDenied', message: 'Access Denied because object protected by object lock.' });
    expect(await codeOf(storage.remove(bigFile))).toBe('file-protected');
  });
});

describe('a listing', () => {
  const names = Array.from({ length: 25 }, (_, n) => sha256(Buffer.from(String(n)))).sort();
  const key = (name: string): string => `place/data/${name.slice(0, 2)}/${name}`;
  const answer = (...pages: readonly string[]): void => {
    let next = 0;
    server.meet = (_, response) => {
      const text = pages[Math.min(next++, pages.length - 1)]!;
      response.writeHead(200, { 'content-length': String(Buffer.byteLength(text)) }).end(text);
    };
  };
  const last = '<IsTruncated>false</IsTruncated>';
  const more = (token: string): string => `<IsTruncated>true</IsTruncated><NextContinuationToken>${token}</NextContinuationToken>`;
  const of = (...some: readonly string[]): { key: string; size: number }[] => some.map((name) => ({ key: key(name), size: 7 }));

  test('of many pages gives each file once', async () => {
    for (const name of names) server.files.set(`/bucket/${key(name)}`, small);
    server.pageSize = 4;
    expect((await listAll(storage, 'pack')).map(({ name }) => name)).toEqual(names);
    expect(server.requests).toHaveLength(7);
  });

  test('that repeats itself, is out of order and holds foreign things gives each file once', async () => {
    const foreign = [
      { key: 'place/data/', size: 0 },
      { key: 'place/data/ab/notes.txt', size: 3 },
      { key: `place/data/zz/${names[0]}`, size: 3 },
      { key: `place/data/${names[0]}`, size: 3 },
      { key: `place/data/x/${key(names[0]!)}`, size: 3 },
      { key: `elsewhere/${key(names[0]!)}`, size: 3 },
      { key: `place/data/&amp;&lt;&#x1;&#10;`, size: 3 },
    ];
    answer(
      listing([...of(...names.slice(10)), ...foreign, ...of(names[12]!)], more('a')),
      listing([], more('b')),
      listing(of(...names.slice(0, 15).toReversed()), last),
    );
    expect((await listAll(storage, 'pack')).map(({ name }) => name)).toEqual(names);
  });

  test('in the older form is followed to its end', async () => {
    const page = (some: readonly string[], isLast: boolean): string => listing(of(...some), `<IsTruncated>${!isLast}</IsTruncated>`);
    answer(page(names.slice(0, 10), false), page(names.slice(10), true));
    expect(await listAll(storage, 'pack')).toHaveLength(25);
    expect(server.requests[1]).toContain(`marker=${encodeURIComponent(key(names[9]!))}`);
  });

  test.each([
    ['that goes round in circles', listing(of(names[0]!), more('same'))],
    ['that does not say how it goes on', listing([], '<IsTruncated>true</IsTruncated>')],
    ['that does not say whether it is whole', listing(of(names[0]!), '')],
    ['that has an object without a size', listing([{ key: key(names[0]!), size: '' }], last)],
    ['that has a negative size', listing([{ key: key(names[0]!), size: -1 }], last)],
    ['that ends early', listing(of(...names), last).slice(0, 500)],
    ['that is a login page', '<!DOCTYPE html><html><body><p>Please sign in<br></body></html>'],
    ['that is well-formed HTML', '<html><body><p>Please sign in</p></body></html>'],
    ['that is empty', ''],
  ])('%s is an error, never taken for whole', async (_, text) => {
    answer(text);
    expect(await errorOf(listAll(storage, 'pack'))).toMatchObject({ code: 'server-not-understood', retryable: true });
  });

  test('that breaks off goes on when it is tried again, and gives nothing twice', async () => {
    for (const name of names) server.files.set(`/bucket/${key(name)}`, small);
    server.pageSize = 4;
    let request = 0;
    server.meet = (_, response, usual) => (++request % 5 === 0 ? response.writeHead(500).end() : usual());
    await expect(listAll(storage, 'pack')).rejects.toMatchObject({ code: 'storage-failed' });
    const listed: string[] = [];
    let failures = 0;
    server.meet = (_, response, usual) => (++request % 5 === 0 && failures++ < 3 ? response.writeHead(500).end() : usual());
    for await (const { name } of retrying().list('pack')) listed.push(name);
    expect(failures).toBeGreaterThan(1);
    expect(listed.sort()).toEqual(names);
  });
});
