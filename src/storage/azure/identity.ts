/**
 * Tokens for the identity of a machine of Azure's, from its metadata service: “How to use managed identities for Azure resources on
 * an Azure VM to acquire an access token”.
 */
import type { HttpClient } from '../http/exchange.ts';
import { machineTokens } from '../objects/machine-token.ts';
import type { TokenSource } from '../objects/renewed-token.ts';

/** What the tokens are for, in every cloud of Azure. */
const resource = 'https://storage.azure.com/';

/** `clientId`: of several identities that the machine has, this one. `client` leads to the metadata service. */
export const identityTokens = (client: HttpClient, location: string, clientId: string | undefined): TokenSource =>
  machineTokens({
    client,
    location,
    path: `/metadata/identity/oauth2/token?${new URLSearchParams({
      'api-version': '2018-02-01',
      resource,
      ...(clientId === undefined ? {} : { client_id: clientId }),
    }).toString()}`,
    headers: { metadata: 'true' },
    isRight: (answer) => /^application\/json\b/i.test(answer.header('content-type') ?? ''),
    // 404 and 410: it is being updated, for up to 70 seconds.
    passing: new Set([404, 410]),
    advice: 'Give this machine a managed identity, and name it in AZURE_CLIENT_ID if it has several.',
  });
