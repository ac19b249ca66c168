/** What becomes of downloads and uploads when Azure, or what answers in its place, misbehaves. */
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { azureHeaders, OddAzure } from '../../support/odd-azure.ts';
import type { Odd } from '../../support/odd-server.ts';
import { big, bigFile, small, smallFile } from '../../support/odd-world.ts';
import { codeOf, describeStorage, errorOf, sha256 } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { azureWorld, bigPath, openOn, refuseAll, smallPath } from './odd.ts';

refuseUnhandledRejections();

const world = azureWorld();

describeStorage('Azure storage on a small server', async () => {
  const own = await OddAzure.start();
  return { storage: openOn(own), reopen: async () => openOn(own), cleanUp: () => own.stop() };
});

describe('a download', () => {
  beforeEach(() => void world.server.files.set(bigPath, big).set(smallPath, small));

  test.each([0, 1, 500_000, 999_999])('that breaks off after %d bytes fails, and succeeds when it is tried again', async (bytes) => {
    const cut: Odd = (_, response) => {
      response.writeHead(200, { ...azureHeaders, 'content-length': String(big.length) });
      response.write(big.subarray(0, bytes), () => response.destroy());
    };
    world.meetFirst('GET', 1, cut);
    expect(await errorOf(world.storage.load(bigFile))).toMatchObject({ code: 'connection-lost', retryable: true });
    world.meetFirst('GET', 2, cut);
    expect(sha256(await world.retrying().load(bigFile))).toBe(bigFile.name);
  });

  const answering = (status: number, content: Buffer, headers: Record<string, string> = {}): void =>
    world.meetFirst('GET', 1, (_, response) => {
      response.writeHead(status, { ...azureHeaders, 'content-length': String(content.length), ...headers }).end(content);
    });

  test('of fewer or other bytes than asked for is no success, of the whole gives the range', async () => {
    answering(206, Buffer.from('12345'), { 'content-range': `bytes 10-14/${big.length}` });
    expect(await codeOf(world.storage.load(bigFile, { offset: 10, length: 100 }))).toBe('file-short');
    answering(206, big.subarray(0, 100), { 'content-range': `bytes 0-99/${big.length}` });
    expect(await codeOf(world.storage.load(bigFile, { offset: 10, length: 100 }))).toBe('server-not-understood');
    answering(200, big);
    const bytes = await world.storage.load(bigFile, { offset: 10, length: 100 });
    expect(Buffer.from(bytes).equals(big.subarray(10, 110))).toBe(true);
  });

  test('without an announced length is not believed to be whole, nor one that is absurdly long read', async () => {
    world.meetFirst('GET', 1, (_, response) => {
      response.writeHead(200, azureHeaders).write(small.subarray(0, 5));
      response.end();
    });
    expect(await codeOf(world.storage.load(smallFile))).toBe('server-not-understood');
    world.meetFirst(
      'GET',
      1,
      (_, response) => void response.writeHead(200, { ...azureHeaders, 'content-length': String(2 ** 40) }).write('x'),
    );
    expect(await codeOf(world.storage.load(smallFile))).toBe('item-tampered');
  });
});

describe('an upload', () => {
  test('is one request, with its MD5 and on the condition that nothing is there', async () => {
    await world.storage.save(bigFile, [big.subarray(0, 10), big.subarray(10)]);
    expect(world.server.requests).toEqual([`PUT ${bigPath}`]);
    expect(world.server.headers[0]).toMatchObject({
      'content-md5': createHash('md5').update(big).digest('base64'),
      'if-none-match': '*',
      'x-ms-blob-type': 'BlockBlob',
    });
    expect(world.server.headers[0]!['x-ms-access-tier']).toBeUndefined();
  });

  test('of a pack goes to the tier that is wished for, and of what is small and soon read to the usual one', async () => {
    world.storage = await world.open({ accessTier: 'Cold' });
    await world.storage.save(bigFile, [big]);
    await world.storage.save(smallFile, [small]);
    expect(world.server.headers.map((headers) => headers['x-ms-access-tier'])).toEqual(['Cold', undefined]);
  });

  test('whose answer is lost counts as saved when it is tried again', async () => {
    world.server.meet = async (request, response, usual) => {
      if (request.method !== 'PUT') return usual();
      world.server.meet = (_, __, then) => then();
      const written = response.writeHead.bind(response);
      response.writeHead = ((...args: Parameters<typeof written>) => {
        response.socket?.destroy();
        return written(...args);
      }) as typeof response.writeHead;
      return usual();
    };
    await world.retrying().save(bigFile, [big]);
    expect(world.server.files.get(bigPath)?.equals(big)).toBe(true);
  });

  test('that is cut off in the middle leaves nothing, and succeeds when it is tried again', async () => {
    const cut: Odd = (request) => {
      request.once('data', () => request.socket.destroy());
    };
    world.meetFirst('PUT', 1, cut);
    expect(await errorOf(world.storage.save(bigFile, [big]))).toMatchObject({ retryable: true });
    expect(world.server.files.size).toBe(0);
    world.meetFirst('PUT', 2, cut);
    await world.retrying().save(bigFile, [big]);
    expect(world.server.files.get(bigPath)?.equals(big)).toBe(true);
  });

  /** Stores something and acknowledges what was sent. */
  const stored = (content: Buffer | undefined, headers: Record<string, string>): void =>
    world.meetFirst('PUT', 1, (request, response) => {
      if (content) world.server.files.set(bigPath, content);
      request.resume().once('end', () => response.writeHead(201, { ...azureHeaders, 'content-length': '0', ...headers }).end());
    });

  test('that arrived as something else is removed again, and succeeds when it is tried again', async () => {
    const md5 = createHash('md5').update('else').digest('base64');
    stored(Buffer.from('else'), { 'content-md5': md5 });
    expect(await errorOf(world.storage.save(bigFile, [big]))).toMatchObject({ code: 'storage-failed', retryable: true });
    expect(world.server.files.size).toBe(0);
    stored(Buffer.from('else'), { 'content-md5': md5 });
    await world.retrying().save(bigFile, [big]);
    expect(world.server.files.get(bigPath)?.equals(big)).toBe(true);
  });

  test('is verified by its length where no checksum is repeated', async () => {
    stored(big, {});
    await world.storage.save(bigFile, [big]);
    world.server.files.clear();
    stored(big.subarray(1), {});
    expect((await errorOf(world.storage.save(bigFile, [big]))).message).toContain('999999 are there');
    expect(world.server.files.size).toBe(0);
    stored(undefined, {});
    expect((await errorOf(world.storage.save(bigFile, [big]))).message).toContain('acknowledged and is not there');
  });

  test('that was changed on its way is refused by its MD5, and may be tried again', async () => {
    refuseAll(world.server, { status: 400, code: 'Md5Mismatch' });
    expect(await errorOf(world.storage.save(bigFile, [big]))).toMatchObject({ code: 'storage-failed', retryable: true });
  });

  test('over an existing blob is refused by Azure itself, without a question', async () => {
    world.server.files.set(bigPath, big).set('/container/place/config', small);
    expect(await codeOf(world.storage.save(bigFile, [big]))).toBe('file-exists');
    expect(await codeOf(world.storage.save({ kind: 'config', name: '' }, [big]))).toBe('file-exists');
    expect(world.server.requests).toEqual([`PUT ${bigPath}`, 'PUT /container/place/config']);
    expect(world.server.files.get('/container/place/config')).toBe(small);
  });
});
