/** What becomes of downloads from a REST server that misbehaves. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { beforeEach, describe, expect, test } from 'vitest';
import { nextTurn } from '../../../src/platform/clock.ts';
import { answerRaw } from '../../support/odd-server.ts';
import { big, bigFile, small, smallFile } from '../../support/odd-world.ts';
import { codeOf, sha256 } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { bigPath, restWorld, smallPath } from './odd.ts';

refuseUnhandledRejections();

const world = restWorld();

describe('a download', () => {
  beforeEach(() => void world.server.files.set(bigPath, big).set(smallPath, small));

  test.each([0, 1, 500_000, 999_999])('that breaks off after %d bytes fails, and succeeds when it is tried again', async (bytes) => {
    const cut = (_: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(200, { 'content-length': String(big.length) });
      response.write(big.subarray(0, bytes), () => response.destroy());
    };
    world.meetFirst('GET', 1, cut);
    expect(await codeOf(world.storage.load(bigFile))).toBe('connection-lost');
    world.meetFirst('GET', 3, cut);
    expect(sha256(await world.retrying().load(bigFile))).toBe(bigFile.name);
  });

  test('of a part that comes shorter than asked for is never taken for it', async () => {
    world.meetFirst('GET', 1, (_, response) => response.writeHead(206, { 'content-length': '5' }).end('short'));
    expect(await codeOf(world.storage.load(bigFile, { offset: 10, length: 6 }))).toBe('file-short');
    world.meetFirst('GET', 1, (_, response) => response.writeHead(206).end());
    expect(await codeOf(world.storage.load(bigFile, { offset: 10, length: 6 }))).toBe('file-short');
  });

  test('of other bytes, or more of them, than asked for is refused', async () => {
    world.meetFirst('GET', 1, (_, response) => response.writeHead(206, { 'content-range': 'bytes 0-5/100' }).end('abcdef'));
    expect(await codeOf(world.storage.load(bigFile, { offset: 10, length: 6 }))).toBe('server-not-understood');
    world.meetFirst('GET', 1, (_, response) => response.writeHead(206).end('abcdefgh'));
    expect(await codeOf(world.storage.load(bigFile, { offset: 10, length: 6 }))).toBe('server-not-understood');
  });

  test('of a part from a server that knows no parts is cut out of the whole', async () => {
    world.server.meet = (request, _, usual) => {
      delete request.headers.range;
      return usual();
    };
    const part = await world.storage.load(bigFile, { offset: 300_000, length: 1000 });
    expect(Buffer.from(part).equals(big.subarray(300_000, 301_000))).toBe(true);
    expect(await codeOf(world.storage.load(bigFile, { offset: 999_999, length: 2 }))).toBe('file-short');
  });

  test('without a length is compared with the length that the server names otherwise', async () => {
    world.meetFirst('GET', 1, (_, response) => answerRaw(response, `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${small.toString()}`));
    expect(Buffer.from(await world.storage.load(smallFile)).equals(small)).toBe(true);
    world.meetFirst('GET', 1, (_, response) => answerRaw(response, 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\na smal'));
    expect(await codeOf(world.storage.load(smallFile))).toBe('file-short');
  });

  test('of a small file that is absurdly large is refused before it fills the memory', async () => {
    world.meetFirst('GET', 1, (_, response) => {
      response.writeHead(200, { 'content-length': String(2 ** 40) });
      response.write('x');
    });
    expect(await codeOf(world.storage.load(smallFile))).toBe('item-tampered');
  });

  test('leaves no connection behind that was not read to its end', async () => {
    for (let n = 0; n < 20; n++) {
      world.meetFirst('GET', 1, (_, response) => response.writeHead(206).write(randomBytes(2_000_000)));
      expect(await codeOf(world.storage.load(bigFile, { offset: 0, length: 10 }))).toBe('server-not-understood');
    }
    await world.storage.size(bigFile);
    await nextTurn();
    expect(world.server.connections).toBeLessThan(5);
  });
});
