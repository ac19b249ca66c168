/** WebDAV servers that move nothing, or wish for destinations in their own way. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { parseHttpAddress } from '../../../src/storage/http/address.ts';
import { TcpHttpClient } from '../../../src/storage/http/client.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { Dav } from '../../../src/storage/webdav/dav.ts';
import { OddDav } from '../../support/odd-dav.ts';
import { answerRaw } from '../../support/odd-server.ts';
import { big, bigFile, small, smallFile } from '../../support/odd-world.ts';
import { codeOf, describeStorage, sha256 } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { bigPath, config, davWorld, smallPath } from './odd.ts';

refuseUnhandledRejections();

const world = davWorld();

const movesNothing = (status: number) => (server: OddDav) => {
  server.meet = (request, response, usual) => {
    if (request.method !== 'MOVE') return usual();
    return response.writeHead(status).end();
  };
};

describe.each([400, 403, 405, 501])('a server that moves nothing (%d)', (status) => {
  beforeEach(() => movesNothing(status)(world.server));

  test('is given files under their names, and refuses to replace', async () => {
    await world.storage.save(bigFile, [big]);
    await world.storage.save(config, [small]);
    world.expectOnly(bigPath, '/repo/config');
    expect(world.server.requests.filter((each) => each.startsWith('MOVE')).length).toBeLessThan(5);
    expect(await codeOf(world.storage.save(config, [big]))).toBe('file-exists');
    const { files } = world.server;
    const theirs = sha256(Buffer.from('x'));
    let isFirst = true;
    const { meet } = world.server;
    world.server.meet = (request, response, usual) => {
      // It appears between the look and the upload.
      if (request.method === 'PUT' && isFirst) files.set(`/repo/locks/${theirs}`, Buffer.from('x'));
      if (request.method === 'PUT') isFirst = false;
      return meet(request, response, usual);
    };
    expect(await codeOf(world.storage.save({ kind: 'lock', name: theirs }, [Buffer.from('x')]))).toBe('file-exists');
  });

  test('and keeps a part of an upload has it taken away, but not that of a config', async () => {
    await world.storage.save(smallFile, [small]);
    const half = (request: IncomingMessage, response: ServerResponse): void => {
      if (request.headers.expect !== undefined) response.writeContinue();
      request.on('data', () => {
        world.server.files.set(String(request.url), big.subarray(0, 1234));
        request.socket.destroy();
      });
    };
    world.meetFirst('PUT', 1, half);
    expect(await codeOf(world.storage.save(bigFile, [big]))).toBe('connection-lost');
    world.expectOnly(smallPath);
    world.meetFirst('PUT', 1, half);
    expect(await codeOf(world.storage.save(config, [big]))).toBe('connection-lost');
    world.expectOnly(smallPath, '/repo/config');
  });
});

for (const [name, odd] of [
  ['that moves nothing', movesNothing(405)],
  [
    'that knows no ranges, names no lengths when asked for the head, and wants destinations without its name',
    (server: OddDav) => {
      server.meet = (request, response, usual) => {
        delete request.headers.range;
        if (request.method === 'MOVE' && String(request.headers.destination).startsWith('http')) return response.writeHead(502).end();
        if (request.method !== 'HEAD') return usual();
        const path = String(request.url);
        return answerRaw(response, `HTTP/1.1 ${server.files.has(path) ? '200 OK' : '404 Not Found'}\r\nConnection: close\r\n\r\n`);
      };
    },
  ],
] as const)
  describeStorage(`webdav storage on a server ${name}`, async () => {
    const server = await OddDav.start();
    odd(server);
    const open = (): Promise<Storage> => world.open({ place: `webdav:${server.url}/new/folder/` });
    return { storage: await open(), reopen: open, showsGrowing: true, cleanUp: () => server.stop() };
  });

test.each([
  ['its own name and TLS, which a proxy ends', (to: string) => !to.startsWith('http://')],
  ['a path alone', (to: string) => to.startsWith('http')],
])('a server that wants destinations with %s is given them, at first after a refusal', async (_, isWrong) => {
  const location = 'x';
  const client = new TcpHttpClient({ address: parseHttpAddress('x', world.server.url), location, clock: systemClock });
  const origin = world.server.url.replace('http:', 'https:');
  const dav = new Dav({ client, location, origin, path: '/repo/', clock: systemClock, isSignedIn: false, variables: '' });
  let refused = 0;
  world.server.meet = (request, response, usual) => {
    if (!isWrong(String(request.headers.destination))) return usual();
    refused += 1;
    return response.writeHead(refused % 2 === 0 ? 400 : 502).end();
  };
  for (const name of ['a', 'b', 'c']) {
    world.server.files.set(`/repo/${name}`, small);
    expect((await dav.move(name, `keys/${name}`)).status).toBe(201);
  }
  expect(refused).toBeLessThan(3);
  expect(world.server.files.has('/repo/keys/c')).toBe(true);
  await client.close();
});
