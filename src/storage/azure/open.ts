/** Opens `azure:container:/path`. */
import { connectTo } from '../http/connect.ts';
import type { OpenKind } from '../kind.ts';
import { ObjectStorage } from '../objects/object-storage.ts';
import { AzureBucket } from './bucket.ts';
import { findAccess } from './access.ts';
import { azureLocation, parseAzurePlace } from './place.ts';

/** Azure serves many requests at once; how many packs are on their way is decided elsewhere. */
const connections = 32;

export const openAzure: OpenKind = (text, context) => {
  const { credentials, clock, onNote } = context;
  const { container, prefix } = parseAzurePlace(text);
  const location = azureLocation({ container, prefix });
  const { credential, address, accessTier } = findAccess(credentials, location);
  if (credential.kind === 'sas' && !address.isSecure)
    onNote?.('The shared access signature goes over the network as it is: better use https in HOLDFAST_AZURE_ENDPOINT.');
  const client = connectTo(address, context, { location, connections });
  const base = address.path.replace(/\/+$/, '');
  return new ObjectStorage(new AzureBucket({ container, location, base, credential, accessTier, client, clock }), prefix);
};
