/**
 * Access tokens for Google's Cloud Storage: asked for with a JWT that the service account's key signs (RFC 7523), or with a
 * person's refresh token (RFC 6749, 6), or of the metadata server of a machine of Google's
 * (https://cloud.google.com/compute/docs/access/authenticate-workloads).
 */
import { sign } from 'node:crypto';
import { type ErrorContext, HoldfastError } from '../../contract/errors.ts';
import type { HttpClient } from '../http/exchange.ts';
import { machineTokens } from '../objects/machine-token.ts';
import { clockError, quoted } from '../objects/refusals.ts';
import type { FreshToken, TokenSource } from '../objects/renewed-token.ts';
import { fieldsOf, tokenIn } from '../objects/token-answer.ts';
import { gcsVariables, type GcsIdentity } from './access.ts';

/** Reading and writing of objects, and making a bucket. */
const scope = 'https://www.googleapis.com/auth/devstorage.read_write';
/** The longest that Google allows. */
const lifetimeMs = 3_600_000;

/** An identity for which tokens are to be had. */
type Asking = Exclude<GcsIdentity, { readonly kind: 'token' }>;

/** Where tokens come from. `client` leads to the server that the identity names. */
export function tokenSource(identity: Asking, client: HttpClient, location: string): TokenSource {
  if (identity.kind !== 'machine') return new KeyTokens(identity, client, location);
  return machineTokens({
    client,
    location,
    path: `/computeMetadata/v1/instance/service-accounts/default/token?scopes=${encodeURIComponent(scope)}`,
    headers: { 'metadata-flavor': 'Google' },
    isRight: (answer) => answer.header('metadata-flavor') === 'Google',
    passing: new Set(),
    advice: 'Give this machine a service account that may read and write the bucket.',
  });
}

class KeyTokens implements TokenSource {
  readonly #identity: Exclude<Asking, { readonly kind: 'machine' }>;
  readonly #client: HttpClient;
  readonly #location: string;

  constructor(identity: Exclude<Asking, { readonly kind: 'machine' }>, client: HttpClient, location: string) {
    this.#identity = identity;
    this.#client = client;
    this.#location = location;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async ask(now: number): Promise<FreshToken> {
    const identity = this.#identity;
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
    const answer = await this.#client.send({ method: 'POST', path: pathname + search, headers, body });
    const said = await fieldsOf(answer);
    if (answer.status !== 200) throw this.#refused(answer.status, said);
    return tokenIn(said, { location: this.#location, server: this.#client.server });
  }

  #refused(status: number, { error, error_description: description }: Record<string, unknown>): HoldfastError {
    const location = this.#location;
    const { server, clockSkewMs } = this.#client;
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
