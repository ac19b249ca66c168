/** What becomes of uploads to a WebDAV server that misbehaves, and what a save that was cut off leaves. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { multistatus, resource } from '../../support/odd-dav.ts';
import { big, bigFile, small, smallFile } from '../../support/odd-world.ts';
import { codeOf, errorOf, listAll } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { bigFolder, bigPath, config, davWorld, smallPath } from './odd.ts';

refuseUnhandledRejections();

const world = davWorld();

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
    world.expectOnly(bigPath);
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
      world.expectOnly();
      world.meetFirst('PUT', 2, cutAfter(bytes));
      await world.retrying().save(bigFile, [big.subarray(0, 500), big.subarray(500)]);
      world.expectOnly(bigPath);
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
    world.expectOnly();
    world.meetFirst('PUT', 1, keepHalf);
    await world.retrying().save(bigFile, [big]);
    world.expectOnly(bigPath);
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
        world.expectOnly();
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
    world.expectOnly(bigPath);
  });

  test('into a folder of packs that was removed meanwhile makes it again, however the server tells', async () => {
    for (const status of [403, 404, 409]) {
      await world.storage.save(bigFile, [big]);
      world.server.files.clear();
      world.server.folders.delete(bigFolder);
      world.server.meet = (request, response, usual) =>
        request.method === 'MOVE' && !world.server.folders.has(bigFolder) ? response.writeHead(status).end() : usual();
      await world.storage.save(bigFile, [big]);
      world.expectOnly(bigPath);
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
    world.expectOnly();
  });
});

describe('a user who may not any more', () => {
  const env = { HOLDFAST_WEBDAV_USERNAME: 'me', HOLDFAST_WEBDAV_PASSWORD: 'top-secret' };
  const token = Buffer.from('me:top-secret').toString('base64');

  test.each(['Basic realm="x"', 'Digest realm="x", nonce="n", qop="auth"'])('is told so, whatever is at work (%s)', async (challenge) => {
    const there = await world.open({ env });
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
    world.expectOnly('/repo/config');
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
    world.expectOnly(bigPath);
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
