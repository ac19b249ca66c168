/** What opens an account of Azure's, and where it is: from the environment, under the names that restic gives it. */
import { fail } from '../../contract/errors.ts';
import type { Credentials } from '../credentials.ts';
import { type HttpAddress, parseHttpAddress } from '../http/address.ts';
import { wantsMachineIdentity } from '../objects/machine-token.ts';
import type { AzureCredential } from './sign.ts';

/** The identity of the machine: where it is asked for. */
export interface MachineIdentity {
  readonly kind: 'machine';
  readonly account: string;
  readonly server: HttpAddress;
  /** Of several that the machine has, the one with this ID. */
  readonly clientId: string | undefined;
}

export interface AzureAccess {
  readonly credential: Exclude<AzureCredential, { readonly kind: 'machine' }> | MachineIdentity;
  /** Of the account: its path is that below which the containers are. */
  readonly address: HttpAddress;
  /** Of packs, which are nearly all of a repository; undefined: what the account has. */
  readonly accessTier: string | undefined;
}

const usualSuffix = 'core.windows.net';
const accountName = /^[a-z0-9]{3,24}$/;
const serverName = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?$/;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** What is in the archive cannot be read before somebody has asked for it, and hours have passed. */
const tiers = new Set(['Hot', 'Cool', 'Cold']);

const wrong = (problem: string, guidance: string): never => fail('bad-usage', { problem, guidance });

/** Throws `credentials-missing`, `bad-usage` for what cannot be meant; neither repeats a secret. */
export function findAccess(credentials: Credentials, location: string): AzureAccess {
  const credential = findCredential(credentials, location);
  const accessTier = credentials.get('HOLDFAST_AZURE_ACCESS_TIER');
  if (accessTier !== undefined && !tiers.has(accessTier))
    wrong(
      `HOLDFAST_AZURE_ACCESS_TIER cannot be ${JSON.stringify(accessTier)}.`,
      'Use Hot, Cool or Cold: backups in the archive cannot be read at once, nor used by the next backup.',
    );
  return { credential, address: findAddress(credentials, credential.account), accessTier };
}

function findCredential(credentials: Credentials, location: string): AzureAccess['credential'] {
  const account = credentials.get('AZURE_ACCOUNT_NAME');
  const key = credentials.get('AZURE_ACCOUNT_KEY');
  const sas = credentials.get('AZURE_ACCOUNT_SAS');
  const isMachine = key === undefined && sas === undefined && wantsMachineIdentity(credentials);
  if (account === undefined || (key === undefined && sas === undefined && !isMachine))
    return fail('credentials-missing', {
      location,
      what: 'the name of a storage account and a key',
      variables: 'AZURE_ACCOUNT_NAME and AZURE_ACCOUNT_KEY (or AZURE_ACCOUNT_SAS)',
    });
  if (!accountName.test(account))
    wrong('AZURE_ACCOUNT_NAME is no name of a storage account.', 'Such names have 3 to 24 small letters and digits.');
  if (isMachine) return { kind: 'machine', account, server: metadataServer(credentials), clientId: credentials.get('AZURE_CLIENT_ID') };
  if (key !== undefined) {
    if (!base64.test(key))
      wrong('AZURE_ACCOUNT_KEY is no key of a storage account.', 'Copy the whole key anew from the portal, under “Access keys”.');
    return { kind: 'key', account, key: Buffer.from(key, 'base64') };
  }
  const token = sas!.replace(/^\?/, '');
  if (!/(?:^|&)sig=[^&]/.test(token) || !/^[\x21\x24-\x7e]+$/.test(token))
    wrong(
      'AZURE_ACCOUNT_SAS is no shared access signature.',
      'Copy it anew from the portal: it begins with “sv=” or “?sv=”, and is no address.',
    );
  return { kind: 'sas', account, token };
}

/** Only machines of Azure's reach it; another one can be named as for Azure's own programs. */
function metadataServer(credentials: Credentials): HttpAddress {
  const own = credentials.get('AZURE_POD_IDENTITY_AUTHORITY_HOST');
  const url = own === undefined || !URL.canParse(own) ? undefined : new URL(own);
  if (
    own !== undefined &&
    (url?.protocol !== 'http:' || url.username + url.password + url.search + url.hash !== '' || url.pathname !== '/')
  )
    wrong('AZURE_POD_IDENTITY_AUTHORITY_HOST is no address of a server.', 'Leave it out, or write it like http://169.254.169.254.');
  return parseHttpAddress('azure', url?.href ?? 'http://169.254.169.254/');
}

/** By default the account is in the server's name. A server of one's own, or an emulator, has it in the path. */
function findAddress(credentials: Credentials, account: string): HttpAddress {
  const own = credentials.get('HOLDFAST_AZURE_ENDPOINT');
  if (own !== undefined) {
    const url = URL.canParse(own) ? new URL(own) : undefined;
    const isFit = url && /^https?:$/.test(url.protocol) && url.username + url.password + url.search + url.hash === '';
    if (!isFit)
      return wrong(
        'HOLDFAST_AZURE_ENDPOINT is no address of a server.',
        'Write it as the “BlobEndpoint” of a connection string, for example http://127.0.0.1:10000/devstoreaccount1.',
      );
    return parseHttpAddress('azure', url.href);
  }
  const suffix = credentials.get('AZURE_ENDPOINT_SUFFIX') ?? usualSuffix;
  const server = `${account}.blob.${suffix}`;
  if (!serverName.test(server) || !URL.canParse(`https://${server}/`))
    wrong('AZURE_ENDPOINT_SUFFIX is no end of a server’s name.', `Leave it out, or write it as ${usualSuffix}, which is the usual one.`);
  return parseHttpAddress('azure', `https://${server}/`);
}
