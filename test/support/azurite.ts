/**
 * Starts azurite, Microsoft's own copy of Azure's storage, which checks signatures, conditions and MD5, and what tokens claim. It speaks TLS and has
 * an account by the name of `holdfast`, and a gate by which the account can be reached under the name that it would have in
 * Azure, as other programs insist on.
 *
 * Debian's restic is built without Azure, so that it has to go through rclone, whose own client of Azure's then shares the
 * container with ours. (restic with Azure would be happy with the gate, too: it always asks for
 * https://ACCOUNT.blob.AZURE_ENDPOINT_SUFFIX.)
 */
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { locateAzurite } from '../../scripts/test-setup.mjs';
import { Authority } from './authority.ts';
import { openGate } from './gate.ts';
import { type RunningServer, startServer } from './servers.ts';

/** Of the servers' names: there is no such domain. */
const suffix = 'storage.test';
const account = 'holdfast';
export const accountKey = randomBytes(64).toString('base64');

export interface Azurite {
  /** The account's address as a connection string would give it: `https://127.0.0.1:4711/holdfast`. */
  readonly endpoint: string;
  /** The name that the account has behind the gate, without a port. */
  readonly host: string;
  readonly port: number;
  /** The file of the authority that has signed the server's certificate. */
  readonly authority: string;
  /** What opens it, for Holdfast. */
  readonly env: Readonly<Record<string, string>>;
  /** What opens it, for Holdfast and, as its remote `azurite:`, for rclone, which goes through the gate. */
  readonly sharedEnv: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export async function startAzurite(): Promise<Azurite> {
  const program = locateAzurite();
  if (program === undefined) throw new Error('No azurite on this machine. Run: node scripts/test-setup.mjs');
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-azurite-'));
  const authority = new Authority(join(folder, 'authority'));
  const { certificate, key } = authority.sign('server', { names: `DNS:${account}.blob.${suffix},IP:127.0.0.1` });
  const server: RunningServer = await startServer({
    program: execPath,
    secure: true,
    env: { AZURITE_ACCOUNTS: `${account}:${accountKey}` },
    args: (port) => [
      program,
      '--disableTelemetry',
      '--silent',
      '--inMemoryPersistence',
      // Reads what a token claims, and trusts any signature.
      '--oauth',
      'basic',
      '--blobPort',
      String(port),
      '--cert',
      certificate,
      '--key',
      key,
    ],
  });
  const gate = await openGate(server.port);
  const env = {
    AZURE_ACCOUNT_NAME: account,
    AZURE_ACCOUNT_KEY: accountKey,
    HOLDFAST_AZURE_ENDPOINT: `${server.url}/${account}`,
    HOLDFAST_CACERT: authority.certificate,
  };
  return {
    endpoint: `${server.url}/${account}`,
    host: `${account}.blob.${suffix}`,
    port: server.port,
    authority: authority.certificate,
    env,
    sharedEnv: {
      ...env,
      RCLONE_CONFIG: join(folder, 'no-rclone.conf'),
      RCLONE_CONFIG_AZURITE_TYPE: 'azureblob',
      RCLONE_CONFIG_AZURITE_ACCOUNT: account,
      RCLONE_CONFIG_AZURITE_KEY: accountKey,
      RCLONE_CONFIG_AZURITE_ENDPOINT: `blob.${suffix}`,
      RCLONE_CA_CERT: authority.certificate,
      HTTPS_PROXY: gate.url,
    },
    async stop() {
      await gate.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface SasWishes {
  /** For example `rwdlac`; Azure wants them in the order r w d x l a c. */
  readonly permissions: string;
  /** Milliseconds since 1970. */
  readonly from?: number;
  readonly until: number;
  /** A container, that the signature be for it alone; default: the account. */
  readonly container?: string;
  /** Of an account's: s(ervice), c(ontainer), o(bject); default all. */
  readonly resourceTypes?: string;
}

const sasVersion = '2022-11-02';

/** A shared access signature as the portal makes it. */
export function sharedAccess({ permissions, from, until, container, resourceTypes = 'sco' }: SasWishes): string {
  const time = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}/, '');
  const [starts, ends] = [from === undefined ? '' : time(from), time(until)];
  const times = { ...(from === undefined ? {} : { st: starts }), se: ends };
  const signed = (lines: readonly string[]): string =>
    createHmac('sha256', Buffer.from(accountKey, 'base64')).update(lines.join('\n')).digest('base64');
  const all =
    container === undefined
      ? {
          sv: sasVersion,
          ss: 'b',
          srt: resourceTypes,
          sp: permissions,
          ...times,
          sig: signed([account, permissions, 'b', resourceTypes, starts, ends, '', '', sasVersion, '', '']),
        }
      : {
          sv: sasVersion,
          sr: 'c',
          sp: permissions,
          ...times,
          sig: signed([
            permissions,
            starts,
            ends,
            `/blob/${account}/${container}`,
            '',
            '',
            '',
            sasVersion,
            'c',
            '',
            '',
            '',
            '',
            '',
            '',
            '',
          ]),
        };
  return new URLSearchParams(all).toString();
}
