/** Opens `azure:container:/path`. */
import { connectTo } from '../http/connect.ts';
import type { OpenContext, OpenKind } from '../kind.ts';
import { ObjectStorage } from '../objects/object-storage.ts';
import { RenewedToken } from '../objects/renewed-token.ts';
import { AzureBucket } from './bucket.ts';
import { findAccess, type MachineIdentity } from './access.ts';
import { identityTokens } from './identity.ts';
import { azureLocation, parseAzurePlace } from './place.ts';
import type { AzureCredential } from './sign.ts';

/** Azure serves many requests at once; how many packs are on their way is decided elsewhere. */
const connections = 32;

export const openAzure: OpenKind = (text, context) => {
  const { credentials, clock, onNote } = context;
  const { container, prefix } = parseAzurePlace(text);
  const location = azureLocation({ container, prefix });
  const { credential: found, address, accessTier } = findAccess(credentials, location);
  if (found.kind !== 'key' && !address.isSecure) {
    const secret = found.kind === 'sas' ? 'shared access signature' : 'access token';
    onNote?.(`The ${secret} goes over the network as it is: better use https in HOLDFAST_AZURE_ENDPOINT.`);
  }
  const credential = found.kind === 'machine' ? withTokens(found, context, location) : found;
  const client = connectTo(address, context, { location, connections });
  const base = address.path.replace(/\/+$/, '');
  return new ObjectStorage(new AzureBucket({ container, location, base, credential, accessTier, client, clock }), prefix);
};

function withTokens({ account, server, clientId }: MachineIdentity, context: OpenContext, location: string): AzureCredential {
  const client = connectTo(server, context, { location, isDirect: true });
  return { kind: 'machine', account, tokens: new RenewedToken(identityTokens(client, location, clientId), context.clock) };
}
