/** REST over TLS: whom a storage trusts, and as whom it shows itself. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { credentialsFrom } from '../../../src/storage/credentials.ts';
import { openPlace } from '../../../src/storage/place.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { Authority, type Certificate } from '../../support/authority.ts';
import { holdfast, quickRepositoryAt } from '../../support/cli.ts';
import { OddServer } from '../../support/odd-server.ts';
import { Restic } from '../../support/restic.ts';
import { startRestServer, startServer } from '../../support/servers.ts';
import { codeOf, fileFor } from '../../support/storage-suite.ts';
import { scratch, sharedScratch, tree } from '../../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../../support/unhandled.ts';

refuseUnhandledRejections();

const small = Buffer.from('small');
const file = fileFor(small);
const folder = sharedScratch();
let authority: Authority;

beforeAll(() => {
  authority = new Authority(join(folder, 'authority'));
});

async function serve(tls: Certificate, clientsOf?: Authority): Promise<OddServer> {
  const server = await OddServer.start({
    tls: {
      cert: readFileSync(tls.certificate),
      key: readFileSync(tls.key),
      ...(clientsOf ? { requestCert: true, rejectUnauthorized: true, ca: readFileSync(clientsOf.certificate) } : {}),
    },
  });
  server.files.set(`/data/${file.name}`, small);
  onTestFinished(() => server.stop());
  return server;
}

async function openAt(place: string, env: Record<string, string> = {}): Promise<Storage> {
  const storage = await openPlace(place, { clock: systemClock, credentials: credentialsFrom(env, undefined) });
  onTestFinished(() => storage.close());
  return storage;
}

/** What looking at a file there gives: its size, or the error's code. */
const look = async (place: string, env: Record<string, string> = {}): Promise<number | string> => {
  const storage = await openAt(place, env);
  return storage.size(file).catch(() => codeOf(storage.size(file)));
};

const trusting = (): Record<string, string> => ({ RESTIC_CACERT: authority.certificate });

describe('the certificate of a server', () => {
  test('counts when its authority is named, and only then', async () => {
    const server = await serve(authority.sign('good'));
    expect(await look(`rest:${server.url}/`, trusting())).toBe(small.length);
    expect(await look(`rest:${server.url}/`, { HOLDFAST_CACERT: authority.certificate })).toBe(small.length);
    expect(await look(`rest:${server.url}/`)).toBe('certificate-untrusted');
    const other = new Authority(join(scratch(), 'other'), 'Another Authority');
    expect(await look(`rest:${server.url}/`, { HOLDFAST_CACERT: other.certificate })).toBe('certificate-untrusted');
    expect(await look(`rest:${server.url}/`, { HOLDFAST_CACERT: `${other.certificate},${authority.certificate}` })).toBe(small.length);
    expect(server.requests.every((request) => request.startsWith('HEAD'))).toBe(true);
  });

  test('does not count beyond its time', async () => {
    const late = await serve(authority.sign('late', { from: '20200101000000Z', until: '20200201000000Z' }));
    expect(await look(`rest:${late.url}/`, trusting())).toBe('certificate-expired');
    const early = await serve(authority.sign('early', { from: '20990101000000Z', until: '20990201000000Z' }));
    expect(await look(`rest:${early.url}/`, trusting())).toBe('certificate-expired');
    expect([...late.requests, ...early.requests]).toEqual([]);
  });

  test('does not count for another name', async () => {
    const server = await serve(authority.sign('elsewhere', { names: 'DNS:elsewhere.example' }));
    expect(await look(`rest:${server.url}/`, trusting())).toBe('certificate-wrong-name');
    expect(server.requests).toEqual([]);
  });

  test('counts when the system trusts its authority', async () => {
    const server = await serve(authority.sign('good'));
    // The same way by which Node reads what a person added to the system's trusted authorities.
    const { code, stderr } = await holdfast(['--repo', `rest:${server.url}/`, 'snapshots'], {
      env: { HOLDFAST_PASSWORD: 'pw', SSL_CERT_FILE: authority.certificate },
    });
    expect({ code, stderr }).toEqual({ code: 10, stderr: expect.stringContaining('no backup repository') });
  });
});

describe('what is no certificate', () => {
  test('is told before anything is asked', async () => {
    const text = join(folder, 'text');
    writeFileSync(text, 'just a text');
    expect(await codeOf(openAt('rest:https://localhost/', { HOLDFAST_CACERT: text }))).toBe('bad-usage');
    expect(await codeOf(openAt('rest:https://localhost/', { HOLDFAST_CACERT: join(folder, 'none') }))).toBe('input-unreadable');
    expect(await codeOf(openAt('rest:https://localhost/', { HOLDFAST_TLS_CLIENT_CERT: authority.certificate }))).toBe('bad-usage');
    const [one, two] = [authority.sign('one'), authority.sign('two')];
    writeFileSync(join(folder, 'mixed'), readFileSync(one.certificate, 'utf8') + readFileSync(two.key, 'utf8'));
    expect(await codeOf(openAt('rest:https://localhost/', { HOLDFAST_TLS_CLIENT_CERT: join(folder, 'mixed') }))).toBe('bad-usage');
  });
});

test('a server without encryption is told from one with it', async () => {
  const plain = await OddServer.start();
  onTestFinished(() => plain.stop());
  expect(await look(`rest:https://127.0.0.1:${plain.port}/`)).toBe('tls-failed');
  const secure = await serve(authority.sign('good'));
  expect(await look(`rest:http://127.0.0.1:${secure.port}/`)).toMatch(/^(connection-lost|server-not-understood)$/);
});

describe('a server that asks for a certificate', () => {
  test('is shown one', async () => {
    const server = await serve(authority.sign('good'), authority);
    expect(await look(`rest:${server.url}/`, { ...trusting(), RESTIC_TLS_CLIENT_CERT: authority.sign('me').both })).toBe(small.length);
    expect(await look(`rest:${server.url}/`, trusting())).toBe('client-certificate-refused');
  });

  test.each(['-tls1_2', '-tls1_3'])('is understood when it refuses none or a wrong one (%s)', async (version) => {
    const { certificate, key } = authority.sign('good');
    const asking = ['-Verify', '1', '-verify_return_error', '-CAfile', authority.certificate, '-www', '-quiet', version];
    const server = await startServer({
      program: 'openssl',
      args: (port) => ['s_server', '-accept', `127.0.0.1:${port}`, '-cert', certificate, '-key', key, ...asking],
      secure: true,
    });
    onTestFinished(() => server.stop());
    const other = new Authority(join(scratch(), 'other'), 'Another Authority');
    expect(await look(`rest:${server.url}/`, trusting())).toBe('client-certificate-refused');
    expect(await look(`rest:${server.url}/`, { ...trusting(), HOLDFAST_TLS_CLIENT_CERT: other.sign('me').both })).toBe(
      'client-certificate-refused',
    );
  });
});

test('rest-server over TLS is used by the command line, and by restic with the same files', async () => {
  const server = await startRestServer({ tls: authority.sign('good') });
  onTestFinished(() => server.stop());
  const place = `rest:${server.url}/secure/`;
  const env = trusting();
  const cli = await quickRepositoryAt(place, env);
  const src = tree(join(scratch(), 'src'), { a: 'a', b: { c: 'c' } });
  await cli.must(['backup', src], { env });
  expect((await cli.run(['snapshots'])).stderr).toContain('HOLDFAST_CACERT');
  const restic = new Restic(place, cli.password);
  expect((await restic.run(['check', '--read-data'], { env })).code).toBe(0);
});
