import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { KnownBrowsers } from '../../../main/headless/known-browsers.ts';
import { Names } from '../../../main/headless/names.ts';
import type { NumberedEvent } from '../../../src/contract/state.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { failureOf } from '../../support/failure-of.ts';
import { type Client, startForBrowsers } from '../../support/browser.ts';
import { startService } from '../../support/service.ts';
import { scratch } from '../../support/tree-literal.ts';

/** Sends bytes as they are; gives all that comes until the other side closes. */
async function raw(port: number, ...pieces: (string | Buffer)[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (piece: Buffer) => (text += piece.toString('latin1')));
  socket.on('error', () => {});
  for (const piece of pieces) socket.write(piece);
  await once(socket, 'close');
  return text;
}

const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);

describe('the token', () => {
  test('lets in whoever opens the printed address, by a cookie that no page can read or send from elsewhere', async () => {
    const { ask, address, port, connect: open } = await startForBrowsers();
    expect(address).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${port}/\\?token=[\\w-]{43}$`));
    const answer = await ask(`/${new URL(address).search}`);
    expect(answer).toMatchObject({ status: 303, headers: { location: '/' } });
    const [set] = answer.headers['set-cookie']!;
    expect(set).toMatch(new RegExp(`^holdfast-${port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`));
    const cookie = set.split(';')[0];
    expect(await ask('/', { headers: { cookie } })).toMatchObject({ status: 200, body: expect.stringContaining('not built yet') });
    expect(await ask('/', { headers: { cookie: `a=b; ${cookie};c=d` } })).toMatchObject({ status: 200 });
    const { client, socket } = (await open({ cookie, origin: `http://127.0.0.1:${port}` })) as Client;
    expect((await client.service.info()).pid).toBe(process.pid);
    socket.close();
  });

  test('is another one for each service, and does as a bearer', async () => {
    const [one, two] = [await startForBrowsers(), await startForBrowsers()];
    const authorization = `Bearer ${new URL(one.address).searchParams.get('token')}`;
    expect((await one.ask('/', { headers: { authorization } })).status).toBe(200);
    expect((await two.ask('/', { headers: { authorization } })).status).toBe(401);
    expect(await two.connect({ authorization })).toBe(401);
  });

  test('without it, or with a wrong one, nothing is given and nothing set', async () => {
    const { ask, visit, connect: open, port } = await startForBrowsers();
    const right = await visit();
    const wrong = [
      {},
      { cookie: '' },
      { cookie: right.slice(0, -1) },
      { cookie: `${right}x` },
      { cookie: right.replace('holdfast', 'other') },
      { cookie: right.replace(String(port), '1') },
      { cookie: `holdfast-${port}=${'a'.repeat(43)}` },
      { authorization: 'Bearer wrong' },
      { authorization: `Basic ${right}` },
    ] as Record<string, string>[];
    for (const headers of wrong) {
      expect((await ask('/', { headers })).status).toBe(401);
      expect(await open(headers)).toBe(401);
    }
    for (const token of ['', 'wrong', 'a'.repeat(43)]) {
      const answer = await ask(`/?token=${token}`);
      expect([answer.status, answer.headers['set-cookie']]).toEqual([403, undefined]);
    }
    // There is no login on this host.
    expect((await ask('/login', { method: 'POST', body: '{}' })).status).toBe(401);
  });

  test('a browser that has come in is known again by the service that is started next, until it stays away for a week', async () => {
    const clock = new FakeClock(Date.UTC(2026, 10, 21));
    const memory = new Map<string, unknown>();
    const keeper = { recall: (name: string) => memory.get(name), remember: (name: string, value: unknown) => void memory.set(name, value) };
    const secret = new KnownBrowsers(keeper, clock).add();
    expect(JSON.stringify([...memory])).not.toContain(secret);
    expect(new KnownBrowsers(keeper, clock).has(secret)).toBe(true);
    expect(new KnownBrowsers(keeper, clock).has(`${secret.slice(1)}x`)).toBe(false);
    const day = 24 * 60 * 60_000;
    await clock.advance(6 * day);
    expect(new KnownBrowsers(keeper, clock).has(secret)).toBe(true);
    await clock.advance(6 * day);
    expect(new KnownBrowsers(keeper, clock).has(secret)).toBe(true);
    await clock.advance(7 * day);
    expect(new KnownBrowsers(keeper, clock).has(secret)).toBe(false);
  });

  test('only the last twenty browsers are known', () => {
    const clock = new FakeClock(0);
    let kept: unknown;
    const browsers = new KnownBrowsers({ recall: () => kept, remember: (_, value) => void (kept = value) }, clock);
    const secrets = Array.from({ length: 25 }, () => browsers.add());
    expect(secrets.map((secret) => browsers.has(secret))).toEqual(secrets.map((_, index) => index >= 5));
  });

  test('two browsers at once see the same', async () => {
    const service = await startForBrowsers();
    const [one, two] = (await Promise.all([
      service.connect({ cookie: await service.visit() }),
      service.connect({ cookie: await service.visit() }),
    ])) as Client[];
    const events = await two.client.events({});
    const next = async (): Promise<string> => ((await events.next()).value as NumberedEvent).event.type;
    expect(await next()).toBe('state');
    await one.client.pause.set({ for: 'resumed' });
    expect(await next()).toBe('pause');
    expect((await two.client.state()).pause).not.toBeNull();
    one.socket.close();
    await one.closed;
    expect((await two.client.service.info()).pid).toBe(process.pid);
  });

  test('what belongs to the computer cannot be done from a browser', async () => {
    const service = await startForBrowsers();
    const { client } = (await service.connect({ cookie: await service.visit() })) as Client;
    expect(await failureOf(client.logins.list())).toBe('local-only');
    expect(await failureOf(client.logins.add({ name: 'mallory', password: 'password' }))).toBe('local-only');
    expect(await failureOf(client.logins.remove({ name: 'mallory' }))).toBe('local-only');
    expect(await failureOf(client.logins.revoke({}))).toBe('local-only');
    expect(await service.client.logins.list()).toEqual([]);
  });

  test('ending the service says goodbye to browsers', async () => {
    const service = await startForBrowsers();
    const { closed } = (await service.connect({ cookie: await service.visit() })) as Client;
    await service.close();
    expect(await closed).toBe(1001);
    await expect(service.ask('/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('names and origins', () => {
  test('only its own names are answered, whatever else leads to this computer', async () => {
    const { ask, visit, connect: open, port } = await startForBrowsers();
    const cookie = await visit();
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]) {
      expect((await ask('/', { headers: { cookie, host } })).status, host).toBe(200);
    }
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1',
      'localhost',
      `127.0.0.1:${port + 1}`,
      `127.0.0.2:${port}`,
      `localhost.evil.example:${port}`,
      `localhost:${port}.evil.example`,
      `evil@localhost:${port}`,
      `localhost:${port}@evil`,
      `localhost.:${port}`,
      `0.0.0.0:${port}`,
    ]) {
      expect((await ask('/', { headers: { cookie, host } })).status, host).toBe(421);
      expect(await open({ cookie, host }), host).toBe(421);
    }
  });

  test('two names, or none, are refused', async () => {
    const { port, visit } = await startForBrowsers();
    const cookie = await visit();
    const two = `GET / HTTP/1.1\r\nHost: localhost:${port}\r\nHost: evil.example\r\nCookie: ${cookie}\r\n\r\n`;
    expect(statusOf(await raw(port, two))).toBe(421);
    expect(statusOf(await raw(port, `GET / HTTP/1.1\r\nCookie: ${cookie}\r\n\r\n`))).toBe(400);
    expect(statusOf(await raw(port, `GET / HTTP/1.1\r\nHost: \r\nCookie: ${cookie}\r\n\r\n`))).toBe(421);
    expect(statusOf(await raw(port, `GET / HTTP/1.0\r\nCookie: ${cookie}\r\n\r\n`))).toBe(421);
  });

  test('pages of others get nothing, though the browser has the cookie', async () => {
    const { ask, visit, connect: open, port } = await startForBrowsers();
    const cookie = await visit();
    for (const origin of [
      'null',
      'http://evil.example',
      `https://127.0.0.1:${port}`,
      `http://127.0.0.1:${port + 1}`,
      'http://127.0.0.1',
      `http://localhost:${port}`,
      `http://127.0.0.1:${port}.evil.example`,
      '',
    ]) {
      expect((await ask('/', { headers: { cookie, origin } })).status, origin).toBe(403);
      expect(await open({ cookie, origin }), origin).toBe(403);
    }
    const origin = `http://127.0.0.1:${port}`;
    expect((await ask('/', { headers: { cookie, origin } })).status).toBe(200);
  });

  test('a host for all addresses knows those of this computer, and the names that it is given', () => {
    const names = new Names(['nas.home', 'FD00::0:5'], { isEverywhere: true, isTls: true });
    names.opened(443);
    const has = (...host: string[]): boolean => names.has({ headersDistinct: { host } } as never);
    const own = Object.values(networkInterfaces()).flat()[0]!.address;
    for (const name of ['nas.home', 'NAS.home:443', '[fd00::5]', own.includes(':') ? `[${own}]` : own]) expect(has(name), name).toBe(true);
    for (const name of ['nas.home:4711', 'other.home', '203.0.113.7', '[fd00::6]', 'fd00::5']) expect(has(name), name).toBe(false);
  });
});

describe('requests that no browser sends', () => {
  test.each([
    ['another method', 'DELETE / HTTP/1.1', 405],
    ['a path that is none', 'GET * HTTP/1.1', 400],
    ['the address of another server', 'GET http://evil.example/ HTTP/1.1', 400],
    ['a path like a server', 'GET //evil.example/ HTTP/1.1', 400],
    ['a version that is none', 'GET / HTTP/9.9', 400],
    ['no HTTP at all', '\x16\x03\x01\x02\x00', 400],
    ['an upgrade to something else', 'GET /rpc HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c', 404],
    ['a WebSocket elsewhere', 'GET /other HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket', 404],
    ['a WebSocket without a key', 'GET /rpc HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13', 400],
    ['headers without an end', `GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}`, 431],
  ])('%s is refused', async (_, line, status) => {
    const { port, visit, ask } = await startForBrowsers();
    const cookie = await visit();
    const answer = await raw(
      port,
      `${line}\r\nHost: localhost:${port}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`.replace(
        /(Connection: Upgrade[\s\S]*)Connection: close\r\n/,
        '$1',
      ),
    );
    expect(statusOf(answer)).toBe(status);
    expect((await ask('/', { headers: { cookie } })).status).toBe(200);
  });

  test('CONNECT leads nowhere', async () => {
    const { port } = await startForBrowsers();
    expect(await raw(port, `CONNECT evil.example:80 HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`)).toBe('');
  });

  test('whoever is too slow is cut off, at every point, and others are served meanwhile', async () => {
    const service = await startForBrowsers({ patience: { headers: 100, request: 3_600_000, look: 20 } });
    const host = `Host: localhost:${service.port}\r\n`;
    const slow = Promise.all([raw(service.port), raw(service.port, 'GET / HT'), raw(service.port, `GET / HTTP/1.1\r\n${host}`)]);
    expect((await service.ask('/')).status).toBe(401);
    for (const text of await slow) expect(text === '' ? 408 : statusOf(text)).toBe(408);
  });

  test('messages that are too long or no messages end that connection, and no other', async () => {
    const service = await startForBrowsers();
    const headers = { cookie: await service.visit() };
    const other = (await service.connect(headers)) as Client;
    for (const message of ['nonsense', '[]', '', randomBytes(1000), Buffer.alloc(9 << 20, 'x')]) {
      const { socket, closed } = (await service.connect(headers)) as Client;
      const settled = Promise.race([closed, once(socket, 'pong')]);
      socket
        .removeAllListeners('error')
        .on('error', () => {})
        .send(message);
      socket.ping();
      await settled;
      socket.terminate();
    }
    expect((await other.client.service.info()).pid).toBe(process.pid);
  });

  test('whoever leaves in the middle is no trouble', async () => {
    const { port, ask, defects } = await startForBrowsers();
    for (const text of [
      '',
      'GET',
      `GET / HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`,
      `GET /rpc HTTP/1.1\r\nHost: localhost:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
    ]) {
      for (let i = 0; i < 10; i++) {
        const socket = connect(port, '127.0.0.1').on('error', () => {});
        await once(socket, 'connect');
        socket.write(text);
        socket.resetAndDestroy();
      }
    }
    expect((await ask('/')).status).toBe(401);
    expect(defects).toEqual([]);
  });
});

describe('the files of the interface', () => {
  const place = (): string => {
    const folder = join(scratch(), 'renderer');
    mkdirSync(join(folder, 'assets', 'ü b'), { recursive: true });
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Holdfast</title>');
    writeFileSync(join(folder, 'assets', 'main-Ab3_x-Yz.js'), 'export {};');
    writeFileSync(join(folder, 'assets', 'plain.css'), 'a{}');
    writeFileSync(join(folder, 'assets', 'ü b', 'picture.png'), randomBytes(100_000));
    writeFileSync(join(folder, '..', 'secret.txt'), 'secret');
    symlinkSync('../secret.txt', join(folder, 'link.txt'));
    symlinkSync('..', join(folder, 'up'));
    return folder;
  };

  test('go with types, headers that protect them, and are kept by browsers where they never change', async () => {
    const { ask, visit } = await startForBrowsers({ files: place() });
    const headers = { cookie: await visit() };
    const page = await ask('/', { headers });
    expect(page).toMatchObject({
      status: 200,
      body: '<!doctype html><title>Holdfast</title>',
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'private, no-cache',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'content-security-policy': expect.stringMatching(/default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/),
      },
    });
    expect((await ask('/', { headers: { ...headers, 'if-none-match': page.headers.etag! } })).status).toBe(304);
    expect(await ask('/', { headers, method: 'HEAD' })).toMatchObject({ status: 200, body: '', headers: { 'content-length': '38' } });
    const script = await ask('/assets/main-Ab3_x-Yz.js', { headers });
    expect(script.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': expect.stringContaining('immutable'),
    });
    expect((await ask('/assets/plain.css', { headers })).headers['cache-control']).toBe('private, no-cache');
    expect(await ask('/assets/%C3%BC%20b/picture.png', { headers })).toMatchObject({
      status: 200,
      headers: { 'content-length': '100000' },
    });
    expect((await ask('/assets/main-Ab3_x-Yz.js')).status).toBe(401);
  });

  test('go compressed to whoever takes that, as the build has laid them ready', async () => {
    const folder = place();
    const file = join(folder, 'assets', 'main-Ab3_x-Yz.js');
    writeFileSync(`${file}.br`, brotliCompressSync('export {};'));
    writeFileSync(`${file}.gz`, gzipSync('export {};'));
    const { ask, visit } = await startForBrowsers({ files: folder });
    const cookie = await visit();
    const script = async (accepted: string): Promise<Awaited<ReturnType<typeof ask>>> =>
      ask('/assets/main-Ab3_x-Yz.js', { headers: { cookie, 'accept-encoding': accepted } });
    const tags = new Set<unknown>();
    for (const [accepted, encoding] of [
      ['gzip, deflate, br', 'br'],
      ['gzip', 'gzip'],
      ['br;q=0, gzip;q=0.5', 'gzip'],
      ['identity', undefined],
    ]) {
      const { status, headers } = await script(accepted!);
      expect(status).toBe(200);
      expect(headers['content-encoding']).toBe(encoding);
      expect(headers).toMatchObject({ vary: 'Accept-Encoding', 'content-type': 'text/javascript; charset=utf-8' });
      tags.add(headers.etag);
    }
    expect(tags.size).toBe(3);
    const plain = await ask('/', { headers: { cookie, 'accept-encoding': 'br' } });
    expect(plain.headers).not.toHaveProperty('content-encoding');
    for (const ending of ['br', 'gz', 'map'])
      expect((await ask(`/assets/main-Ab3_x-Yz.js.${ending}`, { headers: { cookie } })).status).toBe(404);
  });

  test.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/..%5c..%5csecret.txt',
    '/assets/../../secret.txt',
    '/assets/%2e%2e/%2e%2e/secret.txt',
    '/link.txt',
    '/up/secret.txt',
    '/assets',
    '/assets/',
    '/index.html%00.png',
    '/index.html/',
    '/%',
    '/__proto__',
    '/C:/secret.txt',
  ])('%s is none of them', async (path) => {
    const { ask, visit } = await startForBrowsers({ files: place() });
    const answer = await ask(path, { headers: { cookie: await visit() } });
    expect(answer.status).toBe(404);
    expect(answer.body).not.toContain('secret');
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
  });

  test('one that is gone meanwhile is said to be', async () => {
    const files = place();
    const { ask, visit, defects } = await startForBrowsers({ files });
    rmSync(files, { recursive: true });
    expect((await ask('/', { headers: { cookie: await visit() } })).status).toBe(503);
    expect(defects).toEqual([]);
  });
});

describe('opening', () => {
  test('a port that is in use is named, and nothing of the service is left', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const folder = scratch();
    await expect(startForBrowsers({ folder, access: { port } })).rejects.toMatchObject({
      code: 'port-unusable',
      context: { address: `127.0.0.1:${port}`, cause: expect.stringContaining('EADDRINUSE') },
    });
    await startService({ folder });
  });
});
