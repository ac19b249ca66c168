import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Authority } from '../support/authority.ts';
import { Cli, holdfast, quickRepositoryAt } from '../support/cli.ts';
import { startApache, startRcloneWebdav } from '../support/dav-servers.ts';
import { expectSameTree } from '../support/judge.ts';
import { jsonLines } from '../support/restic.ts';
import type { RunningServer } from '../support/servers.ts';
import { expectBothOnHoldfastsRepository, expectBothOnResticsRepository, type SharedPlace } from '../support/shared-place.ts';
import { scratch, sharedScratch, tree } from '../support/tree-literal.ts';

const user = { username: 'me', password: 'very?secret/wörd' };
const obscured = execFileSync('rclone', ['obscure', user.password], { encoding: 'utf8' }).trim();

const started: RunningServer[] = [];
let apache: RunningServer;
let rclone: RunningServer;
let digest: RunningServer;
/** By TLS. */
let trusting: Record<string, string> = {};
let count = 0;
const folderOfAll = sharedScratch();

beforeAll(async () => {
  started.push((apache = await startApache({ user })));
  started.push((rclone = await startRcloneWebdav({ user })));
  const authority = new Authority(join(folderOfAll, 'authority'));
  trusting = { HOLDFAST_CACERT: authority.certificate };
  started.push((digest = await startApache({ user, signIn: 'digest', nonceLifetime: 1, tls: authority.sign('server') })));
});

afterAll(async () => {
  for (const server of started) await server.stop();
});

const own = { HOLDFAST_WEBDAV_USERNAME: user.username, HOLDFAST_WEBDAV_PASSWORD: user.password, HOLDFAST_DEBUG: '1' };

/** As they may show up somewhere. */
const secrets = [
  user.password,
  encodeURIComponent(user.password),
  Buffer.from(`${user.username}:${user.password}`).toString('base64'),
  createHash('md5').update(`${user.username}:backups, "mine":${user.password}`).digest('hex'),
];

/** restic speaks no WebDAV itself: its rclone does. */
const shared = (server: RunningServer): SharedPlace => ({
  newPlace: () => `webdav:${server.url}/a%20b/place-${count++}/`,
  resticPlace: (place) => `rclone:dav:${decodeURIComponent(new URL(place.replace('webdav:', '')).pathname.slice(1, -1))}`,
  env: {
    ...own,
    RCLONE_CONFIG_DAV_TYPE: 'webdav',
    RCLONE_CONFIG_DAV_VENDOR: 'other',
    RCLONE_CONFIG_DAV_URL: server.url,
    RCLONE_CONFIG_DAV_USER: user.username,
    RCLONE_CONFIG_DAV_PASS: obscured,
  },
  secrets,
});

describe('a repository on WebDAV', () => {
  test('that restic has made through rclone is used by Holdfast, and by restic after it', () =>
    expectBothOnResticsRepository(shared(apache)));
  test('that Holdfast has made is used by restic through rclone, and by Holdfast after it', () =>
    expectBothOnHoldfastsRepository(shared(rclone)));
});

test('a repository behind TLS and digests whose nonces last for a second is filled, proved and restored, and nothing is left over', async () => {
  const env = { ...own, ...trusting };
  const cli = await quickRepositoryAt(`webdav:${digest.url}/digest/`, env);
  const folder = scratch();
  const src = tree(join(folder, 'src'), { a: 'a', b: { c: 'c'.repeat(100_000) } });
  const said: string[] = [];
  const must = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await cli.must(args, { env });
    said.push(stdout, stderr);
    return stdout;
  };
  await must('backup', src);
  const leftover = `holdfast-tmp-${'0a'.repeat(16)}`;
  writeFileSync(join(digest.folder, 'digest', leftover), 'half', { mode: 0o666 });
  await must('check', '--read-data');
  await must('restore', `latest:${src}`, '--target', join(folder, 'back'));
  await expectSameTree(src, join(folder, 'back'));
  await must('forget', 'latest', '--force', '--prune');
  expect(readdirSync(join(digest.folder, 'digest')).sort()).toEqual(['config', 'data', 'index', 'keys', 'locks', 'snapshots']);
  for (const text of said) for (const secret of secrets) expect(text).not.toContain(secret);
});

describe('the connection test', () => {
  const testAt = async (place: string, env: Record<string, string> = own, ...args: string[]): Promise<unknown> => {
    const { stdout, stderr } = await holdfast(['--repo', place, '--json', 'test-connection', ...args], { env: { ...trusting, ...env } });
    for (const secret of [...secrets, 'guessed']) expect(stdout + stderr).not.toContain(secret);
    return jsonLines(stdout).at(-1);
  };

  test('tells a place that is missing, one that is empty, and one that is ready, and leaves nothing behind', async () => {
    const place = `webdav:${apache.url}/test/place/`;
    expect(await testAt(place)).toMatchObject({ verdict: 'missing' });
    expect(await testAt(place, own, '--create')).toMatchObject({ verdict: 'empty', isAppendOnly: false });
    await quickRepositoryAt(place, own);
    expect(await testAt(place)).toMatchObject({ verdict: 'ready', location: place });
    expect(readdirSync(join(apache.folder, 'test/place/locks'))).toEqual([]);
  });

  test.each([
    ['a wrong password', () => ({ ...own, HOLDFAST_WEBDAV_PASSWORD: 'guessed' }), 'credentials-refused'],
    ['no password', () => ({}), 'credentials-missing'],
  ])('tells of %s, by basic and by digest', async (_, env, code) => {
    for (const server of [apache, rclone, digest])
      expect(await testAt(`webdav:${server.url}/`, env())).toMatchObject({ verdict: 'unusable', error: { code } });
  });

  test('tells of a place where nothing may be written, and of one where nothing may be removed', async () => {
    const allow = (section: string, methods: string, what: string): string[] => [
      `<${section} ${methods}>`,
      `Require all ${what}`,
      `</${section}>`,
    ];
    const look = 'GET PROPFIND';
    const reading = await startApache({ rules: [...allow('Limit', look, 'granted'), ...allow('LimitExcept', look, 'denied')] });
    onTestFinished(() => reading.stop());
    mkdirSync(join(reading.folder, 'there'));
    expect(await testAt(`webdav:${reading.url}/there/`, {}, '--create')).toMatchObject({ error: { code: 'storage-denied' } });
    const adding = await startApache({ rules: [...allow('Limit', 'DELETE', 'denied'), ...allow('LimitExcept', 'DELETE', 'granted')] });
    onTestFinished(() => adding.stop());
    expect(await testAt(`webdav:${adding.url}/there/`, {}, '--create')).toMatchObject({ error: { code: 'storage-denied' } });
  });

  test('tells of a web server that speaks no WebDAV, of a server that is not there, and of a certificate', async () => {
    const plain = await startApache({ rules: ['Dav Off'] });
    onTestFinished(() => plain.stop());
    expect(await testAt(`webdav:${plain.url}/`)).toMatchObject({
      error: { code: 'server-not-understood', message: expect.stringContaining('remote.php') },
    });
    expect(await testAt('webdav:http://127.0.0.1:9/')).toMatchObject({ error: { code: 'server-refused' } });
    const untrusted = { ...own, HOLDFAST_CACERT: '' };
    expect(await testAt(`webdav:${digest.url}/`, untrusted)).toMatchObject({ error: { code: 'certificate-untrusted' } });
  });
});

test('a password in the address is used and never shown', async () => {
  const place = `webdav:${apache.url.replace('//', `//${user.username}:${encodeURIComponent(user.password)}@`)}/inside/`;
  const cli = new Cli(place, 'pw');
  for (const args of [
    ['test-connection', '--create'],
    ['--json', 'snapshots'],
    ['--json', 'test-connection'],
  ]) {
    const { stdout, stderr } = await cli.run(args, { env: { HOLDFAST_DEBUG: '1' } });
    expect(stdout + stderr).toContain('better name it in the environment');
    for (const secret of secrets) expect(stdout + stderr).not.toContain(secret);
  }
});
