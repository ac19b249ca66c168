/** How the S3 storage speaks with the services that it knows: servers, regions, keys, wishes. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HoldfastError } from '../../../src/contract/errors.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { OddS3, refuse } from '../../support/odd-s3.ts';
import { codeOf, fileFor, listAll } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { openOdd, type OddOptions, secret } from './odd.ts';

refuseUnhandledRejections();

const opened: Storage[] = [];
let server: OddS3;
let connected: string[];

const open = (options?: OddOptions): Storage => {
  const made = openOdd(server, { onConnect: (host) => void connected.push(host), ...options });
  opened.push(made);
  return made;
};

beforeEach(async () => {
  server = await OddS3.start();
  connected = [];
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  await server.stop();
});

const small = Buffer.from('a small file');
const smallFile = fileFor(small, 'snapshot');

/** The regions that requests were signed for. */
const regionsIn = (headers: readonly { authorization?: string | undefined }[]): string[] =>
  headers.map(({ authorization }) => /Credential=[^/]+\/\d{8}\/([^/]+)\/s3\//.exec(authorization ?? '')![1]!);

describe('the server', () => {
  test.each([
    ['s3.amazonaws.com', 'my-backups', 'my-backups.s3.amazonaws.com', '/?'],
    ['s3.eu-central-1.amazonaws.com', 'my-backups', 'my-backups.s3.eu-central-1.amazonaws.com', '/?'],
    ['eu-west-3', 'my-backups', 'my-backups.s3.eu-west-3.amazonaws.com', '/?'],
    ['cn-north-1', 'my-backups', 'my-backups.s3.cn-north-1.amazonaws.com.cn', '/?'],
    // No certificate covers a name with more dots, and none a capital.
    ['s3.amazonaws.com', 'my.backups', 's3.amazonaws.com', '/my.backups/?'],
    ['s3.amazonaws.com', 'MyBackups', 's3.amazonaws.com', '/MyBackups/?'],
    ['my-backups.s3.amazonaws.com', 'my-backups', 'my-backups.s3.amazonaws.com', '/my-backups/?'],
    ['nas.example:9000', 'my-backups', 'nas.example:9000', '/my-backups/?'],
    ['s3.us-west-002.backblazeb2.com', 'my-backups', 's3.us-west-002.backblazeb2.com', '/my-backups/?'],
    ['0123456789abcdef.r2.cloudflarestorage.com', 'my-backups', '0123456789abcdef.r2.cloudflarestorage.com', '/my-backups/?'],
  ])('for %s and the bucket %s is %s', async (host, bucket, expected, path) => {
    server.meet = (request, response) => refuse(request, response, { status: 404, code: 'NoSuchBucket' });
    const storage = open({ host, bucket, settings: { lookup: undefined } });
    expect(await codeOf(listAll(storage, 'pack'))).toBe('bucket-missing');
    expect(connected).toEqual([expected]);
    expect(server.requests[0]).toMatch(new RegExp(`^GET ${path.replace(/[/?.]/g, '\\$&')}`));
  });

  test('can be told how buckets are named', async () => {
    for (const [host, lookup] of [
      ['nas.example', 'dns'],
      ['s3.amazonaws.com', 'path'],
    ] as const) {
      server.meet = (request, response) => refuse(request, response, { status: 404, code: 'NoSuchBucket' });
      await codeOf(listAll(open({ host, settings: { lookup } }), 'pack'));
    }
    expect(connected).toEqual(['bucket.nas.example', 's3.amazonaws.com']);
  });
});

describe('the region', () => {
  beforeEach(() => void server.files.set(`/bucket/place/snapshots/${smallFile.name}`, small));

  test.each([
    ['s3.amazonaws.com', 'us-east-1'],
    ['s3.eu-central-1.amazonaws.com', 'eu-central-1'],
    ['s3-eu-west-1.amazonaws.com', 'eu-west-1'],
    ['s3.dualstack.ap-southeast-2.amazonaws.com', 'ap-southeast-2'],
    ['s3.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    ['s3.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
    ['s3.us-west-002.backblazeb2.com', 'us-west-002'],
    ['s3.ap-northeast-2.wasabisys.com', 'ap-northeast-2'],
    ['s3.wasabisys.com', 'us-east-1'],
    ['0123456789abcdef.r2.cloudflarestorage.com', 'auto'],
    ['storage.googleapis.com', 'auto'],
    ['nas.example', 'us-east-1'],
  ])('of %s is %s', async (host, region) => {
    await open({ host }).size(smallFile);
    expect(regionsIn(server.headers)).toEqual([region]);
  });

  test('is the one that the person has set', async () => {
    await open({ host: 'nas.example', region: 'attic' }).size(smallFile);
    expect(regionsIn(server.headers)).toEqual(['attic']);
  });

  /** The server's answers to requests that are signed for another region. */
  const answers = {
    'as Amazon says it of a signature': { status: 400, code: 'AuthorizationHeaderMalformed', more: '<Region>eu-central-1</Region>' },
    'as Amazon says it of a server': { status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'eu-central-1' } },
    'as Amazon says it of a new bucket': {
      status: 307,
      code: 'TemporaryRedirect',
      more: '<Endpoint>bucket.s3.eu-central-1.amazonaws.com</Endpoint>',
    },
    'with an older name of the server': {
      status: 301,
      code: 'PermanentRedirect',
      more: '<Endpoint>s3-eu-central-1.amazonaws.com</Endpoint>',
    },
  } as const;

  test.each(Object.entries(answers))('that is wrong is followed, %s, once and for all', async (_, error) => {
    server.meet = (request, response, usual) =>
      request.headers.authorization?.includes('/eu-central-1/') ? usual() : refuse(request, response, error);
    const storage = open();
    expect(Buffer.from(await storage.load(smallFile)).equals(small)).toBe(true);
    expect(await storage.size(smallFile)).toBe(small.length);
    expect(connected).toEqual(['s3.amazonaws.com', 's3.eu-central-1.amazonaws.com']);
    expect(server.requests).toHaveLength(3);
    // The first question may be one whose refusal has no words.
    const other = open();
    expect(await other.size(smallFile)).toBe(small.length);
  });

  test('that the server sends its clients to and fro between is named', async () => {
    server.meet = (request, response) => {
      const region = request.headers.authorization?.includes('/eu-central-1/') ? 'us-east-1' : 'eu-central-1';
      refuse(request, response, { status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': region } });
    };
    const error = await open()
      .load(smallFile)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'region-wrong', retryable: false });
    expect(server.requests).toHaveLength(2);
    expect((error as HoldfastError).guidance).toContain('AWS_DEFAULT_REGION');
  });

  test('never leads to a server that is not of the same service', async () => {
    for (const region of ['evil.example/x', 'x', '', '@evil.example', 'eu-central-1.evil.example']) {
      server.meet = (request, response) =>
        refuse(request, response, {
          status: 301,
          code: 'PermanentRedirect',
          headers: { 'x-amz-bucket-region': region, location: 'https://evil.example/' },
        });
      await codeOf(open().load(smallFile));
    }
    expect(new Set(connected)).toEqual(new Set(['s3.amazonaws.com']));
  });
});

describe('making the bucket', () => {
  test('makes one that is missing, in the region of the server', async () => {
    server.buckets.clear();
    const bodies: string[] = [];
    server.meet = (request, _, usual) => {
      if (request.method === 'PUT') request.on('data', (piece: Buffer) => void bodies.push(piece.toString()));
      return usual();
    };
    await open().create();
    expect(server.requests).toEqual(['HEAD /bucket/', 'PUT /bucket/']);
    expect(bodies).toEqual([]);
    expect(server.buckets.has('bucket')).toBe(true);
    server.buckets.clear();
    await open({ host: 's3.eu-central-1.amazonaws.com' }).create();
    expect(bodies.join('')).toContain('<LocationConstraint>eu-central-1</LocationConstraint>');
    bodies.length = 0;
    server.buckets.clear();
    await open({ host: 's3.us-west-002.backblazeb2.com' }).create();
    expect(bodies).toEqual([]);
  });

  test('that shall keep what it holds makes it able to', async () => {
    server.buckets.clear();
    await open({ settings: { retention: { mode: 'COMPLIANCE', days: 30 } } }).create();
    expect(server.headers[1]!['x-amz-bucket-object-lock-enabled']).toBe('true');
  });

  test('is content with one that another has made in the same moment', async () => {
    server.meet = (request, response, usual) => (request.method === 'HEAD' ? void response.writeHead(404).end() : usual());
    await open().create();
    expect(server.requests).toEqual(['HEAD /bucket/', 'PUT /bucket/']);
  });

  test('is content with one that may be used and not be looked at', async () => {
    server.meet = (request, response) => refuse(request, response, { status: 403, code: 'AccessDenied' });
    await open().create();
  });

  test.each([
    [409, 'BucketAlreadyExists', 'bucket-taken'],
    [400, 'InvalidBucketName', 'bucket-name'],
    [403, 'AccessDenied', 'storage-denied'],
  ])('tells %d %s', async (status, code, expected) => {
    server.meet = (request, response) =>
      request.method === 'PUT' ? refuse(request, response, { status, code }) : void response.writeHead(404).end();
    expect(await codeOf(open().create())).toBe(expected);
  });
});

describe('keys', () => {
  beforeEach(() => void server.files.set(`/bucket/place/snapshots/${smallFile.name}`, small));
  const pair = (accessKeyId: string, sessionToken?: string) => ({ accessKeyId, secretAccessKey: secret, sessionToken });

  test('that expire in the middle are looked up again', async () => {
    let current = pair('OLD', 'token-1');
    const storage = open({ findKeys: () => ({ keys: current, region: undefined }) });
    expect(await storage.size(smallFile)).toBe(small.length);
    server.meet = (request, response, usual) =>
      request.headers['x-amz-security-token'] === 'token-2' ? usual() : refuse(request, response, { status: 400, code: 'ExpiredToken' });
    expect(await codeOf(storage.load(smallFile))).toBe('credentials-refused');
    current = pair('NEW', 'token-2');
    expect(Buffer.from(await storage.load(smallFile)).equals(small)).toBe(true);
    // A head is refused without words.
    current = pair('OLD', 'token-1');
    const other = open({ findKeys: () => ({ keys: current, region: undefined }) });
    expect(await codeOf(other.size(smallFile))).toBe('credentials-refused');
    current = pair('NEW', 'token-2');
    expect(await other.size(smallFile)).toBe(small.length);
  });

  test('that are missing are asked for before anything is sent', async () => {
    const error = await open({ findKeys: () => ({ keys: undefined, region: undefined }) })
      .size(smallFile)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'credentials-missing' });
    expect((error as HoldfastError).guidance).toContain('AWS_ACCESS_KEY_ID');
    expect(server.requests).toEqual([]);
  });
});

describe('wishes', () => {
  test('go with packs, and with what is small where it makes sense', async () => {
    const storage = open({
      settings: {
        storageClass: 'STANDARD_IA',
        encryption: { kind: 'aws:kms', keyId: 'arn:key' },
        retention: { mode: 'GOVERNANCE', days: 30 },
      },
      clock: {
        now: () => Date.UTC(2026, 0, 2, 3, 4, 5),
        monotonic: () => 0,
        sinceBoot: () => 0,
        sleep: async () => {},
        every: () => () => {},
      },
    });
    for (const kind of ['pack', 'index', 'lock'] as const) await storage.save(fileFor(small, kind), [small]);
    const wished = server.headers.map((headers) => [
      headers['x-amz-storage-class'],
      headers['x-amz-server-side-encryption'],
      headers['x-amz-server-side-encryption-aws-kms-key-id'],
      headers['x-amz-object-lock-mode'],
      headers['x-amz-object-lock-retain-until-date'],
    ]);
    const until = ['GOVERNANCE', '2026-02-01T03:04:05.000Z'];
    expect(wished).toEqual([
      ['STANDARD_IA', 'aws:kms', 'arn:key', ...until],
      [undefined, 'aws:kms', 'arn:key', ...until],
      // A lock must be removable, or nobody could ever work here again.
      [undefined, 'aws:kms', 'arn:key', undefined, undefined],
    ]);
  });
});
