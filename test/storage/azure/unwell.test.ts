/** Servers of Azure that are not well, silent, or none of Azure’s. */
import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { refuseAzure } from '../../support/odd-azure.ts';
import { answerRaw, type Odd } from '../../support/odd-server.ts';
import { big, bigFile, small, smallFile } from '../../support/odd-world.ts';
import { codeOf, errorOf, listAll } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { azureWorld, refuseAll, smallPath } from './odd.ts';

refuseUnhandledRejections();

const world = azureWorld();

describe('a server that is not well', () => {
  beforeEach(() => void world.server.files.set(smallPath, small));

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
      GET: () => world.storage.load(smallFile),
      HEAD: () => world.storage.size(smallFile),
      PUT: () => world.storage.save(bigFile, [big]),
      DELETE: () => world.storage.refusesRemoval!(),
    };
    for (const [method, call] of Object.entries(calls)) {
      world.meetFirst(method, 1, odd);
      // A head that is refused for no reason of its own is asked again at once.
      if (method === 'HEAD' && status < 500) expect(await call()).toBe(small.length);
      else expect(await errorOf(call())).toMatchObject({ code: expected, retryable: true });
    }
    world.meetFirst('GET', 3, odd);
    expect(Buffer.from(await world.retrying().load(smallFile)).equals(small)).toBe(true);
    world.meetFirst('GET', 3, odd);
    expect(await listAll(world.retrying(), 'snapshot')).toEqual([{ name: smallFile.name, size: small.length }]);
  });

  test('is left alone for as long as it wants', async () => {
    world.meetFirst('GET', 1, (request, response) =>
      refuseAzure(request, response, { status: 503, code: 'ServerBusy', headers: { 'retry-after': '7' } }),
    );
    const waits: number[] = [];
    await world.retrying(waits).load(smallFile);
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
      refuseAll(world.server, { status, code });
      expect(await errorOf(world.storage.load(smallFile))).toMatchObject({ code: 'storage-failed', retryable: false });
    }
  });

  test('and answers with nonsense is not understood, and asked again', async () => {
    world.server.meet = (_, response) => answerRaw(response, 'NONSENSE\r\n\r\n');
    expect(await errorOf(world.storage.load(smallFile))).toMatchObject({ code: 'server-not-understood', retryable: true });
  });

  test.each([
    [200, 'text/html', '<html>Please sign in</html>'],
    [302, 'text/html', ''],
    [401, 'text/html', 'Who are you?'],
    [404, 'text/html', '<html>Not Found</html>'],
    [400, 'text/plain', 'Bad Request'],
  ])('but another one that answers %d is never taken for Azure', async (status, type, text) => {
    world.server.meet = (request, response) => {
      request.resume();
      response.writeHead(status, { 'content-type': type, 'content-length': String(text.length), location: 'https://elsewhere.example/' });
      response.end(request.method === 'HEAD' ? undefined : text);
    };
    for (const call of [
      () => world.storage.load(smallFile),
      () => world.storage.size(smallFile),
      () => world.storage.save(bigFile, [big]),
      () => world.storage.remove(smallFile),
      () => listAll(world.storage, 'snapshot'),
      () => world.storage.create(),
    ])
      expect(await codeOf(call())).toBe('server-not-understood');
  });

  test('and falls silent is given up after a while, whatever was asked', async () => {
    const clock = new FakeClock();
    world.storage = await world.open({ clock });
    world.server.meet = (request) => void request.resume();
    for (const call of [
      () => world.storage.load(smallFile),
      () => world.storage.size(smallFile),
      () => world.storage.save(bigFile, [big]),
    ]) {
      const error = errorOf(call());
      const asked = world.server.requests.length;
      while (world.server.requests.length === asked) await systemClock.sleep(2);
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
    world.server.meet = (request) => void request.resume();
    const calls = [errorOf(world.storage.load(smallFile)), errorOf(world.storage.save(bigFile, [big]))];
    while (world.server.requests.length < 2) await systemClock.sleep(2);
    await world.storage.close();
    for (const call of calls) expect((await call).code).toBe('connection-lost');
    while (world.server.connections > 0) await systemClock.sleep(2);
  });
});
