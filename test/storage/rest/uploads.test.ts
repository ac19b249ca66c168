/** What becomes of uploads to a REST server that misbehaves. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { big, bigFile, small } from '../../support/odd-world.ts';
import { codeOf, errorOf, fileFor } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { bigPath, restWorld } from './odd.ts';

refuseUnhandledRejections();

const world = restWorld();

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

  test.each([1, 300_000, 1_000_000])(
    'that breaks off after %d bytes fails and leaves nothing, and succeeds when it is tried again',
    async (bytes) => {
      world.meetFirst('POST', 1, cutAfter(bytes));
      expect(await codeOf(world.storage.save(bigFile, [big]))).toBe('connection-lost');
      expect(world.server.files.size).toBe(0);
      world.meetFirst('POST', 2, cutAfter(bytes));
      await world.retrying().save(bigFile, [big.subarray(0, 500), big.subarray(500)]);
      expect(world.server.files.get(bigPath)?.equals(big)).toBe(true);
    },
  );

  test('of which a part is left under its name is tidied up', async () => {
    const keepHalf = (request: IncomingMessage, response: ServerResponse): void => {
      if (request.headers.expect !== undefined) response.writeContinue();
      request.on('data', () => {
        world.server.files.set(bigPath, big.subarray(0, 1234));
        request.socket.destroy();
      });
    };
    world.meetFirst('POST', 1, keepHalf);
    expect(await codeOf(world.storage.save(bigFile, [big]))).toBe('connection-lost');
    expect(world.server.files.size).toBe(0);
    world.meetFirst('POST', 2, keepHalf);
    await world.retrying().save(bigFile, [big]);
    expect(world.server.files.get(bigPath)?.equals(big)).toBe(true);
  });

  test('of a config of which a part is left is not tidied up: it may be somebody else’s', async () => {
    world.meetFirst('POST', 1, (request) => {
      world.server.files.set('/config', Buffer.from('half'));
      request.socket.destroy();
    });
    expect(await codeOf(world.storage.save(fileFor(small, 'config'), [small]))).toBe('connection-lost');
    expect(world.server.files.get('/config')?.toString()).toBe('half');
  });

  test('that is acknowledged and not there, or not whole, fails', async () => {
    world.meetFirst('POST', 1, (request, response) => request.resume().on('end', () => response.end()));
    expect(await errorOf(world.storage.save(bigFile, [big]))).toMatchObject({ code: 'storage-failed', retryable: true });
    world.meetFirst('POST', 1, (request, response) => {
      world.server.files.set(bigPath, big.subarray(1));
      request.resume().on('end', () => response.end());
    });
    expect(await errorOf(world.storage.save(bigFile, [big]))).toMatchObject({ code: 'storage-failed', retryable: true });
    expect(world.server.files.size).toBe(0);
    await world.storage.save(bigFile, [big]);
  });

  test('of a config that somebody else has replaced meanwhile is told as theirs', async () => {
    world.meetFirst('POST', 1, (request, response) => {
      world.server.files.set('/config', Buffer.from('a SMALL file'));
      request.resume().on('end', () => response.end());
    });
    expect(await codeOf(world.storage.save(fileFor(small, 'config'), [small]))).toBe('file-exists');
  });

  test('that is refused before it is read ends with the reason', async () => {
    for (const [status, code] of [
      [507, 'storage-full'],
      [413, 'storage-full'],
      [403, 'storage-denied'],
      [500, 'storage-failed'],
    ] as const) {
      world.meetFirst('POST', 1, (_, response) => response.writeHead(status).end('no'));
      expect([status, await codeOf(world.storage.save(bigFile, [big]))]).toEqual([status, code]);
      expect(await codeOf(world.storage.size(bigFile))).toBe('file-not-found');
    }
  });

  test('that was cut off asks first the next time, and hears why', async () => {
    const asked: (string | undefined)[] = [];
    world.meetFirst('POST', 2, (request, response) => {
      asked.push(request.headers.expect);
      if (request.headers.expect === undefined) request.socket.destroy();
      else response.writeHead(507, { connection: 'close' }).end('Insufficient Storage');
    });
    expect(await codeOf(world.retrying().save(bigFile, [big]))).toBe('storage-full');
    expect(asked).toEqual([undefined, '100-continue']);
    world.meetFirst('POST', 1, cutAfter(1));
    await world.retrying().save(bigFile, [big]);
    expect(world.server.files.get(bigPath)?.equals(big)).toBe(true);
  });

  test('that asks a server which knows no asking is sent without, and none asks there again', async () => {
    const asked: (string | undefined)[] = [];
    let cuts = 2;
    world.server.meet = async (request, response, usual) => {
      if (request.method !== 'POST') return usual();
      asked.push(request.headers.expect);
      if (request.headers.expect !== undefined) return response.writeHead(417).end();
      if (cuts-- > 0) return request.socket.destroy();
      return usual();
    };
    await world.retrying().save(bigFile, [big]);
    expect(world.server.files.get(bigPath)?.equals(big)).toBe(true);
    expect(asked).toEqual([undefined, '100-continue', undefined, undefined]);
  });

  test('whose bytes were changed on the way is tried again', async () => {
    world.meetFirst('POST', 1, (request, response) => request.resume().on('end', () => response.writeHead(400).end('hash mismatch')));
    await world.retrying().save(bigFile, [big]);
    expect(world.server.files.get(bigPath)?.equals(big)).toBe(true);
  });

  test('whose answer is lost counts as done when it is tried again', async () => {
    let first = true;
    world.server.meet = async (request, response, usual) => {
      if (request.method !== 'POST' || !first) return usual();
      first = false;
      await usual.call(undefined).catch(() => {});
      return response.destroy();
    };
    await world.retrying().save(bigFile, [big]);
    expect(world.server.files.get(bigPath)?.equals(big)).toBe(true);
  });
});
