/**
 * Access tokens for Google's Cloud Storage: asked for with a JWT that the service account's key signs (RFC 7523), or with a
 * person's refresh token (RFC 6749, 6), and renewed some minutes before they expire. All requests share one.
 */
import { sign } from 'node:crypto';
import { type ErrorContext, fail, HoldfastError } from '../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { readBytes } from '../http/body.ts';
import type { HttpAnswer, HttpClient } from '../http/exchange.ts';
import { clockError, quoted } from '../objects/refusals.ts';
import { gcsVariables, type GcsIdentity } from './access.ts';

/** Reading and writing of objects, and making a bucket. */
const scope = 'https://www.googleapis.com/auth/devstorage.read_write';
/** The longest that Google allows. */
const lifetimeMs = 3_600_000;
const renewedBeforeMs = 5 * 60_000;
/** A server that says nothing of it. */
const usualSeconds = 3600;
const longestAnswer = 64 * 1024;

export interface TokenOptions {
  readonly identity: GcsIdentity;
  readonly location: string;
  readonly clock: Pick<Clock, 'now'>;
  /** To the server that gives tokens; undefined for a token that is given. */
  readonly client: HttpClient | undefined;
}

interface Token {
  readonly value: string;
  /** Wall time, in milliseconds. */
  readonly askedAt: number;
  readonly renewAt: number;
}

const noToken: Token = { value: '', askedAt: 0, renewAt: 0 };

export class Tokens {
  readonly #options: TokenOptions;
  #current: Token | undefined;
  /** What is on its way is newer than anything that was given out. */
  #asked: Promise<Token> | undefined;

  constructor(options: TokenOptions) {
    this.#options = options;
  }

  /** A token that is good for some minutes at least. `refused`: one that the service did not accept, so that another is wanted. */
  async get(refused?: string): Promise<string> {
    const { identity, clock } = this.#options;
    if (identity.kind === 'token') return identity.token;
    if (!this.#asked) {
      const now = clock.now();
      const { value, askedAt, renewAt } = this.#current ?? noToken;
      // A clock that was set back must not make a token last for ever.
      if (value !== refused && askedAt <= now && now < renewAt) return value;
      this.#asked = this.#ask(identity).finally(() => (this.#asked = undefined));
    }
    this.#current = await this.#asked;
    return this.#current.value;
  }

  /** Whether another one can be had. */
  get isRenewable(): boolean {
    return this.#options.identity.kind !== 'token';
  }

  close(): Promise<void> {
    return this.#options.client?.close() ?? Promise.resolve();
  }

  async #ask(identity: Exclude<GcsIdentity, { readonly kind: 'token' }>): Promise<Token> {
    const { clock, client, location } = this.#options;
    if (!client) return fail('internal', { cause: 'nobody is there to ask for a token' });
    const now = clock.now();
    const form: Record<string, string> =
      identity.kind === 'service-account'
        ? { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: assertion(identity, now) }
        : {
            grant_type: 'refresh_token',
            client_id: identity.clientId,
            client_secret: identity.clientSecret,
            refresh_token: identity.refreshToken,
          };
    const { pathname, search } = identity.tokenServer;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = [Buffer.from(new URLSearchParams(form).toString())];
    const answer = await client.send({ method: 'POST', path: pathname + search, headers, body });
    const said = await answered(answer);
    if (answer.status !== 200) throw this.#refused(answer.status, said);
    const { access_token: value, expires_in: seconds = usualSeconds } = said;
    if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value) || typeof seconds !== 'number')
      return fail('server-not-understood', { location, server: client.server, cause: 'it gives no token' });
    return { value, askedAt: now, renewAt: now + Math.max(0, Math.min(seconds * 1000, lifetimeMs) - renewedBeforeMs) };
  }

  #refused(status: number, { error, error_description: description }: Record<string, unknown>): HoldfastError {
    const { location, client } = this.#options;
    const { server, clockSkewMs } = client!;
    const words = typeof description === 'string' ? description : '';
    const isTime = /iat and exp|reasonable timeframe/i.test(words);
    const skewed = clockError(isTime, status, { location, server, clockSkewMs });
    if (skewed) return skewed;
    const code = typeof error === 'string' ? ` ${error}` : '';
    const cause = `the server answered ${status}${code}${words === '' ? '' : `: ${quoted(words)}`}`;
    const context: ErrorContext = { location, server, operation: 'get', file: 'an access token', cause };
    if (status === 429) return new HoldfastError('server-busy', context);
    if (status >= 500) return new HoldfastError('storage-failed', context);
    if (code === '') return new HoldfastError('server-not-understood', { location, server, cause });
    const advice = `Check ${gcsVariables}, and that the account and its key still exist.`;
    return new HoldfastError('credentials-refused', { ...context, what: 'the key of the account', advice });
  }
}

/** A JWT signed with RS256 (RFC 7519), which says who asks for what, and for how long. */
function assertion({ email, key, keyId, tokenServer }: Extract<GcsIdentity, { kind: 'service-account' }>, now: number): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const seconds = Math.floor(now / 1000);
  const header = { alg: 'RS256', typ: 'JWT', ...(keyId === undefined ? {} : { kid: keyId }) };
  const claims = { iss: email, scope, aud: tokenServer.href, iat: seconds, exp: seconds + lifetimeMs / 1000 };
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${sign('RSA-SHA256', Buffer.from(text), key).toString('base64url')}`;
}

/** The fields of an answer; none when it is something else. */
async function answered(answer: HttpAnswer): Promise<Record<string, unknown>> {
  const { bytes } = await readBytes(answer, longestAnswer);
  try {
    const held: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof held === 'object' && held !== null ? (held as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
