/** The S3 storage on a real server: OpenStack Swift, which checks signatures, the payload's hash and Content-MD5. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { HoldfastError } from '../../../src/contract/errors.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { parseHttpAddress } from '../../../src/storage/http/address.ts';
import { TcpHttpClient } from '../../../src/storage/http/client.ts';
import type { HttpClient } from '../../../src/storage/http/exchange.ts';
import { tlsIdentity } from '../../../src/storage/http/tls-identity.ts';
import { ObjectStorage } from '../../../src/storage/objects/object-storage.ts';
import { openPlace } from '../../../src/storage/place.ts';
import { S3Bucket } from '../../../src/storage/s3/bucket.ts';
import { parseS3Place, s3Location } from '../../../src/storage/s3/place.ts';
import { serviceAt } from '../../../src/storage/s3/presets.ts';
import { Signer } from '../../../src/storage/s3/sign.ts';
import { configFile, type Storage } from '../../../src/storage/storage.ts';
import { codeOf, describeStorage, fileFor, listAll, sha256 } from '../../support/storage-suite.ts';
import { guestKeys, otherKeys, Swift, swiftKeys } from '../../support/swift.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';

refuseUnhandledRejections();

let swift: Swift;
let count = 0;
const opened: Storage[] = [];

beforeAll(async () => {
  swift = await Swift.start();
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

afterAll(() => swift.stop());

async function openS3(place: string, env: Record<string, string> = {}, clock: Clock = systemClock): Promise<Storage> {
  const all = { HOME: '/nowhere', ...swiftKeys, HOLDFAST_CACERT: swift.authority, ...env };
  const made = await openPlace(place, { clock, credentials: credentialsFrom(all, undefined) });
  opened.push(made);
  return made;
}

describeStorage('S3 storage on Swift', async () => {
  // Not every character of a path is one that an address can hold as it is.
  const place = `s3:${swift.https}/bucket/place ${count++}/äö+%&=~'()*`;
  return { storage: await openS3(place), reopen: () => openS3(place) };
});

const content = Buffer.from('some content');
const file = fileFor(content);

describe('on Swift', () => {
  let place: string;

  beforeAll(async () => {
    place = `s3:${swift.https}/taken/place`;
    const storage = await openS3(place);
    await storage.create();
    await storage.save(file, [content]);
    await storage.close();
  });

  /** What a storage says to each kind of call. */
  async function codesOf(storage: Storage): Promise<string[]> {
    const other = Buffer.from('other content');
    return [
      await codeOf(storage.size(file)),
      await codeOf(storage.load(file)),
      await codeOf(listAll(storage, 'pack')),
      await codeOf(storage.save(fileFor(other), [other])),
      await codeOf(storage.remove(file)),
    ];
  }

  test('without TLS the payload is signed', async () => {
    const storage = await openS3(`s3:${swift.http}/bucket/plain`);
    await storage.create();
    for (const size of [0, 1, 5_000_000]) {
      const bytes = Buffer.alloc(size, 'x');
      await storage.save(fileFor(bytes), [bytes]);
      expect(sha256(await storage.load(fileFor(bytes)))).toBe(sha256(bytes));
    }
    expect(await listAll(storage, 'pack')).toHaveLength(3);
  });

  test.each([
    ['an unknown ID', { AWS_ACCESS_KEY_ID: 'test:nobody' }],
    ['a wrong secret', { AWS_SECRET_ACCESS_KEY: 'a guess' }],
  ])('%s is refused, at every call', async (_, env) => {
    const storage = await openS3(place, env);
    expect(new Set(await codesOf(storage))).toEqual(new Set(['credentials-refused']));
    expect(await codeOf(storage.create())).toBe('credentials-refused');
  });

  test('whoever may do nothing is told so', async () => {
    const storage = await openS3(place, guestKeys);
    expect(new Set(await codesOf(storage))).toEqual(new Set(['storage-denied']));
    expect(await storage.refusesRemoval!()).toBe(true);
  });

  test('a bucket that is missing is told as that, and made', async () => {
    for (const env of [{}, otherKeys]) {
      const storage = await openS3(`s3:${swift.https}/bucket-of-${sha256(Buffer.from(JSON.stringify(env))).slice(0, 8)}`, env);
      expect(new Set(await codesOf(storage))).toEqual(new Set(['bucket-missing']));
      await storage.create();
      expect(await codeOf(storage.size(file))).toBe('file-not-found');
      await storage.save(file, [content]);
      expect(await listAll(storage, 'pack')).toEqual([{ name: file.name, size: content.length }]);
    }
  });

  test.each([
    ['behind', -3 * 3_600_000, '3 hours behind'],
    ['ahead', 20 * 60_000, '20 minutes ahead of'],
  ])('a clock that is %s is told, and by how much', async (_, ms, words) => {
    const storage = await openS3(place, {}, { ...systemClock, now: () => systemClock.now() + ms });
    expect(new Set(await codesOf(storage))).toEqual(new Set(['clock-wrong']));
    const error = (await storage.size(file).catch((thrown: unknown) => thrown)) as HoldfastError;
    expect(error.message).toContain(words);
  });

  test('a wrong region is set right by itself, whatever is asked first', async () => {
    const env = { AWS_DEFAULT_REGION: 'eu-central-1' };
    expect(await (await openS3(place, env)).size(file)).toBe(content.length);
    expect(sha256(await (await openS3(place, env)).load(file))).toBe(file.name);
    expect(await listAll(await openS3(place, env), 'pack')).toHaveLength(1);
    await (await openS3(place, env)).create();
  });

  test('a server whose certificate nobody has signed is not spoken to', async () => {
    expect(new Set(await codesOf(await openS3(place, { HOLDFAST_CACERT: '' })))).toEqual(new Set(['certificate-untrusted']));
  });

  test('2,500 files are listed, each once, from three pages', async () => {
    const storage = await openS3(`s3:${swift.https}/many/place`);
    await storage.create();
    const contents = Array.from({ length: 2500 }, (_, n) => Buffer.from(`content ${n}`));
    for (let n = 0; n < contents.length; n += 50)
      await Promise.all(contents.slice(n, n + 50).map((each) => storage.save(fileFor(each), [each])));
    const before = await swift.requests();
    const listed = await listAll(storage, 'pack');
    const after = await swift.requests();
    expect(listed.map(({ name }) => name)).toEqual(contents.map((each) => sha256(each)).sort());
    expect(after['GET']! - (before['GET'] ?? 0)).toBe(3);
  });
});

test('Google’s S3-compatible access (with an HMAC key) is used by its names, region and checksums, as far as Swift can stand in for it', async () => {
  const host = 'storage.googleapis.com';
  const place = parseS3Place(`s3:https://${host}/bucket-for-google/place`);
  const location = s3Location(place);
  const { service, region } = serviceAt(host);
  const tls = tlsIdentity(credentialsFrom({ HOLDFAST_CACERT: swift.authority }, undefined));
  const keys = { accessKeyId: swiftKeys.AWS_ACCESS_KEY_ID, secretAccessKey: swiftKeys.AWS_SECRET_ACCESS_KEY, sessionToken: undefined };
  const bucket = new S3Bucket({
    place,
    service,
    region,
    settings: {},
    findKeys: () => ({ keys, region: undefined }),
    signer: new Signer(),
    clock: systemClock,
    connect: (origin): HttpClient => {
      const inner = new TcpHttpClient({ address: parseHttpAddress('s3', swift.https), location, clock: systemClock, tls });
      return {
        server: origin.host,
        clockSkewMs: undefined,
        send: (request) => inner.send({ ...request, headers: { ...request.headers, host: origin.host } }),
        close: () => inner.close(),
      };
    },
  });
  const storage = new ObjectStorage(bucket, place.prefix);
  opened.push(storage);
  expect(await codeOf(storage.size(configFile))).toBe('bucket-missing');
  await storage.create();
  await storage.save(configFile, [content]);
  expect(await codeOf(storage.save(configFile, [content]))).toBe('file-exists');
  const big = Buffer.alloc(5_000_000, 'x');
  await storage.save(fileFor(big), [big]);
  expect(await storage.size(fileFor(big))).toBe(big.length);
  expect(sha256(await storage.load(fileFor(big)))).toBe(sha256(big));
  expect(await listAll(storage, 'pack')).toEqual([{ name: fileFor(big).name, size: big.length }]);
  await storage.remove(fileFor(big));
  expect(await codeOf(storage.load(fileFor(big)))).toBe('file-not-found');
});
