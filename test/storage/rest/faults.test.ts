/** What becomes of a REST storage when the server or the network misbehaves. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type Clock, nextTurn, systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { openPlace } from '../../../src/storage/place.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { answerRaw, OddServer } from '../../support/odd-server.ts';
import { retryingAtOnce } from '../../support/retrying-at-once.ts';
import { codeOf, describeStorage, errorOf, fileFor, listAll, sha256 } from '../../support/storage-suite.ts';
import { scratch } from '../../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';

refuseUnhandledRejections();

const opened: Storage[] = [];
let server: OddServer;
let storage: Storage;

async function openAt(place: string, clock: Clock = systemClock): Promise<Storage> {
  const made = await openPlace(place, { clock, credentials: credentialsFrom({}, undefined) });
  opened.push(made);
  return made;
}

beforeEach(async () => {
  server = await OddServer.start();
  storage = await openAt(`rest:${server.url}/`);
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  await server.stop();
});

const big = randomBytes(1_000_000);
const bigFile = fileFor(big);
const bigPath = `/data/${bigFile.name}`;
const small = Buffer.from('a small file');
const smallFile = fileFor(small, 'snapshot');
const smallPath = `/snapshots/${smallFile.name}`;

const meetFirst: OddServer['meetFirst'] = (...args) => server.meetFirst(...args);

const retrying = (waits?: number[]): Storage => retryingAtOnce(storage, waits);

describeStorage('rest storage on a small server on a local socket', async () => {
  const socketPath = join(scratch(), 'socket');
  const local = await OddServer.start({ socketPath });
  const open = (): Promise<Storage> =>
    openPlace(`rest:http+unix://${socketPath}:/`, { clock: systemClock, credentials: credentialsFrom({}, undefined) });
  return { storage: await open(), reopen: open, cleanUp: () => local.stop() };
});

describe('a download', () => {
  beforeEach(() => void server.files.set(bigPath, big).set(smallPath, small));

  test.each([0, 1, 500_000, 999_999])('that breaks off after %d bytes fails, and succeeds when it is tried again', async (bytes) => {
    const cut = (_: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(200, { 'content-length': String(big.length) });
      response.write(big.subarray(0, bytes), () => response.destroy());
    };
    meetFirst('GET', 1, cut);
    expect(await codeOf(storage.load(bigFile))).toBe('connection-lost');
    meetFirst('GET', 3, cut);
    expect(sha256(await retrying().load(bigFile))).toBe(bigFile.name);
  });

  test('of a part that comes shorter than asked for is never taken for it', async () => {
    meetFirst('GET', 1, (_, response) => response.writeHead(206, { 'content-length': '5' }).end('short'));
    expect(await codeOf(storage.load(bigFile, { offset: 10, length: 6 }))).toBe('file-short');
    meetFirst('GET', 1, (_, response) => response.writeHead(206).end());
    expect(await codeOf(storage.load(bigFile, { offset: 10, length: 6 }))).toBe('file-short');
  });

  test('of other bytes, or more of them, than asked for is refused', async () => {
    meetFirst('GET', 1, (_, response) => response.writeHead(206, { 'content-range': 'bytes 0-5/100' }).end('abcdef'));
    expect(await codeOf(storage.load(bigFile, { offset: 10, length: 6 }))).toBe('server-not-understood');
    meetFirst('GET', 1, (_, response) => response.writeHead(206).end('abcdefgh'));
    expect(await codeOf(storage.load(bigFile, { offset: 10, length: 6 }))).toBe('server-not-understood');
  });

  test('of a part from a server that knows no parts is cut out of the whole', async () => {
    server.meet = (request, _, usual) => {
      delete request.headers.range;
      return usual();
    };
    const part = await storage.load(bigFile, { offset: 300_000, length: 1000 });
    expect(Buffer.from(part).equals(big.subarray(300_000, 301_000))).toBe(true);
    expect(await codeOf(storage.load(bigFile, { offset: 999_999, length: 2 }))).toBe('file-short');
  });

  test('without a length is compared with the length that the server names otherwise', async () => {
    meetFirst('GET', 1, (_, response) => answerRaw(response, `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${small.toString()}`));
    expect(Buffer.from(await storage.load(smallFile)).equals(small)).toBe(true);
    meetFirst('GET', 1, (_, response) => answerRaw(response, 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\na smal'));
    expect(await codeOf(storage.load(smallFile))).toBe('file-short');
  });

  test('of a small file that is absurdly large is refused before it fills the memory', async () => {
    meetFirst('GET', 1, (_, response) => {
      response.writeHead(200, { 'content-length': String(2 ** 40) });
      response.write('x');
    });
    expect(await codeOf(storage.load(smallFile))).toBe('item-tampered');
  });

  test('leaves no connection behind that was not read to its end', async () => {
    for (let n = 0; n < 20; n++) {
      meetFirst('GET', 1, (_, response) => response.writeHead(206).write(randomBytes(2_000_000)));
      expect(await codeOf(storage.load(bigFile, { offset: 0, length: 10 }))).toBe('server-not-understood');
    }
    await storage.size(bigFile);
    await nextTurn();
    expect(server.connections).toBeLessThan(5);
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

  test.each([1, 300_000, 1_000_000])(
    'that breaks off after %d bytes fails and leaves nothing, and succeeds when it is tried again',
    async (bytes) => {
      meetFirst('POST', 1, cutAfter(bytes));
      expect(await codeOf(storage.save(bigFile, [big]))).toBe('connection-lost');
      expect(server.files.size).toBe(0);
      meetFirst('POST', 2, cutAfter(bytes));
      await retrying().save(bigFile, [big.subarray(0, 500), big.subarray(500)]);
      expect(server.files.get(bigPath)?.equals(big)).toBe(true);
    },
  );

  test('of which a part is left under its name is tidied up', async () => {
    const keepHalf = (request: IncomingMessage, response: ServerResponse): void => {
      if (request.headers.expect !== undefined) response.writeContinue();
      request.on('data', () => {
        server.files.set(bigPath, big.subarray(0, 1234));
        request.socket.destroy();
      });
    };
    meetFirst('POST', 1, keepHalf);
    expect(await codeOf(storage.save(bigFile, [big]))).toBe('connection-lost');
    expect(server.files.size).toBe(0);
    meetFirst('POST', 2, keepHalf);
    await retrying().save(bigFile, [big]);
    expect(server.files.get(bigPath)?.equals(big)).toBe(true);
  });

  test('of a config of which a part is left is not tidied up: it may be somebody else’s', async () => {
    meetFirst('POST', 1, (request) => {
      server.files.set('/config', Buffer.from('half'));
      request.socket.destroy();
    });
    expect(await codeOf(storage.save(fileFor(small, 'config'), [small]))).toBe('connection-lost');
    expect(server.files.get('/config')?.toString()).toBe('half');
  });

  test('that is acknowledged and not there, or not whole, fails', async () => {
    meetFirst('POST', 1, (request, response) => request.resume().on('end', () => response.end()));
    expect(await errorOf(storage.save(bigFile, [big]))).toMatchObject({ code: 'storage-failed', retryable: true });
    meetFirst('POST', 1, (request, response) => {
      server.files.set(bigPath, big.subarray(1));
      request.resume().on('end', () => response.end());
    });
    expect(await errorOf(storage.save(bigFile, [big]))).toMatchObject({ code: 'storage-failed', retryable: true });
    expect(server.files.size).toBe(0);
    await storage.save(bigFile, [big]);
  });

  test('of a config that somebody else has replaced meanwhile is told as theirs', async () => {
    meetFirst('POST', 1, (request, response) => {
      server.files.set('/config', Buffer.from('a SMALL file'));
      request.resume().on('end', () => response.end());
    });
    expect(await codeOf(storage.save(fileFor(small, 'config'), [small]))).toBe('file-exists');
  });

  test('that is refused before it is read ends with the reason', async () => {
    for (const [status, code] of [
      [507, 'storage-full'],
      [413, 'storage-full'],
      [403, 'storage-denied'],
      [500, 'storage-failed'],
    ] as const) {
      meetFirst('POST', 1, (_, response) => response.writeHead(status).end('no'));
      expect([status, await codeOf(storage.save(bigFile, [big]))]).toEqual([status, code]);
      expect(await codeOf(storage.size(bigFile))).toBe('file-not-found');
    }
  });

  test('that was cut off asks first the next time, and hears why', async () => {
    const asked: (string | undefined)[] = [];
    meetFirst('POST', 2, (request, response) => {
      asked.push(request.headers.expect);
      if (request.headers.expect === undefined) request.socket.destroy();
      else response.writeHead(507, { connection: 'close' }).end('Insufficient Storage');
    });
    expect(await codeOf(retrying().save(bigFile, [big]))).toBe('storage-full');
    expect(asked).toEqual([undefined, '100-continue']);
    meetFirst('POST', 1, cutAfter(1));
    await retrying().save(bigFile, [big]);
    expect(server.files.get(bigPath)?.equals(big)).toBe(true);
  });

  test('that asks a server which knows no asking is sent without, and none asks there again', async () => {
    const asked: (string | undefined)[] = [];
    let cuts = 2;
    server.meet = async (request, response, usual) => {
      if (request.method !== 'POST') return usual();
      asked.push(request.headers.expect);
      if (request.headers.expect !== undefined) return response.writeHead(417).end();
      if (cuts-- > 0) return request.socket.destroy();
      return usual();
    };
    await retrying().save(bigFile, [big]);
    expect(server.files.get(bigPath)?.equals(big)).toBe(true);
    expect(asked).toEqual([undefined, '100-continue', undefined, undefined]);
  });

  test('whose bytes were changed on the way is tried again', async () => {
    meetFirst('POST', 1, (request, response) => request.resume().on('end', () => response.writeHead(400).end('hash mismatch')));
    await retrying().save(bigFile, [big]);
    expect(server.files.get(bigPath)?.equals(big)).toBe(true);
  });

  test('whose answer is lost counts as done when it is tried again', async () => {
    let first = true;
    server.meet = async (request, response, usual) => {
      if (request.method !== 'POST' || !first) return usual();
      first = false;
      await usual.call(undefined).catch(() => {});
      return response.destroy();
    };
    await retrying().save(bigFile, [big]);
    expect(server.files.get(bigPath)?.equals(big)).toBe(true);
  });
});

describe('what a server says', () => {
  beforeEach(() => void server.files.set(smallPath, small));

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
    meetFirst('GET', 1, (_, response) => response.writeHead(status).end());
    expect(await errorOf(storage.load(smallFile))).toMatchObject({ code, retryable });
    meetFirst('GET', 1, (_, response) => response.writeHead(status).end());
    expect(await errorOf(listAll(storage, 'snapshot'))).toMatchObject({ code, retryable });
    meetFirst('HEAD', 1, (_, response) => response.writeHead(status).end());
    expect(await errorOf(storage.size(smallFile))).toMatchObject({ code, retryable });
    expect(Buffer.from(await storage.load(smallFile)).equals(small)).toBe(true);
  });

  test('is quoted, but neither pages nor more than a line', async () => {
    meetFirst('GET', 1, (_, response) =>
      response.writeHead(500, { 'content-type': 'text/plain' }).end('the disk\u0007 is tired.\nat line 5\n'),
    );
    expect((await errorOf(storage.load(smallFile))).message).toContain(
      '(the server answered 500 Internal Server Error: the disk  is tired)',
    );
    meetFirst('GET', 1, (_, response) => response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>Oh no</h1>'));
    expect((await errorOf(storage.load(smallFile))).message).toContain('(the server answered 500 Internal Server Error)');
  });

  test('about when to come back is heeded, as seconds or as a date', async () => {
    const waits: number[] = [];
    meetFirst('GET', 1, (_, response) => response.writeHead(429, { 'retry-after': '17' }).end());
    await retrying(waits).load(smallFile);
    meetFirst('GET', 1, (_, response) =>
      response.writeHead(503, { 'retry-after': new Date(systemClock.now() + 60_000).toUTCString() }).end(),
    );
    await retrying(waits).load(smallFile);
    expect(waits[0]).toBe(17_000);
    expect(waits[1]).toBeGreaterThan(50_000);
    expect(waits[1]).toBeLessThanOrEqual(60_000);
  });

  test('about another address is told and not followed', async () => {
    const other = await OddServer.start();
    onTestFinished(() => other.stop());
    meetFirst('GET', 1, (_, response) =>
      response.writeHead(301, { location: `${other.url.replace('//', '//u:secret@')}/there?token=secret` }).end(),
    );
    const error = await errorOf(storage.load(smallFile));
    expect(error).toMatchObject({ code: 'server-moved', retryable: false, context: { place: `${other.url}/there` } });
    expect(JSON.stringify(error)).not.toContain('secret');
    expect(other.requests).toEqual([]);
  });

  test('about the time tells how far its clock is from ours', async () => {
    meetFirst('GET', 1, (_, response) => response.writeHead(404, { date: new Date(systemClock.now() + 3_600_000).toUTCString() }).end());
    await codeOf(storage.load(bigFile));
    expect(Math.abs(storage.clockSkewMs! - 3_600_000)).toBeLessThan(5000);
  });

  test('about the length of a file has to be there', async () => {
    meetFirst('HEAD', 1, (_, response) => answerRaw(response, 'HTTP/1.1 200 OK\r\n\r\n'));
    expect(await codeOf(storage.size(smallFile))).toBe('server-not-understood');
    meetFirst('HEAD', 1, (_, response) => answerRaw(response, 'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n'));
    expect(await codeOf(storage.size(smallFile))).toBe('server-not-understood');
  });

  test('in no HTTP is not understood', async () => {
    const garbage = createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.2\r\n'));
    await new Promise<void>((resolve) => void garbage.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void garbage.close());
    const there = await openAt(`rest:http://127.0.0.1:${(garbage.address() as { port: number }).port}/`);
    expect(await codeOf(there.size(smallFile))).toBe('server-not-understood');
  });
});

describe('a repository that was seen', () => {
  test('and is away now is gone, not empty', async () => {
    await storage.save(fileFor(small, 'config'), [small]);
    server.files.set(smallPath, small);
    expect(await listAll(storage, 'snapshot')).toHaveLength(1);
    server.meet = (_, response) => response.writeHead(404).end();
    expect(await codeOf(listAll(storage, 'snapshot'))).toBe('storage-gone');
    expect(await codeOf(listAll(storage, 'config'))).toBe('storage-gone');
    expect(await codeOf(storage.load(smallFile))).toBe('storage-gone');
    expect(await codeOf(storage.size(smallFile))).toBe('storage-gone');
    expect(await codeOf(storage.remove(smallFile))).toBe('storage-gone');
  });

  test('and lacks a folder is empty there', async () => {
    await storage.save(fileFor(small, 'config'), [small]);
    meetFirst('GET', 1, (_, response) => response.writeHead(404).end());
    expect(await listAll(storage, 'snapshot')).toEqual([]);
  });
});

describe('a listing', () => {
  const names = Array.from({ length: 5 }, (_, n) => sha256(Buffer.from(`${n}`))).sort();
  const give = (text: string, type = 'application/vnd.x.restic.rest.v2'): void =>
    meetFirst('GET', 1, (_, response) => response.writeHead(200, { 'content-type': type }).end(text));

  test.each([
    ['a login page', '<html>Please log in</html>'],
    ['nothing', ''],
    ['an object', '{"name":"x"}'],
    ['a word', 'nonsense'],
    ['a broken list', `[{"name":"${names[0]}","size":1}`],
    ['a list that breaks off in an element', `[{"name":"${names[0]}","si`],
    ['two lists', '[][]'],
    ['a list with an end too many', '[]]'],
    ['a list with a hole', '[1,,2]'],
    ['a list with a comma too many', `["${names[0]}",]`],
    ['numbers', '[1,2]'],
    ['nothings', '[null]'],
    ['a file without a size', `[{"name":"${names[0]}"}]`],
    ['a file of a negative size', `[{"name":"${names[0]}","size":-1}]`],
    ['a file of half a byte', `[{"name":"${names[0]}","size":1.5}]`],
    ['a file of a size in words', `[{"name":"${names[0]}","size":"many"}]`],
    ['an endless element', `["${'x'.repeat(100_000)}"]`],
  ])('that is %s is not understood, and gives no file', async (_, text) => {
    give(text, 'text/html');
    const given: string[] = [];
    const read = async (): Promise<void> => {
      for await (const { name } of storage.list('pack')) given.push(name);
    };
    expect(await codeOf(read())).toBe('server-not-understood');
    expect(given).toEqual([]);
  });

  test('may be null, spread over lines, in pieces of any size, with strange and foreign names', async () => {
    give('null');
    expect(await listAll(storage, 'pack')).toEqual([]);
    const strange = ['a.rest-server-temp1', '],[', '"}]', '\\', '\\"', 'é', names[0]!.toUpperCase(), '../config'];
    const text = JSON.stringify(
      [...strange.map((name) => ({ name, size: -7, more: { deep: [1, ['}']] } })), ...names.map((name) => ({ name, size: 9 }))],
      undefined,
      3,
    );
    const bytes = Buffer.from(` \n${text}\n`);
    for (const size of [1, 2, 3, 7, 64, 1000, bytes.length]) {
      meetFirst('GET', 1, async (_, response) => {
        for (let at = 0; at < bytes.length; at += size) response.write(bytes.subarray(at, at + size));
        response.end();
      });
      expect(await listAll(storage, 'pack')).toEqual(names.map((name) => ({ name, size: 9 })));
    }
  });

  test('that names files twice gives each once', async () => {
    give(JSON.stringify([...names, ...names].map((name, n) => ({ name, size: n }))));
    expect(await listAll(storage, 'pack')).toEqual(names.map((name, n) => ({ name, size: n })));
  });

  test('of version 1, without sizes, is completed by asking for each, and leaves out what has gone meanwhile', async () => {
    for (const name of names.slice(1)) server.files.set(`/data/${name}`, Buffer.from(name));
    give(JSON.stringify([...names, 'foreign']), 'application/vnd.x.restic.rest.v1');
    expect(await listAll(storage, 'pack')).toEqual(names.slice(1).map((name) => ({ name, size: 64 })));
  });

  test('that breaks off gives no file, and all when it is tried again', async () => {
    for (const name of names) server.files.set(`/data/${name}`, Buffer.from(name));
    const cut = (_: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(200);
      response.write(`[{"name":"${names[0]}","size":1},`, () => response.destroy());
    };
    meetFirst('GET', 1, cut);
    expect(await codeOf(listAll(storage, 'pack'))).toBe('connection-lost');
    meetFirst('GET', 2, cut);
    expect(await listAll(retrying(), 'pack')).toHaveLength(5);
  });

  test('of 100,000 files is whole', async () => {
    const many = Array.from({ length: 100_000 }, (_, n) => ({ name: sha256(Buffer.of(n & 255, (n >> 8) & 255, n >> 16)), size: n }));
    give(JSON.stringify(many));
    const found = new Map<string, number>();
    for await (const { name, size } of storage.list('pack')) found.set(name, size);
    expect(found.size).toBe(100_000);
    for (const { name, size } of many) if (found.get(name) !== size) expect([name, found.get(name)]).toEqual([name, size]);
  });
});

describe('silence', () => {
  let clock: FakeClock;
  let patient: Storage;
  beforeEach(async () => {
    clock = new FakeClock();
    patient = await openAt(`rest:${server.url}/`, clock);
  });

  /** How long the call waits, in seconds of the clock, before it fails with this code. */
  async function secondsUntil(code: string, call: Promise<unknown>, isReached: () => boolean): Promise<number> {
    let error: unknown;
    call.catch((thrown: unknown) => (error = thrown));
    while (!isReached()) await nextTurn();
    const begun = clock.monotonic();
    for (let i = 0; error === undefined && i < 1000; i++) {
      // Real time for the sockets: what is on its way arrives before the clock moves on.
      for (let n = 0; n < 20; n++) await nextTurn();
      if (error === undefined) await clock.advance(1000);
    }
    expect(error).toMatchObject({ name: 'HoldfastError', code });
    return (clock.monotonic() - begun) / 1000;
  }

  test('before an answer ends after a minute, or after five where there is something to do', async () => {
    let reached = 0;
    server.meet = (request, _, usual) => {
      if (request.method === 'HEAD' && reached === 1) return usual();
      reached += 1;
      return request.resume();
    };
    expect(await secondsUntil('connection-lost', patient.load(smallFile), () => reached === 1)).toBeLessThan(70);
    expect(await secondsUntil('connection-lost', patient.save(smallFile, [small]), () => reached === 2)).toBeGreaterThan(290);
    expect(await secondsUntil('connection-lost', listAll(patient, 'pack'), () => reached === 4)).toBeGreaterThan(290);
    for (let n = 0; n < 50 && server.connections > 0; n++) await nextTurn();
    expect(clock.pending).toBe(0);
  });

  test('in the middle of a download ends after a minute', async () => {
    let reached = false;
    server.meet = (_, response) => {
      response.writeHead(200, { 'content-length': String(big.length) });
      response.write(big.subarray(0, 1000));
      reached = true;
    };
    expect(await secondsUntil('connection-lost', patient.load(bigFile), () => reached)).toBeLessThan(70);
    expect(clock.pending).toBe(0);
  });

  test('of a server that takes no more of an upload ends after a minute', async () => {
    const huge = randomBytes(30_000_000);
    let reached = false;
    server.meet = (request, _, usual) => {
      if (request.method !== 'POST') return usual();
      request.pause();
      reached = true;
      return undefined;
    };
    expect(await secondsUntil('connection-lost', patient.save(fileFor(huge), [huge]), () => reached)).toBeLessThan(130);
    expect(clock.pending).toBe(0);
  });

  test('instead of encryption ends after half a minute', async () => {
    let reached = false;
    const mute = createServer((socket) => void socket.on('error', () => {}).on('data', () => (reached = true)));
    await new Promise<void>((resolve) => void mute.listen(0, '127.0.0.1', resolve));
    const there = await openAt(`rest:https://127.0.0.1:${(mute.address() as { port: number }).port}/`, clock);
    expect(await secondsUntil('server-unreachable', there.size(smallFile), () => reached)).toBeLessThan(40);
    await there.close();
    mute.close();
  });

  test('of the one who reads a listing slowly breaks nothing', async () => {
    for (let n = 0; n < 50; n++) server.files.set(`/data/${sha256(Buffer.of(n))}`, small);
    let count = 0;
    for await (const _ of patient.list('pack')) {
      if (count++ % 10 === 0) await clock.advance(600_000);
    }
    expect(count).toBe(50);
  });
});

describe('a connection', () => {
  test('that the server closed while nobody used it is no failure of a read', async () => {
    server.files.set(smallPath, small);
    for (let n = 0; n < 20; n++) {
      let used = false;
      server.meet = (request, _, usual) => {
        // The next request comes over the same connection, which is cut then.
        if (used && !request.socket.destroyed) {
          used = false;
          return request.socket.destroy();
        }
        used = true;
        return usual();
      };
      expect(await storage.size(smallFile)).toBe(small.length);
    }
  });

  test('is used again, and no more are opened than are allowed', async () => {
    server.files.set(smallPath, small);
    let most = 0;
    server.meet = async (_, __, usual) => {
      most = Math.max(most, server.connections);
      await usual();
    };
    await Promise.all(Array.from({ length: 100 }, () => storage.load(smallFile)));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
  });

  test('to a name that nobody has, to a port where nobody listens, and to a socket that is not there fails in its own way', async () => {
    for (const [place, code] of [
      ['rest:http://no-such-server.invalid/', 'server-unknown'],
      ['rest:http://127.0.0.1:9/', 'server-refused'],
      [`rest:http+unix://${join(scratch(), 'none')}:/`, 'server-refused'],
    ] as const)
      expect([place, await codeOf((await openAt(place)).size(smallFile))]).toEqual([place, code]);
  });

  test('is cut when the storage is closed in the middle', async () => {
    let reached = false;
    server.meet = () => void (reached = true);
    const call = codeOf(storage.load(smallFile));
    while (!reached) await nextTurn();
    await storage.close();
    expect(await call).toBe('connection-lost');
    expect(await codeOf(storage.load(smallFile))).toBe('internal');
  });
});
