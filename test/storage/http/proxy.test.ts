import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { HoldfastError } from '../../../src/contract/errors.ts';
import { testConnection } from '../../../src/engine/test-connection.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { parseHttpAddress } from '../../../src/storage/http/address.ts';
import { discard } from '../../../src/storage/http/body.ts';
import { TcpHttpClient } from '../../../src/storage/http/client.ts';
import { proxyFor } from '../../../src/storage/http/proxy.ts';
import { openPlace } from '../../../src/storage/place.ts';
import { Authority } from '../../support/authority.ts';
import { identity } from '../../support/engine.ts';
import { type GateOptions, openGate } from '../../support/gate.ts';
import { OddServer } from '../../support/odd-server.ts';
import { codeOf, fileFor, listAll } from '../../support/storage-suite.ts';
import { sharedScratch } from '../../support/tree-literal.ts';

const authority = new Authority(join(sharedScratch('proxy'), 'authority'));
/** No such server is known anywhere: only the proxy leads to it. */
const name = 'backup.invalid';
const { certificate, key } = authority.sign('server', {
  names: `DNS:${name},DNS:account.blob.core.windows.net,DNS:storage.googleapis.com`,
});
const tls = { cert: readFileSync(certificate), key: readFileSync(key) };

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function behindGate({ isSecure = true, ...options }: GateOptions & { isSecure?: boolean } = {}) {
  const server = await OddServer.start(isSecure ? { tls } : {});
  open.push({ close: () => server.stop() });
  const gate = await openGate(Number(new URL(server.url).port), options);
  open.push(gate);
  return { server, gate };
}

const environment = (proxy: string, more: Record<string, string> = {}) => ({
  HTTPS_PROXY: proxy,
  HTTP_PROXY: proxy,
  HOLDFAST_CACERT: authority.certificate,
  ...more,
});
const contextOf = (env: Record<string, string>) => ({ clock: systemClock, credentials: credentialsFrom(env, undefined) });
const small = Buffer.from('an index file');

describe.each([
  ['https, through a tunnel', true],
  ['http, asking for the whole address', false],
])('a server of %s', (_, isSecure) => {
  test('is used through the proxy, with user name and password', async () => {
    const { server, gate } = await behindGate({ isSecure, user: 'me:a secret' });
    const proxy = gate.url.replace('a secret', 'a%20secret');
    const storage = await openPlace(`rest:http${isSecure ? 's' : ''}://${name}/`, contextOf(environment(proxy)));
    open.push(storage);
    await storage.save(fileFor(small, 'index'), [small]);
    expect(await listAll(storage, 'index')).toEqual([{ name: fileFor(small, 'index').name, size: small.length }]);
    expect(Buffer.from(await storage.load(fileFor(small, 'index')))).toEqual(small);
    await storage.remove(fileFor(small, 'index'));
    expect(server.files.size).toBe(0);
    expect(gate.asked[0]).toMatch(isSecure ? /^CONNECT backup\.invalid:443$/ : /^(HEAD|POST) http:\/\/backup\.invalid\/index\//);
  });

  test.each([
    ['wants another password', { user: 'me:secret' }, (url: string) => url.replace('secret', 'wrong'), /407|user name/, false],
    ['is not there', {}, () => 'http://127.0.0.1:9', /ECONNREFUSED/, true],
    ['has a name that nobody knows', {}, () => 'http://proxy.invalid:3128', /ENOTFOUND|EAI_AGAIN/, true],
  ] as const)('is not reached, and the proxy is named as the reason, when that %s', async (__, options, proxyOf, cause, retryable) => {
    const { gate } = await behindGate({ isSecure, ...options });
    const storage = await openPlace(`rest:http${isSecure ? 's' : ''}://${name}/`, contextOf(environment(proxyOf(gate.url))));
    open.push(storage);
    const error = await storage.size({ kind: 'config', name: '' }).catch((thrown: unknown) => thrown as HoldfastError);
    expect(error).toMatchObject({ code: 'proxy-failed', retryable, context: { server: name } });
    expect((error as HoldfastError).message).toMatch(cause);
    expect(JSON.stringify(error)).not.toMatch(/wrong|secret|me:/);
  });
});

test.each<[string, (socket: Socket) => void, RegExp]>([
  ['refuses the way there', (socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'), /403/],
  ['does not find the server', (socket) => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'), /502/],
  ['closes the connection', (socket) => socket.destroy(), /ended/],
  ['says nothing', () => {}, /timed out/],
  ['talks nonsense', (socket) => socket.end('what?\r\n\r\n'), /tunnel|what/],
])('a proxy that %s is told as the reason', async (_, meet, cause) => {
  const { gate } = await behindGate({ meet });
  const client = new TcpHttpClient({
    address: parseHttpAddress('x', `https://${name}/`),
    location: 'x',
    clock: systemClock,
    proxy: { url: gate.url, shown: gate.url },
    patience: { connectMs: 300 },
  });
  open.push(client);
  const error = await client.send({ method: 'GET', path: '/' }).catch((thrown: unknown) => thrown as HoldfastError);
  expect(error).toMatchObject({ code: 'proxy-failed', retryable: true });
  expect((error as HoldfastError).message).toMatch(cause);
});

test('a server that falls silent behind the tunnel is cut off, and is what is wrong', async () => {
  const { gate } = await behindGate({ meet: (socket) => void socket.write('HTTP/1.1 200 OK\r\n\r\n') });
  const client = new TcpHttpClient({
    address: parseHttpAddress('x', `https://${name}/`),
    location: 'x',
    clock: systemClock,
    proxy: { url: gate.url, shown: gate.url },
    patience: { connectMs: 300, idleMs: 300 },
  });
  open.push(client);
  expect(await codeOf(client.send({ method: 'GET', path: '/' }))).toBe('connection-lost');
});

test('the certificate is the server’s to show, whatever the proxy is', async () => {
  const { gate } = await behindGate();
  const storage = await openPlace('rest:https://another.invalid/', contextOf(environment(gate.url)));
  open.push(storage);
  expect(await codeOf(storage.size({ kind: 'config', name: '' }))).toBe('certificate-wrong-name');
});

test.each([
  [`s3:https://${name}/bucket`, { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'key' }, name],
  ['azure:container:/path', { AZURE_ACCOUNT_NAME: 'account', AZURE_ACCOUNT_KEY: 'c2VjcmV0' }, 'account.blob.core.windows.net'],
  ['gs:bucket:/path', { GOOGLE_ACCESS_TOKEN: 'token' }, 'storage.googleapis.com'],
  [`webdav:https://${name}/path/`, {}, name],
  [`rest:https://${name}/path/`, {}, name],
] as const)('%s goes through the proxy, too, and the connection test says when that is wrong', async (place, credentials, host) => {
  const { gate, server } = await behindGate();
  server.meet = (request, response) => void request.resume().on('end', () => response.writeHead(404).end());
  const test = { ...contextOf(environment(gate.url, credentials)), identity };
  await testConnection(place, test);
  expect(gate.asked[0]).toBe(`CONNECT ${host}:443`);
  const wrong = await testConnection(place, { ...contextOf(environment('http://127.0.0.1:9', credentials)), identity });
  expect(wrong).toMatchObject({ verdict: 'unusable', error: { code: 'proxy-failed', context: { proxy: 'http://127.0.0.1:9' } } });
});

test('a kept connection through a tunnel is used again', async () => {
  const { gate } = await behindGate();
  const client = new TcpHttpClient({
    address: parseHttpAddress('x', `https://${name}/`),
    location: 'x',
    clock: systemClock,
    tls: { ca: [readFileSync(authority.certificate, 'utf8')], certificate: undefined },
    proxy: { url: gate.url, shown: gate.url },
  });
  open.push(client);
  for (let i = 0; i < 3; i++) await discard(await client.send({ method: 'GET', path: '/config' }));
  expect(gate.asked).toHaveLength(1);
});

describe('which proxy is meant', () => {
  const proxyOf = (place: string, env: Record<string, string>): string | undefined =>
    proxyFor(parseHttpAddress('rest', place), credentialsFrom(env, undefined))?.shown;
  const both = { HTTPS_PROXY: 'http://secure:1', HTTP_PROXY: 'http://plain:2' };

  test('depends on whether the address is of https', () => {
    expect(proxyOf('https://server/', both)).toBe('http://secure:1');
    expect(proxyOf('http://server/', both)).toBe('http://plain:2');
    expect(proxyOf('http://server/', { HTTPS_PROXY: 'http://secure:1' })).toBeUndefined();
    expect(proxyOf('http+unix:///socket:/', both)).toBeUndefined();
    expect(proxyOf('https://server/', {})).toBeUndefined();
  });

  test('may be written in lower case, without http://, and with a secret that is not shown', () => {
    expect(proxyOf('https://server/', { https_proxy: 'user:secret@proxy:3128' })).toBe('http://proxy:3128');
    expect(proxyOf('http://server/', { http_proxy: 'https://proxy' })).toBe('https://proxy');
  });

  test.each(['socks5://user:secret@proxy:1080', 'http://', 'http://user:secret@[proxy', 'http://user:secret@proxy:99999999'])(
    '%s is refused without showing it',
    (HTTPS_PROXY) => {
      let thrown: unknown;
      try {
        proxyOf('https://server/', { HTTPS_PROXY });
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(HoldfastError);
      expect(thrown).toMatchObject({ code: 'bad-usage' });
      expect(JSON.stringify(thrown)).not.toContain('secret');
    },
  );

  test.each<[string, readonly string[], readonly string[]]>([
    ['*', ['server', '10.1.2.3'], []],
    ['example.org', ['example.org', 'a.b.example.org', 'EXAMPLE.org'], ['badexample.org', 'example.org.evil']],
    ['.example.org, *.example.net', ['a.example.org', 'b.example.net'], ['example.org', 'example.net']],
    ['10.0.0.0/8,192.168.1.7', ['10.250.1.1', '192.168.1.7'], ['11.0.0.1', '192.168.1.8', '10.example.org']],
    ['fd00::/8 [fe80::1]', ['[fd12::5]', '[fe80::1]'], ['[fe80::2]', '[2001:db8::1]']],
    ['nas:8443', ['nas:8443'], ['nas', 'nas:8444']],
    ['10.0.0.0/99,/,:,[', [], ['10.0.0.1', 'server']],
    ['', ['localhost', '127.0.0.1', '127.9.9.9', '[::1]'], ['server']],
  ])('NO_PROXY=%s', (NO_PROXY, without, through) => {
    for (const host of without) expect([host, proxyOf(`https://${host}/`, { ...both, NO_PROXY })]).toEqual([host, undefined]);
    for (const host of through)
      expect([host, proxyOf(`https://${host}/`, { ...both, no_proxy: NO_PROXY })]).toEqual([host, 'http://secure:1']);
  });
});
