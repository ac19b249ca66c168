/** What becomes of downloads from a WebDAV server that misbehaves. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { beforeEach, describe, expect, test } from 'vitest';
import { answerRaw } from '../../support/odd-server.ts';
import { big, bigFile, small, smallFile } from '../../support/odd-world.ts';
import { codeOf, sha256 } from '../../support/storage-suite.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';
import { bigPath, davWorld, smallPath } from './odd.ts';

refuseUnhandledRejections();

const world = davWorld();

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
