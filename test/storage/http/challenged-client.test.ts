/** Signing in on a server that checks digests by itself, and wants them as a test says. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { parseHttpAddress } from '../../../src/storage/http/address.ts';
import { discard } from '../../../src/storage/http/body.ts';
import { ChallengedClient } from '../../../src/storage/http/challenged-client.ts';
import { TcpHttpClient } from '../../../src/storage/http/client.ts';
import type { SignIn } from '../../../src/storage/http/sign-in.ts';
import { OddServer } from '../../support/odd-server.ts';

const user = { username: 'me', password: 'secret "w\u00f6rd"' };
const basic = `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`;

let server: OddServer;
let client: ChallengedClient;
/** The Authorization of every request. */
let shown: (string | undefined)[];

const open = (who: SignIn | undefined = user): ChallengedClient =>
  new ChallengedClient(new TcpHttpClient({ address: parseHttpAddress('x', server.url), location: 'x', clock: systemClock }), who);

beforeEach(async () => {
  server = await OddServer.start();
  client = open();
  shown = [];
});

afterEach(async () => {
  await client.close();
  await server.stop();
});

async function ask(method = 'GET', path = '/some/path?x=%20', body?: readonly Uint8Array[]): Promise<number> {
  const answer = await client.send({ method, path, body });
  await discard(answer);
  return answer.status;
}

/** Answers every request as `decide` says: undefined lets it in, else the challenges of a 401. */
function guard(
  decide: (authorization: string | undefined, request: IncomingMessage, response: ServerResponse) => string | string[] | undefined,
): void {
  server.meet = (request, response) => {
    const { authorization } = request.headers;
    shown.push(authorization);
    const challenges = decide(authorization, request, response);
    request.resume().on('end', () => {
      if (challenges === undefined) response.end('welcome');
      else response.writeHead(401, { 'www-authenticate': challenges }).end('who are you?');
    });
  };
}

/** What a header of digest says. */
function partsOf(authorization: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name, quoted, plain] of authorization.slice(7).matchAll(/([a-z*]+)=(?:"((?:[^"\\]|\\.)*)"|([^, ]+))/g))
    found[name!] = quoted === undefined ? plain! : Buffer.from(quoted.replaceAll(/\\(.)/g, '$1'), 'latin1').toString('utf8');
  return found;
}

/** Whether it proves the password for this request. */
function isRight(authorization: string | undefined, { method, url }: IncomingMessage, hashName: string, isSession = false): boolean {
  if (!authorization?.startsWith('Digest ')) return false;
  const { username, realm, nonce, uri, nc, cnonce, qop, response } = partsOf(authorization);
  const hash = (text: string): string => createHash(hashName).update(text).digest('hex');
  const secret = hash(`${user.username}:${realm}:${user.password}`);
  const key = isSession ? hash(`${secret}:${nonce}:${cnonce}`) : secret;
  return (
    username === user.username &&
    uri === url &&
    qop === 'auth' &&
    response === hash(`${key}:${nonce}:${nc}:${cnonce}:auth:${hash(`${method}:${uri}`)}`)
  );
}

describe.each([
  ['MD5', 'md5'],
  ['SHA-256', 'sha256'],
  ['SHA-512-256', 'sha512-256'],
  ['SHA-256-sess', 'sha256'],
])('a digest of %s', (algorithm, hashName) => {
  const challenge = (nonce: string, more = ''): string =>
    `Digest realm="a, \\"b\\"", qop="auth", nonce="${nonce}", algorithm=${algorithm}${more}`;

  test('is shown when it was asked for, once for all requests, with a count that grows', async () => {
    guard((given, request) =>
      isRight(given, request, hashName, algorithm.endsWith('-sess')) ? undefined : [challenge('one'), 'Basic realm="b"'],
    );
    for (let n = 0; n < 3; n++) expect(await ask()).toBe(200);
    expect(await ask('PUT', '/x', [Buffer.from('body')])).toBe(200);
    expect(shown).toHaveLength(5);
    expect(shown[0]).toBeUndefined();
    expect(shown.slice(1).map((each) => partsOf(each!).nc)).toEqual(['00000001', '00000002', '00000003', '00000004']);
    for (const each of shown) expect(each ?? '').not.toContain('Basic');
  });
});

describe('a nonce', () => {
  const challenge = (nonce: string, more = ''): string => `Digest realm="r", qop="auth", nonce="${nonce}", algorithm=SHA-256${more}`;
  let valid: string;
  let isTold: boolean;

  beforeEach(() => {
    valid = 'n1';
    isTold = true;
    guard((given, request) => {
      if (!isRight(given, request, 'sha256')) return challenge(valid);
      return partsOf(given!).nonce === valid ? undefined : challenge(valid, isTold ? ', stale=true' : '');
    });
  });

  test.each([true, false])('that has become too old is replaced, also in the middle of an upload (told: %s)', async (told) => {
    isTold = told;
    expect(await ask()).toBe(200);
    for (const next of ['n2', 'n3']) {
      valid = next;
      expect(await ask('PUT', '/x', [Buffer.alloc(3_000_000)])).toBe(200);
    }
    expect(partsOf(shown.at(-1)!)).toMatchObject({ nonce: 'n3', nc: '00000001' });
  });

  test('that becomes too old for many requests at once fails none', async () => {
    expect(await ask()).toBe(200);
    valid = 'n2';
    isTold = false;
    expect(await Promise.all(Array.from({ length: 30 }, () => ask()))).toEqual(Array.from({ length: 30 }, () => 200));
  });

  test('that is refused for ever is not tried for ever', async () => {
    let n = 0;
    guard(() => challenge(`n${n++}`, ', stale=true'));
    expect(await ask()).toBe(401);
    expect(shown.length).toBeLessThan(7);
  });

  test('that the server names for the next request is used there', async () => {
    guard((given, request, response) => {
      if (!isRight(given, request, 'sha256')) return challenge('n1');
      response.setHeader('authentication-info', 'nextnonce="n2", qop=auth');
      return undefined;
    });
    for (let n = 0; n < 3; n++) expect(await ask()).toBe(200);
    expect(shown.slice(1).map((each) => partsOf(each!).nonce)).toEqual(['n1', 'n2', 'n2']);
  });

  test('and a wrong password are tried once a request', async () => {
    client = open({ ...user, password: 'guessed' });
    expect(await ask()).toBe(401);
    expect(await ask()).toBe(401);
    expect(shown).toHaveLength(3);
  });

  test('and a password that was changed meanwhile end in a refusal', async () => {
    expect(await ask()).toBe(200);
    guard(() => challenge('n9'));
    shown = [];
    expect(await ask()).toBe(401);
    expect(shown.length).toBeLessThanOrEqual(2);
  });
});

test('a long body is not sent before the server has said who may send it', async () => {
  let received = 0;
  server.meet = (request, response) => {
    shown.push(request.headers.authorization);
    if (request.headers.authorization !== basic)
      return response.writeHead(401, { 'www-authenticate': 'Basic realm="b"', connection: 'close' }).end();
    request.on('data', (piece: Buffer) => (received += piece.length));
    return request.on('end', () => response.end());
  };
  expect(await ask('PUT', '/x', [Buffer.alloc(5_000_000)])).toBe(200);
  expect(shown).toEqual([undefined, basic]);
  expect(received).toBe(5_000_000);
});

describe('a password', () => {
  test('is shown itself where nothing else is asked for, and only after it was asked for', async () => {
    guard((given) => (given === basic ? undefined : ['Negotiate', 'Bearer realm="x"', 'Basic realm="b", charset="UTF-8"']));
    expect(await ask()).toBe(200);
    expect(await ask()).toBe(200);
    expect(shown).toEqual([undefined, basic, basic]);
  });

  test('is not shown any more to a server that knew digests', async () => {
    guard((given, request) => (isRight(given, request, 'md5') ? undefined : 'Digest realm="r", qop="auth", nonce="n"'));
    expect(await ask()).toBe(200);
    guard(() => 'Basic realm="r"');
    expect(await ask()).toBe(401);
    for (const each of shown) expect(each ?? '').not.toContain('Basic');
  });

  test('that is wrong is shown once a request, and none to a server that asks in a way which is not known', async () => {
    guard(() => 'Basic realm="r"');
    expect(await ask()).toBe(401);
    expect(await ask()).toBe(401);
    expect(shown).toEqual([undefined, basic, basic]);
    client = open();
    shown = [];
    guard(() => ['Negotiate', 'Digest realm="r", nonce="n", qop="auth-int"']);
    expect(await ask()).toBe(401);
    expect(shown).toEqual([undefined]);
  });

  test('that nobody has given is not asked for again', async () => {
    client = new ChallengedClient(
      new TcpHttpClient({ address: parseHttpAddress('x', server.url), location: 'x', clock: systemClock }),
      undefined,
    );
    guard(() => 'Basic realm="r"');
    expect(await ask()).toBe(401);
    expect(shown).toEqual([undefined]);
  });
});
