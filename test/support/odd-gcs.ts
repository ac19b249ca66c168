/**
 * Google's Cloud Storage as far as a backup needs it: no program of Google's can be run here. What is usual is what Google
 * documents: tokens for a JWT that the account's key has signed, which expire; conditional uploads; MD5 and CRC32C that are
 * compared; pages; Google's ways to refuse. It can be told to misbehave (see OddServer).
 *
 * That it is faithful is shown by restic, whose client is Google's own and uses it, too: with the JSON API for all but
 * downloads, which it asks for by the older XML API.
 *
 * Objects are in `files`, by path: `/bucket/key`.
 */
import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { systemClock } from '../../src/platform/clock.ts';
import { OddServer } from './odd-server.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
export const accountEmail = 'backup@a-project.iam.example';
export const accountPrivateKey = privateKey;
export const refreshToken = 'a-refresh-token';
export const project = 'a-project';

export interface GcsError {
  readonly status: number;
  readonly reason: string;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal in Google's form; to downloads in plain text. */
export function refuseGcs(
  request: IncomingMessage,
  response: ServerResponse,
  { status, reason, message = 'Words.', headers = {} }: GcsError,
): void {
  const isDownload = request.url?.includes('alt=media') === true;
  const errors = [{ message, domain: 'global', reason }];
  const text = isDownload ? message : JSON.stringify({ error: { code: status, message, errors } });
  request.resume();
  const type = isDownload ? 'text/html; charset=UTF-8' : 'application/json; charset=UTF-8';
  response.writeHead(status, { 'content-type': type, 'content-length': String(Buffer.byteLength(text)), ...headers }).end(text);
}

const base64 = (algorithm: string, content: Buffer): string => createHash(algorithm).update(content).digest('base64');

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let crc = n;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc >>> 0;
});

/** Castagnoli's, big-endian, in base64. */
export function crc32c(content: Buffer): string {
  let crc = 0xffffffff;
  for (const byte of content) crc = (crc >>> 8) ^ crcTable[(crc ^ byte) & 255]!;
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE((crc ^ 0xffffffff) >>> 0);
  return sum.toString('base64');
}

interface Answer {
  readonly status: number;
  readonly content?: string | Buffer;
  readonly headers?: Record<string, string>;
}

const json = (value: unknown): Answer => ({
  status: 200,
  content: JSON.stringify(value),
  headers: { 'content-type': 'application/json; charset=UTF-8' },
});
const no = (status: number, reason: string, message = 'Words.'): GcsError => ({ status, reason, message });

export class OddGcs extends OddServer {
  readonly buckets = new Set(['bucket']);
  /** Those that belong to somebody else. */
  readonly others = new Set(['others']);
  /** When each token that was given expires (ms since 1970). */
  readonly tokens = new Map<string, number>();
  /** What was wished for of each bucket that was made. */
  readonly made: unknown[] = [];
  tokenSeconds = 3600;
  pageSize = 1000;
  /** Hands out no more tokens for this account. */
  isRevoked = false;

  /** The file of a service account's key, as the console gives it. */
  get accountFile(): string {
    return JSON.stringify({
      type: 'service_account',
      project_id: project,
      private_key_id: 'key-1',
      private_key: accountPrivateKey,
      client_email: accountEmail,
      client_id: '1234',
      token_uri: `${this.url}/token`,
    });
  }

  /** The file that a person's own sign-in leaves. */
  get personFile(): string {
    const secrets = { client_id: 'me', client_secret: 'a-client-secret', refresh_token: refreshToken };
    return JSON.stringify({ type: 'authorized_user', ...secrets, token_uri: `${this.url}/token` });
  }

  /** A token that is good now. */
  newToken(): string {
    const token = `ya29.secret-token-${this.tokens.size}`;
    this.tokens.set(token, systemClock.now() + this.tokenSeconds * 1000);
    return token;
  }

  protected override async usual(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://odd');
    const body = await buffer(request);
    const found = url.pathname === '/token' ? this.#token(body) : this.#answer(request, url, body);
    if ('reason' in found) return refuseGcs(request, response, found);
    const { status, content = '', headers = {} } = found;
    response.writeHead(status, { 'content-length': String(Buffer.byteLength(content)), ...headers });
    response.end(request.method === 'HEAD' ? undefined : content);
  }

  #token(body: Buffer): Answer {
    const form = new URLSearchParams(body.toString());
    const refused = (description: string): Answer => ({
      ...json({ error: 'invalid_grant', error_description: description }),
      status: 400,
    });
    if (this.isRevoked) return refused('Invalid grant: account not found');
    if (form.get('grant_type') === 'refresh_token') {
      if (form.get('refresh_token') !== refreshToken || form.get('client_secret') !== 'a-client-secret') return refused('Bad Request');
    } else {
      const problem = this.#jwtProblem(form.get('assertion') ?? '');
      if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') return refused('Bad Request');
      if (problem !== undefined) return refused(problem);
    }
    return json({ access_token: this.newToken(), expires_in: this.tokenSeconds, token_type: 'Bearer' });
  }

  #jwtProblem(assertion: string): string | undefined {
    const [head = '', claimed = '', signature = ''] = assertion.split('.');
    const part = (text: string): Record<string, unknown> =>
      JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>;
    if (part(head)['alg'] !== 'RS256') return 'Invalid JWT: wrong algorithm.';
    const isSigned = verify(
      'RSA-SHA256',
      Buffer.from(`${head}.${claimed}`),
      createPublicKey(publicKey),
      Buffer.from(signature, 'base64url'),
    );
    if (!isSigned) return 'Invalid JWT Signature.';
    const { iss, aud, iat, exp, scope } = part(claimed) as { iss: string; aud: string; iat: number; exp: number; scope: string };
    if (iss !== accountEmail) return 'Invalid grant: account not found';
    if (aud !== `${this.url}/token`) return 'Invalid JWT: Failed audience check.';
    if (!/devstorage\.(read_write|full_control)|cloud-platform/.test(scope)) return 'Invalid OAuth scope or ID token audience provided.';
    const now = systemClock.now() / 1000;
    if (exp - iat > 3600 || Math.abs(iat - now) > 600 || exp < now)
      return 'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.';
    return undefined;
  }

  #answer(request: IncomingMessage, url: URL, body: Buffer): Answer | GcsError {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if ((this.tokens.get(token) ?? 0) < systemClock.now()) return no(401, 'authError', 'Invalid Credentials');
    const match = /^(\/upload)?\/storage\/v1\/b(?:\/([^/]+)(?:(\/o)(?:\/([^/]+))?)?)?$/.exec(url.pathname);
    // The XML API.
    if (!match) return this.#download(request, decodeURIComponent(url.pathname));
    const [, upload, encoded, objects, key] = match;
    const { method } = request;
    const bucket = decodeURIComponent(encoded ?? '');
    if (bucket === '') return method === 'POST' ? this.#make(url, body) : no(400, 'invalid');
    if (this.others.has(bucket)) return no(403, 'forbidden', `${accountEmail} does not have storage access to the bucket.`);
    if (!this.buckets.has(bucket)) return no(404, 'notFound', 'The specified bucket does not exist.');
    if (objects === undefined) return json({ kind: 'storage#bucket', name: bucket });
    if (upload !== undefined && method === 'POST') return this.#upload(request, url, bucket, body);
    if (key === undefined) return json(this.#page(bucket, url.searchParams));
    const path = `/${bucket}/${decodeURIComponent(key)}`;
    const held = this.files.get(path);
    if (url.searchParams.get('alt') === 'media') return this.#download(request, path);
    if (!held) return no(404, 'notFound', `No such object: ${path.slice(1)}`);
    if (method === 'GET') return json(this.#resource(path, held));
    this.files.delete(path);
    return { status: 204 };
  }

  #make(url: URL, body: Buffer): Answer | GcsError {
    const { name } = JSON.parse(body.toString()) as { name: string };
    if (url.searchParams.get('project') !== project) return no(400, 'invalid', 'Unknown project id.');
    if (this.others.has(name)) return no(409, 'conflict', 'The requested bucket name is not available.');
    if (this.buckets.has(name))
      return no(409, 'conflict', 'Your previous request to create the named bucket succeeded and you already own it.');
    this.buckets.add(name);
    this.made.push(JSON.parse(body.toString()));
    return json({ kind: 'storage#bucket', name });
  }

  #upload(request: IncomingMessage, url: URL, bucket: string, body: Buffer): Answer | GcsError {
    const boundary = /boundary="?([^";]+)"?/.exec(request.headers['content-type'] ?? '')?.[1];
    if (url.searchParams.get('uploadType') !== 'multipart' || boundary === undefined) return no(400, 'badRequest');
    const parts = multipart(body, boundary);
    if (parts?.length !== 2) return no(400, 'badRequest', 'Malformed multipart body.');
    const [description, content] = parts as [Buffer, Buffer];
    const wishes = JSON.parse(description.toString()) as { name?: string; md5Hash?: string; crc32c?: string };
    const path = `/${bucket}/${wishes.name ?? url.searchParams.get('name')}`;
    for (const [name, given, found] of [
      ['MD5', wishes.md5Hash, base64('md5', content)],
      ['CRC32C', wishes.crc32c, crc32c(content)],
    ])
      if (given !== undefined && given !== found)
        return no(400, 'invalid', `Provided ${name} hash "${given}" doesn't match calculated ${name} hash "${found}".`);
    if (url.searchParams.get('ifGenerationMatch') === '0' && this.files.has(path))
      return no(412, 'conditionNotMet', 'At least one of the pre-conditions you specified did not hold.');
    if (url.searchParams.get('ifGenerationNotMatch') === '0' && !this.files.has(path))
      return no(412, 'conditionNotMet', 'At least one of the pre-conditions you specified did not hold.');
    this.files.set(path, content);
    return json(this.#resource(path, content));
  }

  #download(request: IncomingMessage, path: string): Answer | GcsError {
    const held = this.files.get(path);
    if (!held) return no(404, 'notFound', `No such object: ${path.slice(1)}`);
    const headers = {
      'content-type': 'application/octet-stream',
      'x-goog-generation': '1',
      'x-goog-hash': `crc32c=${crc32c(held)},md5=${base64('md5', held)}`,
      'x-goog-stored-content-length': String(held.length),
    };
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    if (!range) return { status: 200, content: held, headers };
    const [begin, last] = [Number(range[1]), Math.min(range[2] === '' ? Number.POSITIVE_INFINITY : Number(range[2]), held.length - 1)];
    if (begin >= held.length) return no(416, 'requestedRangeNotSatisfiable');
    return {
      status: 206,
      content: held.subarray(begin, last + 1),
      headers: { ...headers, 'content-range': `bytes ${begin}-${last}/${held.length}` },
    };
  }

  #page(bucket: string, asked: URLSearchParams): unknown {
    const [prefix, from, delimiter] = ['prefix', 'pageToken', 'delimiter'].map((name) => asked.get(name) ?? '') as [string, string, string];
    const after = Buffer.from(from, 'base64').toString();
    const keys = Array.from(this.files.keys(), (path) => path.slice(1))
      .filter((path) => path.startsWith(`${bucket}/${prefix}`))
      .map((path) => path.slice(bucket.length + 1))
      .filter((key) => key > after && (delimiter === '' || !key.slice(prefix.length).includes(delimiter)))
      .sort();
    const here = keys.slice(0, Math.min(this.pageSize, Number(asked.get('maxResults') ?? 1000)));
    const items = here.map((key) => this.#resource(`/${bucket}/${key}`, this.files.get(`/${bucket}/${key}`)!));
    const next = here.length === keys.length ? {} : { nextPageToken: Buffer.from(here.at(-1)!).toString('base64') };
    // What is empty is left out.
    return { kind: 'storage#objects', ...(items.length === 0 ? {} : { items }), ...next };
  }

  #resource(path: string, content: Buffer): Record<string, string> {
    const [, bucket = '', ...key] = path.split('/');
    return {
      kind: 'storage#object',
      bucket,
      name: key.join('/'),
      size: String(content.length),
      generation: '1',
      md5Hash: base64('md5', content),
      crc32c: crc32c(content),
      updated: '2026-01-02T03:04:05.678Z',
    };
  }
}

/** The contents of the parts (RFC 2046); undefined when it is none. */
function multipart(body: Buffer, boundary: string): Buffer[] | undefined {
  const line = Buffer.from(`--${boundary}`);
  const parts: Buffer[] = [];
  let at = body.indexOf(line);
  while (at !== -1) {
    const begin = at + line.length;
    if (body.subarray(begin, begin + 2).toString() === '--') return parts;
    const content = body.indexOf('\r\n\r\n', begin) + 4;
    at = body.indexOf(Buffer.concat([Buffer.from('\r\n'), line]), content - 2);
    if (at === -1) return undefined;
    parts.push(body.subarray(content, Math.max(at, content)));
    at += 2;
  }
  return undefined;
}
