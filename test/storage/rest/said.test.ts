/** What a REST server says when it refuses or has lost the repository, in words. */
import { createServer } from 'node:net';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { answerRaw, OddServer } from '../../support/odd-server.ts';
import { bigFile, small, smallFile } from '../../support/odd-world.ts';
import { codeOf, errorOf, fileFor, listAll } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { restWorld, smallPath } from './odd.ts';

refuseUnhandledRejections();

const world = restWorld();

describe('what a server says', () => {
  beforeEach(() => void world.server.files.set(smallPath, small));

  test.each([
    [400, 'storage-failed', false],
    [401, 'credentials-missing', false],
    [403, 'storage-denied', false],
    [405, 'storage-denied', false],
    [408, 'storage-failed', true],
    [418, 'storage-failed', true],
    [429, 'server-busy', true],
    [500, 'storage-failed', true],
    [501, 'storage-failed', false],
    [502, 'storage-failed', true],
    [503, 'storage-failed', true],
    [504, 'storage-failed', true],
    [507, 'storage-full', false],
    [204, 'server-not-understood', true],
  ])('%d means %s', async (status, code, retryable) => {
    world.meetFirst('GET', 1, (_, response) => response.writeHead(status).end());
    expect(await errorOf(world.storage.load(smallFile))).toMatchObject({ code, retryable });
    world.meetFirst('GET', 1, (_, response) => response.writeHead(status).end());
    expect(await errorOf(listAll(world.storage, 'snapshot'))).toMatchObject({ code, retryable });
    world.meetFirst('HEAD', 1, (_, response) => response.writeHead(status).end());
    expect(await errorOf(world.storage.size(smallFile))).toMatchObject({ code, retryable });
    expect(Buffer.from(await world.storage.load(smallFile)).equals(small)).toBe(true);
  });

  test('is quoted, but neither pages nor more than a line', async () => {
    world.meetFirst('GET', 1, (_, response) =>
      response.writeHead(500, { 'content-type': 'text/plain' }).end('the disk\u0007 is tired.\nat line 5\n'),
    );
    expect((await errorOf(world.storage.load(smallFile))).message).toContain(
      '(the server answered 500 Internal Server Error: the disk  is tired)',
    );
    world.meetFirst('GET', 1, (_, response) => response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>Oh no</h1>'));
    expect((await errorOf(world.storage.load(smallFile))).message).toContain('(the server answered 500 Internal Server Error)');
  });

  test('about when to come back is heeded, as seconds or as a date', async () => {
    const waits: number[] = [];
    world.meetFirst('GET', 1, (_, response) => response.writeHead(429, { 'retry-after': '17' }).end());
    await world.retrying(waits).load(smallFile);
    world.meetFirst('GET', 1, (_, response) =>
      response.writeHead(503, { 'retry-after': new Date(systemClock.now() + 60_000).toUTCString() }).end(),
    );
    await world.retrying(waits).load(smallFile);
    expect(waits[0]).toBe(17_000);
    expect(waits[1]).toBeGreaterThan(50_000);
    expect(waits[1]).toBeLessThanOrEqual(60_000);
  });

  test('about another address is told and not followed', async () => {
    const other = await OddServer.start();
    onTestFinished(() => other.stop());
    world.meetFirst('GET', 1, (_, response) =>
      response.writeHead(301, { location: `${other.url.replace('//', '//u:secret@')}/there?token=secret` }).end(),
    );
    const error = await errorOf(world.storage.load(smallFile));
    expect(error).toMatchObject({ code: 'server-moved', retryable: false, context: { place: `${other.url}/there` } });
    expect(JSON.stringify(error)).not.toContain('secret');
    expect(other.requests).toEqual([]);
  });

  test('about the time tells how far its clock is from ours', async () => {
    world.meetFirst('GET', 1, (_, response) =>
      response.writeHead(404, { date: new Date(systemClock.now() + 3_600_000).toUTCString() }).end(),
    );
    await codeOf(world.storage.load(bigFile));
    expect(Math.abs(world.storage.clockSkewMs! - 3_600_000)).toBeLessThan(5000);
  });

  test('about the length of a file has to be there', async () => {
    world.meetFirst('HEAD', 1, (_, response) => answerRaw(response, 'HTTP/1.1 200 OK\r\n\r\n'));
    expect(await codeOf(world.storage.size(smallFile))).toBe('server-not-understood');
    world.meetFirst('HEAD', 1, (_, response) => answerRaw(response, 'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n'));
    expect(await codeOf(world.storage.size(smallFile))).toBe('server-not-understood');
  });

  test('in no HTTP is not understood', async () => {
    const garbage = createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.2\r\n'));
    await new Promise<void>((resolve) => void garbage.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void garbage.close());
    const there = await world.open({ place: `rest:http://127.0.0.1:${(garbage.address() as { port: number }).port}/` });
    expect(await codeOf(there.size(smallFile))).toBe('server-not-understood');
  });
});

describe('a repository that was seen', () => {
  test('and is away now is gone, not empty', async () => {
    await world.storage.save(fileFor(small, 'config'), [small]);
    world.server.files.set(smallPath, small);
    expect(await listAll(world.storage, 'snapshot')).toHaveLength(1);
    world.server.meet = (_, response) => response.writeHead(404).end();
    expect(await codeOf(listAll(world.storage, 'snapshot'))).toBe('storage-gone');
    expect(await codeOf(listAll(world.storage, 'config'))).toBe('storage-gone');
    expect(await codeOf(world.storage.load(smallFile))).toBe('storage-gone');
    expect(await codeOf(world.storage.size(smallFile))).toBe('storage-gone');
    expect(await codeOf(world.storage.remove(smallFile))).toBe('storage-gone');
  });

  test('and lacks a folder is empty there', async () => {
    await world.storage.save(fileFor(small, 'config'), [small]);
    world.meetFirst('GET', 1, (_, response) => response.writeHead(404).end());
    expect(await listAll(world.storage, 'snapshot')).toEqual([]);
  });
});
