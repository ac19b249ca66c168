/** The Azure storage on Microsoft's own emulator, azurite, which checks signatures, conditions and MD5. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { AzureBucket, type AzureOptions } from '../../../src/storage/azure/bucket.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { parseHttpAddress } from '../../../src/storage/http/address.ts';
import { TcpHttpClient } from '../../../src/storage/http/client.ts';
import type { HttpClient, HttpRequest } from '../../../src/storage/http/exchange.ts';
import { tlsIdentity } from '../../../src/storage/http/tls-identity.ts';
import { ObjectStorage } from '../../../src/storage/objects/object-storage.ts';
import { openPlace } from '../../../src/storage/place.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { accountKey, type Azurite, type SasWishes, sharedAccess, startAzurite } from '../../support/azurite.ts';
import { codeOf, describeStorage, errorOf, fileFor, listAll, sha256 } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';

refuseUnhandledRejections();

let azurite: Azurite;
let count = 0;
const opened: Storage[] = [];

beforeAll(async () => {
  azurite = await startAzurite();
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

afterAll(() => azurite.stop());

async function openAzure(place: string, env: Record<string, string> = {}, clock: Clock = systemClock): Promise<Storage> {
  const made = await openPlace(place, { clock, credentials: credentialsFrom({ ...azurite.env, ...env }, undefined) });
  opened.push(made);
  return made;
}

const hour = 3_600_000;
const sas = (wishes: Partial<SasWishes> = {}): Record<string, string> => ({
  AZURE_ACCOUNT_KEY: '',
  AZURE_ACCOUNT_SAS: sharedAccess({ permissions: 'rwdlc', until: systemClock.now() + hour, ...wishes }),
});

describeStorage('Azure storage on azurite, by key', async () => {
  // Not every character of a path is one that an address can hold as it is.
  const place = `azure:container:/place ${count++}/äö+%&=~'()*/😀`;
  return { storage: await openAzure(place), reopen: () => openAzure(place) };
});

const content = Buffer.from('some content');
const file = fileFor(content);
const other = Buffer.from('other content');

/** What a storage says to each kind of call. */
async function codesOf(storage: Storage): Promise<string[]> {
  return [
    await codeOf(storage.size(file)),
    await codeOf(storage.load(file)),
    await codeOf(listAll(storage, 'pack')),
    await codeOf(storage.save(fileFor(other), [other])),
    await codeOf(storage.remove(file)),
  ];
}

describe('on azurite', () => {
  const place = 'azure:taken:/place';

  beforeAll(async () => {
    const storage = await openAzure(place);
    await storage.create();
    await storage.save(file, [content]);
  });

  /** A storage whose requests are changed on their way. */
  function openChanged(
    options: Pick<AzureOptions, 'credential' | 'container' | 'base'>,
    change: (request: HttpRequest) => HttpRequest,
  ): Storage {
    const tls = tlsIdentity(credentialsFrom(azurite.env, undefined));
    const address = parseHttpAddress('azure', `https://127.0.0.1:${azurite.port}/`);
    const inner = new TcpHttpClient({ address, location: place, clock: systemClock, tls });
    const client: HttpClient = {
      server: azurite.host,
      clockSkewMs: undefined,
      send: (request) => inner.send(change(request)),
      close: () => inner.close(),
    };
    const storage = new ObjectStorage(
      new AzureBucket({ ...options, location: place, accessTier: 'Cool', clock: systemClock, client }),
      'a place',
    );
    opened.push(storage);
    return storage;
  }

  test('the account is in the name of the server, as in Azure', async () => {
    const credential = { kind: 'key', account: 'holdfast', key: Buffer.from(accountKey, 'base64') } as const;
    const storage = openChanged({ container: 'by-name', base: '', credential }, (request) => ({
      ...request,
      headers: { ...request.headers, host: azurite.host },
    }));
    await storage.create();
    await storage.save(file, [content]);
    expect(await listAll(storage, 'pack')).toEqual([{ name: file.name, size: content.length }]);
    expect(sha256(await storage.load(file))).toBe(file.name);
    await storage.remove(file);
  });

  test('a listing of many pages is followed to its end', async () => {
    const token = sharedAccess({ permissions: 'rwdlc', until: systemClock.now() + hour });
    const asked: string[] = [];
    const storage = openChanged(
      { container: 'pages', base: '/holdfast', credential: { kind: 'sas', account: 'holdfast', token } },
      (request) => {
        if (!request.path.includes('comp=list')) return request;
        asked.push(request.path);
        return { ...request, path: `${request.path}&maxresults=10` };
      },
    );
    await storage.create();
    const contents = Array.from({ length: 40 }, (_, n) => Buffer.from(`content ${n}`));
    await Promise.all(contents.map((each) => storage.save(fileFor(each), [each])));
    expect((await listAll(storage, 'pack')).map(({ name }) => name)).toEqual(contents.map((each) => sha256(each)).sort());
    expect(asked.length).toBeGreaterThanOrEqual(4);
    expect(asked.length).toBeLessThanOrEqual(5);
  });

  test.each([
    ['of the account', {}],
    ['of the account for containers and blobs', { resourceTypes: 'co' }],
    ['of one container', { container: 'taken' }],
  ] as const)('a shared access signature %s opens everything', async (_, wishes) => {
    for (const sign of ['', '?']) {
      const env = sas(wishes);
      const storage = await openAzure(place, { ...env, AZURE_ACCOUNT_SAS: sign + env['AZURE_ACCOUNT_SAS'] });
      await storage.create();
      expect(await storage.size(file)).toBe(content.length);
      expect(sha256(await storage.load(file))).toBe(file.name);
      expect((await storage.load(file, { offset: 5, length: 7 })).byteLength).toBe(7);
      await storage.save(fileFor(other), [other]);
      expect(await codeOf(storage.save(fileFor(other), [other]))).toBe('file-exists');
      expect(await listAll(storage, 'pack')).toHaveLength(2);
      expect(await storage.refusesRemoval!()).toBe(false);
      await storage.remove(fileFor(other));
    }
  });

  test('a shared access signature for blobs alone opens those', async () => {
    const storage = await openAzure(place, sas({ resourceTypes: 'o' }));
    await storage.create();
    await storage.save(fileFor(other), [other]);
    expect(await storage.size(fileFor(other))).toBe(other.length);
    expect(await codeOf(listAll(storage, 'pack'))).toBe('storage-denied');
    await storage.remove(fileFor(other));
  });

  test('a shared access signature that only adds makes a destination that only takes additions', async () => {
    const storage = await openAzure(place, sas({ permissions: 'rlc' }));
    await storage.create();
    await storage.save(fileFor(other), [other]);
    expect(await storage.refusesRemoval!()).toBe(true);
    expect(await codeOf(storage.remove(fileFor(other)))).toBe('storage-append-only');
    await (await openAzure(place)).remove(fileFor(other));
  });

  test('a shared access signature that only reads says so of the rest', async () => {
    const storage = await openAzure(place, sas({ permissions: 'rl' }));
    expect(await storage.size(file)).toBe(content.length);
    expect(await codeOf(storage.save(fileFor(other), [other]))).toBe('storage-denied');
    expect(await codeOf((await openAzure('azure:never-made:/', sas({ permissions: 'rl' }))).create())).toBe('storage-denied');
  });

  test.each([
    ['a wrong key', () => ({ AZURE_ACCOUNT_KEY: Buffer.from('a guess').toString('base64') })],
    [
      'a wrong shared access signature',
      () => ({ ...sas(), AZURE_ACCOUNT_SAS: sas()['AZURE_ACCOUNT_SAS']!.replace('sp=rwdlc', 'sp=rwdl') }),
    ],
  ])('%s is refused, at every call', async (_, env) => {
    const storage = await openAzure(place, env());
    expect(new Set(await codesOf(storage))).toEqual(new Set(['credentials-refused']));
    expect(await codeOf(storage.create())).toBe('credentials-refused');
    expect(await codeOf(storage.refusesRemoval!())).toBe('credentials-refused');
  });

  test('a shared access signature that expires in the middle is refused from then on', async () => {
    const until = Math.ceil(systemClock.now() / 1000 + 1) * 1000;
    const storage = await openAzure(place, sas({ until }));
    expect(await storage.size(file)).toBe(content.length);
    await systemClock.sleep(until - systemClock.now() + 50);
    const error = await errorOf(storage.load(file));
    expect(error).toMatchObject({ retryable: false });
    expect(['credentials-refused', 'storage-denied']).toContain(error.code);
  });

  test('a container that is missing is told as that, and made', async () => {
    const storage = await openAzure('azure:not-yet-there:/place');
    expect(new Set(await codesOf(storage))).toEqual(new Set(['bucket-missing']));
    expect((await errorOf(storage.size(file))).message).toContain('no container not-yet-there');
    await storage.create();
    expect(await codeOf(storage.size(file))).toBe('file-not-found');
    await storage.save(file, [content]);
    expect(await listAll(storage, 'pack')).toEqual([{ name: file.name, size: content.length }]);
  });

  test('a server whose certificate nobody has signed is not spoken to', async () => {
    expect(new Set(await codesOf(await openAzure(place, { HOLDFAST_CACERT: '' })))).toEqual(new Set(['certificate-untrusted']));
  });

  test('of two programs that save the same file one is told that it exists', async () => {
    const [one, two] = [await openAzure(place), await openAzure(place)];
    const big = Buffer.alloc(3_000_000, 'x');
    const bucketOf = async (storage: Storage): Promise<string> => codeOf(storage.save(fileFor(big), [big])).catch(() => 'saved');
    const results = await Promise.all([bucketOf(one), bucketOf(two)]);
    expect(results.sort()).toEqual(['file-exists', 'saved']);
    expect(sha256(await one.load(fileFor(big)))).toBe(sha256(big));
    await two.remove(fileFor(big));
    expect(await codeOf(one.remove(fileFor(big)))).toBe('file-not-found');
  });
});
