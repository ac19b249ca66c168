import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { placeOf } from '../../../main/headless/login-door.ts';
import { authority, type BrowserService, type BrowserSetup, type Client, overTls, startForBrowsers } from '../../support/browser.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { startService } from '../../support/service.ts';
import { scratch } from '../../support/tree-literal.ts';

const name = 'anna';
const password = 'a long password';

/** A service for other computers, with a login. */
async function startAtHome(setup: BrowserSetup = {}): Promise<BrowserService> {
  const folder = scratch();
  const before = await startService({ folder });
  await before.client.logins.add({ name, password });
  await before.close();
  return startForBrowsers({ folder, access: overTls(), ...setup });
}

const asJson = (value: unknown): { method: string; headers: Record<string, string>; body: string } => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: typeof value === 'string' ? value : JSON.stringify(value),
});

describe('listening for other computers', () => {
  test('takes a login, which the command line makes, and then gives all that a client can do', async () => {
    const service = await startAtHome();
    expect(service.address).toBe(`https://localhost:${service.port}/`);
    expect(await service.connect({})).toBe(401);
    const { status, cookie, headers } = await service.logIn(name, password);
    expect(status).toBe(204);
    expect(headers['set-cookie']![0]).toMatch(
      new RegExp(`^__Host-holdfast-${service.port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=2592000$`),
    );
    const { client, socket } = (await service.connect({ cookie: cookie! })) as Client;
    expect((await client.service.info()).pid).toBe(process.pid);
    expect(await client.logins.list().catch((error: { code: string }) => error.code)).toBe('local-only');
    expect(await service.client.logins.list()).toMatchObject([{ name, sessions: [{ address: '127.0.0.1' }] }]);
    socket.close();
    const bearer = { authorization: `Bearer ${cookie!.split('=')[1]}` };
    expect(await service.ask('/session', { headers: bearer })).toMatchObject({ status: 200, body: JSON.stringify({ name }) });
  });

  test('shows the interface to everybody, for it asks for the password, and nothing else', async () => {
    const service = await startAtHome();
    expect((await service.ask('/')).status).toBe(200);
    const session = await service.ask('/session');
    expect(session.status).toBe(401);
    expect(JSON.parse(session.body)).toMatchObject({ code: 'login-needed' });
    expect((await service.ask('/?token=anything')).status).toBe(200);
  });

  test('is refused without a login, without TLS, and with files that are no certificate and key of one another', async () => {
    const folder = scratch();
    const other = authority().sign('other');
    const nonsense = join(folder, 'nonsense.pem');
    writeFileSync(nonsense, 'nonsense');
    const { tlsCert, tlsKey, ...open } = overTls();
    for (const [access, code] of [
      [open, 'listen-without-tls'],
      [{ ...open, tlsCert }, 'listen-without-tls'],
      [{ ...open, tlsKey }, 'listen-without-tls'],
      [{ ...open, tlsCert, tlsKey: other.key }, 'tls-unusable'],
      [{ ...open, tlsCert: tlsKey, tlsKey: tlsCert }, 'tls-unusable'],
      [{ ...open, tlsCert: nonsense, tlsKey }, 'tls-unusable'],
      [{ ...open, tlsCert: join(folder, 'nothing'), tlsKey }, 'tls-unusable'],
      [{ ...open, tlsCert, tlsKey }, 'listen-without-login'],
    ] as const) {
      await expect(startForBrowsers({ folder, access })).rejects.toMatchObject({ code });
    }
    await expect(startForBrowsers({ folder, access: { ...overTls(), tlsKey: other.key } })).rejects.toMatchObject({
      context: { cause: 'the key belongs to another certificate' },
    });
    await startService({ folder });
  });

  test('speaks TLS alone, and not with old ones or strangers who only connect', async () => {
    const service = await startAtHome({ patience: { headers: 200, request: 400, look: 20 } });
    const plain = connectTcp(service.port, '127.0.0.1').on('error', () => {});
    plain.write(`GET / HTTP/1.1\r\nHost: localhost:${service.port}\r\n\r\n`);
    let heard = '';
    plain.on('data', (piece: Buffer) => (heard += piece.toString('latin1')));
    const silent = connectTcp(service.port, '127.0.0.1').on('error', () => {});
    await Promise.all([once(plain, 'close'), once(silent.resume(), 'close')]);
    expect(heard).not.toContain('HTTP/1.1 200');
    const old = connectTls({
      host: '127.0.0.1',
      port: service.port,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
      rejectUnauthorized: false,
    });
    await expect(once(old, 'secureConnect')).rejects.toThrow(/alert protocol version/);
    expect((await service.ask('/')).status).toBe(200);
  });

  test('only its own names are answered, and pages of others get nothing', async () => {
    const service = await startAtHome();
    const { cookie } = await service.logIn(name, password);
    for (const host of [`evil.example:${service.port}`, `192.168.1.5:${service.port}`, 'localhost']) {
      expect((await service.ask('/', { headers: { host } })).status).toBe(421);
    }
    expect((await service.ask('/', { headers: { host: `127.0.0.1:${service.port}` } })).status).toBe(200);
    for (const origin of ['https://evil.example', `http://localhost:${service.port}`, 'null']) {
      expect(await service.connect({ cookie: cookie!, origin })).toBe(403);
      const asking = asJson({ name, password });
      expect((await service.ask('/login', { ...asking, headers: { ...asking.headers, origin } })).status).toBe(403);
    }
  });
});

describe('logging in', () => {
  test('a wrong password and a wrong name are told apart by nothing', async () => {
    const service = await startAtHome();
    const [one, two] = [await service.logIn(name, 'wrong password'), await service.logIn('nobody', password)];
    expect([one.status, one.cookie]).toEqual([401, undefined]);
    const known = ({ headers, ...rest }: typeof one): unknown => ({ ...rest, headers: { ...headers, date: '' } });
    expect(known(two)).toEqual(known(one));
    expect(JSON.parse(one.body)).toMatchObject({ code: 'login-refused', retryable: false });
  });

  test('too many attempts wait, and say how long', async () => {
    const clock = new FakeClock(Date.UTC(2026, 0, 2));
    const service = await startAtHome({ clock });
    for (let i = 0; i < 5; i++) expect((await service.logIn(name, 'wrong password')).status).toBe(401);
    const refused = await service.logIn(name, password);
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'login-paused', context: { seconds: 1 }, retryable: true });
    await clock.advance(1000);
    expect((await service.logIn(name, 'wrong password')).status).toBe(401);
    expect(await service.logIn(name, password)).toMatchObject({ status: 429, headers: { 'retry-after': '2' } });
    await clock.advance(2000);
    expect((await service.logIn(name, password)).status).toBe(204);
  });

  test.each([
    ['no JSON', asJson('{"name":'), 400],
    ['no object', asJson('"anna"'), 400],
    ['no password', asJson({ name }), 400],
    ['more than is asked for', asJson({ name, password, admin: true }), 400],
    ['a name that is no text', asJson({ name: { $ne: null }, password }), 400],
    ['an empty password', asJson({ name, password: '' }), 400],
    ['another type, which a form can send', { ...asJson({ name, password }), headers: { 'content-type': 'text/plain' } }, 415],
    ['no type', { method: 'POST', body: JSON.stringify({ name, password }) }, 415],
    ['a body that is too long', asJson({ name, password: 'x'.repeat(10_000) }), 413],
    ['a body that is far too long', asJson('x'.repeat(5 << 20)), 413],
    ['another method', { method: 'GET' }, 405],
  ])('%s is refused', async (_, asking, status) => {
    const service = await startAtHome();
    // What is far too long may not be taken to its end.
    const answer = await service.ask('/login', asking).catch((error: { code: string }) => error.code);
    expect([status, 'EPIPE', 'ECONNRESET'].slice(0, status === 413 ? 3 : 1)).toContain(typeof answer === 'string' ? answer : answer.status);
    expect((await service.logIn(name, password)).status).toBe(204);
  });

  test('a body that never comes is not waited for', async () => {
    const service = await startAtHome({ patience: { headers: 100, request: 200, look: 20 } });
    const socket = connectTls({ host: '127.0.0.1', port: service.port, rejectUnauthorized: false }).on('error', () => {});
    let heard = '';
    socket.on('data', (piece: Buffer) => (heard += piece.toString()));
    socket.write(
      `POST /login HTTP/1.1\r\nHost: localhost:${service.port}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"name":`,
    );
    await once(socket, 'close');
    expect(heard).toContain('HTTP/1.1 408');
    expect(service.defects).toEqual([]);
  });
});

describe('a session', () => {
  test('that is logged out is out, also where it is connected', async () => {
    const service = await startAtHome();
    const [one, two] = [(await service.logIn(name, password)).cookie!, (await service.logIn(name, password)).cookie!];
    const [first, second] = [(await service.connect({ cookie: one })) as Client, (await service.connect({ cookie: two })) as Client];
    const answer = await service.ask('/logout', { method: 'POST', headers: { cookie: one } });
    expect(answer.headers['set-cookie']![0]).toContain('Max-Age=0');
    await first.closed;
    expect(await service.connect({ cookie: one })).toBe(401);
    expect((await service.ask('/session', { headers: { cookie: one } })).status).toBe(401);
    expect((await second.client.service.info()).pid).toBe(process.pid);
  });

  test('that is revoked by the command line is out at once', async () => {
    const service = await startAtHome();
    const cookie = (await service.logIn(name, password)).cookie!;
    const { closed, client } = (await service.connect({ cookie })) as Client;
    const waiting = client.events({}).then(async (events) => {
      for await (const _ of events);
    });
    expect(await service.client.logins.revoke({ name })).toEqual({ ended: 1 });
    await closed;
    await waiting.catch(() => {});
    expect(await service.connect({ cookie })).toBe(401);
    expect((await service.logIn(name, password)).status).toBe(204);
    await service.client.logins.remove({ name });
    expect((await service.logIn(name, password)).status).toBe(401);
  });

  test('whose time is over is out, also where it is connected', async () => {
    const clock = new FakeClock(Date.UTC(2026, 0, 2));
    const service = await startAtHome({ clock });
    const cookie = (await service.logIn(name, password)).cookie!;
    const { closed, client } = (await service.connect({ cookie })) as Client;
    // Connected is in use.
    for (let days = 0; days < 4; days++) {
      clock.jumpWall(6 * 24 * 60 * 60_000);
      await clock.advance(20_000);
      expect((await client.service.info()).pid).toBe(process.pid);
      await clock.advance(40_000);
      await client.service.info();
    }
    clock.jumpWall(6 * 24 * 60 * 60_000);
    await clock.advance(60_000);
    await closed;
    expect(await service.connect({ cookie })).toBe(401);
  });

  test('goes on with the next service', async () => {
    const folder = scratch();
    const before = await startService({ folder });
    await before.client.logins.add({ name, password });
    await before.close();
    const first = await startForBrowsers({ folder, access: overTls() });
    const secret = (await first.logIn(name, password)).cookie!.split('=')[1];
    await first.close();
    const second = await startForBrowsers({ folder, access: overTls() });
    expect((await second.ask('/session', { headers: { authorization: `Bearer ${secret}` } })).status).toBe(200);
  });
});

test.each([
  ['192.168.1.7', '192.168.1.7'],
  ['::ffff:192.168.1.7', '192.168.1.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('attempts from %s count for %s', (address, place) => expect(placeOf(address)).toBe(place));
