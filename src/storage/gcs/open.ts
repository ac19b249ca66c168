/** Opens `gs:bucket:/path`. */
import { fail } from '../../contract/errors.ts';
import { parseHttpAddress } from '../http/address.ts';
import type { TcpHttpClient } from '../http/client.ts';
import { connectTo, type Way } from '../http/connect.ts';
import type { OpenKind } from '../kind.ts';
import { ObjectStorage } from '../objects/object-storage.ts';
import { RenewedToken } from '../objects/renewed-token.ts';
import { findAccess } from './access.ts';
import { GcsBucket } from './bucket.ts';
import { gcsLocation, parseGcsPlace } from './place.ts';
import { tokenSource } from './token.ts';

/** Google serves many requests at once; how many packs are on their way is decided elsewhere. */
const connections = 32;
const google = 'https://storage.googleapis.com';

export const openGcs: OpenKind = (text, context) => {
  const { credentials, clock, onNote } = context;
  const { bucket, prefix } = parseGcsPlace(text);
  const location = gcsLocation({ bucket, prefix });
  const { identity, project } = findAccess(credentials, location);
  const connect = (url: URL, way: Partial<Way>): TcpHttpClient =>
    connectTo(parseHttpAddress('gs', `${url.origin}/`), context, { location, ...way });
  const server = serverOf(credentials.get('HOLDFAST_GCS_ENDPOINT'));
  if (server.protocol === 'http:') onNote?.('The access token goes over the network as it is: better use https in HOLDFAST_GCS_ENDPOINT.');
  const client = connect(server, { connections });
  const tokens =
    identity.kind === 'token'
      ? identity.token
      : new RenewedToken(tokenSource(identity, connect(identity.tokenServer, { isDirect: identity.kind === 'machine' }), location), clock);
  const region = credentials.get('HOLDFAST_GCS_REGION');
  return new ObjectStorage(new GcsBucket({ bucket, location, project, region, tokens, client, clock }), prefix);
};

/** A server of one's own, or a way to Google's that is one's own. */
function serverOf(endpoint: string | undefined): URL {
  const url = URL.canParse(endpoint ?? google) ? new URL(endpoint ?? google) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.username + url.password + url.search + url.hash === '' && url.pathname === '/')
    return url;
  return fail('bad-usage', {
    problem: 'HOLDFAST_GCS_ENDPOINT is no address of a server.',
    guidance: `Leave it out, or write it like ${google}, which is the usual one.`,
  });
}
