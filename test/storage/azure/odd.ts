/** An Azure storage on a server that does what the tests want. */
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { AzureBucket, type AzureOptions } from '../../../src/storage/azure/bucket.ts';
import { parseHttpAddress } from '../../../src/storage/http/address.ts';
import { TcpHttpClient } from '../../../src/storage/http/client.ts';
import type { Patience } from '../../../src/storage/http/exchange.ts';
import { ObjectStorage } from '../../../src/storage/objects/object-storage.ts';
import { type AzureError, OddAzure, refuseAzure } from '../../support/odd-azure.ts';
import { bigFile, OddWorld, smallFile } from '../../support/odd-world.ts';

export const secret = Buffer.from('a-very-secret-account-key');
export const sasToken = 'sv=2022-11-02&sp=rw&sig=a-very-secret-signature';
export const bigPath = `/container/place/data/${bigFile.name.slice(0, 2)}/${bigFile.name}`;
export const smallPath = `/container/place/snapshots/${smallFile.name}`;

interface Options {
  readonly credential?: AzureOptions['credential'];
  readonly accessTier?: string;
  readonly clock?: Clock;
  readonly patience?: Partial<Patience>;
}

export function openOn(server: OddAzure, options: Options = {}): ObjectStorage {
  const { credential = { kind: 'key', account: 'account', key: secret }, accessTier, clock = systemClock, patience } = options;
  const location = 'azure:container:/place';
  const client = new TcpHttpClient({ address: parseHttpAddress('azure', server.url), location, clock, patience });
  return new ObjectStorage(new AzureBucket({ container: 'container', location, base: '', credential, accessTier, client, clock }), 'place');
}

export const azureWorld = (): OddWorld<OddAzure, Options> => new OddWorld(() => OddAzure.start(), openOn);

export const refuseAll = (server: OddAzure, error: AzureError): void => {
  server.meet = (request, response) => refuseAzure(request, response, error);
};
