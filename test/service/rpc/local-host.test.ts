import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { readAccess } from '../../../src/service/access.ts';
import { profileAt } from '../../../src/service/profile.ts';
import { attach, clientOver } from '../../../src/service/rpc/client.ts';
import { connectFolder, createPlan, startService } from '../../support/service.ts';
import { scratch } from '../../support/tree-literal.ts';

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

const rawClient = (address: string, authorization: string, path = '/rpc'): WebSocket =>
  new WebSocket(`ws://localhost${path}`, { createConnection: () => connect(address), headers: { authorization } });

/** The status with which a connection is refused. */
async function refusal(socket: WebSocket): Promise<number> {
  socket.on('error', () => {});
  const [request, response] = (await once(socket, 'unexpected-response')) as [ClientRequest, IncomingMessage];
  request.destroy();
  return response.statusCode!;
}

test('socket and access file are for the eyes of their person alone', async () => {
  const { profile } = await startService();
  expect(statSync(profile.folder).mode & 0o777).toBe(0o700);
  expect(statSync(profile.accessFile).mode & 0o777).toBe(0o600);
  expect(statSync(profile.socket).mode & 0o777).toBe(0o600);
});

test('a second service of the same profile is refused, and names the first; one of another profile is not', async () => {
  const service = await startService();
  await expect(startService({ folder: service.folder })).rejects.toMatchObject({ code: 'service-running', context: { pid: process.pid } });
  expect((await service.client.service.info()).pid).toBe(process.pid);
  await startService();
});

test('what a killed service leaves is in nobody’s way', async () => {
  const folder = scratch();
  const first = await startService({ folder });
  await first.close();
  writeFileSync(first.profile.socket, 'no socket at all');
  writeFileSync(first.profile.accessFile, '{"pid":1,"half":');
  writeFileSync(`${first.profile.accessFile}.tmp`, 'left');
  expect((await (await startService({ folder })).client.service.info()).pid).toBe(process.pid);
});

test('without a service the client says so, whatever lies there', async () => {
  const profile = profileAt(join(scratch(), 'profile'));
  expect(await codeOf(attach(profile))).toBe('service-absent');
  const service = await startService();
  const access = readFileSync(service.profile.accessFile, 'utf8');
  await service.close();
  expect(await codeOf(attach(service.profile))).toBe('service-absent');
  writeFileSync(service.profile.accessFile, access);
  expect(await codeOf(attach(service.profile))).toBe('service-absent');
});

test('a service of another version of the contract is not talked to', async () => {
  const { profile } = await startService();
  const access = readAccess(profile)!;
  writeFileSync(profile.accessFile, JSON.stringify({ ...access, protocol: 999, version: '9.9.9' }));
  await expect(attach(profile)).rejects.toMatchObject({ code: 'service-other-version', context: { version: '9.9.9' } });
});

test.each([
  ['no token', ''],
  ['a wrong token', 'Bearer wrong'],
  ['a token of the right length', `Bearer ${'a'.repeat(43)}`],
])('%s is refused', async (_, authorization) => {
  const { profile } = await startService();
  expect(await refusal(rawClient(readAccess(profile)!.socket, authorization))).toBe(401);
});

test('another path, and plain HTTP, lead nowhere', async () => {
  const { profile } = await startService();
  const { socket: address, token } = readAccess(profile)!;
  expect(await refusal(rawClient(address, `Bearer ${token}`, '/other'))).toBe(401);
  const [answer] = (await once(get({ socketPath: address, path: '/', agent: false }), 'response')) as [IncomingMessage];
  expect(answer.resume().statusCode).toBe(404);
});

test('malformed and oversized messages end that connection, and no other', async () => {
  const service = await startService();
  const { socket: address, token } = readAccess(service.profile)!;
  const messages = [
    'nonsense',
    '{"i":1}',
    '[]',
    'null',
    '',
    JSON.stringify({ i: '1', p: { u: '/nowhere', b: {} } }),
    randomBytes(1000),
    Buffer.alloc(9 << 20, 'x'),
    JSON.stringify({ i: '2', p: { u: '/plans/create', b: { json: { __proto__: { x: 1 }, name: [[[]]] } } } }),
  ];
  for (const message of messages) {
    const socket = rawClient(address, `Bearer ${token}`);
    await once(socket, 'open');
    // The pong comes behind whatever the service makes of the message.
    const settled = Promise.race([once(socket, 'close'), once(socket, 'pong')]);
    socket.on('error', () => {}).send(message);
    socket.ping();
    await settled;
    socket.terminate();
  }
  expect((await service.client.service.info()).pid).toBe(process.pid);
});

test('an unknown procedure is refused in words', async () => {
  const { client } = await startService();
  const unknown = (client as unknown as { nothing: { such: (input: object) => Promise<void> } }).nothing.such({});
  await expect(unknown).rejects.toMatchObject({ code: expect.stringMatching(/^(request-invalid|service-lost)$/) });
});

test('a client that leaves in the middle of a request is no trouble', async () => {
  const service = await startService();
  for (let i = 0; i < 20; i++) {
    const other = await attach(service.profile);
    const asked = other.client.state().catch(() => {});
    void other.client.events({}).catch(() => {});
    other.close();
    await Promise.all([asked, other.closed]);
  }
  expect((await service.client.service.info()).pid).toBe(process.pid);
});

test('a client is asked to end the service', async () => {
  const service = await startService();
  await service.client.service.stop();
  await service.stopped;
});

test('a profile whose path is too long for a socket has it elsewhere, for its person alone', async () => {
  const folder = join(scratch(), 'a'.repeat(60), 'b'.repeat(60));
  const service = await startService({ folder });
  expect(service.profile.socket.startsWith(service.profile.folder)).toBe(false);
  expect(Buffer.byteLength(service.profile.socket)).toBeLessThan(104);
  expect((await service.client.service.info()).profile).toBe(service.profile.folder);
  await service.close();
  // Stays for the next time, empty.
  rmdirSync(dirname(service.profile.socket));
});

test('a folder for sockets that somebody else has prepared is not used', async () => {
  const folder = join(scratch(), 'c'.repeat(60), 'd'.repeat(60));
  const { socket } = profileAt(join(folder, 'profile'));
  symlinkSync(scratch(), dirname(socket));
  await expect(startService({ folder })).rejects.toMatchObject({ code: 'service-not-started' });
  rmSync(dirname(socket));
});

test('for a client that asks on and on, and does not read, no answers pile up; when it reads it gets them all', async () => {
  const service = await startService();
  const destination = await connectFolder(service);
  const sources = Array.from({ length: 1000 }, (_, i) => ({ kind: 'folder' as const, path: `/${'x'.repeat(1000)}${i}` }));
  await createPlan(service, service.folder, destination, { sources });
  let made = 0;
  const { overview } = service.service;
  const { whole } = overview;
  overview.whole = () => {
    made++;
    return whole.call(overview);
  };
  const { token, socket: address } = readAccess(service.profile)!;
  const socket = rawClient(address, `Bearer ${token}`);
  await once(socket, 'open');
  const client = clientOver(socket);
  socket.pause();
  const answers = Array.from({ length: 130 }, () => client.state());
  // Another client is served meanwhile.
  while (made < 100) await service.client.service.info();
  for (let i = 0; i < 20; i++) await service.client.service.info();
  expect(made).toBe(100);
  socket.resume();
  expect((await Promise.all(answers)).every(({ plans }) => plans.length === 1)).toBe(true);
  socket.close();
});
