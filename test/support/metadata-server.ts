/**
 * The services by which clouds give their own machines tokens, as they are documented: none can be run here.
 * - Azure: “How to use managed identities … to acquire an access token”, “Get a token using HTTP” and “Error handling”
 * - Google: “Authenticate workloads to Google Cloud APIs using service accounts”, “About VM metadata” (the header that both sides show)
 *
 * It can be told to misbehave (see OddServer).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { systemClock } from '../../src/platform/clock.ts';
import { OddServer } from './odd-server.ts';

/** A token as Azure's directory makes them, but for the signature, which azurite does not check. */
export function azureToken(seconds: number): string {
  const now = Math.floor(systemClock.now() / 1000);
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    aud: 'https://storage.azure.com',
    iss: 'https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/',
    iat: now,
    nbf: now - 60,
    exp: now + seconds,
    ver: '1.0',
  };
  return `${part({ typ: 'JWT', alg: 'RS256' })}.${part(claims)}.${Buffer.from('secret-signature').toString('base64url')}`;
}

export class MetadataServer extends OddServer {
  seconds = 3600;
  /** The only identity that the machine has, by its ID; '' for one that needs no name. */
  clientId = '';
  /** What Google's gives out next. */
  newToken = (): string => 'ya29.none';

  protected override async usual(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://metadata');
    const { headers, method } = request;
    const end = (status: number, content: unknown, more: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...more }).end(JSON.stringify(content));
    };
    if (pathname === '/metadata/identity/oauth2/token') {
      const invalid = (description: string): void => end(400, { error: 'invalid_request', error_description: description });
      if (method !== 'GET' || headers.metadata !== 'true') return invalid('Required metadata header not specified');
      if (searchParams.get('api-version') !== '2018-02-01') return invalid('Required query variable api-version is missing');
      if (searchParams.get('resource') !== 'https://storage.azure.com/') return invalid('Required query variable resource is missing');
      if ((searchParams.get('client_id') ?? '') !== this.clientId) return invalid('Identity not found');
      // Its figures are text.
      return end(200, { access_token: azureToken(this.seconds), expires_in: String(this.seconds), token_type: 'Bearer' });
    }
    const flavor = { 'metadata-flavor': 'Google' };
    if (pathname !== '/computeMetadata/v1/instance/service-accounts/default/token') return end(404, {}, flavor);
    if (headers['metadata-flavor'] !== 'Google' || headers['x-forwarded-for'] !== undefined) return end(403, {}, flavor);
    return end(200, { access_token: this.newToken(), expires_in: this.seconds, token_type: 'Bearer' }, flavor);
  }
}
