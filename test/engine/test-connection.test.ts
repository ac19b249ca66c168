import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type ConnectionReport, type ConnectionTest, testConnection } from '../../src/engine/test-connection.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { hostIdentity } from '../../src/platform/host.ts';
import { leastCost } from '../../src/repository/keys.ts';
import { Repository } from '../../src/repository/repository.ts';
import { credentialsFrom } from '../../src/storage/credentials.ts';
import { openPlace } from '../../src/storage/place.ts';
import { OddServer } from '../support/odd-server.ts';
import { startRestServer } from '../support/servers.ts';
import { scratch } from '../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../support/unhandled.ts';

refuseUnhandledRejections();

const password = 'correct horse';
const self = hostIdentity();

const context = (env: Record<string, string> = {}): ConnectionTest => ({
  clock: systemClock,
  credentials: credentialsFrom(env, undefined),
  identity: self,
});

/** A repository whose key says that it was made by this person. */
async function makeRepository(place: string, owner = self, env: Record<string, string> = {}): Promise<string> {
  const storage = await openPlace(place, context(env));
  const { config } = await Repository.init(storage, password, owner, systemClock, { cost: leastCost });
  await storage.close();
  return config.id;
}

/** What each step gave. */
const results = ({ steps }: ConnectionReport): Record<string, string> =>
  Object.fromEntries(steps.map(({ step, result }) => [step, result]));

describe('a folder', () => {
  test('with a repository is ready, and left as it was', async () => {
    const folder = join(scratch(), 'repo');
    const id = await makeRepository(folder);
    const before = readdirSync(folder, { recursive: true }).sort();
    const report = await testConnection(folder, { ...context(), password });
    expect(report).toMatchObject({
      location: folder,
      verdict: 'ready',
      error: undefined,
      repository: { id, isOwn: true },
      isAppendOnly: false,
    });
    expect(results(report)).toEqual({ reach: 'ok', repository: 'ok', write: 'ok', remove: 'ok', password: 'ok' });
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before);
  });

  test('that is not there is missing, and is made only when that is wanted', async () => {
    const folder = join(scratch(), 'deep/repo');
    expect(await testConnection(folder, context())).toMatchObject({ verdict: 'missing', repository: undefined, error: undefined });
    expect(existsSync(folder)).toBe(false);
    const report = await testConnection(folder, { ...context(), create: true });
    expect(report).toMatchObject({ verdict: 'empty' });
    expect(results(report)).toMatchObject({ create: 'ok', write: 'ok', remove: 'ok' });
    await makeRepository(folder);
    expect(await testConnection(folder, context())).toMatchObject({ verdict: 'ready', repository: { id: undefined } });
  });

  test('without a repository is empty, and nothing is written there', async () => {
    const folder = join(scratch(), 'empty');
    mkdirSync(folder);
    const report = await testConnection(folder, context());
    expect(report).toMatchObject({ verdict: 'empty', error: undefined });
    expect(results(report)).toEqual({ reach: 'ok', repository: 'ok', write: 'skipped' });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('with a repository that was begun and not finished says so', async () => {
    const folder = join(scratch(), 'repo');
    await makeRepository(folder);
    rmSync(join(folder, 'config'));
    const report = await testConnection(folder, context());
    expect(results(report)).toMatchObject({ repository: 'warning' });
    expect(report.verdict).toBe('empty');
  });

  test('that cannot be made is unusable, and says why', async () => {
    const report = await testConnection('/proc/nowhere/repo', { ...context(), create: true });
    expect(report.verdict).toBe('unusable');
    expect(results(report)).toMatchObject({ create: 'failed' });
    expect(report.error?.guidance).not.toBe('');
  });
});

describe('a server', () => {
  let server: OddServer;
  let place: string;
  beforeEach(async () => {
    server = await OddServer.start();
    onTestFinished(() => server.stop());
    place = `rest:${server.url}/`;
  });

  test('with a repository is ready, and left as it was', async () => {
    await makeRepository(place);
    const before = new Map(server.files);
    const report = await testConnection(place, { ...context(), password });
    expect(report).toMatchObject({ verdict: 'ready', isAppendOnly: false });
    expect(results(report)).toEqual({ reach: 'ok', repository: 'ok', write: 'ok', remove: 'ok', clock: 'ok', password: 'ok' });
    expect(server.files).toEqual(before);
    expect(report.answerMs).toBeGreaterThan(0);
  });

  test('is asked nothing that writes when that is not wanted', async () => {
    await makeRepository(place);
    server.requests.length = 0;
    const report = await testConnection(place, { ...context(), write: false });
    expect(results(report)).toMatchObject({ write: 'skipped' });
    expect(server.requests.filter((request) => !/^(GET|HEAD) /.test(request))).toEqual([]);
  });

  test('with the repository of another person says whose it is', async () => {
    await makeRepository(place, { ...self, username: 'anna', hostname: 'laptop' });
    const report = await testConnection(place, { ...context(), password: 'a guess' });
    expect(report).toMatchObject({
      verdict: 'unusable',
      error: { code: 'wrong-password' },
      repository: { id: undefined, isOwn: false, keys: [{ username: 'anna', hostname: 'laptop' }] },
    });
    expect(report.steps.find(({ step }) => step === 'repository')?.detail).toContain('made by anna on laptop');
  });

  test('whose trial of an earlier test is left is tried all the same, and tidied up', async () => {
    await makeRepository(place);
    server.files.set('/locks/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', Buffer.alloc(0));
    expect(results(await testConnection(place, context()))).toMatchObject({ write: 'ok', remove: 'ok' });
    expect([...server.files.keys()].filter((path) => path.startsWith('/locks'))).toEqual([]);
  });

  test('that may be read alone is unusable for backups, and what is there is told', async () => {
    await makeRepository(place);
    server.meet = (request, response, usual) =>
      request.method === 'POST' ? request.resume().on('end', () => response.writeHead(403).end()) : usual();
    const report = await testConnection(place, { ...context(), password });
    expect(report).toMatchObject({ verdict: 'unusable', error: { code: 'storage-denied' }, repository: { isOwn: true } });
    expect(results(report)).toMatchObject({ reach: 'ok', repository: 'ok', write: 'failed', password: 'ok' });
  });

  test('whose clock is wrong is told about', async () => {
    await makeRepository(place);
    server.meet = (_, response, usual) => {
      response.setHeader('date', new Date(systemClock.now() - 45 * 60_000).toUTCString());
      return usual();
    };
    const report = await testConnection(place, context());
    expect(report.verdict).toBe('ready');
    expect(report.steps.find(({ step }) => step === 'clock')).toMatchObject({
      result: 'warning',
      detail: 'The clock of this computer is 45 minutes ahead of that of the server; one of them is wrong.',
    });
  });

  test('that holds packs and no config is damaged, not empty', async () => {
    server.files.set(`/data/${'a'.repeat(64)}`, Buffer.from('pack'));
    expect(await testConnection(place, context())).toMatchObject({ verdict: 'unusable', error: { code: 'config-invalid' } });
  });

  test.each([
    [401, 'credentials-missing'],
    [403, 'storage-denied'],
    [500, 'storage-failed'],
    [429, 'server-busy'],
    [302, 'server-moved'],
  ])('that answers %d is unusable: %s', async (status, code) => {
    server.meet = (_, response) => response.writeHead(status, { location: 'https://elsewhere.example/login' }).end();
    const report = await testConnection(place, context());
    expect(report).toMatchObject({ verdict: 'unusable', error: { code }, repository: undefined });
    expect(results(report)).toEqual({ reach: 'failed' });
    expect(server.requests).toHaveLength(1);
  });
});

test.each([
  ['rest:http://no-such-server.invalid/', 'reach', 'server-unknown'],
  ['rest:http://127.0.0.1:9/', 'reach', 'server-refused'],
  ['rest:ftp://server/', 'address', 'bad-usage'],
  ['rest:https://me:secret@server/#x', 'address', 'bad-usage'],
])('%s fails where it is wrong', async (place, step, code) => {
  const report = await testConnection(place, context());
  expect(report).toMatchObject({ verdict: 'unusable', error: { code } });
  expect(results(report)).toEqual({ [step]: 'failed' });
  expect(JSON.stringify(report)).not.toContain('secret');
});

test('a file of certificates that is not there fails at the address', async () => {
  const report = await testConnection('rest:https://127.0.0.1:9/', context({ HOLDFAST_CACERT: '/nowhere/ca.pem' }));
  expect(report).toMatchObject({ verdict: 'unusable', error: { code: 'input-unreadable' } });
});

describe('rest-server', () => {
  test('that only takes additions can be used, with a warning', async () => {
    const server = await startRestServer({ appendOnly: true });
    onTestFinished(() => server.stop());
    await makeRepository(`rest:${server.url}/me/`);
    const report = await testConnection(`rest:${server.url}/me/`, { ...context(), password });
    expect(report).toMatchObject({ verdict: 'ready', isAppendOnly: true });
    expect(results(report)).toMatchObject({ write: 'ok', remove: 'warning', password: 'ok' });
  });

  test('wants the right user and password, on that user’s own path', async () => {
    const user = { username: 'me', password: 'a password' };
    const server = await startRestServer({ user, extra: ['--private-repos'] });
    onTestFinished(() => server.stop());
    const env = { RESTIC_REST_USERNAME: 'me', RESTIC_REST_PASSWORD: 'a password' };
    const codeAt = async (path: string, given: Record<string, string>): Promise<string | undefined> =>
      (await testConnection(`rest:${server.url}/${path}/`, context(given))).error?.code;
    expect(await codeAt('me', {})).toBe('credentials-missing');
    expect(await codeAt('me', { ...env, RESTIC_REST_PASSWORD: 'guess' })).toBe('credentials-refused');
    expect(await codeAt('you', env)).toBe('credentials-refused');
    expect(await codeAt('me', env)).toBeUndefined();
  });
});
