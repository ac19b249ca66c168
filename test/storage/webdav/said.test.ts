/** What a WebDAV server says when it refuses, redirects, or has lost the place, in words. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { OddDav } from '../../support/odd-dav.ts';
import { big, bigFile, small, smallFile } from '../../support/odd-world.ts';
import { codeOf, errorOf, listAll } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { bigPath, config, davWorld, smallPath } from './odd.ts';

refuseUnhandledRejections();

const world = davWorld();

describe('what a server says', () => {
  beforeEach(() => void world.server.files.set(smallPath, small));

  test.each([
    [401, 'credentials-missing', false],
    [403, 'storage-denied', false],
    [408, 'storage-failed', true],
    [423, 'storage-failed', true],
    [429, 'server-busy', true],
    [500, 'storage-failed', true],
    [502, 'storage-failed', true],
    [503, 'storage-failed', true],
    [507, 'storage-full', false],
  ])('%d means %s', async (status, code, retryable) => {
    for (const [method, call] of [
      ['GET', () => world.storage.load(smallFile)],
      ['HEAD', () => world.storage.size(smallFile)],
      ['PROPFIND', () => listAll(world.storage, 'snapshot')],
      ['DELETE', () => world.storage.remove({ kind: 'lock', name: smallFile.name })],
    ] as const) {
      world.meetFirst(method, 1, (_, response) => response.writeHead(status).end());
      expect([method, await errorOf(call())]).toMatchObject([method, { code, retryable }]);
    }
    expect(Buffer.from(await world.storage.load(smallFile)).equals(small)).toBe(true);
  });

  test('about maintenance, as Nextcloud says it, is quoted, and its wish to be left alone heeded', async () => {
    const waits: number[] = [];
    const maintenance = (_: IncomingMessage, response: ServerResponse): unknown =>
      response
        .writeHead(503, { 'content-type': 'application/xml; charset=utf-8', 'retry-after': '120', 'x-nextcloud-maintenance-mode': '1' })
        .end(
          '<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">\n <s:exception>Sabre\\DAV\\Exception\\ServiceUnavailable</s:exception>\n <s:message>System is in maintenance mode.</s:message>\n</d:error>\n',
        );
    for (const method of ['GET', 'PROPFIND']) {
      world.meetFirst(method, 1, maintenance);
      const call = method === 'GET' ? world.storage.load(smallFile) : listAll(world.storage, 'snapshot');
      const error = await errorOf(call);
      expect(error).toMatchObject({ code: 'server-busy', context: { retryAfterMs: 120_000 } });
      expect(error.message).toContain('503 Service Unavailable: System is in maintenance mode)');
    }
    world.meetFirst('GET', 1, maintenance);
    await world.retrying(waits).load(smallFile);
    expect(waits).toEqual([120_000]);
  });

  test('in XML that is none, or without end, is left out', async () => {
    for (const text of ['<d:error', '<html>', 'x'.repeat(200_000)]) {
      world.meetFirst('GET', 1, (_, response) => response.writeHead(500, { 'content-type': 'text/xml' }).end(text));
      expect((await errorOf(world.storage.load(smallFile))).message).toContain('(the server answered 500 Internal Server Error)');
    }
  });

  test('about a removal that is refused makes a place that only takes additions, but for locks', async () => {
    for (const status of [403, 405, 501]) {
      world.server.meet = (request, response, usual) => (request.method === 'DELETE' ? response.writeHead(status).end() : usual());
      expect(await codeOf(world.storage.remove(smallFile))).toBe('storage-append-only');
      expect(await codeOf(world.storage.remove({ kind: 'lock', name: smallFile.name }))).not.toBe('storage-append-only');
      expect(await world.storage.refusesRemoval!()).toBe(true);
    }
    world.server.meet = (_, __, usual) => usual();
    expect(await world.storage.refusesRemoval!()).toBe(false);
  });

  test('in no WebDAV is not understood, with words about Nextcloud', async () => {
    for (const status of [200, 405, 501]) {
      world.server.meet = (request, response, usual) =>
        request.method === 'PROPFIND' ? response.writeHead(status, { 'content-type': 'text/html' }).end('<html>Log in</html>') : usual();
      const error = await errorOf(listAll(world.storage, 'pack'));
      expect(error).toMatchObject({ code: 'server-not-understood', message: expect.stringContaining('remote.php') });
      expect(await codeOf(world.storage.size(config))).toBe('server-not-understood');
    }
  });

  test('in no HTTP is not understood', async () => {
    const garbage = createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.2\r\n'));
    await new Promise<void>((resolve) => void garbage.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void garbage.close());
    const there = await world.open({ place: `webdav:http://127.0.0.1:${(garbage.address() as { port: number }).port}/` });
    expect(await codeOf(there.size(smallFile))).toBe('server-not-understood');
  });

  test('about the time tells how far its clock is from ours', async () => {
    world.meetFirst('HEAD', 1, (_, response) =>
      response.writeHead(200, { date: new Date(systemClock.now() + 3_600_000).toUTCString(), 'content-length': '1' }).end(),
    );
    await world.storage.size(bigFile);
    expect(Math.abs(world.storage.clockSkewMs! - 3_600_000)).toBeLessThan(5000);
  });
});

describe('a redirection', () => {
  test('of the whole folder on the same server is followed once, with every method', async () => {
    const env = { HOLDFAST_WEBDAV_USERNAME: 'me', HOLDFAST_WEBDAV_PASSWORD: 'secret' };
    let redirected = 0;
    world.server.meet = (request, response, usual) => {
      if (request.url!.startsWith('/repo/')) return usual();
      redirected += 1;
      return request.resume().on('end', () => response.writeHead(301, { location: request.url!.replace('/old/', '/repo/') }).end());
    };
    const there = await world.open({ place: `webdav:${world.server.url}/old/`, env });
    await there.save(bigFile, [big]);
    world.expectOnly(bigPath);
    expect(redirected).toBe(1);
    expect(world.server.headers.at(-2)!.destination).toBe(`${world.server.url}${bigPath}`);
  });

  test('of an upload and a move in the middle is followed', async () => {
    await world.storage.save(config, [small]);
    world.server.files.clear();
    for (const name of ['', 'data/', 'snapshots/']) world.server.folders.add(`/new/${name}`);
    for (const method of ['PUT', 'MOVE']) {
      const from = method === 'PUT' ? '/repo/' : '/new/';
      const to = method === 'PUT' ? '/new/' : '/repo/';
      let isMoved = false;
      world.server.meet = (request, response, usual) => {
        isMoved ||= request.method === method;
        if (!isMoved || !request.url!.startsWith(from)) return usual();
        // What was uploaded goes along.
        const uploaded = [...world.server.files];
        world.server.files.clear();
        for (const [path, content] of uploaded) world.server.files.set(path.replace(from, to), content);
        return request
          .resume()
          .on('end', () => response.writeHead(308, { location: `${world.server.url}${request.url!.replace(from, to)}` }).end());
      };
      await world.storage.save(smallFile, [small]);
      world.expectOnly(`${to}snapshots/${smallFile.name}`);
      world.server.files.clear();
    }
  });

  test.each([
    ['another server', (_: string, other: string) => `${other}/repo/snapshots/${smallFile.name}`],
    ['encryption', (own: string) => `${own.replace('http:', 'https:')}${smallPath}`],
    ['another file', (own: string) => `${own}/repo/snapshots/${'0'.repeat(64)}`],
    ['a login page', () => '/login?token=secret'],
    ['an address that is none', () => 'http://['],
    ['itself', () => smallPath],
  ])('to %s is told and not followed', async (_, to) => {
    const other = await OddDav.start();
    onTestFinished(() => other.stop());
    world.server.meet = (__, response) => response.writeHead(302, { location: to(world.server.url, other.url) }).end();
    const error = await errorOf(world.storage.load(smallFile));
    expect(error).toMatchObject({ code: 'server-moved', retryable: false });
    expect(JSON.stringify(error)).not.toContain('secret');
    expect(other.requests).toEqual([]);
    expect(world.server.requests).toHaveLength(1);
  });

  test('that never ends is given up', async () => {
    let n = 0;
    world.server.meet = (request, response) =>
      response.writeHead(302, { location: `/loop${n++}/${request.url!.split('/').slice(-2).join('/')}` }).end();
    expect(await codeOf(world.storage.load(smallFile))).toBe('server-moved');
    expect(n).toBeLessThan(6);
  });
});

describe('a place', () => {
  test('is made with all folders above it, and none is made where one may not', async () => {
    const there = await world.open({ place: `webdav:${world.server.url}/a%20b/%C3%A4/c/` });
    await there.create();
    expect([...world.server.folders]).toContain('/a%20b/%C3%A4/c/snapshots/');
    world.server.meet = (request, response, usual) => (request.method === 'MKCOL' ? response.writeHead(403).end() : usual());
    expect(await codeOf((await world.open({ place: `webdav:${world.server.url}/other/` })).create())).toBe('storage-denied');
  });

  test('that was seen and is away now is gone, not empty', async () => {
    await world.storage.save(config, [small]);
    world.server.files.set(smallPath, small);
    expect(await listAll(world.storage, 'snapshot')).toHaveLength(1);
    const { files, folders } = world.server;
    expect(await errorOf((await world.open({ place: `webdav:${world.server.url}/none/` })).size(config))).toMatchObject({
      code: 'storage-gone',
      retryable: false,
    });
    for (const isFolderThere of [true, false]) {
      files.clear();
      if (!isFolderThere) folders.clear();
      if (!isFolderThere) expect(await codeOf(listAll(world.storage, 'snapshot'))).toBe('storage-gone');
      expect(await errorOf(listAll(world.storage, 'config'))).toMatchObject({ code: 'storage-gone', retryable: true });
      expect(await codeOf(world.storage.load(smallFile))).toBe('storage-gone');
      expect(await codeOf(world.storage.size(smallFile))).toBe('storage-gone');
      expect(await codeOf(world.storage.remove(smallFile))).toBe('storage-gone');
    }
  });
});
