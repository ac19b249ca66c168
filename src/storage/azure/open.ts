/** Opens `azure:container:/path`. */
import { TcpHttpClient } from '../http/client.ts';
import { tlsIdentity } from '../http/tls-identity.ts';
import type { OpenKind } from '../kind.ts';
import { ObjectStorage } from '../objects/object-storage.ts';
import { AzureBucket } from './bucket.ts';
import { findAccess } from './access.ts';
import { azureLocation, parseAzurePlace } from './place.ts';

/** Azure serves many requests at once; how many packs are on their way is decided elsewhere. */
const connections = 32;

export const openAzure: OpenKind = (text, { credentials, clock, paces, onNote }) => {
  const { container, prefix } = parseAzurePlace(text);
  const location = azureLocation({ container, prefix });
  const { credential, address, accessTier } = findAccess(credentials, location);
  if (credential.kind === 'sas' && !address.isSecure)
    onNote?.('The shared access signature goes over the network as it is: better use https in HOLDFAST_AZURE_ENDPOINT.');
  const client = new TcpHttpClient({
    address,
    location,
    clock,
    paces,
    connections,
    tls: address.isSecure ? tlsIdentity(credentials) : undefined,
  });
  const base = address.path.replace(/\/+$/, '');
  return new ObjectStorage(new AzureBucket({ container, location, base, credential, accessTier, client, clock }), prefix);
};
