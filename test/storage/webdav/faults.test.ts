/** What becomes of a WebDAV storage when the server or the network misbehaves. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { nextTurn, systemClock } from '../../../src/platform/clock.ts';
import { parseHttpAddress } from '../../../src/storage/http/address.ts';
import { TcpHttpClient } from '../../../src/storage/http/client.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { Dav } from '../../../src/storage/webdav/dav.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { multistatus, OddDav, resource } from '../../support/odd-dav.ts';
import { answerRaw } from '../../support/odd-server.ts';
import { codeOf, describeStorage, errorOf, fileFor, listAll, sha256 } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { davWorld } from './odd.ts';

refuseUnhandledRejections();

const world = davWorld();

const big = randomBytes(1_000_000);
const bigFile = fileFor(big);
const bigFolder = `/repo/data/${bigFile.name.slice(0, 2)}/`;
const bigPath = `${bigFolder}${bigFile.name}`;
const small = Buffer.from('a small file');
const smallFile = fileFor(small, 'snapshot');
const smallPath = `/repo/snapshots/${smallFile.name}`;
const config = fileFor(small, 'config');

const temporaries = (): string[] => [...world.server.files.keys()].filter((path) => path.includes('holdfast-tmp-'));
const only = (...paths: string[]): void => expect([...world.server.files.keys()].sort()).toEqual(paths.sort());

describe('a download', () => {
  beforeEach(() => void world.server.files.set(bigPath, big).set(smallPath, small));

  test.each([0, 500_000, 999_999])('that breaks off after %d bytes fails, and succeeds when it is tried again', async (bytes) => {
    const cut = (_: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(200, { 'content-length': String(big.length) });
      response.write(big.subarray(0, bytes), () => response.destroy());
    };
    world.meetFirst('GET', 1, cut);
    expect(await codeOf(world.storage.load(bigFile))).toBe('connection-lost');
    world.meetFirst('GET', 3, cut);
    expect(sha256(await world.retrying().load(bigFile))).toBe(bigFile.name);
  });

  test('of a part that comes shorter, longer or from elsewhere is never taken for it', async () => {
    for (const [code, head, body] of [
      ['file-short', {}, 'short'],
      ['file-short', { 'content-length': '5' }, 'short'],
      ['server-not-understood', { 'content-range': 'bytes 0-5/100' }, 'abcdef'],
      ['server-not-understood', {}, 'abcdefgh'],
    ] as const) {
      world.meetFirst('GET', 1, (_, response) => response.writeHead(206, head).end(body));
      expect(await codeOf(world.storage.load(bigFile, { offset: 10, length: 6 }))).toBe(code);
    }
  });

  test('of a part at the beginning, for which the server gives the whole and says so, is cut out of it', async () => {
    world.meetFirst('GET', 1, (_, response) =>
      response
        .writeHead(206, { 'content-range': `bytes 0-${big.length - 1}/${big.length}`, 'content-length': String(big.length) })
        .end(big),
    );
    expect(Buffer.from(await world.storage.load(bigFile, { offset: 0, length: 1 })).equals(big.subarray(0, 1))).toBe(true);
  });

  test('of a part from a server that knows no parts is cut out of the whole, with or without a length', async () => {
    for (const hasLength of [true, false]) {
      world.server.meet = (request, response, usual) => {
        if (request.method !== 'GET') return usual();
        response.writeHead(200, hasLength ? { 'content-length': String(big.length) } : {});
        return response.end(big);
      };
      const part = await world.storage.load(bigFile, { offset: 300_000, length: 1000 });
      expect(Buffer.from(part).equals(big.subarray(300_000, 301_000))).toBe(true);
      expect(await codeOf(world.storage.load(bigFile, { offset: 999_999, length: 2 }))).toBe('file-short');
      expect(await codeOf(world.storage.load(bigFile, { offset: 2_000_000, length: 2 }))).toBe('file-short');
    }
  });

  test('without a length is compared with the length that the server names otherwise', async () => {
    const give = (text: string): void =>
      world.meetFirst('GET', 1, (_, response) => answerRaw(response, `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${text}`));
    give(small.toString());
    expect(Buffer.from(await world.storage.load(smallFile)).equals(small)).toBe(true);
    give('a smal');
    expect(await codeOf(world.storage.load(smallFile))).toBe('file-short');
    give(`${small.toString()} and more`);
    expect(Buffer.from(await world.storage.load(smallFile)).equals(small)).toBe(true);
  });

  test('of a small file that is absurdly large is refused before it fills the memory', async () => {
    world.meetFirst('GET', 1, (_, response) => response.writeHead(200, { 'content-length': String(2 ** 40) }).write('x'));
    expect(await codeOf(world.storage.load(smallFile))).toBe('item-tampered');
  });
});

describe('an upload', () => {
  const cutAfter =
    (bytes: number) =>
    (request: IncomingMessage, response: ServerResponse): void => {
      if (request.headers.expect !== undefined) response.writeContinue();
      let seen = 0;
      request.on('data', (piece: Buffer) => {
        seen += piece.length;
        if (seen >= bytes) request.socket.destroy();
      });
    };

  test('makes the missing folder, shows nothing before it is whole, and leaves nothing else', async () => {
    const seen: boolean[] = [];
    world.server.meet = async (request, _, usual) => {
      await usual();
      if (request.method !== 'HEAD') seen.push(world.server.files.has(bigPath));
    };
    await world.storage.save(bigFile, [big]);
    only(bigPath);
    const path = (text: string): string => text.replace(/tmp-[0-9a-f]{32}/, 'tmp');
    expect(world.server.requests.map(path)).toEqual([
      `HEAD ${bigPath}`,
      'PROPFIND /repo/data/',
      `MKCOL ${bigFolder}`,
      'PUT /repo/holdfast-tmp',
      'HEAD /repo/holdfast-tmp',
      'MOVE /repo/holdfast-tmp',
      `HEAD ${bigPath}`,
    ]);
    expect(seen).toEqual([false, false, false, true]);
  });

  test.each([1, 1_000_000])(
    'that breaks off after %d bytes fails and leaves nothing, and succeeds when it is tried again',
    async (bytes) => {
      world.meetFirst('PUT', 1, cutAfter(bytes));
      expect(await codeOf(world.storage.save(bigFile, [big]))).toBe('connection-lost');
      only();
      world.meetFirst('PUT', 2, cutAfter(bytes));
      await world.retrying().save(bigFile, [big.subarray(0, 500), big.subarray(500)]);
      only(bigPath);
      expect(world.server.files.get(bigPath)!.equals(big)).toBe(true);
    },
  );

  test('of which a part is left, or that is acknowledged and not whole, leaves nothing under any name', async () => {
    const keepHalf = (request: IncomingMessage, response: ServerResponse): void => {
      world.server.files.set(String(request.url), big.subarray(0, 1234));
      request.resume().on('end', () => response.writeHead(201).end());
    };
    world.meetFirst('PUT', 1, keepHalf);
    expect(await errorOf(world.storage.save(bigFile, [big]))).toMatchObject({ code: 'storage-failed', retryable: true });
    only();
    world.meetFirst('PUT', 1, keepHalf);
    await world.retrying().save(bigFile, [big]);
    only(bigPath);
  });

  test('that is acknowledged and was not moved, or not whole, fails', async () => {
    world.meetFirst('MOVE', 1, (_, response) => response.writeHead(201).end());
    expect(await errorOf(world.storage.save(bigFile, [big]))).toMatchObject({ code: 'storage-failed', retryable: true });
    world.server.files.clear();
    world.meetFirst('MOVE', 1, (_, response) => {
      world.server.files.set(bigPath, big.subarray(1));
      response.writeHead(201).end();
    });
    expect(await errorOf(world.storage.save(bigFile, [big]))).toMatchObject({ code: 'storage-failed', retryable: true });
    expect(world.server.files.has(bigPath)).toBe(false);
  });

  test('that is refused ends with the reason, and leaves nothing', async () => {
    for (const [status, code, retryable] of [
      [400, 'storage-failed', true],
      [403, 'storage-denied', false],
      [413, 'storage-full', false],
      [423, 'storage-failed', true],
      [500, 'storage-failed', true],
      [507, 'storage-full', false],
    ] as const)
      for (const method of ['PUT', 'MOVE'] as const) {
        // Moving has its own ways out.
        if (method === 'MOVE' && (status === 400 || status === 403)) continue;
        world.meetFirst(method, 2, (request, response) => request.resume().on('end', () => response.writeHead(status).end('no')));
        expect([status, method, await errorOf(world.storage.save(bigFile, [big]))]).toMatchObject([status, method, { code, retryable }]);
        only();
      }
  });

  test('that was cut off asks first the next time, and hears why', async () => {
    const asked: (string | undefined)[] = [];
    world.meetFirst('PUT', 2, (request, response) => {
      asked.push(request.headers.expect);
      if (request.headers.expect === undefined) request.socket.destroy();
      else response.writeHead(507, { connection: 'close' }).end('Insufficient Storage');
    });
    expect(await codeOf(world.retrying().save(bigFile, [big]))).toBe('storage-full');
    expect(asked).toEqual([undefined, '100-continue']);
  });

  test.each(['PUT', 'MOVE'])('whose answer to %s is lost counts as done when it is tried again', async (method) => {
    let isFirst = true;
    world.server.meet = async (request, response, usual) => {
      if (request.method !== method || !isFirst) return usual();
      isFirst = false;
      // The usual happens, and its answer is cut short.
      response.writeHead = (() => {
        request.socket.destroy();
        return response;
      }) as typeof response.writeHead;
      return usual();
    };
    await world.retrying().save(bigFile, [big]);
    expect(world.server.files.get(bigPath)!.equals(big)).toBe(true);
    only(bigPath);
  });

  test('into a folder of packs that was removed meanwhile makes it again, however the server tells', async () => {
    for (const status of [403, 404, 409]) {
      await world.storage.save(bigFile, [big]);
      world.server.files.clear();
      world.server.folders.delete(bigFolder);
      world.server.meet = (request, response, usual) =>
        request.method === 'MOVE' && !world.server.folders.has(bigFolder) ? response.writeHead(status).end() : usual();
      await world.storage.save(bigFile, [big]);
      only(bigPath);
      world.server.files.clear();
    }
  });

  test('into a place that is not there, or whose folders are not, is refused', async () => {
    world.server.folders.delete('/repo/data/');
    expect(await codeOf(world.storage.save(bigFile, [big]))).toBe('storage-gone');
    world.server.folders.clear();
    world.server.folders.add('/');
    for (const status of [404, 409, 500]) {
      world.server.meet = (request, response, usual) =>
        request.method === 'PUT' ? request.resume().on('end', () => response.writeHead(status).end()) : usual();
      for (const file of [config, smallFile, bigFile]) expect(await codeOf(world.storage.save(file, [small]))).toBe('storage-gone');
    }
    only();
  });
});

describe('a user who may not any more', () => {
  const env = { HOLDFAST_WEBDAV_USERNAME: 'me', HOLDFAST_WEBDAV_PASSWORD: 'top-secret' };
  const token = Buffer.from('me:top-secret').toString('base64');

  test.each(['Basic realm="x"', 'Digest realm="x", nonce="n", qop="auth"'])('is told so, whatever is at work (%s)', async (challenge) => {
    const there = await world.open(undefined, systemClock, env);
    for (const method of ['PUT', 'MOVE', 'GET', 'PROPFIND', 'DELETE']) {
      world.server.files.set(smallPath, small);
      let isOver = false;
      world.server.meet = (request, response, usual) => {
        isOver ||= request.method === method;
        if (!isOver && request.headers.authorization !== undefined) return usual();
        return request.resume().on('end', () => response.writeHead(401, { 'www-authenticate': challenge }).end());
      };
      const call = {
        PUT: () => there.save(bigFile, [big]),
        MOVE: () => there.save(bigFile, [big]),
        GET: () => there.load(smallFile),
        PROPFIND: () => listAll(there, 'snapshot'),
        DELETE: () => there.remove(smallFile),
      }[method]!;
      const error = await errorOf(call());
      expect([method, error]).toMatchObject([method, { code: 'credentials-refused', retryable: false }]);
      for (const secret of ['top-secret', token]) expect(JSON.stringify(error)).not.toContain(secret);
    }
    expect(world.server.files.has(bigPath)).toBe(false);
  });
});

describe('two programs that save the same name in the same moment', () => {
  test('are told apart by the server, where it heeds Overwrite', async () => {
    world.server.meet = async (request, _, usual) => {
      if (request.method === 'MOVE') world.server.files.set('/repo/config', Buffer.from('theirs'));
      return usual();
    };
    expect(await codeOf(world.storage.save(config, [small]))).toBe('file-exists');
    expect(world.server.files.get('/repo/config')!.toString()).toBe('theirs');
    only('/repo/config');
  });

  test('are told apart by reading config back, where it does not', async () => {
    world.server.meet = async (request, _, usual) => {
      delete request.headers.overwrite;
      await usual();
      if (request.method === 'MOVE') world.server.files.set('/repo/config', Buffer.from('A SMALL FILE'));
    };
    expect(await codeOf(world.storage.save(config, [small]))).toBe('file-exists');
    expect(world.server.files.get('/repo/config')!.toString()).toBe('A SMALL FILE');
  });

  test('both succeed with the same pack where it does not, and it is whole', async () => {
    world.server.meet = (request, _, usual) => {
      delete request.headers.overwrite;
      return usual();
    };
    const other = await world.open();
    await Promise.allSettled([world.storage.save(bigFile, [big]), other.save(bigFile, [big])]);
    expect(world.server.files.get(bigPath)!.equals(big)).toBe(true);
    only(bigPath);
  });
});

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
    only(bigPath, '/repo/config');
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
    only(smallPath);
    world.meetFirst('PUT', 1, half);
    expect(await codeOf(world.storage.save(config, [big]))).toBe('connection-lost');
    only(smallPath, '/repo/config');
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
    const open = (): Promise<Storage> => world.open(`webdav:${server.url}/new/folder/`);
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
    const there = await world.open(`webdav:http://127.0.0.1:${(garbage.address() as { port: number }).port}/`);
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
    const there = await world.open(`webdav:${world.server.url}/old/`, systemClock, env);
    await there.save(bigFile, [big]);
    only(bigPath);
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
      only(`${to}snapshots/${smallFile.name}`);
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

describe('a listing', () => {
  const names = Array.from({ length: 5 }, (_, n) => sha256(Buffer.from(`${n}`))).sort();
  const give = (text: string): void => world.meetFirst('PROPFIND', 1, (_, response) => response.writeHead(207).end(text));

  test('leaves out foreign names, folders, other depths, and gives each file once', async () => {
    const self = resource('/repo/snapshots/');
    const foreign = ['x', names[0]!.toUpperCase(), `${names[0]}.tmp`, `deep/${names[0]}`, `../index/${names[0]}`].map((name) =>
      resource(`/repo/snapshots/${name}`, 'no length'),
    );
    const good = names.map((name) => resource(`http://inside:8080/behind/proxy/repo/snapshots/${name}`, 9));
    give(multistatus([...good, self, ...foreign, resource(`/repo/snapshots/${'f'.repeat(64)}/`), ...good]));
    expect(await listAll(world.storage, 'snapshot')).toEqual(names.map((name) => ({ name, size: 9 })));
  });

  test('of the packs goes through the folders that are there, and believes no file in a wrong one', async () => {
    for (const name of names) {
      world.server.folders.add(`/repo/data/${name.slice(0, 2)}/`);
      world.server.files.set(`/repo/data/${name.slice(0, 2)}/${name}`, small);
    }
    world.server.files.set(`/repo/data/${names[0]!.slice(0, 2)}/${'f'.repeat(64)}`, small);
    world.server.files.set(`/repo/data/${'e'.repeat(64)}`, small);
    expect(await listAll(world.storage, 'pack')).toEqual(names.map((name) => ({ name, size: small.length })));
    expect(world.server.requests.filter((each) => each.startsWith('PROPFIND'))).toHaveLength(6);
  });

  test.each([
    ['is empty, without its own folder', multistatus([])],
    ['is of another folder', multistatus([resource('/repo/index/'), resource(`/repo/index/${names[0]}`, 1)])],
    ['names a file without a length', multistatus([resource('/repo/snapshots/'), resource(`/repo/snapshots/${names[0]}`, '')])],
    ['breaks off', multistatus([resource('/repo/snapshots/'), resource(`/repo/snapshots/${names[0]}`, 1)]).slice(0, -10)],
  ])('that %s is not understood, and gives no file', async (_, text) => {
    give(text);
    const given: string[] = [];
    const read = async (): Promise<void> => {
      for await (const { name } of world.storage.list('snapshot')) given.push(name);
    };
    expect(await codeOf(read())).toBe('server-not-understood');
    expect(given).toEqual([]);
  });

  test('that is cut off gives no file, and all when it is tried again', async () => {
    for (const name of names) world.server.files.set(`/repo/snapshots/${name}`, small);
    const cut = (_: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(207);
      response.write(multistatus([resource('/repo/snapshots/'), resource(`/repo/snapshots/${names[0]}`, 1)]).slice(0, 300), () =>
        response.destroy(),
      );
    };
    world.meetFirst('PROPFIND', 1, cut);
    expect(await codeOf(listAll(world.storage, 'snapshot'))).toBe('connection-lost');
    world.meetFirst('PROPFIND', 2, cut);
    expect(await listAll(world.retrying(), 'snapshot')).toHaveLength(5);
  });
});

describe('what a killed save has left', () => {
  test('is removed when it is old enough by the clock of the server', async () => {
    const name = (n: number): string => `holdfast-tmp-${String(n).repeat(32)}`;
    const skewMs = 3_600_000;
    const at = (ms: number): string => new Date(systemClock.now() + skewMs + ms).toUTCString();
    const others = [resource('/repo/'), resource('/repo/config', 5), resource('/repo/holdfast-tmp-mine', 5), resource(`/repo/${name(7)}/`)];
    const left = [
      resource(`/repo/${name(1)}`, 5, at(-100_000)),
      resource(`/repo/${name(2)}`, 5, at(-1_000)),
      resource(`/repo/${name(3)}`, 5, 'never'),
    ];
    const removed: string[] = [];
    world.server.meet = (request, response) => {
      if (request.method === 'DELETE') removed.push(String(request.url));
      response.setHeader('date', at(0));
      request
        .resume()
        .on('end', () =>
          request.method === 'DELETE' ? response.writeHead(204).end() : response.writeHead(207).end(multistatus([...others, ...left])),
        );
    };
    expect(await world.storage.removeLeftovers!(systemClock.now() - 50_000)).toBe(1);
    expect(removed).toEqual([`/repo/${name(1)}`]);
    removed.length = 0;
    expect(await world.storage.removeLeftovers!(Number.POSITIVE_INFINITY)).toBe(3);
    expect(removed).toEqual([1, 2, 3].map((n) => `/repo/${name(n)}`));
  });
});

describe('a place', () => {
  test('is made with all folders above it, and none is made where one may not', async () => {
    const there = await world.open(`webdav:${world.server.url}/a%20b/%C3%A4/c/`);
    await there.create();
    expect([...world.server.folders]).toContain('/a%20b/%C3%A4/c/snapshots/');
    world.server.meet = (request, response, usual) => (request.method === 'MKCOL' ? response.writeHead(403).end() : usual());
    expect(await codeOf((await world.open(`webdav:${world.server.url}/other/`)).create())).toBe('storage-denied');
  });

  test('that was seen and is away now is gone, not empty', async () => {
    await world.storage.save(config, [small]);
    world.server.files.set(smallPath, small);
    expect(await listAll(world.storage, 'snapshot')).toHaveLength(1);
    const { files, folders } = world.server;
    expect(await errorOf((await world.open(`webdav:${world.server.url}/none/`)).size(config))).toMatchObject({
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

describe('silence', () => {
  let clock: FakeClock;
  let patient: Storage;
  beforeEach(async () => {
    clock = new FakeClock();
    patient = await world.open(undefined, clock);
  });

  /** How long the call waits, in seconds of the clock, before it fails with `connection-lost`. */
  async function secondsOf(call: Promise<unknown>, isReached: () => boolean): Promise<number> {
    let error: unknown;
    call.catch((thrown: unknown) => (error = thrown));
    while (!isReached()) await nextTurn();
    const begun = clock.monotonic();
    for (let i = 0; error === undefined && i < 1000; i++) {
      // Real time for the sockets: what is on its way arrives before the clock moves on.
      for (let n = 0; n < 20; n++) await nextTurn();
      if (error === undefined) await clock.advance(1000);
    }
    expect(error).toMatchObject({ name: 'HoldfastError', code: 'connection-lost' });
    return (clock.monotonic() - begun) / 1000;
  }

  test('ends a read after a minute, and what costs the server work after five', async () => {
    let method = 'GET';
    let isReached = false;
    world.server.meet = (request, _, usual) => {
      if (request.method !== method) return usual();
      isReached = true;
      return request.resume();
    };
    expect(await secondsOf(patient.load(smallFile), () => isReached)).toBeLessThan(70);
    for (const [each, call] of [
      ['PROPFIND', () => listAll(patient, 'snapshot')],
      ['PUT', () => patient.save(smallFile, [small])],
      ['MOVE', () => patient.save(smallFile, [small])],
      ['DELETE', () => patient.remove(smallFile)],
    ] as const) {
      method = each;
      isReached = false;
      expect([each, (await secondsOf(call(), () => isReached)) > 290]).toEqual([each, true]);
    }
    for (let n = 0; n < 50 && temporaries().length > 0; n++) await nextTurn();
    expect(temporaries()).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test('in the middle of a listing ends after a minute', async () => {
    let isReached = false;
    world.server.meet = (_, response) => {
      response.writeHead(207).write(multistatus([resource('/repo/snapshots/')]).slice(0, 100));
      isReached = true;
    };
    expect(await secondsOf(listAll(patient, 'snapshot'), () => isReached)).toBeLessThan(70);
    expect(clock.pending).toBe(0);
  });
});

describe('a connection', () => {
  test('that the server closed while nobody used it is no failure of a look', async () => {
    world.server.files.set(smallPath, small);
    for (let n = 0; n < 10; n++) {
      let used = false;
      world.server.meet = (request, _, usual) => {
        if (used && !request.socket.destroyed) {
          used = false;
          return request.socket.destroy();
        }
        used = true;
        return usual();
      };
      expect(await listAll(world.storage, 'snapshot')).toHaveLength(1);
    }
  });

  test('to a name that nobody has, and to a port where nobody listens, fails in its own way', async () => {
    for (const [place, code] of [
      ['webdav:http://no-such-server.invalid/', 'server-unknown'],
      ['webdav:http://127.0.0.1:9/', 'server-refused'],
    ] as const) {
      const there = await world.open(place);
      expect([place, await codeOf(there.size(smallFile)), await codeOf(there.save(smallFile, [small]))]).toEqual([place, code, code]);
    }
  });

  test('is cut when the storage is closed in the middle of an upload', async () => {
    let isReached = false;
    world.server.meet = (request, _, usual) => {
      if (request.method !== 'PUT') return usual();
      isReached = true;
      return undefined;
    };
    const call = codeOf(world.storage.save(bigFile, [big]));
    while (!isReached) await nextTurn();
    await world.storage.close();
    expect(await call).toBe('connection-lost');
    expect(await codeOf(world.storage.load(smallFile))).toBe('internal');
  });
});
